/* lane.c - see lane.h.
 *
 * Flow: go_on -> claim -> on_claimed -> go_on -> read -> on_read -> go_on ...
 *
 * A request that must run alone waits in the lane: whoever sees it there takes nothing
 * new and claims again as soon as nothing is in hand.
 */
#include "worker/lane.h"

#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/redis.h"
#include "scripts/scripts.h"
#include "worker/worker.h"

enum {
    BLOCK_MS = 1000,        /* bounded: a claim must come in time, a stop too */
    READ_TIMEOUT_MS = 4000, /* for the whole blocking read */
    CLAIM_EVERY_MS = 1000,
    ALONE_FROM = 3, /* deliveries: what two workers did not survive is suspected */
    RETRY_MS = 100,
    HANDS_MAX = 1024 /* slots; --concurrency's bound */
};

static void go_on(struct lane *lane);

static struct slot *free_slot(struct worker *worker)
{
    for (size_t i = 0; i < worker->slot_count; i++)
        if (worker->slots[i].state == TURN_FREE)
            return &worker->slots[i];
    return NULL;
}

/* What runs alone has the whole process, whatever its slots. */
static size_t room(const struct worker *worker)
{
    for (size_t i = 0; i < worker->slot_count; i++)
        if (worker->slots[i].state != TURN_FREE
            && worker->slots[i].deliveries >= ALONE_FROM)
            return 0;
    return worker_free_slots(worker);
}

static void rest(struct lane *lane, int64_t wait_ms)
{
    lane->state = LANE_RESTING;
    loop_timer_start(&lane->wait, wait_ms);
}

static void on_wait_over(struct loop_timer *timer, void *owner)
{
    (void)timer;
    go_on(owner);
}

/* ---- what others left behind ---- */

/* It is seen again at each claim: told once. */
static void wait_for_alone(struct lane *lane, struct str id)
{
    if (!lane->alone_told)
        log_warn("lane",
                 "a request that others did not survive must run alone, nothing new is "
                 "taken until then entry=%s",
                 log_safe(id));
    lane->alone_waits = lane->alone_told = true;
}

static void take_claimed(struct lane *lane, const struct redis_value *entry)
{
    struct worker *worker = lane->worker;
    struct str id = redis_item_text(entry, 0);
    int64_t deliveries = redis_item_i64(entry, 1, 0);
    struct slot *slot = free_slot(worker);

    if (deliveries < 0) {
        wait_for_alone(lane, id);
        return;
    }
    if (deliveries == 0) {
        log_warn("lane", "a pending request has vanished entry=%s", log_safe(id));
        return;
    }
    if (slot == NULL) {
        log_error("lane", "claimed more than there are slots entry=%s", log_safe(id));
        return;
    }
    log_info("lane", "claimed entry=%s deliveries=%lld", log_safe(id),
             (long long)deliveries);
    fault_point("worker.claimed");
    slot_deliver(slot, id, deliveries, redis_item(entry, 2));
}

static void on_claimed(void *owner, const struct redis_answer *answer)
{
    struct lane *lane = owner;

    if (lane->state != LANE_CLAIMING)
        return; /* closed meanwhile; what was claimed is claimed by others later */
    if (answer->outcome != REDIS_OK) {
        log_debug("lane", "claim refused reason=%s",
                  answer->value == NULL ? "lost" : log_safe(answer->value->text));
        rest(lane, RETRY_MS);
        return;
    }
    lane->alone_waits = false;
    for (size_t i = 1; i < answer->value->count; i++)
        take_claimed(lane, redis_item(answer->value, i));
    lane->alone_told = lane->alone_waits;
    lane->state = LANE_RESTING;
    go_on(lane);
}

/* Leases are judged only after a whole lease of being connected: when Redis was away,
 * nobody could renew. What was handed back is free at once: it looks idle for a day. */
static int64_t lease_to_claim_ms(const struct worker *worker)
{
    int64_t connected_ms = clock_mono_ms() - worker->ready_since_ms;
    static const int64_t half_a_day_ms = 12 * 3600 * 1000;

    return connected_ms >= worker->config->lease_ms ? worker->config->lease_ms
                                                    : half_a_day_ms;
}

static void claim(struct lane *lane, size_t free)
{
    struct worker *worker = lane->worker;
    char key[KEY_SIZE];
    char lock[KEY_SIZE];
    char lock_id[MEMBER_NAME_SIZE + 8];
    char lease[24];
    char count[24];
    char alone[24];
    struct str argv[8 + HANDS_MAX];
    struct redis_eval eval = {.script = script_get(SCRIPT_CLAIM),
                              .keys = 2,
                              .argv = argv,
                              .on_answer = on_claimed,
                              .owner = lane};
    size_t n = 0;

    fmt_into(lock_id, sizeof lock_id, "%s:lock", worker->member.name);
    fmt_into(lease, sizeof lease, "%lld", (long long)lease_to_claim_ms(worker));
    fmt_into(count, sizeof count, "%zu", free);
    fmt_into(alone, sizeof alone, "%d", ALONE_FROM);
    argv[n++] = key_lane(&worker->keys, "request", worker->config->seat, key);
    argv[n++] = key_make(&worker->keys, "member", lock_id, lock);
    argv[n++] = str_of(worker->member.name);
    argv[n++] = str_of(worker->member.nonce);
    argv[n++] = str_of(lease);
    argv[n++] = str_of(count);
    argv[n++] = str_of("1");
    argv[n++] = str_of(alone);
    for (size_t i = 0; i < worker->slot_count; i++)
        if (worker->slots[i].state != TURN_FREE)
            argv[n++] = str_of(worker->slots[i].entry);
    eval.argc = n;
    lane->claim_at_ms = clock_mono_ms() + CLAIM_EVERY_MS;
    lane->state = LANE_CLAIMING;
    if (!redis_eval(worker->redis, &eval))
        rest(lane, RETRY_MS);
}

