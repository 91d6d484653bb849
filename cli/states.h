/* states.h - what a fleet knows of its model servers now: windows, breakers, cost of
 * the day (docs/protocol.md, E:<endpoint>).
 */
#ifndef PARLEY_STATES_H
#define PARLEY_STATES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/fleet.h"

enum { STATES_MAX = 256, STATE_NAME_SIZE = 65, STATE_REASON_SIZE = 241 };

/* Texts as Redis has them, cut; counts -1 and numbers NAN where it has none. */
struct server_state {
    char *id; /* owned: its URL without secrets */
    char name[STATE_NAME_SIZE];
    char tier[16];
    char breaker[16];               /* "closed", "open", "half" */
    char reason[STATE_REASON_SIZE]; /* why it is not closed */
    int64_t window;                 /* 0: no limit */
    int64_t held;                   /* calls at work */
    int64_t waiting;
    int64_t ok;
    int64_t failed;
    double latency_ms; /* mean of late */
    double spent;      /* today (UTC) */
};
struct states {
    struct server_state at[STATES_MAX];
    size_t count; /* sorted by name and id; more than STATES_MAX are left out */
};
MUST_USE bool states_read(struct fleet *fleet, struct states *states, struct err *err);
void states_done(struct states *states);

/* A table of at most 80 columns, the reasons of those that are down below it; nothing
 * when there are none. */
void states_show_table(const struct states *states, struct buf *out);
/* The list `"servers":[...]` of schemas/performance.schema.json. */
void states_show_json(const struct states *states, struct buf *out);

#endif
