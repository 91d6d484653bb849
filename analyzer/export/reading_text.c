/* reading_text.c - conversations as plain text and as Markdown; see reading.h. Both
 * wrap. */
#include <string.h>

#include "analyzer/export/reading.h"
#include "base/utf8.h"
#include "base/wrap.h"

enum { TEXT_MAX_BYTES = 16 << 20 };

/* Text that is harmless already, wrapped, with `indent` blanks before each line. */
static void add_wrapped(struct buf *into, struct str text, unsigned indent)
{
    struct wrap wrap;

    for (unsigned i = 0; i < indent; i++)
        buf_add_char(into, ' ');
    wrap_init(&wrap, READING_COLUMNS, indent, indent);
    (void)(wrap_feed(&wrap, text, into) && wrap_end(&wrap, into)); /* into tells */
    wrap_done(&wrap);
    buf_add_char(into, '\n');
}

static void nothing(struct reading *page)
{
    (void)page;
}

/* ---- plain text ---- */

static void text_paragraph(struct buf *into, const char *label, const char *text,
                           unsigned indent)
{
    struct buf safe;

    buf_init(&safe, TEXT_MAX_BYTES);
    buf_add_text(&safe, label);
    if (!utf8_harmless(str_of(text), true, &safe))
        into->overflowed = true;
    add_wrapped(into, buf_str(&safe), indent);
    buf_done(&safe);
}

static void text_begin(struct reading *page, const struct survey *survey)
{
    struct buf *into = page->into;
    const struct cast *cast = &survey->cast;

    text_paragraph(into, "Conversation ", survey->id, 0);
    if (survey->topic != NULL)
        text_paragraph(into, "Topic: ", survey->topic, 0);
    if (survey->has_story) {
        buf_add_char(into, '\n');
        text_paragraph(into, "", cast->story.setting, 0);
        text_paragraph(into, "", cast->story.initial_situation, 0);
    }
    for (size_t i = 0; i < cast->seat_count; i++) {
        const struct persona *persona = &cast->seats[i].persona;
        struct buf line;

        if (persona->name == NULL)
            continue;
        buf_init(&line, TEXT_MAX_BYTES);
        buf_printf(&line, "%s, %s", persona->name, persona->role);
        if (i == 0)
            buf_add_char(into, '\n');
        text_paragraph(into, i == 0 ? "With " : "and ", buf_text(&line), 0);
        buf_done(&line);
    }
    buf_add_char(into, '\n');
}

static void text_message(struct reading *page, const struct survey *survey,
                         const struct message *message, const char *thinking)
{
    enum { INDENT = 4 };
    char room[READING_NAME_SIZE];
    struct buf *into = page->into;

    utf8_harmless(str_of(reading_speaker(survey, message, room)), false, into);
    reading_to(survey, message, into);
    buf_add_text(into, ":\n");
    if (thinking != NULL)
        text_paragraph(into, "[thinks] ", thinking, INDENT);
    text_paragraph(into, "", message->text, INDENT);
    buf_add_char(into, '\n');
}

static void text_end(struct reading *page, const struct survey *survey)
{
    char left[READING_LEFT_SIZE];

    reading_left_out(survey, left);
    if (left[0] != '\0')
        buf_printf(page->into, "(%s)\n\n", left);
}

const struct reading_form reading_text = {nothing, text_begin, text_message, text_end,
                                          nothing};

/* ---- Markdown ---- */

/* Only what would mean something there is escaped: the text stays one to read. Links
 * begin with "://", "www." or an "@" where they bear no brackets. */
static void md_escape(struct buf *into, struct str text)
{
    struct buf safe;

    buf_init(&safe, TEXT_MAX_BYTES);
    if (!utf8_harmless(text, true, &safe))
        into->overflowed = true;
    for (size_t i = 0; i < safe.len; i++) {
        char c = safe.at[i];
        char before = i == 0 ? ' ' : safe.at[i - 1];
        char behind = i + 1 < safe.len ? safe.at[i + 1] : ' ';

        if (c == '<' || c == '&')
            buf_add_text(into, c == '<' ? "&lt;" : "&amp;");
        else if (c == '\n' || c == '\t')
            buf_add_char(into, ' ');
        else if (strchr("\\`*_[]>|~@$", c) != NULL || (c == ':' && behind == '/')
                 || (c == '.' && (before == 'w' || before == 'W')))
            buf_printf(into, "\\%c", c);
        else
            buf_add_char(into, c);
    }
    buf_done(&safe);
}

