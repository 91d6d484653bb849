/* call_record.h - the entry in K:calls that each model call leaves, however it ended.
 *
 * What is not known leaves no field. docs/protocol.md lists them all.
 *
 * It may be written twice when the connection is lost in between: readers know a call
 * by its id.
 */
#ifndef PARLEY_LLM_CALL_RECORD_H
#define PARLEY_LLM_CALL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "llm/llm.h"
#include "proto/keys.h"

struct redis;
struct router_attempt;

struct call_record {
    const char *conversation;
    const char *call;   /* its id */
    const char *worker; /* the process' name */
    int64_t turn;       /* -1, as the next three: not a turn's (a story's) */
    int64_t issue;
    int64_t delivery;
    int64_t seat;
    int64_t num_ctx;                      /* the window kept to; 0 unknown */
    int64_t began_us;                     /* wall clock */
    const struct router_attempt *attempt; /* NULL: not made through the router */
    const char *cleaned;    /* what was changed in the reply, words with commas */
    bool context_truncated; /* the server cut the prompt */
    struct str thinking;    /* kept only where that was asked for */
    const char *error;      /* what spoils a call that is done; NULL nothing */
};
/* False when it could not be sent (the queue is full). */
bool call_record_send(struct redis *redis, const struct keys *keys,
                      const struct call_record *record,
                      const struct llm_result *result);

#endif
