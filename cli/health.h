/* health.h - what is worth watching of a shard: who leads, what waits, whether Redis
 * takes writes and what it keeps.
 */
#ifndef PARLEY_HEALTH_H
#define PARLEY_HEALTH_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/fleet.h"
#include "cli/keeping.h"

enum { HEALTH_NAME_SIZE = 80, HEALTH_REFUSAL_SIZE = 200 };

struct health {
    char leader[HEALTH_NAME_SIZE]; /* "" nobody */
    int64_t standbys;  /* managers that beat and do not lead; the caller's to set */
    int64_t now_ms;    /* by Redis' clock */
    int64_t pending;   /* turns in the hands of a worker */
    int64_t unread;    /* turns no worker has taken yet */
    int64_t oldest_ms; /* since the oldest pending one was asked for; -1: none */
    char refusal[HEALTH_REFUSAL_SIZE]; /* what Redis says to writes; "" it takes them */
    struct keeping keeping;
};
/* All but standbys. Writes nothing: what it tries to write is never written. */
MUST_USE bool health_read(struct fleet *fleet, struct health *ret_health,
                          struct err *err);
void health_text(const struct health *health, struct buf *into);
/* One object with a line's end. */
void health_json(const struct health *health, struct buf *into);

#endif
