/* opt.c - see opt.h: values by row, from flags and the environment. What is printed
 * about them stands in opt_text.c. */
#include "base/opt.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/utf8.h"

enum { VARIABLE_SIZE = 64 };

extern char **environ; /* POSIX; no header declares it */

static void *place(const struct opt_set *set, size_t row)
{
    return (char *)set->values + set->rows[row].offset;
}

static void replace(char **slot, struct str text)
{
    free(*slot);
    *slot = text.len == 0 ? NULL : x_memdup(text.at, text.len);
}

/* ---- one function a kind: text in, value stored, false when it does not fit ---- */

static bool put_flag(const struct opt_row *row, void *slot, struct str text)
{
    static const char *const yes[] = {"true", "1", "yes", "on"};
    static const char *const no[] = {"false", "0", "no", "off"};

    (void)row;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (str_is(text, yes[i]) || str_is(text, no[i])) {
            *(bool *)slot = str_is(text, yes[i]);
            return true;
        }
    }
    return false;
}

static bool put_int(const struct opt_row *row, void *slot, struct str text)
{
    return str_to_i64(text, (int64_t)row->min, (int64_t)row->max, slot);
}

static bool put_real(const struct opt_row *row, void *slot, struct str text)
{
    return str_to_double(text, row->min, row->max, slot);
}

static bool put_duration(const struct opt_row *row, void *slot, struct str text)
{
    int64_t ms;

    if (!str_to_duration_ms(text, &ms) || (double)ms < row->min
        || (double)ms > row->max)
        return false;
    *(int64_t *)slot = ms;
    return true;
}

static bool put_text(const struct opt_row *row, void *slot, struct str text)
{
    (void)row;
    replace(slot, text);
    return true;
}

static bool put_choice(const struct opt_row *row, void *slot, struct str text)
{
    struct str rest = str_of(row->choices);

    while (rest.len > 0) {
        struct str choice = str_cut(rest, '|', &rest);

        if (str_eq(choice, text)) {
            replace(slot, text);
            return true;
        }
    }
    return false;
}

static bool put_range(const struct opt_row *row, void *slot, struct str text)
{
    struct opt_range range;
    struct str high;
    struct str low = str_cut(text, '.', &high);

    if (low.len == text.len)
        high = low;
    else if (!str_starts(high, "."))
        return false;
    else
        high = str_make(high.at + 1, high.len - 1);
    if (!str_to_i64(low, (int64_t)row->min, (int64_t)row->max, &range.low)
        || !str_to_i64(high, range.low, (int64_t)row->max, &range.high))
        return false;
    *(struct opt_range *)slot = range;
    return true;
}

/* "NAME" is for slot 0, "2=NAME" for slot 2; a name may hold '=' behind no number. */
static bool split_seated(struct str text, int64_t *ret_seat, struct str *ret_name)
{
    struct str name;
    struct str number = str_cut(text, '=', &name);

    if (number.len == text.len || number.len == 0
        || !isdigit((unsigned char)number.at[0])) {
        *ret_seat = 0;
        *ret_name = text;
        return true;
    }
    *ret_name = name;
    return name.len > 0 && str_to_i64(number, 1, OPT_SEATS, ret_seat);
}

static bool put_seated(const struct opt_row *row, void *slot, struct str text)
{
    struct str name;
    int64_t seat;
    char **names = slot;

    (void)row;
    if (!split_seated(text, &seat, &name))
        return false;
    if (name.len > 0)
        replace(&names[seat], name);
    return true;
}

typedef bool put_function(const struct opt_row *row, void *slot, struct str text);
static put_function *const put_by_kind[OPT_KIND_COUNT] = {
    [OPT_FLAG] = put_flag,   [OPT_INT] = put_int,           [OPT_REAL] = put_real,
    [OPT_TEXT] = put_text,   [OPT_DURATION] = put_duration, [OPT_CHOICE] = put_choice,
    [OPT_RANGE] = put_range, [OPT_SEATED] = put_seated,
};

static bool put_none(const struct opt_row *row, void *slot, struct str text)
{
    if (!row->none || !str_is(text, "none"))
        return false;
    assert(row->kind == OPT_INT || row->kind == OPT_DURATION);
    *(int64_t *)slot = OPT_NONE;
    return true;
}

/* Who has spoken for what `text` is about: a seat's model may come from the file while
 * a flag gives another seat's. */
static enum opt_source *source_of(struct opt_set *set, size_t row, struct str text)
{
    struct str name;
    int64_t seat;

