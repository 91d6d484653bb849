/* fleet.c - see fleet.h.
 *
 * Lists are kept as they were handed over; what must be seen over time (since when a
 * member is in its state, its turns a second, the servers' first tokens) is carried
 * from one list to the next by name.
 */
#include "observer/model/fleet.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
    RATE_SPAN_US = 2000000, /* a member's rate is taken over at least so long */
    SECOND_US = 1000000,
    FIRST_TOKENS = 20 /* calls of a server whose mean is shown */
};

/* What the rate of a member is taken from: its turns at an earlier look. */
struct base {
    int64_t at_us;
    int64_t turns;
};
struct first_tokens {
    char server[FLEET_NAME_SIZE];
    double ms[FIRST_TOKENS];
    size_t count; /* all that were seen; the last FIRST_TOKENS are kept */
};
struct second {
    int64_t second; /* since 1970; -1: empty */
    int64_t calls;
    int64_t wasted;
    int64_t tokens;
};

struct fleet {
    void (*changed)(void *owner);
    void *owner;
    struct fleet_member members[FLEET_MEMBERS_MAX];
    struct base bases[FLEET_MEMBERS_MAX]; /* of the member at the same place */
    size_t member_count;
    size_t members_beyond;
    struct fleet_server servers[FLEET_SERVERS_MAX];
    size_t server_count;
    size_t servers_beyond;
    struct first_tokens firsts[FLEET_SERVERS_MAX];
    size_t first_count;
    struct fleet_lane lanes[FLEET_LANES_MAX];
    size_t lane_count;
    struct fleet_dead dead[FLEET_DEAD_MAX];
    size_t dead_count;
    size_t dead_beyond;
    struct fleet_event *events; /* owned, a ring of FLEET_EVENTS_MAX */
    uint64_t event_end;         /* events that ever came */
    struct second seconds[FLEET_SECONDS];
    int64_t calls_cut_us; /* up to then not all calls came; -1: all did */
    struct fleet_totals totals;
    bool told[FLEET_PART_COUNT];
};

static void tell(const struct fleet *fleet)
{
    if (fleet->changed != NULL)
        fleet->changed(fleet->owner);
}

static void clear(struct fleet *fleet)
{
    fleet->member_count = fleet->server_count = fleet->first_count = 0;
    fleet->members_beyond = fleet->servers_beyond = fleet->dead_beyond = 0;
    fleet->lane_count = fleet->dead_count = 0;
    fleet->event_end = 0;
    fleet->calls_cut_us = -1;
    memset(fleet->told, 0, sizeof fleet->told);
    for (size_t i = 0; i < FLEET_SECONDS; i++)
        fleet->seconds[i] = (struct second){.second = -1};
    fleet->totals = (struct fleet_totals){.memory_bytes = -1,
                                          .memory_max_bytes = -1,
                                          .conversations = -1,
                                          .redis_commands = -1};
}

struct fleet *fleet_new(void (*changed)(void *owner), void *owner)
{
    struct fleet *fleet = x_calloc(1, sizeof *fleet);

    fleet->changed = changed;
    fleet->owner = owner;
    fleet->events = x_calloc(FLEET_EVENTS_MAX, sizeof *fleet->events);
    clear(fleet);
    return fleet;
}

void fleet_free(struct fleet *fleet)
{
    if (fleet == NULL)
        return;
    free(fleet->events);
    free(fleet);
}

bool fleet_told(const struct fleet *fleet, enum fleet_part part)
{
    return fleet->told[part];
}

void fleet_forget(struct fleet *fleet)
{
    clear(fleet);
    tell(fleet);
}

/* ---- members ---- */

static size_t find_member(const struct fleet_member *members, size_t count,
                          const char *name)
{
    size_t i = 0;

    while (i < count && strcmp(members[i].name, name) != 0)
        i++;
    return i;
}

/* What was seen of it before; a process that was started anew (another pid, fewer
 * turns) begins anew. */
static void carry_member(const struct fleet_member *before, const struct base *base,
                         struct fleet_member *member, struct base *ret_base)
{
    if (before->pid != member->pid || base->turns > member->turns)
        return;
    *ret_base = *base;
    member->turns_per_second = before->turns_per_second;
    if (strcmp(before->state, member->state) == 0)
        member->since_us = before->since_us;
}

