/* worker.c - see worker.h.
 *
 * Flow: start -> both connections ready -> name held -> lane open -> turns ...
 *       -> SIGTERM: lane closed, turns end or go back within DRAIN_MS -> name given
 * back
 */
#include "worker/worker.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/version.h"
#include "llm/llm.h"
#include "llm/router.h"
#include "net/http.h"
#include "net/layout.h"
#include "net/program.h"

enum {
    RENEW_EVERY_MS = 500,
    LAST_MS = 1000,  /* and then for handing back */
    DRAIN_MS = 4000, /* what a turn gets to end after SIGTERM */
    MEMORY_MAX_BYTES = 16 * 1024 * 1024,
    FIRST_CONTACT_MS = 4000,
    CONTACT_LOOK_MS = 200,
    EXIT_CUT_SHORT = 143
};

size_t worker_free_slots(const struct worker *worker)
{
    size_t free = 0;

    for (size_t i = 0; i < worker->slot_count; i++)
        free += worker->slots[i].state == TURN_FREE;
    return free;
}

static bool idle(const struct worker *worker)
{
    return worker_free_slots(worker) == worker->slot_count;
}

static void leave(struct worker *worker)
{
    loop_timer_stop(&worker->renew_timer);
    member_leave(&worker->member);
}

void worker_slot_free(struct worker *worker)
{
    if (!worker->draining)
        lane_wake(&worker->lane);
    else if (idle(worker))
        leave(worker);
}

/* ---- Redis ---- */

static void on_ready(void *owner, bool restarted)
{
    struct worker *worker = owner;
    bool tell = episode_over(&worker->outage) || worker->ready_since_ms == 0;

    fault_point("start.connected");
    worker->ready_since_ms = clock_mono_ms();
    loop_timer_stop(&worker->first_contact);
    if (tell || restarted)
        log_info("redis", "connected restarted=%d", restarted);
    if (restarted)
        memory_forget_all(worker->memory); /* its history may be another */
}

static void on_down(void *owner, const struct err *err)
{
    struct worker *worker = owner;

    worker->last_down = *err;
    if (episode_on(&worker->outage, clock_mono_ms()))
        log_warn("redis", "not connected, trying again for_ms=%lld reason=%s",
                 (long long)episode_ms(&worker->outage, clock_mono_ms()), err->msg);
}

void worker_denied(void *owner, const struct err *err)
{
    struct worker *worker = owner;

    worker->fatal = *err;
    loop_stop(worker->loop);
}

/* At the start Redis must be there; later we wait for it as long as it takes. */
static void on_first_contact(struct loop_timer *timer, void *owner)
{
    struct worker *worker = owner;

    if (worker->last_down.code == ERR_NONE && redis_greeting(worker->redis)) {
        loop_timer_start(timer, CONTACT_LOOK_MS); /* it is there, but slow */
        return;
    }
    worker->fatal = worker->last_down;
    if (worker->fatal.code == ERR_NONE)
        program_redis_silent(&worker->target, &worker->fatal);
    loop_stop(worker->loop);
}

/* ---- the name ---- */

/* "name_prefix=3,thinking=1" */
static void describe_cleaned(const struct worker *worker, char *ret_text, size_t size)
{
    size_t len = 0;

    ret_text[0] = '\0';
    for (unsigned i = 0; i < CLEAN_CHANGE_COUNT; i++) {
        if (worker->cleaned[i] == 0)
            continue;
        fmt_into(ret_text + len, size - len, "%s%s=%lld", len == 0 ? "" : ",",
                 clean_change_name(i), (long long)worker->cleaned[i]);
        len = strlen(ret_text);
    }
}

