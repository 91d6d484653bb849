/* ledger.h - what the simulator did, call by call: one JSON line each, written when the
 * call is over (schemas/ledger.schema.json). The truth of a test: what a client says it
 * asked and got is held against it.
 *
 * A line is one write to a file open for appending, so that several simulators may
 * share a file and a reader sees whole lines.
 */
#ifndef PARLEY_LEDGER_H
#define PARLEY_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "simulator/sha256.h"

struct ledger;

enum ledger_end {
    LEDGER_WHOLE,   /* the answer was given to its end */
    LEDGER_FAULT,   /* a fault cut it short, or stood in its place */
    LEDGER_CLIENT,  /* the client went away first */
    LEDGER_REFUSED, /* the request was wrong: an error of the API */
    LEDGER_SHUTDOWN /* the simulator ended */
};

struct ledger_line {
    char *id; /* owned, X-Parley-Turn; NULL: none came */
    uint64_t seq;
    char *path;  /* owned */
    char *model; /* owned, as the client wrote it; NULL: it named none */
    const char *flavor;
    int64_t started_us; /* wall clock */
    int64_t ended_us;
    int64_t first_byte_us; /* of the body; 0: none was sent */
    int status;            /* 0: none was sent */
    size_t bytes;          /* of the body */
    size_t tokens;         /* said */
    int64_t prompt_tokens; /* -1: it did not come to that, as the window */
    int64_t num_ctx;
    bool load;           /* asked for nothing: to load a model, or unload it */
    const char *loading; /* what its model needed: "cold", "changed"; NULL: nothing */
    const char *fault;   /* NULL: none */
    enum ledger_end ended;
    size_t in_flight;                     /* with this one, when it began */
    bool key;                             /* it came with one */
    char prompt_sha256[SHA256_TEXT_SIZE]; /* "" where it could not be read, as below */
    char system_sha256[SHA256_TEXT_SIZE]; /* "" also where there was none */
    char reply_sha256[SHA256_TEXT_SIZE];  /* "" where no words were made */
    char *body;                           /* owned; the request's JSON, or NULL */
};
void ledger_line_done(struct ledger_line *line);
/* The JSON, with a line end. Pure. */
void ledger_format(const struct ledger_line *line, struct buf *into);

/* The caller owns *ret_ledger. ERR_SYSTEM: the file cannot be had. */
MUST_USE bool ledger_open(const char *path, struct ledger **ret_ledger,
                          struct err *err);
void ledger_free(struct ledger *ledger); /* NULL is fine */
MUST_USE bool ledger_add(struct ledger *ledger, const struct ledger_line *line,
                         struct err *err);

#endif
