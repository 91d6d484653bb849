/* fleet.h - what the fleet screen draws: who is there, the model servers, the lanes,
 * what happened last, the turns given up, calls and what was wasted of them.
 *
 * Pure: no Redis, no clock, no terminal. Whoever has the data (a live shard, a recorded
 * run) hands it over with fleet_take_*; lists are handed over whole and replace what
 * was there, events and calls come one by one. All texts are as they came: whoever
 * draws makes them harmless. What nobody told is -1, NAN or empty, never 0.
 *
 * Bounds: FLEET_MEMBERS_MAX members, and so on; more are counted (`beyond`), not kept.
 * A call whose second has passed out of the chart counts for its server only.
 */
#ifndef PARLEY_FLEET_MODEL_H
#define PARLEY_FLEET_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observer/model/fleet_facts.h"

struct fleet; /* opaque: the body is in fleet.c */

/* The caller owns it (fleet_free). `changed(owner)` is called whenever there is
 * something new to draw; NULL: nobody wants to know. */
struct fleet *fleet_new(void (*changed)(void *owner), void *owner);
void fleet_free(struct fleet *fleet); /* NULL is fine */
/* Another shard, another run, or one that went back in time: as new. */
void fleet_forget(struct fleet *fleet);

/* ---- from whoever has the data; what is handed over is copied ---- */
/* `beyond`: so many more there are than were handed over. */
void fleet_take_members(struct fleet *fleet, const struct fleet_member *members,
                        size_t count, size_t beyond, int64_t now_us);
void fleet_take_servers(struct fleet *fleet, const struct fleet_server *servers,
                        size_t count, size_t beyond);
void fleet_take_lanes(struct fleet *fleet, const struct fleet_lane *lanes,
                      size_t count);
void fleet_take_dead(struct fleet *fleet, const struct fleet_dead *dead, size_t count,
                     size_t beyond);
void fleet_take_event(struct fleet *fleet, const struct fleet_event *event);
void fleet_take_call(struct fleet *fleet, const struct fleet_call *call);
/* Of the calls that ended up to then not all are handed over. */
void fleet_take_calls_cut(struct fleet *fleet, int64_t until_us);
void fleet_take_totals(struct fleet *fleet, const struct fleet_totals *totals);

/* What was handed over at least once: before that nothing is known, not even that there
 * is none. */
enum fleet_part {
    FLEET_PART_MEMBERS,
    FLEET_PART_SERVERS,
    FLEET_PART_LANES,
    FLEET_PART_DEAD,
    FLEET_PART_COUNT
};
bool fleet_told(const struct fleet *fleet, enum fleet_part part);

/* ---- for who draws; valid until the next take ---- */
const struct fleet_member *fleet_members(const struct fleet *fleet, size_t *ret_count,
                                         size_t *ret_beyond);
bool fleet_member_silent(const struct fleet_member *member, int64_t now_us);
const struct fleet_server *fleet_servers(const struct fleet *fleet, size_t *ret_count,
                                         size_t *ret_beyond);
const struct fleet_lane *fleet_lanes(const struct fleet *fleet, size_t *ret_count);
/* Members of that lane that are not silent. */
int64_t fleet_lane_workers(const struct fleet *fleet, int64_t lane, int64_t now_us);
/* The newest first. */
const struct fleet_dead *fleet_dead_turns(const struct fleet *fleet, size_t *ret_count,
                                          size_t *ret_beyond);
/* Events are numbered from 0 in the order they came; those from *ret_first up to
 * *ret_end are kept. */
void fleet_event_range(const struct fleet *fleet, uint64_t *ret_first,
                       uint64_t *ret_end);
const struct fleet_event *fleet_event_at(const struct fleet *fleet, uint64_t number);
const struct fleet_totals *fleet_totals(const struct fleet *fleet);
struct fleet_rates fleet_rates(const struct fleet *fleet, int64_t now_us);
/* Calls that ended in the second that lies `ago` whole seconds before now_us, 0 to
 * FLEET_SECONDS - 1: for a chart. */
int64_t fleet_calls_in(const struct fleet *fleet, int64_t now_us, int64_t ago);

#endif
