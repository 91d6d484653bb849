/* live_fleet_lists.c - who there is: members, model servers, lanes; parts of
 * live_fleet.c. Each list comes in over several answers and is handed to the model when
 * the last of them is here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/redis_value.h"
#include "observer/source/live_fleet_inside.h"
#include "observer/source/live_fleet_read.h"

enum {
    SCAN_PAGE = 1000,
    SCANS_MAX = 200 /* answers to one look for servers; a huge Redis is not combed */
};

/* ---- members ---- */

/* The newest beats first: where there are more than the model keeps, the gone are left
 * out. */
void live_fleet_ask_members(struct live_fleet *live)
{
    char key[KEY_SIZE];
    char last[16];
    struct str words[] = {str_of("ZRANGE"),
                          key_make(live->options.keys, "members", NULL, key),
                          str_of("0"),
                          {0},
                          str_of("REV")};

    fmt_into(last, sizeof last, "%d", FLEET_MEMBERS_MAX - 1);
    words[3] = str_of(last);
    live_fleet_ask_key(live, ASKED_MEMBER_COUNT, "ZCARD", "members");
    live_fleet_ask(live, ASKED_MEMBERS, 0, words, sizeof words / sizeof *words);
}

/* They come in the order of their beats, which is another each second. */
static int compare_members(const void *a, const void *b)
{
    const struct fleet_member *x = a;
    const struct fleet_member *y = b;

    return strcmp(x->name, y->name);
}

static void tell_members(struct live_fleet *live)
{
    size_t beyond = live->members_known > live->member_count
                        ? live->members_known - live->member_count
                        : 0;

    qsort(live->members, live->member_count, sizeof *live->members, compare_members);
    fleet_take_members(live->fleet, live->members, live->member_count, beyond,
                       live_fleet_now_us(live));
}

static void take_names(struct live_fleet *live, const struct redis_value *names)
{
    live->member_count = 0;
    live->name_count =
        names->count < FLEET_MEMBERS_MAX ? names->count : FLEET_MEMBERS_MAX;
    if (live->name_count == 0)
        tell_members(live);
    for (size_t i = 0; i < live->name_count; i++) {
        char key[KEY_SIZE];
        struct str words[LIVE_MEMBER_FIELDS + 2] = {str_of("HMGET")};

        live_fleet_copy(live->names[i], FLEET_NAME_SIZE, redis_item_text(names, i));
        words[1] = key_make(live->options.keys, "member", live->names[i], key);
        for (size_t f = 0; f < LIVE_MEMBER_FIELDS; f++)
            words[f + 2] = str_of(live_fleet_member_field(f));
        live_fleet_ask(live, ASKED_MEMBER, (int64_t)i, words, LIVE_MEMBER_FIELDS + 2);
    }
}

/* One whose hash is gone is gone. */
static void take_member(struct live_fleet *live, size_t i,
                        const struct redis_value *fields)
{
    if (redis_item_text(fields, 0).len > 0 && live->member_count < FLEET_MEMBERS_MAX)
        live_fleet_member(fields, str_of(live->names[i]),
                          &live->members[live->member_count++]);
    if (i + 1 == live->name_count)
        tell_members(live);
}

/* ---- model servers ---- */

static void ask_scan(struct live_fleet *live, struct str cursor)
{
    char pattern[KEY_SIZE];
    char count[16];
    struct str words[] = {str_of("SCAN"),  cursor, str_of("MATCH"), {0},
                          str_of("COUNT"), {0},    str_of("TYPE"),  str_of("hash")};

    words[3] = key_endpoint(live->options.keys, "*", NULL, pattern);
    fmt_into(count, sizeof count, "%d", SCAN_PAGE);
    words[5] = str_of(count);
    live_fleet_ask(live, ASKED_SCAN, 0, words, sizeof words / sizeof *words);
}

void live_fleet_ask_servers(struct live_fleet *live)
{
    live->server_count = live->servers_beyond = 0;
    live->scans = 0;
    ask_scan(live, str_of("0"));
}

