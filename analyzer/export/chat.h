/* chat.h - conversations as training data: what one seat was told, and what it said.
 *
 * Two shapes. `messages` (OpenAI's fine-tuning files, TRL's conversational format): a
 * line a record, {"messages": [{"role", "content"}]}. `sharegpt`: an array of
 * {"id", "system", "conversations": [{"from", "value"}]}. In both the seat is the
 * assistant and all others are the user; the two alternate strictly, the user first
 * (when the seat spoke first, by the worker's own ask to open the scene), the assistant
 * last. Words of one side that follow each other are one message with an empty line
 * between. Others' words bear their names, as the seat read them.
 *
 * Never holds more than one turn: survey.h tells where the seat's last words stand.
 */
#ifndef PARLEY_CHAT_H
#define PARLEY_CHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/export/sink.h"
#include "analyzer/export/survey.h"
#include "base/buf.h"
#include "base/err.h"

enum { CHAT_NAME_LETTERS = 64 };

enum chat_shape { CHAT_MESSAGES, CHAT_SHAREGPT };
struct chat_prompts {
    const char *persona; /* templates, as the worker has them */
    const char *opening;
};
struct chat {
    struct sink *sink;
    const struct chat_prompts *prompts;
    enum chat_shape shape;
    bool names;      /* each message of one speaker bears its name */
    int64_t records; /* written so far */

    /* the record being written */
    const struct survey *survey;
    int64_t seat;
    int64_t line;        /* of its messages, as survey->lines counts */
    int side;            /* enum chat_side: whose message is open */
    bool any;            /* a message stands before */
    int64_t speaker;     /* of the open message; 0: several, or nobody */
    struct buf piece;    /* being made */
    struct buf thinking; /* of the open message */
};

void chat_init(struct chat *chat, enum chat_shape shape, struct sink *sink,
               const struct chat_prompts *prompts);
void chat_done(struct chat *chat);
/* Before the first record and behind the last: ShareGPT's array. */
MUST_USE bool chat_head(struct chat *chat, struct err *err);
MUST_USE bool chat_tail(struct chat *chat, struct err *err);
/* A record: begin, each message of the conversation, end. Only for a seat that said
 * something (survey->last). thinking: the model's, to be told; NULL: none. */
MUST_USE bool chat_begin(struct chat *chat, const struct survey *survey, int64_t seat,
                         struct err *err);
MUST_USE bool chat_message(struct chat *chat, const struct message *message,
                           const char *thinking, struct err *err);
MUST_USE bool chat_end(struct chat *chat, struct err *err);

#endif