static void rate_member(struct fleet_member *member, struct base *base)
{
    int64_t span_us = member->heard_us - base->at_us;

    if (member->turns < 0 || span_us < RATE_SPAN_US)
        return;
    member->turns_per_second =
        (double)(member->turns - base->turns) * SECOND_US / (double)span_us;
    *base = (struct base){member->heard_us, member->turns};
}

void fleet_take_members(struct fleet *fleet, const struct fleet_member *members,
                        size_t count, size_t beyond, int64_t now_us)
{
    static struct fleet_member next[FLEET_MEMBERS_MAX];
    static struct base bases[FLEET_MEMBERS_MAX];

    assert(count <= FLEET_MEMBERS_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t old;

        next[i] = members[i];
        next[i].since_us = now_us;
        next[i].turns_per_second = (double)NAN;
        bases[i] = (struct base){members[i].heard_us, members[i].turns};
        old = find_member(fleet->members, fleet->member_count, members[i].name);
        if (old < fleet->member_count)
            carry_member(&fleet->members[old], &fleet->bases[old], &next[i], &bases[i]);
        rate_member(&next[i], &bases[i]);
    }
    memcpy(fleet->members, next, count * sizeof *next);
    memcpy(fleet->bases, bases, count * sizeof *bases);
    fleet->member_count = count;
    fleet->members_beyond = beyond;
    fleet->told[FLEET_PART_MEMBERS] = true;
    tell(fleet);
}

const struct fleet_member *fleet_members(const struct fleet *fleet, size_t *ret_count,
                                         size_t *ret_beyond)
{
    *ret_count = fleet->member_count;
    *ret_beyond = fleet->members_beyond;
    return fleet->members;
}

bool fleet_member_silent(const struct fleet_member *member, int64_t now_us)
{
    /* Of a recorded run nobody wrote down the beats. */
    return member->heard_us >= 0
           && now_us - member->heard_us > FLEET_SILENT_MS * INT64_C(1000);
}

/* ---- servers ---- */

static struct first_tokens *firsts_of(struct fleet *fleet, const char *server,
                                      bool make)
{
    struct first_tokens *firsts = fleet->firsts;

    for (size_t i = 0; i < fleet->first_count; i++)
        if (strcmp(firsts[i].server, server) == 0)
            return &firsts[i];
    if (!make || fleet->first_count == FLEET_SERVERS_MAX)
        return NULL;
    firsts += fleet->first_count++;
    *firsts = (struct first_tokens){.count = 0};
    memcpy(firsts->server, server, strlen(server) + 1);
    return firsts;
}

static double mean_of(const struct first_tokens *firsts)
{
    size_t count = 0;
    double sum = 0;

    if (firsts == NULL || firsts->count == 0)
        return (double)NAN;
    for (; count < firsts->count && count < FIRST_TOKENS; count++)
        sum += firsts->ms[count];
    return sum / (double)count;
}

static void fill_first_tokens(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->server_count; i++)
        fleet->servers[i].first_token_ms =
            mean_of(firsts_of(fleet, fleet->servers[i].name, false));
}

void fleet_take_servers(struct fleet *fleet, const struct fleet_server *servers,
                        size_t count, size_t beyond)
{
    assert(count <= FLEET_SERVERS_MAX);
    if (count > 0)
        memcpy(fleet->servers, servers, count * sizeof *servers);
    fleet->server_count = count;
    fleet->servers_beyond = beyond;
    fleet->told[FLEET_PART_SERVERS] = true;
    fill_first_tokens(fleet);
    tell(fleet);
}

const struct fleet_server *fleet_servers(const struct fleet *fleet, size_t *ret_count,
                                         size_t *ret_beyond)
{
    *ret_count = fleet->server_count;
    *ret_beyond = fleet->servers_beyond;
    return fleet->servers;
}

/* ---- lanes ---- */

void fleet_take_lanes(struct fleet *fleet, const struct fleet_lane *lanes, size_t count)
{
    assert(count <= FLEET_LANES_MAX);
    if (count > 0)
        memcpy(fleet->lanes, lanes, count * sizeof *lanes);
    fleet->lane_count = count;
    fleet->told[FLEET_PART_LANES] = true;
    tell(fleet);
}

const struct fleet_lane *fleet_lanes(const struct fleet *fleet, size_t *ret_count)
{
    *ret_count = fleet->lane_count;
    return fleet->lanes;
}

