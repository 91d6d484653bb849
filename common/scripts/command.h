/* command.h - commands to a fleet through K:control, and what their answers mean
 * (docs/protocol.md, A client). For whoever asks: the commands and the observer.
 *
 * It writes the command; how its answer is waited for is the caller's: with BLPOP, or
 * by looking at K:answer:<id> again and again.
 */
#ifndef PARLEY_COMMAND_H
#define PARLEY_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "proto/keys.h"

struct redis;

enum {
    COMMAND_ID_LETTERS = 16,
    COMMAND_ANSWER_SIZE = 320,
    COMMAND_TEXT_SIZE = 400,
    COMMAND_VALID_MS = 5000,      /* how long a person is made to wait */
    COMMAND_SAID_MAX_BYTES = 8192 /* of what `say` puts in */
};

struct command_ask {
    const struct keys *keys;
    const char
        *command; /* "start", "stop", "pause", "resume", "retry", "drop", "say" */
    const char *conversation;
    struct str args;  /* JSON, "" none */
    int64_t valid_ms; /* how long the command is good for */
};
/* Writes the command; its id into ret_id. The XADD is sent `again`: the scripts know a
 * command that comes twice by its id. now_us is Redis' time. */
MUST_USE bool command_send(struct redis *redis, const struct command_ask *ask,
                           int64_t now_us, char ret_id[COMMAND_ID_LETTERS + 1],
                           struct err *err);

/* The arguments of `say`: seat 0 for an event that all see, else a whisper to that
 * seat. False when the text is empty, too long, or no UTF-8 (ERR_USAGE says which). */
MUST_USE bool command_say_args(int64_t seat, struct str text, struct buf *into,
                               struct err *err);
/* The arguments of `retry` and `drop`. False when that is no record's id. */
MUST_USE bool command_record_args(struct str record, struct buf *into, struct err *err);

/* An answer in words for people, harmless: "is paused", "refused: it has ended". True
 * when what was asked for is so now. */
bool command_told(const char *command, struct str answer,
                  char ret_text[COMMAND_TEXT_SIZE]);

#endif
