/* live_lanes.c - see live_lanes.h.
 *
 * Flow: live_lanes_ask -> XINFO GROUPS of each lane -> wall_take_lane
 *                      -> K:members -> each member -> workers of the lanes
 *                      -> INFO, the probe -> wall_take_redis
 */
#include "observer/source/live_lanes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "net/redis.h"
#include "net/redis_error.h"

enum {
    ALIVE_MS = 10000, /* docs/protocol.md, K:member:<name> */
    MEMBERS_MAX = 256,
    MEMBER_NAME_MAX = 64,
    OTHER_ROUND = 2
};

enum asked {
    ASKED_GROUPS,
    ASKED_UNREAD,
    ASKED_MEMBERS,
    ASKED_MEMBER,
    ASKED_INFO,
    ASKED_PROBE
};

static void ask(struct live_lanes *lanes, enum asked kind, int64_t number,
                const struct str *words, size_t count)
{
    struct live_ask what = {.kind = kind, .number = number};

    /* What is not asked now is asked in the next round. */
    (void)live_asks_send(&lanes->asks, &what, words, count);
}

/* ---- lanes ---- */

static void tell_lane(struct live_lanes *lanes, int64_t lane)
{
    const struct wall_lane *is = &lanes->lanes[lane - 1];

    if (lanes->wall != NULL
        && (is->workers > 0 || is->waiting > 0 || is->pending > 0 || is->lane > 0)) {
        lanes->lanes[lane - 1].lane = lane;
        wall_take_lane(lanes->wall, is);
    }
}

/* Redis 7.0 counts `lag` too high for ever once it has read its file again; whether
 * there is anything at all the stream itself tells. */
static void ask_unread(struct live_lanes *lanes, int64_t lane)
{
    char key[KEY_SIZE];
    struct str words[] = {str_of("XRANGE"),
                          key_lane(lanes->keys, "request", lane, key),
                          str_of(lanes->after[lane - 1]),
                          str_of("+"),
                          str_of("COUNT"),
                          str_of("1")};

    ask(lanes, ASKED_UNREAD, lane, words, sizeof words / sizeof *words);
}

static void take_groups(struct live_lanes *lanes, int64_t lane,
                        const struct redis_value *groups)
{
    struct wall_lane *is = &lanes->lanes[lane - 1];

    for (size_t i = 0; i < groups->count; i++) {
        const struct redis_value *group = redis_item(groups, i);
        struct str last = redis_field(group, "last-delivered-id");

        if (!str_is(redis_field(group, "name"), "workers"))
            continue;
        is->pending = redis_field_i64(group, "pending", -1);
        is->waiting = redis_field_i64(group, "lag", -1);
        (void)snprintf(lanes->after[lane - 1], sizeof lanes->after[0], "(%.*s",
                       (int)last.len, last.at == NULL ? "" : last.at);
        if (is->waiting > 0)
            ask_unread(lanes, lane);
        else
            tell_lane(lanes, lane);
    }
}

/* Nobody has led here yet, or Redis was emptied. */
static void forget_groups(struct live_lanes *lanes, int64_t lane)
{
    lanes->lanes[lane - 1].waiting = -1;
    lanes->lanes[lane - 1].pending = -1;
    tell_lane(lanes, lane);
}

static void take_unread(struct live_lanes *lanes, int64_t lane,
                        const struct redis_value *entries)
{
    if (entries->count == 0)
        lanes->lanes[lane - 1].waiting = 0;
    tell_lane(lanes, lane);
}

/* ---- members ---- */

static void count_member(struct live_lanes *lanes, const struct redis_value *fields)
{
    int64_t lane = redis_item_i64(fields, 1, 0);

    if (str_is(redis_item_text(fields, 0), "worker") && lane >= 1 && lane <= WALL_LANES)
        lanes->counting[lane - 1]++;
}

static void all_counted(struct live_lanes *lanes)
{
    for (int64_t lane = 1; lane <= WALL_LANES; lane++) {
        lanes->lanes[lane - 1].workers = lanes->counting[lane - 1];
        tell_lane(lanes, lane);
    }
}

static void take_members(struct live_lanes *lanes, const struct redis_value *names)
{
    memset(lanes->counting, 0, sizeof lanes->counting);
    if (names->count == 0)
        all_counted(lanes);
    for (size_t i = 0; i < names->count; i++) {
        struct str text = redis_item_text(names, i);
        char name[MEMBER_NAME_MAX + 1];
        char key[KEY_SIZE];
        struct str words[] = {str_of("HMGET"), {0}, str_of("kind"), str_of("lane")};

        (void)snprintf(name, sizeof name, "%.*s", (int)text.len,
                       text.at == NULL ? "" : text.at);
        words[1] = key_make(lanes->keys, "member", name, key);
        ask(lanes, ASKED_MEMBER, i + 1 == names->count, words,
            sizeof words / sizeof *words);
    }
}

