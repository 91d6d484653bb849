/* live_fleet_read.h - replies of Redis as what the fleet screen takes. What is missing
 * or cannot be read comes out as unknown; texts are cut, not cleaned.
 */
#ifndef PARLEY_LIVE_FLEET_READ_H
#define PARLEY_LIVE_FLEET_READ_H

#include <stddef.h>

#include "base/str.h"
#include "observer/model/fleet_facts.h"

struct redis_value;

/* Fields to be asked for with HMGET, in this order; i below their number. */
enum { LIVE_MEMBER_FIELDS = 12, LIVE_SERVER_FIELDS = 11 };
const char *live_fleet_member_field(size_t i);
const char *live_fleet_server_field(size_t i);

void live_fleet_member(const struct redis_value *fields, struct str name,
                       struct fleet_member *ret_member);
/* The name is the server's own, or `id`: the key's end. */
void live_fleet_server(const struct redis_value *fields, struct str id,
                       struct fleet_server *ret_server);
/* Entries of K:events, K:calls, K:dead: {id, {field, value, ...}}. */
void live_fleet_event(const struct redis_value *entry, struct fleet_event *ret_event);
void live_fleet_call(const struct redis_value *entry, struct fleet_call *ret_call);
void live_fleet_dead(const struct redis_value *entry, struct fleet_dead *ret_dead);
/* INFO memory, stats. */
void live_fleet_info(struct str info, struct fleet_totals *totals);
/* "<ms>-<n>" of an entry in microseconds; -1: it is no id. */
int64_t live_fleet_entry_us(struct str id);
/* Copies what fits. */
void live_fleet_copy(char *to, size_t size, struct str from);

#endif