    if (set->rows[row].kind == OPT_SEATED && split_seated(text, &seat, &name))
        return &set->seat_from[seat];
    return &set->from[row];
}

static void free_value(enum opt_kind kind, void *slot)
{
    char **texts = slot;

    if (kind == OPT_TEXT || kind == OPT_CHOICE)
        replace(texts, str_of(NULL));
    for (size_t seat = 0; kind == OPT_SEATED && seat <= OPT_SEATS; seat++)
        replace(&texts[seat], str_of(NULL));
}

static bool put_any(const struct opt_row *row, void *slot, struct str text)
{
    return put_none(row, slot, text) || put_by_kind[row->kind](row, slot, text);
}

static bool put_joined(struct opt_set *set, size_t row, const char *text)
{
    char **slot = place(set, row);
    char *joined;

    assert(set->rows[row].kind == OPT_TEXT);
    joined = x_printf("%s,%s", *slot, text);
    free(*slot);
    *slot = joined;
    return true;
}

bool opt_put(struct opt_set *set, size_t row, const char *text, enum opt_source source,
             const char *where, struct err *err)
{
    const struct opt_row *r = &set->rows[row];
    enum opt_source *from = source_of(set, row, str_of(text));
    /* A value that a stronger source overrules must be a proper one all the same. */
    union {
        int64_t number;
        double real;
        struct opt_range range;
        char *texts[OPT_SEATS + 1];
    } overruled = {0};
    bool stays = source >= *from;
    struct buf allowed;

    assert(row < set->count);
    if (r->repeats && source == OPT_FLAG_GIVEN && *from == source)
        return put_joined(set, row, text);
    if (put_any(r, stays ? place(set, row) : &overruled, str_of(text))) {
        if (stays)
            *from = source;
        else
            free_value(r->kind, &overruled);
        if (source > set->from[row])
            set->from[row] = source;
        return true;
    }
    buf_init(&allowed, 512);
    opt_allowed(r, &allowed);
    err_set(err, ERR_USAGE, "%s: '%s' is not %s", where, log_safe(str_of(text)),
            buf_text(&allowed));
    buf_done(&allowed);
    return false;
}

void opt_init(struct opt_set *set, const struct opt_row *rows, size_t count,
              void *values)
{
    struct err err = {0};
    size_t seated = 0;

    assert(count <= OPT_ROWS_MAX);
    *set = (struct opt_set){.rows = rows, .count = count, .values = values};
    for (size_t i = 0; i < count; i++) {
        bool ok = rows[i].fallback == NULL
                  || opt_put(set, i, rows[i].fallback, OPT_DEFAULT, rows[i].flag, &err);

        assert(ok);
        seated += rows[i].kind == OPT_SEATED;
    }
    assert(seated <= 1); /* seat_from is of one row */
}

void opt_done(struct opt_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free_value(set->rows[i].kind, place(set, i));
    free(set->file);
    set->file = NULL;
}

static void variable_name(const struct opt_row *row, char ret_name[VARIABLE_SIZE])
{
    fmt_into(ret_name, VARIABLE_SIZE, "PARLEY_%s", row->flag);
    for (char *c = ret_name; *c != '\0'; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

bool opt_read_environment(struct opt_set *set, unsigned command, struct err *err)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct opt_row *row = &set->rows[i];
        char name[VARIABLE_SIZE];
        const char *found = name;
        const char *text;

        if ((row->commands & command) == 0)
            continue;
        variable_name(row, name);
        text = getenv(name);
        if ((text == NULL || *text == '\0') && row->env != NULL) {
            found = row->env;
            text = getenv(row->env);
        }
        if (text != NULL && *text != '\0'
            && !opt_put(set, i, text, OPT_ENV, found, err))
            return false;
    }
    return true;
}

/* Whether a row is called so: "PARLEY_TURNS". */
static bool names_a_row(const struct opt_set *set, struct str variable)
{
    char name[VARIABLE_SIZE];

    for (size_t i = 0; i < set->count; i++) {
        variable_name(&set->rows[i], name);
        if (str_is(variable, name))
            return true;
    }
    return false;
}

static void tell_strange(const struct opt_set *set, struct str variable,
                         struct buf *into)
{
    char names[OPT_ROWS_MAX][VARIABLE_SIZE];
    struct nearest nearest = nearest_to(variable);

    for (size_t i = 0; i < set->count; i++) {
        variable_name(&set->rows[i], names[i]);
        nearest_try(&nearest, names[i]);
    }
    buf_printf(into, "the variable %s names no option%s%s%s\n", log_safe(variable),
               nearest.name == NULL ? "" : ", did you mean ",
               nearest.name == NULL ? "" : nearest.name,
               nearest.name == NULL ? "" : "?");
}

