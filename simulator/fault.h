/* fault.h - the faults a simulator was asked to have: a list of rules, and which of
 * them a call meets. Pure. docs/simulator.md tells what each kind does.
 *
 * The first rule that fits a call and whose dice say so is the call's only one. What a
 * kind does not use of the fields is ignored.
 */
#ifndef PARLEY_FAULT_H
#define PARLEY_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"

enum fault_kind {
    FAULT_NONE,
    FAULT_REFUSE,
    FAULT_CLOSE_IDLE,
    FAULT_STATUS,
    FAULT_REDIRECT,
    FAULT_SLOW_LOAD, /* from here on the call is answered in some way */
    FAULT_STALL_FIRST,
    FAULT_SLOW,
    FAULT_STALL,
    FAULT_CUT,
    FAULT_RESET,
    FAULT_COMMENTS,
    FAULT_ERROR_LINE,
    FAULT_TRICKLE,
    FAULT_SPLIT,
    FAULT_CLUMP,
    FAULT_LONG_LINE,
    FAULT_NO_NEWLINE,
    FAULT_GARBAGE,
    FAULT_ODD,
    FAULT_SAY,
    FAULT_EMPTY,
    FAULT_LOAD,
    FAULT_LENGTH,
    FAULT_THINKING_ONLY,
    FAULT_TOOL_ONLY,
    FAULT_ENDLESS,
    FAULT_TRUNCATE,
    FAULT_KIND_COUNT
};
const char *fault_kind_name(enum fault_kind kind); /* "slow_load" */

struct fault {
    enum fault_kind kind;
    double rate;          /* 0..1: of the calls that fit */
    int64_t count;        /* uses left; -1: no end */
    int64_t for_ms;       /* from when it was set; -1: for ever */
    int64_t after_bytes;  /* of the body; -1 not given, as below */
    int64_t after_tokens; /* said */
    int64_t delay_ms;
    int64_t status;
    int64_t bytes;
    int64_t lines;
    int64_t num_ctx;
    double factor;
    bool clean;        /* cut: HTTP ends well, only the API's end marker lacks */
    bool head;         /* trickle: the head as well */
    bool escapes;      /* all but ASCII is written as \uXXXX */
    char *model;       /* owned, as the other texts; only calls for it; NULL: all */
    char *path;        /* only requests to it, of any kind; NULL: all calls */
    char *how;         /* which form, of those the kind has; NULL: the first */
    char *retry_after; /* a header, verbatim; "date": a date two seconds away */
    char *body;        /* "json", "text", "html", or the body itself */
    char *to;          /* an address */
    char *text;        /* what is said instead */
};
void fault_done(struct fault *fault);
bool fault_is(const struct fault *fault, const char *how); /* with the default */
/* A number of the rule, or `fallback` where it gives none. */
int64_t fault_or(int64_t given, int64_t fallback);

struct faults {
    struct fault *list; /* owned */
    int64_t *set_at_us; /* one each, monotonic */
    size_t count;
};
/* Adds the rules of a text: "cut=200@0.1,status=503", or JSON: one rule or a list.
 * ERR_USAGE says what is wrong; nothing is added then. */
MUST_USE bool faults_add(struct faults *faults, struct str text, int64_t now_us,
                         struct err *err);
void faults_done(struct faults *faults); /* removes all */
void faults_write(const struct faults *faults, int64_t now_us, struct buf *into);

struct fault_case {
    const char *path;
    const char *model; /* with its tag; NULL: it asks no model */
    bool reused;       /* not the first request of its connection */
};
/* A copy of the rule that the request meets, one use of which is gone with it: the
 * caller's (fault_done); kind FAULT_NONE where there is none. */
struct fault faults_meet(struct faults *faults, const struct fault_case *what,
                         int64_t now_us, struct rng *rng);

#endif