static bool knows(const struct live_fleet *live, struct str id)
{
    for (size_t i = 0; i < live->server_count; i++)
        if (str_is(id, live->server_ids[i]))
            return true; /* a SCAN may tell a key twice */
    return false;
}

static void add_server(struct live_fleet *live, struct str id)
{
    if (id.len == 0 || id.len >= ENDPOINT_ID_SIZE || knows(live, id))
        return;
    if (live->server_count == FLEET_SERVERS_MAX) {
        live->servers_beyond++;
        return;
    }
    live_fleet_copy(live->server_ids[live->server_count++], ENDPOINT_ID_SIZE, id);
}

static void ask_server(struct live_fleet *live, size_t i)
{
    char key[KEY_SIZE];
    struct str fields[LIVE_SERVER_FIELDS + 2] = {str_of("HMGET")};
    struct str held[] = {str_of("ZCARD"), {0}};

    fields[1] = key_endpoint(live->options.keys, live->server_ids[i], NULL, key);
    for (size_t f = 0; f < LIVE_SERVER_FIELDS; f++)
        fields[f + 2] = str_of(live_fleet_server_field(f));
    live_fleet_ask(live, ASKED_SERVER, (int64_t)i, fields, LIVE_SERVER_FIELDS + 2);
    held[1] = key_endpoint(live->options.keys, live->server_ids[i], "held", key);
    live_fleet_ask(live, ASKED_HELD, (int64_t)i, held, 2);
    held[1] = key_endpoint(live->options.keys, live->server_ids[i], "waiting", key);
    live_fleet_ask(live, ASKED_WAITING, (int64_t)i, held, 2);
}

static int compare_servers(const void *a, const void *b)
{
    return strcmp(a, b); /* of ids: each begins with its text */
}

static void take_scan(struct live_fleet *live, const struct redis_value *page)
{
    const struct redis_value *keys = redis_item(page, 1);
    char pattern[KEY_SIZE];
    size_t before = key_endpoint(live->options.keys, "*", NULL, pattern).len - 1;

    for (size_t i = 0; i < keys->count; i++) {
        struct str key = redis_item_text(keys, i);

        if (key.len > before)
            add_server(live, str_make(key.at + before, key.len - before));
    }
    if (!str_is(redis_item_text(page, 0), "0") && ++live->scans < SCANS_MAX) {
        ask_scan(live, redis_item_text(page, 0));
        return;
    }
    qsort(live->server_ids, live->server_count, sizeof *live->server_ids,
          compare_servers);
    if (live->server_count == 0)
        fleet_take_servers(live->fleet, live->servers, 0, 0);
    for (size_t i = 0; i < live->server_count; i++)
        ask_server(live, i);
}

static void take_waiting(struct live_fleet *live, size_t i, int64_t count)
{
    live->servers[i].waiting = count;
    if (i + 1 == live->server_count)
        fleet_take_servers(live->fleet, live->servers, live->server_count,
                           live->servers_beyond);
}

/* ---- lanes ---- */

void live_fleet_ask_lanes(struct live_fleet *live)
{
    for (int64_t lane = 1; lane <= FLEET_LANES_MAX; lane++) {
        char key[KEY_SIZE];
        struct str words[] = {str_of("XINFO"), str_of("GROUPS"),
                              key_lane(live->options.keys, "request", lane, key)};

        live->lanes[lane - 1] = (struct fleet_lane){
            .lane = lane, .unread = -1, .pending = -1, .oldest_us = -1};
        live_fleet_ask(live, ASKED_GROUPS, lane, words, sizeof words / sizeof *words);
    }
}

/* What was asked for longest ago and is not answered: of the pending ones the first. */
static void ask_pending(struct live_fleet *live, int64_t lane)
{
    char key[KEY_SIZE];
    struct str words[] = {str_of("XPENDING"),
                          key_lane(live->options.keys, "request", lane, key),
                          str_of("workers")};

    live_fleet_ask(live, ASKED_PENDING, lane, words, sizeof words / sizeof *words);
}

