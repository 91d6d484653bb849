/* live_lanes.h - what stands above a wall's rows, from Redis: the lanes with their
 * workers, and how Redis is.
 *
 * A lane's figures are asked for once a second, members and Redis every other one; the
 * number of questions follows the lanes and members, not the conversations.
 */
#ifndef PARLEY_LIVE_LANES_H
#define PARLEY_LIVE_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "observer/model/wall.h"
#include "observer/source/live_asks.h"
#include "proto/keys.h"

struct live_lanes {
    struct live_asks asks;
    const struct keys *keys; /* borrowed */
    struct wall *wall;       /* borrowed; NULL: nobody looks */
    struct wall_lane lanes[WALL_LANES];
    int64_t counting[WALL_LANES]; /* workers, while the members come in */
    char after[WALL_LANES][64];   /* "(<last id given to a worker>" */
    char memory[24];              /* as Redis writes it: "1.92M"; "": not known */
    int64_t commands;             /* a second, -1 not known */
    bool refuses;                 /* writes, for the reason in `refusal`: */
    char refusal[128];
    unsigned rounds;
};

void live_lanes_init(struct live_lanes *lanes, struct redis *redis,
                     const struct keys *keys);
void live_lanes_done(struct live_lanes *lanes);
/* One round, now_us by Redis' clock. Nothing is asked while answers are outstanding. */
void live_lanes_ask(struct live_lanes *lanes, int64_t now_us);

#endif
