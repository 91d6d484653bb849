/* warmup.h - the beginning of a run that is left out on wish: so many turns, or so much
 * time from the first message on. Pure.
 */
#ifndef PARLEY_WARMUP_H
#define PARLEY_WARMUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct warmup {
    int64_t turns;       /* to leave out, 0 none */
    int64_t duration_us; /* to leave out, 0 none */
    int64_t begin_us;    /* the first message's time, -1 not met yet */
    int64_t until_us;    /* what ended by then is left out; -1 nothing */
    int64_t turns_out;   /* left out so far */
    int64_t calls_out;
};

/* "20" turns or "30s", "500ms", "2m" of time. */
MUST_USE bool warmup_parse(struct str text, struct warmup *ret_warmup, struct err *err);
bool warmup_wanted(const struct warmup *warmup);
/* Any message tells when the run began; -1: it has no time. */
void warmup_begin(struct warmup *warmup, int64_t at_us);
/* Whether a turn, or a call, belongs to it; counted if so. Turns come before calls. */
bool warmup_takes_turn(struct warmup *warmup, int64_t at_us);
bool warmup_takes_call(struct warmup *warmup, int64_t ended_us);

#endif
