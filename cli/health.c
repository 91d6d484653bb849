/* health.c - see health.h. */
#include "cli/health.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "net/redis_error.h"
#include "net/redis_sync.h"
#include "proto/json_write.h"

enum { LANES = 16, TEXT_SIZE = 64, DELIVERED_SIZE = 64 };

struct reading {
    struct health health;
    int64_t now_ms;    /* Redis' clock */
    int64_t oldest_at; /* ms; -1: none is pending */
    int64_t lane_pending;
    int64_t lane_lag;               /* as Redis counts it */
    char delivered[DELIVERED_SIZE]; /* "(<the last id a worker was given>" */
};

static void on_time(void *owner, const struct redis_answer *answer)
{
    struct reading *reading = owner;

    if (answer->outcome == REDIS_OK)
        reading->now_ms = redis_item_i64(answer->value, 0, 0) * 1000
                          + redis_item_i64(answer->value, 1, 0) / 1000;
}

/* "<number>:<name>:<nonce>". */
static void on_leader(void *owner, const struct redis_answer *answer)
{
    struct reading *reading = owner;
    struct str rest;

    if (answer->outcome != REDIS_OK || answer->value->kind != REDIS_TEXT)
        return;
    (void)str_cut(answer->value->text, ':', &rest);
    (void)snprintf(reading->health.leader, HEALTH_NAME_SIZE, "%s",
                   log_safe(str_cut(rest, ':', &rest)));
}

static void on_groups(void *owner, const struct redis_answer *answer)
{
    struct reading *reading = owner;

    reading->lane_pending = reading->lane_lag = 0;
    for (size_t i = 0; answer->outcome == REDIS_OK && i < answer->value->count; i++) {
        const struct redis_value *group = redis_item(answer->value, i);

        if (!str_is(redis_field(group, "name"), "workers"))
            continue;
        reading->lane_pending = redis_field_i64(group, "pending", 0);
        reading->lane_lag = redis_field_i64(group, "lag", 1); /* 1: it cannot tell */
        (void)snprintf(reading->delivered, DELIVERED_SIZE, "(%s",
                       log_safe(redis_field(group, "last-delivered-id")));
    }
    reading->health.pending += reading->lane_pending;
}

/* count, first id, last id, consumers: an id begins with the ms it was asked at. */
static void on_pending(void *owner, const struct redis_answer *answer)
{
    struct reading *reading = owner;
    struct str rest;
    int64_t at_ms;

    if (answer->outcome != REDIS_OK
        || !str_to_i64(str_cut(redis_item_text(answer->value, 1), '-', &rest), 0,
                       INT64_MAX, &at_ms))
        return;
    if (reading->oldest_at < 0 || at_ms < reading->oldest_at)
        reading->oldest_at = at_ms;
}

/* Redis 7.0 counts `lag` too high for ever once it has read its file again; whether
 * there is anything at all the stream itself tells. */
static void on_unread(void *owner, const struct redis_answer *answer)
{
    struct reading *reading = owner;

    if (answer->outcome == REDIS_OK && answer->value->count > 0)
        reading->health.unread += reading->lane_lag;
}

static void on_there(void *owner, const struct redis_answer *answer)
{
    *(bool *)owner = answer->outcome == REDIS_OK && answer->value->integer > 0;
}

static bool read_lane(struct fleet *fleet, int64_t lane, struct reading *reading,
                      struct err *err)
{
    char key[KEY_SIZE];
    const char *exists[] = {"EXISTS", key, NULL};
    const char *groups[] = {"XINFO", "GROUPS", key, NULL};
    const char *pending[] = {"XPENDING", key, "workers", NULL};
    const char *unread[] = {"XRANGE", key, reading->delivered, "+", "COUNT", "1", NULL};
    bool there = false;