static size_t describe(void *owner, const char **fields, size_t max)
{
    enum { COUNTS = 6 };
    static char numbers[COUNTS][24];
    static char cleaned[CLEAN_CHANGE_COUNT * 40];
    const struct worker *worker = owner;
    const struct {
        const char *field;
        int64_t value;
    } counts[COUNTS] = {
        {"lane", worker->config->seat},
        {"busy", (int64_t)(worker->slot_count - worker_free_slots(worker))},
        {"slots", (int64_t)worker->slot_count},
        {"turns", worker->turns_done},
        {"calls", worker->calls_ended},
        {"calls_failed", worker->calls_failed},
    };
    size_t n = 0;

    assert(max >= 2 * COUNTS + 6);
    fields[n++] = "kind";
    fields[n++] = "worker";
    fields[n++] = "state";
    fields[n++] = worker->draining ? "draining" : "serving";
    for (size_t i = 0; i < COUNTS; i++) {
        fmt_into(numbers[i], sizeof numbers[i], "%lld", (long long)counts[i].value);
        fields[n++] = counts[i].field;
        fields[n++] = numbers[i];
    }
    describe_cleaned(worker, cleaned, sizeof cleaned);
    fields[n++] = "cleaned";
    fields[n++] = cleaned;
    return n;
}

/* Another layout: nothing here can be read rightly. */
static void on_layout(void *owner, const struct redis_answer *answer)
{
    struct worker *worker = owner;

    if (!layout_fits(answer, &worker->fatal))
        loop_stop(worker->loop);
}

static void on_held(void *owner)
{
    struct worker *worker = owner;

    fault_point("start.ready");
    log_set_name(worker->member.name);
    log_info("worker", "ready seat=%lld concurrency=%zu",
             (long long)worker->config->seat, worker->slot_count);
    if (!worker->draining)
        lane_open(&worker->lane);
}

static void on_lost(void *owner)
{
    struct worker *worker = owner;

    lane_close(&worker->lane);
}

static void on_left(void *owner)
{
    struct worker *worker = owner;

    loop_stop(worker->loop);
}

/* ---- timers and signals ---- */

static void on_renew_time(struct loop_timer *timer, void *owner)
{
    struct worker *worker = owner;

    for (size_t i = 0; i < worker->slot_count; i++)
        slot_renew(&worker->slots[i]);
    loop_timer_start(timer, RENEW_EVERY_MS);
}

/* What has not ended goes back to the lane, its places to their servers: who comes next
 * need not wait for any lease. */
static void hand_back(struct worker *worker)
{
    worker->handed_back = true;
    loop_timer_start(&worker->drain_timer, LAST_MS);
    for (size_t i = 0; i < worker->slot_count; i++)
        slot_hand_back(&worker->slots[i]);
}

static void cut_short(struct worker *worker)
{
    worker->forced = true;
    if (worker->handed_back) /* Redis does not answer: leases run out instead */
        loop_stop(worker->loop);
    else
        hand_back(worker);
}

static void on_drain_over(struct loop_timer *timer, void *owner)
{
    struct worker *worker = owner;

    (void)timer;
    if (worker->handed_back)
        cut_short(worker);
    else
        hand_back(worker);
}

static void on_signal(struct loop_signal *watcher, int number, void *owner)
{
    struct worker *worker = owner;

    (void)watcher;
    if (number == SIGHUP) {
        log_reopen();
        log_info("worker", "log opened anew");
        return;
    }
    if (worker->draining) {
        cut_short(worker);
        return;
    }
    log_info("worker", "draining signal=%d", number);
    worker->draining = true;
    lane_close(&worker->lane);
    loop_timer_start(&worker->drain_timer, DRAIN_MS);
    if (idle(worker))
        leave(worker);
}

/* ---- life ---- */

static void watch_signals(struct worker *worker)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        loop_signal_start(&worker->signals[i], worker->loop, numbers[i], on_signal,
                          worker);
}