void opt_strange_variables(const struct opt_set *set, bool (*is_known)(struct str name),
                           struct buf *into)
{
    for (char **variable = environ; *variable != NULL; variable++) {
        struct str value;
        struct str name = str_cut(str_of(*variable), '=', &value);

        if (str_starts(name, "PARLEY_") && !names_a_row(set, name)
            && (is_known == NULL || !is_known(name)))
            tell_strange(set, name, into);
    }
}

void opt_where(const struct opt_set *set, size_t row, struct buf *into)
{
    const struct opt_row *r = &set->rows[row];
    char variable[VARIABLE_SIZE];
    const char *value;

    variable_name(r, variable);
    value = getenv(variable);
    if (set->from[row] == OPT_FILE)
        buf_printf(into, "%s: %s", set->file, r->key);
    else if (set->from[row] != OPT_ENV)
        buf_printf(into, "--%s", r->flag);
    else
        buf_add_text(into, r->env != NULL && (value == NULL || *value == '\0')
                               ? r->env
                               : variable);
}

size_t opt_by_key(const struct opt_set *set, const char *key)
{
    size_t i = 0;

    while (i < set->count
           && (set->rows[i].key == NULL || strcmp(set->rows[i].key, key) != 0))
        i++;
    return i;
}

size_t opt_by_flag(const struct opt_set *set, const char *flag)
{
    size_t i = 0;

    while (i < set->count && strcmp(set->rows[i].flag, flag) != 0)
        i++;
    return i;
}

bool opt_given(const struct opt_set *set, const char *flag)
{
    size_t row = opt_by_flag(set, flag);

    assert(row < set->count);
    return set->from[row] != OPT_DEFAULT;
}

static bool unknown_flag(const struct opt_set *set, unsigned command, struct str name,
                         struct err *err)
{
    struct nearest nearest = nearest_to(name);

    for (size_t i = 0; i < set->count; i++)
        if ((set->rows[i].commands & command) != 0)
            nearest_try(&nearest, set->rows[i].flag);
    return err_set(err, ERR_USAGE, "unknown option --%s%s%s%s", log_safe(name),
                   nearest.name == NULL ? " (--help lists them)" : ", did you mean --",
                   nearest.name == NULL ? "" : nearest.name,
                   nearest.name == NULL ? "" : "?");
}

/* One flag at argv[*at]; moves *at behind what it used. */
static bool read_flag(struct opt_set *set, unsigned command, char **argv, int *at,
                      struct err *err)
{
    struct str value;
    struct str name = str_cut(str_of(argv[*at] + 2), '=', &value);
    bool inline_value = name.len < strlen(argv[*at] + 2);
    char *flag = x_memdup(name.at, name.len);
    size_t row = opt_by_flag(set, flag);
    char where[80];
    bool ok = false;
    const char *text = value.at;

    (*at)++;
    if (row == set->count || (set->rows[row].commands & command) == 0) {
        unknown_flag(set, command, name, err);
        goto out;
    }
    if (!inline_value && set->rows[row].kind == OPT_FLAG) {
        text = "true";
    } else if (!inline_value && set->rows[row].bare != NULL) {
        text = set->rows[row].bare;
    } else if (!inline_value) {
        if (argv[*at] == NULL) {
            err_set(err, ERR_USAGE, "--%s wants a value: %s", flag,
                    set->rows[row].value);
            goto out;
        }
        text = argv[(*at)++];
    }
    fmt_into(where, sizeof where, "--%s", set->rows[row].flag);
    ok = opt_put(set, row, text, OPT_FLAG_GIVEN, where, err);
out:
    free(flag);
    return ok;
}

bool opt_read_flags(struct opt_set *set, unsigned command, int argc, char **argv,
                    int *ret_rest, struct err *err)
{
    int rest = 0;
    int at = 0;

    while (at < argc) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (argv[at][0] != '-' || argv[at][1] == '\0') {
            argv[rest++] = argv[at++];
        } else if (argv[at][1] != '-') {
            return err_set(err, ERR_USAGE, "unknown option %s (--help lists them)",
                           log_safe(str_of(argv[at])));
        } else if (!read_flag(set, command, argv, &at, err)) {
            return false;
        }
    }
    while (at < argc)
        argv[rest++] = argv[at++];
    *ret_rest = rest;
    return true;
}