/* Redis 7.0 counts `lag` too high for ever once it has read its file again; whether
 * there is anything at all the stream itself tells. */
static void ask_unread(struct live_fleet *live, int64_t lane, struct str delivered)
{
    char key[KEY_SIZE];
    char after[LIVE_ENTRY_SIZE];
    struct str words[] = {str_of("XRANGE"),
                          key_lane(live->options.keys, "request", lane, key),
                          {0},
                          str_of("+"),
                          str_of("COUNT"),
                          str_of("1")};

    (void)snprintf(after, sizeof after, "(%.*s", (int)delivered.len,
                   delivered.at == NULL ? "" : delivered.at); /* 42 at most */
    words[2] = str_of(after);
    live_fleet_ask(live, ASKED_UNREAD, lane, words, sizeof words / sizeof *words);
}

static void take_groups(struct live_fleet *live, int64_t lane,
                        const struct redis_value *groups)
{
    struct fleet_lane *is = &live->lanes[lane - 1];

    for (size_t i = 0; i < groups->count; i++) {
        const struct redis_value *group = redis_item(groups, i);

        if (!str_is(redis_field(group, "name"), "workers"))
            continue;
        is->pending = redis_field_i64(group, "pending", -1);
        is->unread = redis_field_i64(group, "lag", -1);
        if (is->pending > 0)
            ask_pending(live, lane);
        if (is->unread != 0)
            ask_unread(live, lane, redis_field(group, "last-delivered-id"));
    }
}

static void take_oldest(struct fleet_lane *lane, struct str entry)
{
    int64_t at_us = live_fleet_entry_us(entry);

    if (at_us >= 0 && (lane->oldest_us < 0 || at_us < lane->oldest_us))
        lane->oldest_us = at_us;
}

static void take_unread(struct fleet_lane *lane, const struct redis_value *entries)
{
    if (entries->count == 0)
        lane->unread = 0;
    else
        take_oldest(lane, redis_item_text(redis_item(entries, 0), 0));
}

/* Those that somebody serves, or where something lies. */
void live_fleet_tell_lanes(struct live_fleet *live)
{
    struct fleet_lane used[FLEET_LANES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < FLEET_LANES_MAX; i++) {
        const struct fleet_lane *lane = &live->lanes[i];

        if (lane->unread > 0 || lane->pending > 0
            || fleet_lane_workers(live->fleet, lane->lane, live_fleet_now_us(live)) > 0)
            used[count++] = *lane;
    }
    fleet_take_lanes(live->fleet, used, count);
}

/* ---- answers ---- */

bool live_fleet_take_list(struct live_fleet *live, const struct live_ask *asked,
                          const struct redis_value *value)
{
    size_t i = (size_t)asked->number;

    switch ((enum live_fleet_asked)asked->kind) {
    case ASKED_MEMBERS:
        take_names(live, value);
        return true;
    case ASKED_MEMBER:
        take_member(live, i, value);
        return true;
    case ASKED_SCAN:
        take_scan(live, value);
        return true;
    case ASKED_SERVER:
        live_fleet_server(value, str_of(live->server_ids[i]), &live->servers[i]);
        return true;
    case ASKED_GROUPS:
        take_groups(live, asked->number, value);
        return true;
    case ASKED_PENDING:
        take_oldest(&live->lanes[i - 1], redis_item_text(value, 1));
        return true;
    case ASKED_UNREAD:
        take_unread(&live->lanes[i - 1], value);
        return true;
    default:
        return false;
    }
}

bool live_fleet_take_count(struct live_fleet *live, const struct live_ask *asked,
                           int64_t count)
{
    switch ((enum live_fleet_asked)asked->kind) {
    case ASKED_MEMBER_COUNT:
        live->members_known = (size_t)count;
        return true;
    case ASKED_HELD:
        live->servers[asked->number].held = count;
        return true;
    case ASKED_WAITING:
        take_waiting(live, (size_t)asked->number, count);
        return true;
    default:
        return false;
    }
}
