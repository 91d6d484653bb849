/* route.h - from an answered turn to the next request. */
#ifndef PARLEY_ROUTE_H
#define PARLEY_ROUTE_H

#include <stdint.h>

#include "base/str.h"

struct manager;
struct redis_value;

/* One entry of response:<lane>; fields as field, value, ... */
void route_response(struct manager *manager, int64_t lane, struct str entry,
                    const struct redis_value *fields);
/* Asks again for the turn awaited, if its request or its answer is lost. */
void route_look(struct manager *manager, const char *id, int64_t turn, int64_t lane);

/* A response of a conversation that is over or unknown: the script says so and acks. */
void route_void(struct manager *manager, struct str id, int64_t lane, struct str entry);

#endif