static void ask_members(struct live_lanes *lanes, int64_t now_us)
{
    char key[KEY_SIZE];
    char since[32];
    char most[16];
    struct str words[] = {str_of("ZRANGE"),
                          key_make(lanes->keys, "members", NULL, key),
                          {0},
                          str_of("+inf"),
                          str_of("BYSCORE"),
                          str_of("LIMIT"),
                          str_of("0"),
                          {0}};

    fmt_into(since, sizeof since, "%" PRId64, now_us / 1000 - ALIVE_MS);
    fmt_into(most, sizeof most, "%d", MEMBERS_MAX);
    words[2] = str_of(since);
    words[7] = str_of(most);
    ask(lanes, ASKED_MEMBERS, 0, words, sizeof words / sizeof *words);
}

/* ---- Redis ---- */

/* The value of a line "name:value\r\n" of INFO. */
static struct str info_value(struct str info, const char *name)
{
    while (info.len > 0) {
        struct str line = str_trim(str_cut(info, '\n', &info));
        struct str value;
        struct str key = str_cut(line, ':', &value);

        if (str_is(key, name))
            return value;
    }
    return str_of("");
}

static void take_info(struct live_lanes *lanes, struct str info)
{
    struct str memory = info_value(info, "used_memory_human");

    (void)snprintf(lanes->memory, sizeof lanes->memory, "%.*s", (int)memory.len,
                   memory.at == NULL ? "" : memory.at);
    if (!str_to_i64(info_value(info, "instantaneous_ops_per_sec"), 0, INT64_MAX,
                    &lanes->commands))
        lanes->commands = -1;
}

static void tell_redis(struct live_lanes *lanes)
{
    struct buf text;

    if (lanes->wall == NULL)
        return;
    buf_init(&text, WALL_REDIS_SIZE);
    if (lanes->refuses)
        (void)buf_printf(&text, "Redis refuses writes: %s", lanes->refusal);
    else
        (void)buf_add_text(&text, "Redis connected");
    if (lanes->memory[0] != '\0')
        (void)buf_printf(&text, ", %s", lanes->memory);
    if (lanes->commands >= 0)
        (void)buf_printf(&text, ", %" PRId64 " commands/s", lanes->commands);
    wall_take_redis(lanes->wall, !lanes->refuses, buf_str(&text));
    buf_done(&text);
}

static void take_probe(struct live_lanes *lanes, const struct redis_answer *answer)
{
    lanes->refuses = answer->outcome == REDIS_REFUSED
                     && redis_class_refuses_writes(redis_class_of(answer->value->text));
    if (lanes->refuses)
        (void)snprintf(lanes->refusal, sizeof lanes->refusal, "%.*s",
                       (int)answer->value->text.len, answer->value->text.at);
    tell_redis(lanes);
}

/* A SET with XX of a key that is never there: writes nothing, and is refused where a
 * write would be. */
static void ask_redis(struct live_lanes *lanes)
{
    char key[KEY_SIZE];
    struct str info[] = {str_of("INFO"), str_of("memory"), str_of("stats")};
    struct str probe[] = {str_of("SET"), key_make(lanes->keys, "probe", NULL, key),
                          str_of("-"), str_of("XX")};

    ask(lanes, ASKED_INFO, 0, info, sizeof info / sizeof *info);
    ask(lanes, ASKED_PROBE, 0, probe, sizeof probe / sizeof *probe);
}

/* ---- life ---- */

static void on_answer(void *owner, const struct live_ask *asked,
                      const struct redis_answer *answer)
{
    struct live_lanes *lanes = owner;
    bool ok = answer->outcome == REDIS_OK;

    switch ((enum asked)asked->kind) {
    case ASKED_GROUPS:
        if (ok)
            take_groups(lanes, asked->number, answer->value);
        else if (answer->outcome == REDIS_REFUSED)
            forget_groups(lanes, asked->number);
        break;
    case ASKED_UNREAD:
        if (ok)
            take_unread(lanes, asked->number, answer->value);
        break;
    case ASKED_MEMBERS:
        if (ok)
            take_members(lanes, answer->value);
        break;
    case ASKED_MEMBER:
        if (ok)
            count_member(lanes, answer->value);
        if (ok && asked->number == 1)
            all_counted(lanes);
        break;
    case ASKED_INFO:
        if (ok && answer->value->kind == REDIS_TEXT)
            take_info(lanes, answer->value->text);
        break;
    case ASKED_PROBE:
        if (ok || answer->outcome == REDIS_REFUSED)
            take_probe(lanes, answer);
        break;
    }
}

void live_lanes_init(struct live_lanes *lanes, struct redis *redis,
                     const struct keys *keys)
{
    *lanes = (struct live_lanes){
        .asks = {.redis = redis, .on_answer = on_answer, .owner = lanes},
        .keys = keys,
        .commands = -1,
    };
}

void live_lanes_done(struct live_lanes *lanes)
{
    live_asks_done(&lanes->asks);
}

void live_lanes_ask(struct live_lanes *lanes, int64_t now_us)
{
    if (lanes->asks.count > 0)
        return;
    if (lanes->rounds++ % OTHER_ROUND == 0) {
        ask_members(lanes, now_us);
        ask_redis(lanes);
    }
    for (int64_t lane = 1; lane <= WALL_LANES; lane++) {
        char key[KEY_SIZE];
        struct str words[] = {str_of("XINFO"), str_of("GROUPS"),
                              key_lane(lanes->keys, "request", lane, key)};

        ask(lanes, ASKED_GROUPS, lane, words, sizeof words / sizeof *words);
    }
}
