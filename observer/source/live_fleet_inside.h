/* live_fleet_inside.h - what live_fleet.c and live_fleet_lists.c share. */
#ifndef PARLEY_LIVE_FLEET_INSIDE_H
#define PARLEY_LIVE_FLEET_INSIDE_H

#include "net/loop.h"
#include "observer/model/fleet.h"
#include "observer/source/live_asks.h"
#include "observer/source/live_fleet.h"
#include "proto/endpoint.h"
#include "proto/keys.h"

struct redis_value;

enum { LIVE_ENTRY_SIZE = 48 };

enum live_fleet_asked {
    ASKED_MEMBERS,
    ASKED_MEMBER_COUNT,
    ASKED_MEMBER,
    ASKED_SCAN,
    ASKED_SERVER,
    ASKED_HELD,
    ASKED_WAITING,
    ASKED_GROUPS,
    ASKED_PENDING,
    ASKED_UNREAD,
    ASKED_DEAD,
    ASKED_DEAD_COUNT,
    ASKED_EVENTS,
    ASKED_CALLS,
    ASKED_LEADER,
    ASKED_INFO,
    ASKED_PROBE,
    ASKED_CONVERSATIONS
};

struct live_fleet {
    struct live_fleet_options options;
    struct live_asks asks;
    struct loop_timer tick;
    struct fleet *fleet; /* borrowed; NULL: nobody looks */
    unsigned rounds;
    bool loaded;
    bool skipping; /* answers of an earlier watch are still on their way */
    /* Being gathered: */
    char names[FLEET_MEMBERS_MAX][FLEET_NAME_SIZE]; /* of the members asked about */
    size_t name_count;
    struct fleet_member members[FLEET_MEMBERS_MAX];
    size_t member_count;
    size_t members_known; /* in Redis */
    struct fleet_server servers[FLEET_SERVERS_MAX];
    char server_ids[FLEET_SERVERS_MAX][ENDPOINT_ID_SIZE];
    size_t server_count;
    size_t servers_beyond;
    unsigned scans;
    struct fleet_lane lanes[FLEET_LANES_MAX];
    size_t lane_count;
    size_t dead_known;
    struct fleet_totals totals;
    char last_event[LIVE_ENTRY_SIZE]; /* "": none was read yet */
    char last_call[LIVE_ENTRY_SIZE];
};

int64_t live_fleet_now_us(const struct live_fleet *live);
/* What is not asked now, for want of room, is asked in the next round. */
void live_fleet_ask(struct live_fleet *live, enum live_fleet_asked kind, int64_t number,
                    const struct str *words, size_t count);
/* A command about one key of the shard. */
void live_fleet_ask_key(struct live_fleet *live, enum live_fleet_asked kind,
                        const char *command, const char *what);

/* ---- live_fleet_lists.c: members, model servers, lanes ---- */
void live_fleet_ask_members(struct live_fleet *live);
void live_fleet_ask_servers(struct live_fleet *live);
void live_fleet_ask_lanes(struct live_fleet *live);
/* The lanes' answers are all here. */
void live_fleet_tell_lanes(struct live_fleet *live);
/* False: it was not about these. */
bool live_fleet_take_list(struct live_fleet *live, const struct live_ask *asked,
                          const struct redis_value *value);
bool live_fleet_take_count(struct live_fleet *live, const struct live_ask *asked,
                           int64_t count);

#endif