/* ---- what is new ---- */

static void take_new(struct lane *lane, const struct redis_value *entries)
{
    redis_watch_delivered(&lane->watch);
    for (size_t i = 0; i < entries->count; i++) {
        const struct redis_value *entry = redis_item(entries, i);
        struct slot *slot = free_slot(lane->worker);

        if (slot == NULL) {
            log_error("lane", "read more than there are slots entry=%s",
                      log_safe(redis_item_text(entry, 0)));
            return;
        }
        fault_point("worker.read");
        slot_deliver(slot, redis_item_text(entry, 0), 1, redis_item(entry, 1));
    }
}

static void on_read(void *owner, const struct redis_answer *answer)
{
    struct lane *lane = owner;

    if (lane->state != LANE_READING)
        return;
    if (answer->outcome == REDIS_LOST) {
        lane->claim_at_ms = 0; /* it may have delivered to us unseen: look at once */
        rest(lane, 0);
    } else if (answer->outcome != REDIS_OK) {
        /* NOGROUP until a manager has led; UNBLOCKED, LOADING and the like pass. */
        log_debug("lane", "read refused reason=%s",
                  answer->value == NULL ? "cancelled" : log_safe(answer->value->text));
        rest(lane, RETRY_MS);
    } else {
        if (answer->value->kind == REDIS_ARRAY && answer->value->count > 0)
            take_new(lane, redis_item(redis_item(answer->value, 0), 1));
        lane->state = LANE_RESTING;
        go_on(lane);
    }
}

static void read_new(struct lane *lane, size_t free)
{
    struct worker *worker = lane->worker;
    char key[KEY_SIZE];
    char count[24];
    char block[24];
    struct str argv[11];
    struct redis_call call = {.argv = argv,
                              .on_answer = on_read,
                              .owner = lane,
                              .timeout_ms = READ_TIMEOUT_MS};
    size_t n = 0;

    fmt_into(count, sizeof count, "%zu", free);
    fmt_into(block, sizeof block, "%d", BLOCK_MS);
    argv[n++] = str_of("XREADGROUP");
    argv[n++] = str_of("GROUP");
    argv[n++] = str_of("workers");
    argv[n++] = str_of(worker->member.name);
    argv[n++] = str_of("COUNT");
    argv[n++] = str_of(count);
    argv[n++] = str_of("BLOCK");
    argv[n++] = str_of(block);
    argv[n++] = str_of("STREAMS");
    argv[n++] = key_lane(&worker->keys, "request", worker->config->seat, key);
    argv[n++] = str_of(">");
    call.argc = n;
    fault_point("worker.look");
    lane->state = LANE_READING;
    if (!redis_send(lane->reader, &call))
        rest(lane, RETRY_MS);
}

static void go_on(struct lane *lane)
{
    struct worker *worker = lane->worker;
    size_t free = room(worker);
    bool idle = free == worker->slot_count;
    int64_t claim_in_ms;

    if (lane->state != LANE_RESTING)
        return;
    loop_timer_stop(&lane->wait);
    if (free == 0)
        return; /* lane_wake comes with the next free slot */
    claim_in_ms = lane->claim_at_ms - clock_mono_ms();
    /* A full Redis still hands out requests, whose turns could not be stored. */
    if (!redis_ready(worker->redis) || !redis_ready(lane->reader)
        || redis_refuses_writes(worker->redis))
        rest(lane, RETRY_MS);
    else if (claim_in_ms <= 0 || (lane->alone_waits && idle))
        claim(lane, free);
    else if (lane->alone_waits)
        rest(lane, claim_in_ms);
    else
        read_new(lane, free);
}

static bool wants(void *owner)
{
    const struct lane *lane = owner;

    return lane->state != LANE_CLOSED && !lane->alone_waits && room(lane->worker) > 0;
}

static size_t watched(void *owner, char keys[REDIS_WATCH_STREAMS_MAX][KEY_SIZE])
{
    const struct lane *lane = owner;

    key_lane(&lane->worker->keys, "request", lane->worker->config->seat, keys[0]);
    return 1;
}

void lane_start(struct lane *lane, struct worker *worker)
{
    struct redis_options options = {.target = &worker->target,
                                    .name = "worker-reader",
                                    .on_fatal = worker_denied,
                                    .owner = worker};

    *lane = (struct lane){.worker = worker, .state = LANE_CLOSED};
    loop_timer_init(&lane->wait, worker->loop, on_wait_over, lane);
    lane->reader = redis_new(worker->loop, &options);
    redis_watch_start(&lane->watch, worker->loop,
                      &(struct redis_watch_options){.redis = worker->redis,
                                                    .reader = lane->reader,
                                                    .group = "workers",
                                                    .wants = wants,
                                                    .streams = watched,
                                                    .owner = lane});
}

void lane_open(struct lane *lane)
{
    if (lane->state != LANE_CLOSED)
        return;
    lane->claim_at_ms = 0;
    lane->state = LANE_RESTING;
    go_on(lane);
}

void lane_close(struct lane *lane)
{
    bool was_reading = lane->state == LANE_READING;

    lane->state = LANE_CLOSED;
    loop_timer_stop(&lane->wait);
    if (was_reading) {
        redis_forget(lane->reader, lane);
        redis_reconnect(lane->reader);
    }
}

void lane_wake(struct lane *lane)
{
    if (lane->state == LANE_RESTING)
        go_on(lane);
}

void lane_done(struct lane *lane)
{
    lane->state = LANE_CLOSED;
    loop_timer_stop(&lane->wait);
    redis_watch_stop(&lane->watch);
    redis_free(lane->reader);
    lane->reader = NULL;
}
