/* plain.c - see plain.h.
 *
 * Flow: plain_show -> clear the status line -> one function a kind of sight. A turn
 * being spoken keeps what was shown of it (`said`), harmless, to be compared with what
 * was committed: the rest is added, or the corrected text follows.
 */
#include "plain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "plain_pen.h"
#include "plain_words.h"
#include "proto/message.h"

enum {
    SAID_MAX_BYTES = 16 << 20,
    LATER_MAX_BYTES = 64 << 10,
    NAME_COLUMNS_MAX = 16, /* a longer name pushes its own first line only */
    GAP = 2,
    SHORT_ID = 6
};

struct plain {
    struct plain_pen pen;
    bool many;             /* several conversations */
    unsigned name_columns; /* of the longest name so far, bounded */
    bool speaking;         /* a turn is on the screen, its line is open */
    bool blocks;           /* something was written: an empty line goes between */
    struct buf said;       /* what was shown of the turn being spoken */
    struct buf later;      /* lines that wait for the end of the turn being spoken */
    char state[16];        /* of the conversation, as shown last */
};

bool plain_wants_colour(const char *choice, bool is_terminal, const char *no_color,
                        const char *term)
{
    if (strcmp(choice, "auto") != 0)
        return strcmp(choice, "always") == 0;
    if (!is_terminal || (no_color != NULL && no_color[0] != '\0'))
        return false;
    return term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

struct plain *plain_new(const struct plain_look *look)
{
    struct plain *plain = x_calloc(1, sizeof *plain);

    plain_pen_init(&plain->pen, look);
    buf_init(&plain->said, SAID_MAX_BYTES);
    buf_init(&plain->later, LATER_MAX_BYTES);
    return plain;
}

void plain_free(struct plain *plain)
{
    if (plain == NULL)
        return;
    plain_pen_done(&plain->pen);
    buf_done(&plain->said);
    buf_done(&plain->later);
    free(plain);
}

void plain_resize(struct plain *plain, unsigned width)
{
    plain->pen.look.width = width;
}

void plain_show_many(struct plain *plain)
{
    plain->many = true;
}

/* A page has room: wrapped, an empty line between blocks. */
static bool is_page(const struct plain *plain)
{
    return plain->pen.look.width > 0 && !plain->many;
}

/* Where each line or block begins. */
static void begin_block(struct plain *plain, const struct sight *sight)
{
    struct plain_pen *pen = &plain->pen;
    const char *dash = strrchr(sight->conversation, '-');
    const char *id = dash == NULL ? sight->conversation : dash + 1;

    plain_pen_break(pen);
    if (plain->many) {
        (void)plain_pen_name(pen, str_make(id, strnlen(id, SHORT_ID)), 0);
        plain_pen_put(pen, "  ");
    } else if (is_page(plain) && plain->blocks) {
        plain_pen_put(pen, "\n");
    }
    plain->blocks = true;
}

/* A paragraph under the indent; without a page all of it on one line. */
static void begin_text(struct plain *plain, unsigned indent, unsigned column)
{
    if (is_page(plain)) {
        plain_pen_begin(&plain->pen, indent, column);
        return;
    }
    plain_pen_begin(&plain->pen, 0, column);
    plain->pen.wrap.width = 0;
}

/* ---- the story and who is in it ---- */

static void show_labelled(struct plain *plain, const struct sight *sight,
                          const char *label, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    begin_block(plain, sight);
    if (!is_page(plain))
        plain_pen_put(&plain->pen, label);
    begin_text(plain, 0, 0);
    plain_pen_text(&plain->pen, str_of(text));
    plain_pen_end(&plain->pen);
}

static void show_story(struct plain *plain, const struct sight *sight)
{
    const struct story *story = &sight->message->story;

    show_labelled(plain, sight, "Story: ", story->setting);
    show_labelled(plain, sight, "Situation: ", story->initial_situation);
}

static void add_part(struct plain_pen *pen, const char *before, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    plain_pen_harmless(pen, str_of(before));
    plain_pen_text(pen, str_of(text));
}

static void learn_columns(struct plain *plain, unsigned columns)
{
    if (columns > NAME_COLUMNS_MAX)
        columns = NAME_COLUMNS_MAX;
    if (columns > plain->name_columns)
        plain->name_columns = columns;
}

static void show_persona(struct plain *plain, const struct sight *sight)
{
    const struct persona *persona = &sight->message->persona;
    struct plain_pen *pen = &plain->pen;
    unsigned columns;

    begin_block(plain, sight);
    columns = plain_pen_name(pen, str_of(persona->name), sight->seat);
    learn_columns(plain, columns);
    begin_text(plain, 2 * GAP, columns);
    add_part(pen, ", ", persona->role);
    for (size_t i = 0; i < persona->trait_count; i++)
        add_part(pen, i == 0 ? "; " : ", ", persona->traits[i]);
    add_part(pen, " - wants: ", persona->goal);
    add_part(pen, " - speaks: ", persona->style);
    plain_pen_end(pen);
}

/* ---- turns ---- */

/* The name, and the paragraph open behind it. */
static void begin_turn(struct plain *plain, const struct sight *sight)
{
    struct plain_pen *pen = &plain->pen;
    unsigned columns;

    begin_block(plain, sight);
    columns = plain_pen_name(pen, sight->author, sight->seat);
    learn_columns(plain, columns);
    if (!is_page(plain)) {
        plain_pen_put(pen, ": ");
        begin_text(plain, 0, columns + GAP);
        return;
    }
    do {
        plain_pen_put(pen, " ");
        columns++;
    } while (columns < plain->name_columns + GAP);
    begin_text(plain, plain->name_columns + GAP, columns);
}

static void add_addressees(struct plain *plain, const struct message *message)
{
    struct buf to;

    if (message->to_count == 0)
        return;
    buf_init(&to, LATER_MAX_BYTES);
    for (size_t i = 0; i < message->to_count; i++)
        (void)buf_printf(&to, "%s%d", i == 0 ? "(to seat " : ", ", message->to[i]);
    (void)buf_add_text(&to, ") ");
    plain_pen_harmless(&plain->pen, buf_str(&to));
    buf_done(&to);
}

static void write_turn(struct plain *plain, const struct sight *sight)
{
    const struct message *message = sight->message;

    begin_turn(plain, sight);
    add_addressees(plain, message);
    if (message->fallback)
        plain_pen_harmless(&plain->pen, str_of("(no model answered) "));
    if (message->failed)
        plain_pen_harmless(&plain->pen, str_of("(failed: nothing was said)"));
    else
        plain_pen_text(&plain->pen, str_of(message->text));
    plain_pen_end(&plain->pen);
}

/* Between the turns: a stage direction, or a whisper. */
static void write_staged(struct plain *plain, const struct sight *sight)
{
    struct plain_pen *pen = &plain->pen;

    begin_block(plain, sight);
    begin_text(plain, 0, 0);
    plain_pen_harmless(
        pen,
        str_of(sight->kind == SIGHT_WHISPER ? "(whispered) " : "(stage direction) "));
    add_addressees(plain, sight->message);
    plain_pen_text(pen, str_of(sight->message->text));
    plain_pen_end(pen);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t';
}

static bool skip_blanks(struct str text, size_t *at)
{
    size_t from = *at;

    while (*at < text.len && is_blank(text.at[*at]))
        ++*at;
    return *at > from;
}

/* Whether `said` is how `whole` begins, whatever kind and number of blanks stand
 * between the words; *ret_rest is then what is still to be said. */
static bool is_beginning(struct str said, struct str whole, struct str *ret_rest)
{
    size_t s = 0;
    size_t w = 0;

    (void)skip_blanks(said, &s); /* the blanks before the first word do not count */
    (void)skip_blanks(whole, &w);
    for (;;) {
        size_t from = w;
        bool said_blank = skip_blanks(said, &s);
        bool whole_blank = skip_blanks(whole, &w);

        if (s == said.len && (w == whole.len || !said_blank || whole_blank)) {
            *ret_rest = str_make(whole.at + from, whole.len - from);
            return true;
        }
        if (w == whole.len || said_blank != whole_blank || said.at[s] != whole.at[w])
            return false;
        s++;
        w++;
    }
}

static void stop_speaking(struct plain *plain)
{
    plain_pen_break(&plain->pen);
    plain->speaking = false;
    buf_clear(&plain->said);
    if (plain->later.len > 0)
        plain_pen_put(&plain->pen, buf_text(&plain->later));
    buf_clear(&plain->later);
}

/* The turn on the screen was committed: what is missing, or the text as it stands. */
static void finish_turn(struct plain *plain, const struct sight *sight)
{
    struct buf whole;
    struct str rest;
    bool same;

    buf_init(&whole, SAID_MAX_BYTES);
    (void)utf8_harmless(str_of(sight->message->text), true, &whole);
    same = is_beginning(buf_str(&plain->said), buf_str(&whole), &rest);
    if (same) {
        plain_pen_harmless(&plain->pen, rest);
        stop_speaking(plain);
    } else {
        plain_pen_break(&plain->pen);
        plain_pen_put(&plain->pen, "   (corrected: this is what was said)\n");
        stop_speaking(plain);
        write_turn(plain, sight);
    }
    buf_done(&whole);
}

static void show_turn(struct plain *plain, const struct sight *sight)
{
    if (plain->speaking && !plain->many)
        finish_turn(plain, sight);
    else
        write_turn(plain, sight);
}

/* It came while somebody speaks: it is shown behind what they say. */
static void show_staged(struct plain *plain, const struct sight *sight)
{
    struct buf *into = plain->pen.into;
    bool mid_line = plain->pen.mid_line;

    if (!plain->speaking) {
        write_staged(plain, sight);
        return;
    }
    plain->pen.into = &plain->later;
    plain->pen.mid_line = false;
    plain_pen_put(&plain->pen,
                  sight->kind == SIGHT_WHISPER ? "(whispered) " : "(stage direction) ");
    (void)plain_pen_name(&plain->pen, str_of(sight->message->text), 0);
    plain_pen_put(&plain->pen, "\n");
    plain->pen.into = into;
    plain->pen.mid_line = mid_line;
}

/* ---- a turn being spoken ---- */

static void show_begin(struct plain *plain, const struct sight *sight)
{
    if (!is_page(plain))
        return;
    begin_turn(plain, sight);
    plain->speaking = true;
}

static void show_delta(struct plain *plain, const struct sight *sight)
{
    size_t before = plain->said.len;

    if (!plain->speaking)
        return;
    (void)utf8_harmless(sight->text, true, &plain->said);
    plain_pen_harmless(&plain->pen, str_make(buf_text(&plain->said) + before,
                                             plain->said.len - before));
}

static void withdraw(struct plain *plain, const char *why)
{
    if (!plain->speaking)
        return;
    plain_pen_break(&plain->pen);
    plain_pen_put(&plain->pen, why);
    stop_speaking(plain);
}

static void show_withdrawn(struct plain *plain, const struct sight *sight)
{
    (void)sight;
    withdraw(plain, "   (withdrawn: asked again)\n");
}

static void show_end(struct plain *plain, const struct sight *sight)
{
    if (str_is(sight->text, "failed"))
        withdraw(plain, "   (withdrawn: the model failed)\n");
    else if (str_is(sight->text, "cancelled"))
        withdraw(plain, "   (cut short: not kept)\n");
}

/* ---- what happens to the conversation ---- */

static void show_waiting(struct plain *plain, const struct sight *sight)
{
    struct plain_pen *pen = &plain->pen;

    stop_speaking(plain);
    begin_block(plain, sight);
    begin_text(plain, 0, 0);
    plain_pen_text(pen, str_of("("));
    plain_pen_text(pen, sight->author);
    plain_pen_text(pen, str_of(" waits for a model server; down: "));
    plain_pen_text(pen, sight->servers);
    plain_pen_text(pen, str_of("; last: "));
    plain_pen_text(pen, sight->text);
    plain_pen_text(pen, str_of(")"));
    plain_pen_end(pen);
}

static void show_state(struct plain *plain, const struct sight *sight)
{
    struct buf line;

    buf_init(&line, LATER_MAX_BYTES);
    plain_words_state(sight->facts, plain->state, &line);
    fmt_into(plain->state, sizeof plain->state, "%s", sight->facts->state);
    if (plain->speaking && strcmp(sight->facts->state, "ended") == 0)
        withdraw(plain, "   (cut short: not kept)\n");
    if (plain->speaking) {
        (void)buf_add_str(&plain->later, buf_str(&line));
    } else if (line.len > 0) {
        begin_block(plain, sight);
        plain_pen_put(&plain->pen, buf_text(&line));
    }
    buf_done(&line);
}

static void show_rewound(struct plain *plain, const struct sight *sight)
{
    char number[32];

    stop_speaking(plain);
    begin_block(plain, sight);
    fmt_into(number, sizeof number, "%lld", (long long)sight->turn);
    plain_pen_put(&plain->pen, "(history was rewound: Redis kept no more than turn ");
    plain_pen_put(&plain->pen, number);
    plain_pen_put(&plain->pen, ")\n");
}

static void show_unreadable(struct plain *plain, const struct sight *sight)
{
    stop_speaking(plain);
    begin_block(plain, sight);
    plain_pen_put(&plain->pen, "(an entry that cannot be read: ");
    (void)plain_pen_name(&plain->pen, sight->text, 0);
    plain_pen_put(&plain->pen, ")\n");
}

void plain_show(struct plain *plain, const struct sight *sight, struct buf *into)
{
    static void (*const shows[SIGHT_KIND_COUNT])(struct plain *,
                                                 const struct sight *) = {
        [SIGHT_STORY] = show_story,         [SIGHT_PERSONA] = show_persona,
        [SIGHT_BEGIN] = show_begin,         [SIGHT_DELTA] = show_delta,
        [SIGHT_WITHDRAWN] = show_withdrawn, [SIGHT_END] = show_end,
        [SIGHT_TURN] = show_turn,           [SIGHT_STATE] = show_state,
        [SIGHT_REWOUND] = show_rewound,     [SIGHT_UNREADABLE] = show_unreadable,
        [SIGHT_WAITING] = show_waiting,     [SIGHT_EVENT] = show_staged,
        [SIGHT_WHISPER] = show_staged,
    };

    assert(sight->kind < SIGHT_KIND_COUNT);
    plain->pen.into = into;
    plain_pen_clear_status(&plain->pen);
    if (plain->many && plain->speaking)
        stop_speaking(plain);
    shows[sight->kind](plain, sight);
}

void plain_status(struct plain *plain, struct str status, struct buf *into)
{
    plain->pen.into = into;
    if (plain->pen.look.motion && plain->pen.look.width > 0 && !plain->speaking)
        plain_pen_status(&plain->pen, status);
}

void plain_close(struct plain *plain, struct buf *into)
{
    plain->pen.into = into;
    plain_pen_clear_status(&plain->pen);
    stop_speaking(plain);
    if (plain->pen.look.colour)
        (void)buf_add_text(into, "\033[0m");
}
