/* replay_flow.h - a recorded run as a flow of sights, for the observers that are no
 * full screen: what follow.h is for a live one.
 *
 * At a speed, words come as they did; at the maximum whole turns come one after the
 * other as fast as they are taken.
 */
#ifndef PARLEY_REPLAY_FLOW_H
#define PARLEY_REPLAY_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observer/sight.h"

struct loop;
struct replay_flow; /* opaque: the body is in replay_flow.c */
struct replay_record;
struct talk_state;

struct replay_flow_options {
    struct loop *loop;
    struct replay_record *record; /* taken */
    const char *const *ids;       /* only these, which are in it; none: all */
    size_t id_count;
    int64_t speed;    /* of replay_clock.h */
    int64_t start_us; /* what was before comes at once */
    bool always_live; /* words also where there are several conversations */
    void (*on_sight)(void *owner, const struct sight *sight);
    void (*on_many)(void *owner); /* more than one is played: told before all others */
    void (*on_done)(void *owner); /* all was told; once */
    void *owner;
};

/* The caller owns it (replay_flow_free). */
struct replay_flow *replay_flow_new(const struct replay_flow_options *options);
void replay_flow_free(struct replay_flow *flow); /* NULL is fine */
/* While held nothing more is told, and the clock stands. */
void replay_flow_hold(struct replay_flow *flow, bool held);
/* The one conversation that is played and has not ended; NULL: none, or several. */
const struct talk_state *replay_flow_single(const struct replay_flow *flow);
int64_t replay_flow_now_us(const struct replay_flow *flow); /* of the record */

#endif
