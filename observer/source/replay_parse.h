/* replay_parse.h - lines of calls.jsonl and events.jsonl as structs. */
#ifndef PARLEY_REPLAY_PARSE_H
#define PARLEY_REPLAY_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Texts are views into `document`, empty where there are none; numbers are -1 where
 * they are not known. */
struct replay_call {
    void *document;           /* owned (replay_call_done) */
    const char *conversation; /* borrowed from the record */
    struct str call;
    struct str endpoint;
    struct str tier;
    struct str worker;
    struct str outcome;
    struct str error;
    int64_t turn; /* -1: of the story */
    int64_t seat;
    int64_t started_us;
    int64_t ended_us;
    int64_t tokens;
    double first_token_ms;
};
struct replay_event {
    void *document;           /* owned (replay_event_done) */
    const char *conversation; /* borrowed from the record */
    struct str event;
    struct str state;
    struct str reason;
    int64_t at_us;
    int64_t turn;
};

/* False: the line is none. Else *ret_... is the caller's (..._done). */
MUST_USE bool replay_call_parse(struct str line, struct replay_call *ret_call,
                                struct err *err);
void replay_call_done(struct replay_call *call);
MUST_USE bool replay_event_parse(struct str line, struct replay_event *ret_event,
                                 struct err *err);
void replay_event_done(struct replay_event *event);

#endif
