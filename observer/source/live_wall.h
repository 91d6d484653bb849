/* live_wall.h - feeds a wall from Redis, at a cost that does not grow with the number
 * of conversations.
 *
 * Twice a second the rows in sight are asked for, each by one HMGET, with their last
 * message where it is another than before; beside them a fixed number of the others, by
 * turns, so that order and totals hold for all (wall_age_us says how old). Ids come by
 * score, newest first, and once in a while all of them by rank. A cast is read once.
 * Nothing more is asked while answers are outstanding: a slow Redis is asked less.
 * Nothing is written.
 *
 * Flow: on_tick -> ids, lanes -> rows in sight -> some of the others -> wall_take_*
 */
#ifndef PARLEY_LIVE_WALL_H
#define PARLEY_LIVE_WALL_H

#include <stdbool.h>
#include <stddef.h>

struct keys;
struct live_wall; /* opaque: the body is in live_wall.c */
struct loop;
struct redis;
struct redis_clock;
struct wall;

struct live_wall_options {
    struct loop *loop;               /* all borrowed while it lives */
    struct redis *redis;             /* the connection for questions */
    const struct redis_clock *clock; /* started */
    const struct keys *keys;
    const char *const *ids; /* valid ones: only these; borrowed */
    size_t id_count;        /* 0: all there are */
};

/* The caller owns it (live_wall_free), and frees it before the connection. */
struct live_wall *live_wall_new(const struct live_wall_options *options);
void live_wall_free(struct live_wall *live); /* NULL is fine */
/* Feeds this wall from now on; NULL: none. */
void live_wall_watch(struct live_wall *live, struct wall *wall);
/* All rows have been read once, and what is shown of those in sight; or nothing is
 * watched. */
bool live_wall_is_loaded(const struct live_wall *live);
/* The connection is there, first time or again; it is lost (why: for people). */
void live_wall_ready(struct live_wall *live);
void live_wall_down(struct live_wall *live, const char *why);

#endif
