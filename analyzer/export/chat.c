/* chat.c - see chat.h. A message is written in pieces: its head, texts with an empty
 * line between, and its end, which tells what only then is known (one speaker or
 * several, the thinking). */
#include "analyzer/export/chat.h"

#include <string.h>

#include "base/utf8.h"
#include "proto/json_write.h"
#include "proto/persona_text.h"

enum chat_side { SIDE_NONE, SIDE_USER, SIDE_ASSISTANT };
enum { PIECE_MAX_BYTES = 32 << 20 };

/* The words in which the two shapes differ. */
static const struct words {
    const char *role;
    const char *content;
    const char *sides[3];
    const char *thinking;
} words[] = {
    [CHAT_MESSAGES] = {"role",
                       "content",
                       {"", "user", "assistant"},
                       "reasoning_content"},
    [CHAT_SHAREGPT] = {"from", "value", {"", "human", "gpt"}, "thinking"},
};

void chat_init(struct chat *chat, enum chat_shape shape, struct sink *sink,
               const struct chat_prompts *prompts)
{
    *chat = (struct chat){.sink = sink, .prompts = prompts, .shape = shape};
    buf_init(&chat->piece, PIECE_MAX_BYTES);
    buf_init(&chat->thinking, PIECE_MAX_BYTES);
}

void chat_done(struct chat *chat)
{
    buf_done(&chat->piece);
    buf_done(&chat->thinking);
}

static bool write_piece(struct chat *chat, struct err *err)
{
    bool ok = chat->piece.overflowed
                  ? err_set(err, ERR_LIMIT, "a message of %s is longer than %d bytes",
                            chat->survey->id, (int)PIECE_MAX_BYTES)
                  : sink_json(chat->sink, buf_str(&chat->piece), err);

    buf_clear(&chat->piece);
    return ok;
}

bool chat_head(struct chat *chat, struct err *err)
{
    return chat->shape == CHAT_MESSAGES || sink_json(chat->sink, str_of("["), err);
}

bool chat_tail(struct chat *chat, struct err *err)
{
    return chat->shape == CHAT_MESSAGES
           || sink_json(chat->sink, str_of(chat->records > 0 ? "\n]\n" : "]\n"), err);
}

/* Inside a string that is open: escaped, without quotes. */
static void add_inside(struct buf *piece, struct str text)
{
    struct buf quoted;

    buf_init(&quoted, piece->max);
    if (!json_write_string(&quoted, text))
        piece->overflowed = true;
    else
        buf_add(piece, quoted.at + 1, quoted.len - 2);
    buf_done(&quoted);
}

/* ---- one message ---- */

static void add_name(struct chat *chat)
{
    const char *name = survey_name(chat->survey, chat->speaker);
    struct str rest = str_of(name);
    char safe[CHAT_NAME_LETTERS * 4 + 1];
    size_t len = 0;

    /* What OpenAI allows in a name: no blanks, none of <|\/>, 64 letters. */
    for (int letters = 0; rest.len > 0 && letters < CHAT_NAME_LETTERS; letters++) {
        uint32_t point = 0;
        unsigned used = utf8_decode(rest, &point);
        bool bad = used == 0 || point <= ' ' || utf8_harmful(point)
                   || (point < 0x80 && strchr("<|\\/>", (int)point) != NULL);

        used = used == 0 ? 1 : used;
        memcpy(safe + len, bad ? "_" : rest.at, bad ? 1 : used);
        len += bad ? 1 : used;
        rest = str_make(rest.at + used, rest.len - used);
    }
    if (len == 0)
        return;
    buf_add_text(&chat->piece, ",\"name\":");
    json_write_string(&chat->piece, str_make(safe, len));
}

static void close_message(struct chat *chat)
{
    if (chat->side == SIDE_NONE)
        return;
    buf_add_char(&chat->piece, '"');
    if (chat->names && chat->speaker > 0)
        add_name(chat);
    if (chat->thinking.len > 0) {
        buf_printf(&chat->piece, ",\"%s\":", words[chat->shape].thinking);
        json_write_string(&chat->piece, buf_str(&chat->thinking));
        buf_clear(&chat->thinking);
    }
    buf_add_char(&chat->piece, '}');
    chat->side = SIDE_NONE;
}

static void open_message(struct chat *chat, enum chat_side side, int64_t speaker)
{
    const struct words *w = &words[chat->shape];

    buf_printf(&chat->piece, "%s{\"%s\":\"%s\",\"%s\":\"", chat->any ? "," : "",
               w->role, w->sides[side], w->content);
    chat->any = true;
    chat->side = (int)side;
    chat->speaker = speaker;
}

