/* talk_line.c - see talk_line.h. */
#include "observer/model/talk_line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "observer/screen/text.h"
#include "proto/message.h"

enum {
    AUTHOR_MAX_BYTES = 1024,
    TEXT_MAX_BYTES = 4 << 20 /* a message made harmless may grow to eight times */
};
static const char cut_mark[] = "...";

struct talk_figures talk_figures_unknown(void)
{
    return (struct talk_figures){
        .tokens = -1,
        .prompt_tokens = -1,
        .attempts = -1,
        .tokens_per_second = -1,
        .first_token_ms = -1,
        .queue_wait_ms = -1,
        .generation_ms = -1,
    };
}

const char *talk_line_kind_name(enum talk_line_kind kind)
{
    static const char *const names[TALK_LINE_KIND_COUNT] = {
        [TALK_STORY] = "story",
        [TALK_PERSONA] = "persona",
        [TALK_TURN] = "turn",
        [TALK_NOTE] = "note",
    };

    assert(kind < TALK_LINE_KIND_COUNT);
    return names[kind];
}

struct talk_line *talk_line_new(enum talk_line_kind kind)
{
    struct talk_line *line = x_calloc(1, sizeof *line);

    line->kind = kind;
    line->turn = -1;
    line->seat = -1;
    line->at_us = -1;
    line->figures = talk_figures_unknown();
    buf_init(&line->author, AUTHOR_MAX_BYTES);
    buf_init(&line->text, TEXT_MAX_BYTES);
    buf_init(&line->document, MESSAGE_MAX_BYTES);
    return line;
}

void talk_line_free(struct talk_line *line)
{
    if (line == NULL)
        return;
    buf_done(&line->author);
    buf_done(&line->text);
    buf_done(&line->document);
    free(line);
}

size_t talk_line_bytes(const struct talk_line *line)
{
    return sizeof *line + line->author.capacity + line->text.capacity
           + line->document.capacity;
}

void talk_line_say(struct buf *into, struct str text)
{
    size_t max = into->max;
    bool whole;

    if (into->overflowed)
        return; /* cut already, and says so */
    into->max = max - sizeof cut_mark;
    whole = text_clean(text, TEXT_LINES, into);
    into->max = max;
    if (!whole)
        (void)buf_add_text(into, cut_mark); /* room was kept for it */
}

/* ---- what each kind says ---- */

static void part_str(struct buf *into, const char *between, struct str text)
{
    if (text.len == 0)
        return;
    if (into->len > 0)
        (void)buf_add_text(into, between); /* one that is full is cut already */
    talk_line_say(into, text);
}

static void part(struct buf *into, const char *between, const char *text)
{
    if (text != NULL)
        part_str(into, between, str_of(text));
}

static void say_story(struct talk_line *line, const struct story *story)
{
    part(&line->text, "\n", story->setting);
    for (size_t i = 0; i < story->character_count; i++) {
        part(&line->text, "\n", story->characters[i].name);
        part(&line->text, ": ", story->characters[i].description);
    }
    part(&line->text, "\n", story->initial_situation);
}

/* A sentence's full stop is one too many where a list goes on. */
static struct str without_stop(const char *text)
{
    struct str rest = str_trim(str_of(text == NULL ? "" : text));

    if (rest.len > 0 && rest.at[rest.len - 1] == '.')
        rest.len--;
    return rest;
}

static void say_persona(struct talk_line *line, const struct persona *persona)
{
    part(&line->author, "", persona->name);
    part(&line->text, "", persona->role);
    for (size_t i = 0; i < persona->trait_count; i++)
        part(&line->text, i == 0 ? "; " : ", ", persona->traits[i]);
    part_str(&line->text, "; wants: ", without_stop(persona->goal));
    part(&line->text, "; speaks: ", persona->style);
}

static void say_addressees(struct talk_line *line, const struct message *message)
{
    for (size_t i = 0; i < message->to_count; i++)
        (void)buf_printf(&line->text, "%s%d", i == 0 ? "(to seat " : ", ",
                         message->to[i]);
    if (message->to_count > 0)
        (void)buf_add_text(&line->text, ") ");
}

static void say_turn(struct talk_line *line, const struct message *message)
{
    line->failed = message->failed;
    say_addressees(line, message);
    if (message->fallback)
        (void)buf_add_text(&line->text, "(no model answered) ");
    if (message->failed)
        (void)buf_add_text(&line->text, "(failed: nothing was said)");
    else
        talk_line_say(&line->text, str_of(message->text));
    line->figures = (struct talk_figures){
        .tokens = message->tokens_generated,
        .prompt_tokens = message->prompt_tokens,
        .attempts = message->attempts,
        .tokens_per_second = message->tokens_per_second,
        .first_token_ms = message->time_to_first_token_ms,
        .queue_wait_ms = message->queue_wait_ms,
        .generation_ms = message->generation_time_ms,
    };
}

/* Put in between the turns. */
static void say_staged(struct talk_line *line, const struct message *message)
{
    (void)buf_add_text(&line->text, message->kind == MESSAGE_WHISPER
                                        ? "whispered: "
                                        : "stage direction: ");
    say_addressees(line, message);
    talk_line_say(&line->text, str_of(message->text));
}

static struct talk_line *unreadable(const struct sight *sight)
{
    struct talk_line *line = talk_line_new(TALK_NOTE);

    (void)buf_add_text(&line->text, "an entry that cannot be read: ");
    talk_line_say(&line->text, sight->text);
    return line;
}

static struct talk_line *line_of_message(const struct sight *sight)
{
    static const enum talk_line_kind kinds[MESSAGE_KIND_COUNT] = {
        [MESSAGE_STORY] = TALK_STORY,  [MESSAGE_PERSONA] = TALK_PERSONA,
        [MESSAGE_TURN] = TALK_TURN,    [MESSAGE_EVENT] = TALK_NOTE,
        [MESSAGE_WHISPER] = TALK_NOTE,
    };
    struct talk_line *line = talk_line_new(kinds[sight->message->kind]);

    line->turn = sight->turn;
    line->seat = sight->seat;
    if (line->kind == TALK_STORY)
        say_story(line, &sight->message->story);
    else if (line->kind == TALK_PERSONA)
        say_persona(line, &sight->message->persona);
    else if (line->kind == TALK_NOTE)
        say_staged(line, sight->message);
    else
        say_turn(line, sight->message);
    (void)buf_add_str(&line->document, sight->document); /* parsed: it is no longer */
    return line;
}

struct talk_line *talk_line_of(const struct sight *sight, const struct talk_from *from)
{
    bool readable = sight->kind != SIGHT_UNREADABLE && sight->message != NULL;
    struct talk_line *line = readable ? line_of_message(sight) : unreadable(sight);
    int64_t said_us = readable ? sight->message->queue_timestamp_us : -1;

    line->place = from->place;
    line->at_us = said_us >= 0 ? said_us : from->at_us;
    if (line->kind == TALK_TURN)
        talk_line_say(&line->author, sight->author);
    return line;
}

struct talk_line *talk_line_note(struct str text, int64_t at_us)
{
    struct talk_line *line = talk_line_new(TALK_NOTE);

    line->at_us = at_us;
    (void)buf_add_str(&line->text, text); /* a note is short */
    return line;
}
