/* live_fleet_read.c - see live_fleet_read.h. */
#include "observer/source/live_fleet_read.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "net/redis_value.h"

enum { MS_US = 1000 };

static const char *const member_fields[LIVE_MEMBER_FIELDS] = {
    "kind", "state", "host",  "version", "pid",          "lane",
    "busy", "slots", "turns", "calls",   "calls_failed", "at"};
static const char *const server_fields[LIVE_SERVER_FIELDS] = {
    "name", "tier",   "state",    "reason",     "error", "window",
    "ok",   "failed", "retry_at", "latency_ms", "why"};

const char *live_fleet_member_field(size_t i)
{
    assert(i < LIVE_MEMBER_FIELDS);
    return member_fields[i];
}

const char *live_fleet_server_field(size_t i)
{
    assert(i < LIVE_SERVER_FIELDS);
    return server_fields[i];
}

void live_fleet_copy(char *to, size_t size, struct str from)
{
    size_t len = from.len < size ? from.len : size - 1;

    if (len > 0)
        memcpy(to, from.at, len);
    to[len] = '\0';
}

#define COPY(to, from) live_fleet_copy((to), sizeof(to), (from))

static double number(struct str text)
{
    double value;

    return str_to_double(text, 0, 1e15, &value) ? value : (double)NAN;
}

int64_t live_fleet_entry_us(struct str id)
{
    struct str rest;
    int64_t ms;

    return str_to_i64(str_cut(id, '-', &rest), 0, INT64_MAX / MS_US, &ms) ? ms * MS_US
                                                                          : -1;
}

void live_fleet_member(const struct redis_value *fields, struct str name,
                       struct fleet_member *ret_member)
{
    struct fleet_member member = {
        .pid = redis_item_i64(fields, 4, -1),
        .lane = redis_item_i64(fields, 5, -1),
        .busy = redis_item_i64(fields, 6, -1),
        .slots = redis_item_i64(fields, 7, -1),
        .turns = redis_item_i64(fields, 8, -1),
        .calls = redis_item_i64(fields, 9, -1),
        .calls_failed = redis_item_i64(fields, 10, -1),
        .heard_us = redis_item_i64(fields, 11, -1),
        .since_us = -1,
        .turns_per_second = (double)NAN,
    };

    COPY(member.name, name);
    COPY(member.kind, redis_item_text(fields, 0));
    COPY(member.state, redis_item_text(fields, 1));
    COPY(member.host, redis_item_text(fields, 2));
    COPY(member.version, redis_item_text(fields, 3));
    *ret_member = member;
}

void live_fleet_server(const struct redis_value *fields, struct str id,
                       struct fleet_server *ret_server)
{
    int64_t retry_ms = redis_item_i64(fields, 8, 0);
    struct str name = redis_item_text(fields, 0);
    struct str breaker = redis_item_text(fields, 2);
    struct str reason = redis_item_text(fields, 3);
    struct fleet_server server = {
        .window = redis_item_i64(fields, 5, -1),
        .held = -1,
        .waiting = -1,
        .ok = redis_item_i64(fields, 6, 0), /* absent: never happened */
        .failed = redis_item_i64(fields, 7, 0),
        .retry_us =
            retry_ms > 0 && retry_ms < INT64_MAX / MS_US ? retry_ms * MS_US : -1,
        .latency_ms = number(redis_item_text(fields, 9)),
        .first_token_ms = (double)NAN,
    };

    COPY(server.name, name.len > 0 ? name : id);
    COPY(server.tier, redis_item_text(fields, 1));
    /* It is written down from the first failure on. */
    COPY(server.breaker, breaker.len > 0 ? breaker : str_of("closed"));
    COPY(server.why, reason.len > 0 ? reason : redis_item_text(fields, 10));
    COPY(server.error, redis_item_text(fields, 4));
    *ret_server = server;
}

void live_fleet_event(const struct redis_value *entry, struct fleet_event *ret_event)
{
    const struct redis_value *fields = redis_item(entry, 1);
    struct fleet_event event = {
        .at_us = redis_field_i64(fields, "at",
                                 live_fleet_entry_us(redis_item_text(entry, 0))),
        .turn = redis_field_i64(fields, "turn", -1),
    };

    COPY(event.event, redis_field(fields, "event"));
    COPY(event.conversation, redis_field(fields, "conversation"));
    COPY(event.state, redis_field(fields, "state"));
    COPY(event.reason, redis_field(fields, "reason"));
    *ret_event = event;
}

void live_fleet_call(const struct redis_value *entry, struct fleet_call *ret_call)
{
    const struct redis_value *fields = redis_item(entry, 1);
    double first_ms = number(redis_field(fields, "time_to_first_token_ms"));
    struct fleet_call call = {
        .at_us = live_fleet_entry_us(redis_item_text(entry, 0)),
        .wasted = !str_is(redis_field(fields, "outcome"), "done"),
        .first_token_ms = isnan(first_ms) ? -1 : first_ms,
        .tokens = redis_field_i64(fields, "tokens_generated", -1),
    };

    COPY(call.server, redis_field(fields, "endpoint"));
    *ret_call = call;
}

void live_fleet_dead(const struct redis_value *entry, struct fleet_dead *ret_dead)
{
    const struct redis_value *fields = redis_item(entry, 1);
    struct fleet_dead dead = {
        .at_us = redis_field_i64(fields, "at", -1),
        .turn = redis_field_i64(fields, "turn", -1),
        .seat = redis_field_i64(fields, "seat", -1),
        .lane = redis_field_i64(fields, "lane", -1),
        .deliveries = redis_field_i64(fields, "deliveries", -1),
    };

    COPY(dead.record, redis_item_text(entry, 0));
    COPY(dead.conversation, redis_field(fields, "conversation"));
    COPY(dead.why, redis_field(fields, "text"));
    *ret_dead = dead;
}

/* The value of a line "name:value\r\n"; -1: there is none, or it is no number. */
static int64_t info_number(struct str info, const char *name)
{
    while (info.len > 0) {
        struct str line = str_trim(str_cut(info, '\n', &info));
        struct str value;
        int64_t found;

        if (str_is(str_cut(line, ':', &value), name))
            return str_to_i64(value, 0, INT64_MAX, &found) ? found : -1;
    }
    return -1;
}

void live_fleet_info(struct str info, struct fleet_totals *totals)
{
    totals->memory_bytes = info_number(info, "used_memory");
    totals->memory_max_bytes = info_number(info, "maxmemory");
    totals->redis_commands = info_number(info, "instantaneous_ops_per_sec");
}