/* What means something only at the start of a line: after wrapping any word may stand
 * there. */
static void md_guard_line(struct buf *into, struct str line)
{
    size_t digits = 0;

    while (digits < line.len && line.at[digits] >= '0' && line.at[digits] <= '9')
        digits++;
    if (digits == 0 && line.len > 0 && strchr("-+=#", line.at[0]) != NULL)
        buf_add_char(into, '\\');
    if (digits > 0 && digits < line.len && strchr(").", line.at[digits]) != NULL) {
        buf_add(into, line.at, digits);
        buf_add_char(into, '\\');
        line = str_make(line.at + digits, line.len - digits);
    }
    buf_add_str(into, line);
    buf_add_char(into, '\n');
}

/* A word longer than a line may have been broken behind an escape's backslash: that
 * belongs to the next line. */
static bool splits_escape(struct str line)
{
    size_t count = 0;

    while (count < line.len && line.at[line.len - 1 - count] == '\\')
        count++;
    return count % 2 == 1;
}

/* One line of text from outside as a paragraph; `own` is ours and stands before it. */
static void md_line(struct buf *into, const char *own, struct str text)
{
    struct buf safe;
    struct buf wrapped;
    struct str rest;

    buf_init(&safe, TEXT_MAX_BYTES);
    buf_init(&wrapped, TEXT_MAX_BYTES);
    buf_add_text(&safe, own);
    md_escape(&safe, text);
    add_wrapped(&wrapped, buf_str(&safe), 0);
    into->overflowed = into->overflowed || safe.overflowed || wrapped.overflowed;
    rest = buf_str(&wrapped);
    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);
        bool cut = splits_escape(line);

        if (cut)
            line.len--;
        md_guard_line(into, line);
        if (cut)
            buf_add_char(into, '\\');
    }
    buf_done(&safe);
    buf_done(&wrapped);
}

/* Each line of the text is a paragraph: Markdown would join them. */
static void md_paragraph(struct buf *into, const char *own, const char *text)
{
    struct str rest = str_of(text);

    while (rest.len > 0) {
        struct str line = str_trim(str_cut(rest, '\n', &rest));

        if (line.len == 0)
            continue;
        md_line(into, own, line);
        buf_add_char(into, '\n');
        own = "";
    }
}

static void md_person(struct buf *into, const struct persona *persona)
{
    struct buf line;

    if (persona->name == NULL)
        return;
    buf_init(&line, TEXT_MAX_BYTES);
    buf_printf(&line, "%s, %s", persona->name, persona->role);
    buf_add_text(into, "- ");
    md_line(into, "", buf_str(&line));
    buf_done(&line);
}

static void md_begin(struct reading *page, const struct survey *survey)
{
    struct buf *into = page->into;
    const struct cast *cast = &survey->cast;

    buf_add_text(into, "# Conversation ");
    md_escape(into, str_of(survey->id));
    buf_add_text(into, "\n\n");
    if (survey->topic != NULL)
        md_paragraph(into, "Topic: ", survey->topic);
    if (survey->has_story) {
        md_paragraph(into, "", cast->story.setting);
        md_paragraph(into, "", cast->story.initial_situation);
    }
    for (size_t i = 0; i < cast->seat_count; i++)
        md_person(into, &cast->seats[i].persona);
    buf_add_text(into, cast->seat_count > 0 ? "\n---\n\n" : "---\n\n");
}

static void md_message(struct reading *page, const struct survey *survey,
                       const struct message *message, const char *thinking)
{
    char room[READING_NAME_SIZE];
    struct buf *into = page->into;
    struct buf to;

    buf_init(&to, TEXT_MAX_BYTES);
    reading_to(survey, message, &to);
    buf_add_text(into, "**");
    md_escape(into, str_of(reading_speaker(survey, message, room)));
    buf_add_text(into, "**");
    md_escape(into, buf_str(&to));
    buf_add_text(into, "\n\n");
    buf_done(&to);
    if (thinking != NULL)
        md_paragraph(into, "(thinks) ", thinking);
    md_paragraph(into, "", message->text);
}

static void md_end(struct reading *page, const struct survey *survey)
{
    char left[READING_LEFT_SIZE];

    reading_left_out(survey, left);
    if (left[0] != '\0')
        buf_printf(page->into, "(%s)\n\n", left);
}

const struct reading_form reading_markdown = {nothing, md_begin, md_message, md_end,
                                              nothing};
