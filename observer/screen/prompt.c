/* prompt.c - see prompt.h. The text is kept well-formed: the place of the next
 * character is always the border of a cluster. */
#include "prompt.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "keymap.h"
#include "text.h"

enum { CTRL = 0x1F };
static const char yes_or_no[] = " y/n ";

struct prompt {
    enum prompt_kind kind;
    bool yes; /* for a y, not for a line */
    struct buf label;
    struct buf text;
    size_t at; /* the cursor, in bytes of text */
};

struct prompt *prompt_new(void)
{
    struct prompt *prompt = x_calloc(1, sizeof *prompt);

    buf_init(&prompt->label, PROMPT_MAX_BYTES);
    buf_init(&prompt->text, PROMPT_MAX_BYTES);
    return prompt;
}

void prompt_free(struct prompt *prompt)
{
    if (prompt == NULL)
        return;
    buf_done(&prompt->label);
    buf_done(&prompt->text);
    free(prompt);
}

static void ask(struct prompt *prompt, enum prompt_kind kind, const char *label)
{
    prompt->kind = kind;
    prompt->at = 0;
    buf_clear(&prompt->label);
    buf_clear(&prompt->text);
    /* A label longer than the buffer is longer than any screen. */
    (void)text_clean(str_of(label), TEXT_ONE_LINE, &prompt->label);
}

void prompt_ask_line(struct prompt *prompt, enum prompt_kind kind, const char *label,
                     struct str initial)
{
    ask(prompt, kind, label);
    prompt->yes = false;
    (void)text_clean(initial, TEXT_ONE_LINE, &prompt->text);
    prompt->at = prompt->text.len;
}

void prompt_ask_yes(struct prompt *prompt, enum prompt_kind kind, const char *question)
{
    ask(prompt, kind, question);
    prompt->yes = true;
}

enum prompt_kind prompt_kind(const struct prompt *prompt)
{
    return prompt->kind;
}

struct str prompt_text(const struct prompt *prompt)
{
    return buf_str(&prompt->text);
}

/* ---- editing ---- */

/* Where the cluster begins that ends at the cursor. */
static size_t before(const struct prompt *prompt)
{
    size_t at = 0;
    size_t last = 0;

    while (at < prompt->at) {
        unsigned columns;

        last = at;
        at +=
            text_next(str_make(prompt->text.at + at, prompt->text.len - at), &columns);
    }
    return last;
}

static size_t after(const struct prompt *prompt)
{
    struct str rest =
        str_make(buf_text(&prompt->text) + prompt->at, prompt->text.len - prompt->at);
    unsigned columns;

    return prompt->at + text_next(rest, &columns);
}

/* Where the word begins that ends at the cursor, blanks behind it included. */
static size_t word_before(const struct prompt *prompt)
{
    const char *text = buf_text(&prompt->text);
    size_t at = prompt->at;

    while (at > 0 && text[at - 1] == ' ')
        at--;
    while (at > 0 && text[at - 1] != ' ')
        at--;
    return at;
}

/* Takes out what stands between two borders; the cursor stands at the first. */
static void cut(struct prompt *prompt, size_t from, size_t to)
{
    struct str text = buf_str(&prompt->text);
    struct buf left;

    buf_init(&left, PROMPT_MAX_BYTES);
    (void)buf_add(&left, text.at, from); /* shorter than what fitted before */
    (void)buf_add(&left, text.at + to, text.len - to);
    buf_done(&prompt->text);
    prompt->text = left;
    prompt->at = from;
}

static void insert(struct prompt *prompt, uint32_t point)
{
    struct str text = buf_str(&prompt->text);
    struct buf more;
    char bytes[4];
    size_t len = utf8_encode(point, bytes);

    if (text.len + len > PROMPT_MAX_BYTES)
        return;
    buf_init(&more, PROMPT_MAX_BYTES);
    (void)buf_add(&more, text.at, prompt->at); /* it was asked whether it fits */
    (void)buf_add(&more, bytes, len);
    (void)buf_add(&more, text.at + prompt->at, text.len - prompt->at);
    buf_done(&prompt->text);
    prompt->text = more;
    prompt->at += len;
}

