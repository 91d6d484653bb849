/* sim.h - what the simulator is told at its start. */
#ifndef PARLEY_SIM_H
#define PARLEY_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sim_options {
    const char *listen;       /* as in net/serve.h */
    double tokens_per_second; /* 0: as fast as possible */
    int64_t first_token_ms;
    double jitter;    /* 0..1: by what part the times vary */
    int64_t parallel; /* replies made at once, at least 1; the others wait */
    size_t reply_min; /* tokens, at least 1 */
    size_t reply_max;
    uint64_t seed;      /* where a request brings none */
    bool vary;          /* the call's number is added to the seed */
    const char *models; /* more names, comma between; NULL: only the usual ones */
    const char *faults; /* as faults_add takes them; NULL: none */
    const char *ledger; /* a file; NULL: none is kept */
    bool ledger_bodies; /* with the requests */
    const char *flavor; /* flavor.h */
    const char *key;    /* the bearer key that is wanted; NULL: none */
};

/* Serves until SIGTERM or SIGINT. Prints one line to stdout when it listens:
 * "listening on http://127.0.0.1:11434". False when it cannot listen. */
MUST_USE bool sim_run(const struct sim_options *options, struct err *err);

#endif