    (void)key_lane(&fleet->keys, "request", lane, key);
    if (!fleet_ask(fleet, exists, on_there, &there, err))
        return false;
    if (!there)
        return true; /* nobody has led here yet */
    return fleet_ask(fleet, groups, on_groups, reading, err)
           && (reading->lane_pending == 0
               || fleet_ask(fleet, pending, on_pending, reading, err))
           && (reading->lane_lag == 0
               || fleet_ask(fleet, unread, on_unread, reading, err));
}

struct probing {
    char *refusal;
    bool refused;
};

static void on_probed(void *owner, const struct redis_answer *answer)
{
    struct probing *probing = owner;

    probing->refused = answer->outcome == REDIS_REFUSED;
    if (probing->refused
        && redis_class_refuses_writes(redis_class_of(answer->value->text)))
        (void)snprintf(probing->refusal, HEALTH_REFUSAL_SIZE, "%s",
                       log_safe(answer->value->text));
}

/* As run_watch.c: a SET with XX of a key that is never there. */
static bool probe(struct fleet *fleet, struct health *health, struct err *err)
{
    struct probing probing = {.refusal = health->refusal};
    struct err why = {0};
    char key[KEY_SIZE];
    const char *words[] = {"SET", key, "-", "XX", NULL};

    (void)key_make(&fleet->keys, "probe", NULL, key);
    if (fleet_ask(fleet, words, on_probed, &probing, &why) || probing.refused)
        return true;
    *err = why;
    return false;
}

bool health_read(struct fleet *fleet, struct health *ret_health, struct err *err)
{
    struct reading reading = {.oldest_at = -1};
    char key[KEY_SIZE];
    const char *time[] = {"TIME", NULL};
    const char *leader[] = {"GET", key, NULL};
    bool ok;

    (void)key_make(&fleet->keys, "leader", NULL, key);
    ok = fleet_ask(fleet, time, on_time, &reading, err)
         && fleet_ask(fleet, leader, on_leader, &reading, err);
    for (int64_t lane = 1; ok && lane <= LANES; lane++)
        ok = read_lane(fleet, lane, &reading, err);
    ok = ok && probe(fleet, &reading.health, err)
         && keeping_read(fleet->loop, fleet->redis, &reading.health.keeping, err);
    if (!ok)
        return false;
    reading.health.now_ms = reading.now_ms;
    reading.health.oldest_ms =
        reading.oldest_at < 0 ? -1 : reading.now_ms - reading.oldest_at;
    *ret_health = reading.health;
    return true;
}

void health_text(const struct health *health, struct buf *into)
{
    buf_printf(into, "leader   %s, %" PRId64 " standing by\n",
               health->leader[0] == '\0' ? "nobody" : health->leader, health->standbys);
    buf_printf(into, "turns    %" PRId64 " in hand, %" PRId64 " waiting for a worker",
               health->pending, health->unread);
    if (health->oldest_ms >= 0)
        buf_printf(into, ", the oldest in hand asked for %.1f s ago",
                   (double)health->oldest_ms / 1e3);
    buf_add_text(into, "\nredis    ");
    keeping_words(&health->keeping, into);
    if (health->refusal[0] != '\0')
        buf_printf(into, "\nredis    REFUSES WRITES: %s", health->refusal);
    buf_add_char(into, '\n');
}

void health_json(const struct health *health, struct buf *into)
{
    buf_add_text(into, "{\"leader\":");
    json_write_text(into, health->leader[0] == '\0' ? NULL : health->leader);
    buf_printf(into,
               ",\"standbys\":%" PRId64 ",\"pending\":%" PRId64 ",\"unread\":%" PRId64
               ",\"oldest_pending_ms\":",
               health->standbys, health->pending, health->unread);
    json_write_count(into, health->oldest_ms);
    buf_add_text(into, ",\"writes_refused\":");
    json_write_text(into, health->refusal[0] == '\0' ? NULL : health->refusal);
    buf_add_text(into, ",\"durability\":");
    keeping_json(&health->keeping, into);
    buf_add_text(into, "}\n");
}