static void start(struct worker *worker)
{
    struct redis_options options = {.target = &worker->target,
                                    .name = "worker",
                                    .on_ready = on_ready,
                                    .on_down = on_down,
                                    .on_fatal = worker_denied,
                                    .owner = worker};
    char base[MEMBER_BASE_SIZE];

    worker->redis = redis_new(worker->loop, &options);
    worker->http = http_new(worker->loop);
    worker->llm = llm_new(worker->loop, worker->http);
    worker->memory = memory_new(MEMORY_MAX_BYTES);
    worker->router = router_new(&(struct router_options){
        .loop = worker->loop,
        .redis = worker->redis,
        .llm = worker->llm,
        .keys = &worker->keys,
        .config = worker->config,
        .endpoints = &worker->config->endpoints,
    });
    if (!layout_ask(worker->redis, &worker->keys, on_layout, worker))
        log_error("worker", "the layout cannot be asked for");
    redis_clock_start(&worker->clock, worker->loop, worker->redis);
    worker->slot_count = (size_t)worker->config->concurrency;
    worker->slots = x_calloc(worker->slot_count, sizeof *worker->slots);
    for (size_t i = 0; i < worker->slot_count; i++)
        slot_init(&worker->slots[i], worker);
    lane_start(&worker->lane, worker);
    fmt_into(base, sizeof base, "worker-%lld", (long long)worker->config->seat);
    worker->member.describe = describe;
    worker->member.on_held = on_held;
    worker->member.on_lost = on_lost;
    worker->member.on_left = on_left;
    worker->member.owner = worker;
    loop_timer_init(&worker->first_contact, worker->loop, on_first_contact, worker);
    loop_timer_start(&worker->first_contact, FIRST_CONTACT_MS);
    member_start(&worker->member, worker->loop, worker->redis, &worker->keys, base,
                 worker->config->name);
    loop_timer_init(&worker->renew_timer, worker->loop, on_renew_time, worker);
    loop_timer_start(&worker->renew_timer, RENEW_EVERY_MS);
    loop_timer_init(&worker->drain_timer, worker->loop, on_drain_over, worker);
    watch_signals(worker);
}

static void stop(struct worker *worker)
{
    for (size_t i = 0; i < sizeof worker->signals / sizeof *worker->signals; i++)
        loop_signal_stop(&worker->signals[i]);
    loop_timer_stop(&worker->renew_timer);
    loop_timer_stop(&worker->drain_timer);
    loop_timer_stop(&worker->first_contact);
    member_done(&worker->member);
    redis_clock_stop(&worker->clock);
    router_free(worker->router);
    llm_free(worker->llm);
    http_free(worker->http);
    lane_done(&worker->lane);
    redis_free(worker->redis);
    for (size_t i = 0; i < worker->slot_count; i++)
        slot_done(&worker->slots[i]);
    free(worker->slots);
    memory_free(worker->memory);
}

static bool prepare(struct worker *worker, const struct config_loaded *loaded,
                    struct err *err)
{
    const struct config *config = &loaded->values;

    worker->config = config;
    if (config->seat == 0)
        return err_set(err, ERR_USAGE, "--seat is missing: a number from 1 to 16");
    if (config->name != NULL && strlen(config->name) >= MEMBER_BASE_SIZE)
        return err_set(err, ERR_USAGE, "--name: at most %d letters",
                       MEMBER_BASE_SIZE - 1);
    return keys_init(&worker->keys, config->prefix,
                     config->shard == NULL ? "0" : config->shard, err)
           && program_redis_target(loaded, &worker->target, err)
           && prompt_templates_load(config->prompts, &worker->templates, err);
}

int worker_run(struct worker *worker, const struct config_loaded *loaded,
               struct err *err)
{
    int status = 0;

    *worker = (struct worker){0};
    if (!prepare(worker, loaded, err)) {
        status = err_exit_status(err);
        goto out;
    }
    log_info("worker", "start version=%s seat=%lld provider=%s", version_number(),
             (long long)worker->config->seat, worker->config->provider);
    worker->loop = loop_new();
    start(worker);
    loop_run(worker->loop);
    status = worker->forced ? EXIT_CUT_SHORT : 0;
    if (worker->fatal.code != ERR_NONE) {
        *err = worker->fatal;
        status = err_exit_status(err);
    }
    log_info("worker", "stop turns=%lld failed=%lld", (long long)worker->turns_done,
             (long long)worker->turns_failed);
    stop(worker);
    loop_free(worker->loop);
out:
    prompt_templates_done(&worker->templates);
    redis_target_done(&worker->target);
    return status;
}
