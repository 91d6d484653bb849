/* live_fleet.h - feeds the fleet screen from Redis, once a second while it is shown.
 *
 * Members, lanes and how Redis is: each round; model servers and turns given up: every
 * other one; events and calls: what came since the last round, in bounded pages, so
 * that a fleet that is faster than that is shown later, never wrongly. Nothing is asked
 * while answers are outstanding, nothing is written.
 *
 * Flow: on_tick -> questions -> live_fleet_read.c reads the answers -> fleet_take_*
 */
#ifndef PARLEY_LIVE_FLEET_H
#define PARLEY_LIVE_FLEET_H

#include <stdbool.h>

struct fleet;
struct keys;
struct live_fleet; /* opaque: the body is in live_fleet.c */
struct loop;
struct redis;
struct redis_clock;

struct live_fleet_options {
    struct loop *loop;               /* all borrowed while it lives */
    struct redis *redis;             /* the connection for questions */
    const struct redis_clock *clock; /* started */
    const struct keys *keys;
};

/* The caller owns it (live_fleet_free), and frees it before the connection. */
struct live_fleet *live_fleet_new(const struct live_fleet_options *options);
void live_fleet_free(struct live_fleet *live); /* NULL is fine */
/* Feeds this model from now on; NULL: none. */
void live_fleet_watch(struct live_fleet *live, struct fleet *fleet);
/* All was read once since the watch began; or nothing is watched. */
bool live_fleet_is_loaded(const struct live_fleet *live);
/* The connection is there, first time or again; restarted: another Redis, or one that
 * lost its memory. */
void live_fleet_ready(struct live_fleet *live, bool restarted);

#endif