/* Opens a message of that side, or goes on with the one that is open. */
static void turn_to(struct chat *chat, enum chat_side side, int64_t speaker)
{
    if (chat->side == (int)side) {
        buf_add_text(&chat->piece, "\\n\\n");
        if (chat->speaker != speaker)
            chat->speaker = 0;
        return;
    }
    close_message(chat);
    open_message(chat, side, speaker);
}

/* ---- one record ---- */

static bool fill(const struct chat *chat, const char *text, struct buf *into,
                 struct err *err)
{
    return persona_text_fill(text, &chat->survey->cast, chat->survey->topic, chat->seat,
                             into, err);
}

static bool add_system(struct chat *chat, struct err *err)
{
    struct buf text;
    bool ok;

    buf_init(&text, PIECE_MAX_BYTES);
    ok = fill(chat, chat->prompts->persona, &text, err);
    if (ok && chat->shape == CHAT_SHAREGPT) {
        buf_add_text(&chat->piece, "\"system\":");
        json_write_string(&chat->piece, buf_str(&text));
        buf_add_char(&chat->piece, ',');
    } else if (ok) {
        buf_add_text(&chat->piece, "{\"role\":\"system\",\"content\":");
        json_write_string(&chat->piece, buf_str(&text));
        buf_add_char(&chat->piece, '}');
        chat->any = true;
    }
    buf_done(&text);
    return ok;
}

/* What the worker asks of who speaks first; without the personas, plainly. */
static bool add_opening(struct chat *chat, struct err *err)
{
    struct buf text;
    bool ok = true;

    buf_init(&text, PIECE_MAX_BYTES);
    if (survey_complete(chat->survey))
        ok = fill(chat, chat->prompts->opening, &text, err);
    else
        buf_add_text(&text, "(The scene begins. You speak first.)");
    turn_to(chat, SIDE_USER, 0);
    add_inside(&chat->piece, buf_str(&text));
    buf_done(&text);
    return ok;
}

bool chat_begin(struct chat *chat, const struct survey *survey, int64_t seat,
                struct err *err)
{
    bool complete = survey_complete(survey);

    chat->survey = survey;
    chat->seat = seat;
    chat->line = -1;
    chat->side = SIDE_NONE;
    chat->any = false;
    if (chat->shape == CHAT_MESSAGES) {
        buf_add_text(&chat->piece, "{\"messages\":[");
        if (complete && !add_system(chat, err))
            return false;
    } else {
        buf_printf(&chat->piece, "%s\n{\"id\":\"", chat->records > 0 ? "," : "");
        add_inside(&chat->piece, str_of(survey->id));
        buf_printf(&chat->piece, ":%d\",", (int)seat);
        if (complete && !add_system(chat, err))
            return false;
        buf_add_text(&chat->piece, "\"conversations\":[");
    }
    if (survey->opens[seat] && !add_opening(chat, err))
        return false;
    return write_piece(chat, err);
}

static void add_words(struct chat *chat, const struct message *message)
{
    const char *name = survey_name(chat->survey, message->seat);
    bool own = message->kind == MESSAGE_TURN && message->seat == chat->seat;
    const struct persona_frame *frame;

    turn_to(chat, own ? SIDE_ASSISTANT : SIDE_USER,
            message->kind == MESSAGE_TURN ? message->seat : 0);
    if (message->kind == MESSAGE_TURN && !own && name != NULL) {
        add_inside(&chat->piece, str_of(name));
        buf_add_text(&chat->piece, ": ");
    }
    if (message->kind == MESSAGE_TURN) {
        add_inside(&chat->piece, str_of(message->text));
        return;
    }
    frame = persona_text_frame(message->kind == MESSAGE_WHISPER);
    add_inside(&chat->piece, str_of(frame->before));
    add_inside(&chat->piece, str_of(message->text));
    add_inside(&chat->piece, str_of(frame->after));
}

bool chat_message(struct chat *chat, const struct message *message,
                  const char *thinking, struct err *err)
{
    chat->line++;
    if (chat->line > chat->survey->last[chat->seat] || !survey_speaks(message)
        || !survey_sees(message, chat->seat))
        return true;
    add_words(chat, message);
    if (thinking != NULL && message->seat == chat->seat) {
        buf_add_text(&chat->thinking, chat->thinking.len > 0 ? "\n\n" : "");
        if (!buf_add_text(&chat->thinking, thinking))
            return err_set(err, ERR_LIMIT, "the thinking of %s is too long",
                           chat->survey->id);
    }
    return write_piece(chat, err);
}

bool chat_end(struct chat *chat, struct err *err)
{
    close_message(chat);
    buf_add_text(&chat->piece, chat->shape == CHAT_MESSAGES ? "]}\n" : "]}");
    chat->records++;
    return write_piece(chat, err);
}
