/* message.h - the one JSON document that travels through the queues and stays in the
 * transcript; schemas/dialog_message.schema.json is the contract.
 *
 * What a server did not count is unknown (-1 here, null in the JSON), never 0.
 */
#ifndef PARLEY_MESSAGE_H
#define PARLEY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum message_kind {
    MESSAGE_STORY,
    MESSAGE_PERSONA,
    MESSAGE_TURN,
    MESSAGE_EVENT,   /* a stage direction, put in by `say` */
    MESSAGE_WHISPER, /* the same, for the seats of `to` only */
    MESSAGE_KIND_COUNT
};
const char *message_kind_name(enum message_kind kind);

enum { MESSAGE_MAX_BYTES = 1 << 20, SEATS_MIN = 2, SEATS_MAX = 16 };

struct character {
    char *name;
    char *description;
};
struct story {
    char *setting;
    struct character *characters;
    size_t character_count;
    char *initial_situation;
};
struct persona {
    char *name;
    char *role;
    char **traits;
    size_t trait_count;
    char *goal;
    char *style;
};

/* All pointers are owned (message_done). NULL text and -1 numbers are null in JSON. */
struct message {
    enum message_kind kind;
    int64_t queue_timestamp_us; /* Redis time, -1 not known yet */
    char *message_id; /* "<conversation>:<turn>", "<conversation>:persona:2" */
    char *role;       /* "assistant" for turns, "system" for the others; NULL: that */
    int *to;          /* seats that see it; NULL = all */
    size_t to_count;

    /* content, by kind */
    char *text;       /* of a turn, an event, a whisper: what was said */
    double sentiment; /* in -1..1, or NAN for null */
    char **references;
    size_t reference_count;
    struct story story;     /* MESSAGE_STORY */
    struct persona persona; /* MESSAGE_PERSONA */

    /* metadata */
    char *conversation_id;
    int64_t sequence_number; /* from 1; -1 unless a turn */
    int64_t seat;            /* whose it is, from 1; personas and turns, else -1 */
    char *author;            /* the persona's name; NULL where it is nobody's */
    int64_t tokens_generated;
    double generation_time_ms; /* all doubles here: -1 unknown */
    int64_t prompt_tokens;
    double time_to_first_token_ms;
    double tokens_per_second;
    double queue_wait_ms;
    double endpoint_wait_ms; /* for a place at the endpoint */
    double routing_ms;
    int64_t attempts;
    int64_t issue;
    char *provider;
    char *endpoint;
    char *model;
    char *finish_reason;
    char *cleaned;  /* what was changed, comma between: "name_prefix"; or NULL */
    int64_t chunks; /* pieces of text received; these to `cost` are left out where
                       unknown, and by older writers */
    double longest_gap_ms; /* between two of them */
    double prefill_ms;     /* these three: the server's own times */
    double decode_ms;
    double load_ms;
    double worker_ms;             /* the worker's, from taking the request on */
    int64_t prompt_cached_tokens; /* of prompt_tokens */
    int64_t num_ctx;              /* the window the prompt was kept within */
    double cost;                  /* by the endpoint's prices */
    bool context_truncated;       /* the server cut the prompt (by its own counts) */
    bool fallback;                /* the persona's fallback reply: no model said it */
    bool failed;                  /* an empty turn routed in place of a failed one */
};

void message_init(struct message *message, enum message_kind kind);
void message_done(struct message *message);
/* Adds one line of JSON, keys in the order of the schema. Text that is not UTF-8 is
 * mended. message_id and conversation_id must be there; a NULL `text` is "". Times are
 * written to the microsecond, below 0 as null. False when `into` is full: what it then
 * holds is no message. */
bool message_format(const struct message *message, struct buf *into);
/* Strict on what we use, tolerant of unknown keys and of a later 1.x; *ret_message is
 * then owned by the caller (message_done). Over MESSAGE_MAX_BYTES: ERR_LIMIT. err names
 * the place: "/metadata/seat: expected ...". */
MUST_USE bool message_parse(struct str json, struct message *ret_message,
                            struct err *err);

#endif