/* A character that can be seen. */
static bool is_typed(int key)
{
    char bytes[4];
    struct buf shown;
    size_t len;
    bool same;

    if (key < ' ' || key > 0x10FFFF || (key >= 0xD800 && key <= 0xDFFF))
        return false;
    len = utf8_encode((uint32_t)key, bytes);
    buf_init(&shown, 64);
    same = utf8_harmless(str_make(bytes, len), false, &shown)
           && str_eq(buf_str(&shown), str_make(bytes, len));
    buf_done(&shown);
    return same;
}

static void edit(struct prompt *prompt, int key)
{
    if (key == KEY_RUBOUT || key == ('H' & CTRL))
        cut(prompt, before(prompt), prompt->at);
    else if (key == KEY_DELETE || key == ('D' & CTRL))
        cut(prompt, prompt->at, after(prompt));
    else if (key == ('U' & CTRL))
        cut(prompt, 0, prompt->at);
    else if (key == ('K' & CTRL))
        cut(prompt, prompt->at, prompt->text.len);
    else if (key == ('W' & CTRL))
        cut(prompt, word_before(prompt), prompt->at);
    else if (key == KEY_CURSOR_LEFT || key == ('B' & CTRL))
        prompt->at = before(prompt);
    else if (key == KEY_CURSOR_RIGHT || key == ('F' & CTRL))
        prompt->at = after(prompt);
    else if (key == KEY_TO_HOME || key == ('A' & CTRL))
        prompt->at = 0;
    else if (key == KEY_TO_END || key == ('E' & CTRL))
        prompt->at = prompt->text.len;
    else if (is_typed(key))
        insert(prompt, (uint32_t)key);
}

enum prompt_outcome prompt_key(struct prompt *prompt, int key)
{
    bool given = prompt->yes ? key == 'y' || key == 'Y' : key == KEY_RETURN;
    bool cancelled =
        prompt->yes ? !given
                    : key == KEY_ESCAPE || key == ('C' & CTRL) || key == ('G' & CTRL);

    if (!given && !cancelled) {
        edit(prompt, key);
        return PROMPT_OPEN;
    }
    prompt->kind = PROMPT_NONE;
    return given ? PROMPT_GIVEN : PROMPT_CANCELLED;
}

void prompt_paste(struct prompt *prompt, int key)
{
    if (prompt->kind == PROMPT_NONE || prompt->yes)
        return;
    if (key == KEY_RETURN || key == KEY_TAB)
        key = ' ';
    if (is_typed(key))
        insert(prompt, (uint32_t)key);
}

/* A long label leaves room for what is typed, or for what may be. */
static unsigned label_room(const struct prompt *prompt, unsigned cols)
{
    unsigned kept = prompt->yes ? (unsigned)sizeof yes_or_no - 1 : cols / 2;

    return cols > kept ? cols - kept : 0;
}

void prompt_draw(const struct prompt *prompt, struct canvas *canvas, struct area area)
{
    struct str text = buf_str(&prompt->text);
    unsigned behind = text_columns(str_make(text.at, prompt->at));
    unsigned label, room, skipped, left;
    size_t from;

    area.rows = 1;
    canvas_fill(canvas, area, PEN_TEXT);
    label = canvas_put_cut(canvas, area.row, area.col, label_room(prompt, area.cols),
                           PEN_BOLD, buf_str(&prompt->label));
    if (prompt->yes) {
        canvas_put(canvas, area.row, area.col + label, area.cols - label, PEN_BOLD,
                   str_of(yes_or_no));
        return;
    }
    room = area.cols - label;
    skipped = room > 0 && behind >= room ? behind - room + 1 : 0;
    from = text_skip(text, skipped, &left);
    canvas_put(canvas, area.row, area.col + label + left,
               room - (left < room ? left : room), PEN_TEXT,
               str_make(text.at + from, text.len - from));
    canvas_cursor(canvas, area.row, area.col + label + behind - skipped);
}
