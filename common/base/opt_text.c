/* opt_text.c - what is printed about options: help, values and where they come from. */
#include <string.h>

#include "base/opt.h"

enum { SHOW_COLUMN = 30, HELP_COLUMN = 28, HELP_WIDTH = 80 };

static const char *const source_names[OPT_SOURCE_COUNT] = {
    [OPT_DEFAULT] = "default",
    [OPT_FILE] = "config file",
    [OPT_ENV] = "environment",
    [OPT_FLAG_GIVEN] = "flag",
};

static void allowed_number(const struct opt_row *row, const char *what,
                           struct buf *into)
{
    buf_printf(into, "%s from %.15g to %.15g", what, row->min, row->max);
}

static void allowed_duration(const struct opt_row *row, struct buf *into)
{
    char low[32];
    char high[32];

    duration_format((int64_t)row->min, low, sizeof low);
    duration_format((int64_t)row->max, high, sizeof high);
    buf_printf(into, "a duration like 90, 20s, 5m, 1h30m or 7d, from %s to %s", low,
               high);
}

void opt_allowed(const struct opt_row *row, struct buf *into)
{
    switch (row->kind) {
    case OPT_FLAG:
        buf_add_text(into, "true or false");
        break;
    case OPT_INT:
        allowed_number(row, "a whole number", into);
        break;
    case OPT_REAL:
        allowed_number(row, "a number", into);
        break;
    case OPT_DURATION:
        allowed_duration(row, into);
        break;
    case OPT_CHOICE:
        buf_printf(into, "one of %s", row->choices);
        break;
    case OPT_RANGE:
        allowed_number(row, "MIN..MAX with whole numbers", into);
        break;
    case OPT_SEATED:
        buf_printf(into, "%s or SEAT=%s with a seat from 1 to %d", row->value,
                   row->value, OPT_SEATS);
        break;
    default:
        buf_add_text(into, "a text");
        break;
    }
    if (row->none)
        buf_add_text(into, ", or none");
}

static void seated_value(char *const *names, struct buf *into)
{
    for (int seat = 0; seat <= OPT_SEATS; seat++) {
        if (names[seat] == NULL)
            continue;
        if (into->len > 0)
            buf_add_char(into, ' ');
        if (seat > 0)
            buf_printf(into, "%d=", seat);
        buf_add_text(into, names[seat]);
    }
}

void opt_value(const struct opt_set *set, size_t row, struct buf *into)
{
    const struct opt_row *r = &set->rows[row];
    const void *slot = (const char *)set->values + r->offset;
    const struct opt_range *range = slot;
    int64_t number = 0;
    char duration[32];

    if (r->kind == OPT_INT || r->kind == OPT_DURATION)
        number = *(const int64_t *)slot;
    if (r->none && number == OPT_NONE) {
        buf_add_text(into, "none");
        return;
    }
    switch (r->kind) {
    case OPT_FLAG:
        buf_add_text(into, *(const bool *)slot ? "true" : "false");
        break;
    case OPT_INT:
        buf_printf(into, "%lld", (long long)number);
        break;
    case OPT_REAL:
        buf_printf(into, "%.15g", *(const double *)slot);
        break;
    case OPT_DURATION:
        duration_format(number, duration, sizeof duration);
        buf_add_text(into, duration);
        break;
    case OPT_RANGE:
        buf_printf(into, "%lld..%lld", (long long)range->low, (long long)range->high);
        break;
    case OPT_SEATED:
        seated_value(slot, into);
        break;
    default:
        buf_add_str(into, str_of(*(char *const *)slot));
        break;
    }
}

static void pad_to(struct buf *into, size_t line_start, size_t column)
{
    while (into->len - line_start < column)
        buf_add_char(into, ' ');
}