int64_t fleet_lane_workers(const struct fleet *fleet, int64_t lane, int64_t now_us)
{
    int64_t live = 0;

    for (size_t i = 0; i < fleet->member_count; i++)
        live += fleet->members[i].lane == lane
                && !fleet_member_silent(&fleet->members[i], now_us);
    return live;
}

/* ---- turns given up ---- */

void fleet_take_dead(struct fleet *fleet, const struct fleet_dead *dead, size_t count,
                     size_t beyond)
{
    assert(count <= FLEET_DEAD_MAX);
    if (count > 0)
        memcpy(fleet->dead, dead, count * sizeof *dead);
    fleet->dead_count = count;
    fleet->dead_beyond = beyond;
    fleet->told[FLEET_PART_DEAD] = true;
    tell(fleet);
}

const struct fleet_dead *fleet_dead_turns(const struct fleet *fleet, size_t *ret_count,
                                          size_t *ret_beyond)
{
    *ret_count = fleet->dead_count;
    *ret_beyond = fleet->dead_beyond;
    return fleet->dead;
}

/* ---- events ---- */

void fleet_take_event(struct fleet *fleet, const struct fleet_event *event)
{
    fleet->events[fleet->event_end++ % FLEET_EVENTS_MAX] = *event;
    tell(fleet);
}

void fleet_event_range(const struct fleet *fleet, uint64_t *ret_first,
                       uint64_t *ret_end)
{
    *ret_end = fleet->event_end;
    *ret_first =
        fleet->event_end < FLEET_EVENTS_MAX ? 0 : fleet->event_end - FLEET_EVENTS_MAX;
}

const struct fleet_event *fleet_event_at(const struct fleet *fleet, uint64_t number)
{
    assert(number < fleet->event_end && number + FLEET_EVENTS_MAX >= fleet->event_end);
    return &fleet->events[number % FLEET_EVENTS_MAX];
}

/* ---- calls ---- */

void fleet_take_call(struct fleet *fleet, const struct fleet_call *call)
{
    int64_t at = call->at_us / SECOND_US;
    struct second *second = &fleet->seconds[(uint64_t)at % FLEET_SECONDS];
    struct first_tokens *firsts;

    if (second->second < at)
        *second = (struct second){.second = at};
    if (second->second == at) { /* what is older is past the chart */
        second->calls++;
        second->wasted += call->wasted;
        second->tokens += call->tokens > 0 ? call->tokens : 0;
    }
    firsts = call->server[0] != '\0' && call->first_token_ms >= 0
                 ? firsts_of(fleet, call->server, true)
                 : NULL;
    if (firsts != NULL)
        firsts->ms[firsts->count++ % FIRST_TOKENS] = call->first_token_ms;
    fill_first_tokens(fleet);
    tell(fleet);
}

void fleet_take_calls_cut(struct fleet *fleet, int64_t until_us)
{
    if (until_us > fleet->calls_cut_us)
        fleet->calls_cut_us = until_us;
    tell(fleet);
}

struct fleet_rates fleet_rates(const struct fleet *fleet, int64_t now_us)
{
    struct fleet_rates rates = {0};
    int64_t now = now_us / SECOND_US;

    for (size_t i = 0; i < FLEET_SECONDS; i++) {
        const struct second *second = &fleet->seconds[i];

        if (second->second <= now - FLEET_SECONDS || second->second > now)
            continue;
        rates.calls += second->calls;
        rates.wasted += second->wasted;
        rates.tokens += second->tokens;
    }
    rates.calls_per_second = (double)rates.calls / FLEET_SECONDS;
    rates.at_least = fleet->calls_cut_us >= 0
                     && fleet->calls_cut_us / SECOND_US > now - FLEET_SECONDS;
    return rates;
}

int64_t fleet_calls_in(const struct fleet *fleet, int64_t now_us, int64_t ago)
{
    int64_t at = now_us / SECOND_US - ago;
    const struct second *second = &fleet->seconds[(uint64_t)at % FLEET_SECONDS];

    assert(ago >= 0 && ago < FLEET_SECONDS);
    return second->second == at ? second->calls : 0;
}

/* ---- the rest ---- */

void fleet_take_totals(struct fleet *fleet, const struct fleet_totals *totals)
{
    fleet->totals = *totals;
    tell(fleet);
}

const struct fleet_totals *fleet_totals(const struct fleet *fleet)
{
    return &fleet->totals;
}
