/* live_read.h - replies of Redis as what a wall's row takes: hash, cast, last message.
 * What is missing or cannot be read comes out as unknown.
 */
#ifndef PARLEY_LIVE_READ_H
#define PARLEY_LIVE_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "observer/model/wall.h"

struct redis_value;

/* The fields to be asked for with HMGET K:conversation:<id>, in this order. */
enum { LIVE_READ_FACTS = 20 };
const char *live_read_fact(size_t i); /* i < LIVE_READ_FACTS */
/* False: there is no such conversation. */
bool live_read_row(const struct redis_value *fields, struct wall_facts *ret_facts);

/* HMGET K:cast:<id>: wish, story, then seat:1, seat:2, ... Hands the
 * wall what it says. */
void live_read_cast(const struct redis_value *fields, struct wall *wall, struct str id,
                    int64_t version);

/* XREVRANGE of a transcript, its last entry. `turns`: as many as there are. */
void live_read_turn(const struct redis_value *entries, int64_t turns,
                    struct wall_turn *ret_turn);
/* XREVRANGE of a live stream, its last entry: the turn, and the servers it waits for as
 * was told within the last seconds before now_us; else empty. */
struct str live_read_waiting(const struct redis_value *entries, int64_t now_us,
                             int64_t *ret_turn);

#endif