/* A URL's password is nobody's business: "redis://u:***@host". */
static void hide_password(struct buf *value)
{
    const char *scheme = strstr(buf_text(value), "://");
    const char *at = scheme == NULL ? NULL : strrchr(scheme, '@');
    const char *colon =
        at == NULL ? NULL : memchr(scheme + 3, ':', (size_t)(at - scheme - 3));
    struct buf hidden;

    if (colon == NULL)
        return;
    buf_init(&hidden, value->max + 8);
    buf_add(&hidden, value->at, (size_t)(colon - value->at) + 1);
    buf_add_text(&hidden, "***");
    buf_add_text(&hidden, at);
    buf_done(value);
    *value = hidden;
}

void opt_show_line(struct buf *into, const char *key, const char *value,
                   const char *from)
{
    size_t start = into->len;

    buf_add_text(into, key);
    pad_to(into, start, SHOW_COLUMN);
    buf_printf(into, " %s", *value == '\0' ? "-" : value);
    pad_to(into, start, SHOW_COLUMN + 24);
    buf_printf(into, "  (%s)\n", from);
}

static void show_row(const struct opt_set *set, size_t i, struct buf *into)
{
    const struct opt_row *row = &set->rows[i];
    bool is_file = set->from[i] == OPT_FILE && set->file != NULL;
    struct buf value;
    struct buf from;

    buf_init(&value, 65536);
    buf_init(&from, 65536);
    opt_value(set, i, &value);
    hide_password(&value);
    buf_printf(&from, "%s%s%s", source_names[set->from[i]], is_file ? " " : "",
               is_file ? set->file : "");
    opt_show_line(into, row->key == NULL ? row->flag : row->key, buf_text(&value),
                  buf_text(&from));
    buf_done(&value);
    buf_done(&from);
}

void opt_show(const struct opt_set *set, unsigned command, struct buf *into)
{
    for (size_t i = 0; i < set->count; i++)
        if ((set->rows[i].commands & command) != 0)
            show_row(set, i, into);
}

/* Adds words, breaking lines before HELP_WIDTH; continuation under the first word. */
static void add_wrapped(struct buf *into, size_t line_start, const char *text)
{
    struct str rest = str_of(text);

    while (rest.len > 0) {
        struct str word = str_cut(rest, ' ', &rest);

        if (into->len - line_start + 1 + word.len > HELP_WIDTH) {
            buf_add_char(into, '\n');
            line_start = into->len;
            pad_to(into, line_start, HELP_COLUMN);
        }
        buf_add_char(into, ' ');
        buf_add_str(into, word);
    }
}

static void help_row(const struct opt_row *row, struct buf *into)
{
    size_t start = into->len;
    struct buf text;

    buf_printf(into, "  --%s", row->flag);
    if (row->value != NULL)
        buf_printf(into, row->bare == NULL ? " %s" : "[=%s]", row->value);
    if (into->len - start > HELP_COLUMN) {
        buf_add_char(into, '\n');
        start = into->len;
    }
    pad_to(into, start, HELP_COLUMN);
    buf_init(&text, 4096);
    buf_add_text(&text, row->help);
    if (row->choices != NULL)
        buf_printf(&text, ": %s", row->choices);
    if (row->fallback != NULL && *row->fallback != '\0' && row->kind != OPT_FLAG)
        buf_printf(&text, " [%s]", row->fallback);
    add_wrapped(into, start, buf_text(&text));
    buf_done(&text);
    buf_add_char(into, '\n');
}

/* Groups of which the command takes nothing have no heading. */
void opt_help(const struct opt_set *set, unsigned command, struct buf *into)
{
    const char *group = NULL;
    const char *shown = NULL;

    for (size_t i = 0; i < set->count; i++) {
        const struct opt_row *row = &set->rows[i];

        if (row->group != NULL)
            group = row->group;
        if ((row->commands & command) == 0)
            continue;
        if (group != shown)
            buf_printf(into, "\n%s:\n", group);
        shown = group;
        help_row(row, into);
    }
}
