/* manager.c - see manager.h.
 *
 * Flow: start -> name held -> leader_* -> manager_lead: recover, then read responses
 * and commands, look at what is due every 250 ms -> SIGTERM: resign, leave, end
 */
#include "manager/manager.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/version.h"
#include "llm/router.h"
#include "manager/begin.h"
#include "manager/control.h"
#include "manager/due.h"
#include "manager/recover.h"
#include "manager/route.h"
#include "net/http.h"
#include "net/layout.h"
#include "net/program.h"
#include "scripts/scripts.h"

enum {
    TICK_MS = 250,
    SWEEP_EVERY_MS = 1000, /* responses pending for longer are taken again */
    TRIM_EVERY_MS = 1000,
    CONSUMERS_EVERY_MS = 60000,
    PATROL_EVERY_MS = 5000, /* a page of conversations is looked at, whatever is due */
    BLOCK_MS = 1000,
    READ_TIMEOUT_MS = 4000,
    READ_COUNT = 128, /* responses of a lane at once */
    RETRY_MS = 200,
    FIRST_CONTACT_MS = 4000,
    CONTACT_LOOK_MS = 200,
    EXIT_CUT_SHORT = 143
};

/* ---- asking Redis ---- */

void words_add(struct words *words, struct str word)
{
    assert(words->count < sizeof words->at / sizeof *words->at);
    words->at[words->count++] = word;
}

void words_keys_end(struct words *words)
{
    words->keys = words->count;
}

/* A full queue: the owner is told as if the answer had been lost. */
static void not_sent(redis_on_answer *on_answer, void *owner)
{
    static const struct redis_answer lost = {.outcome = REDIS_LOST};

    log_warn("manager", "too many commands are waiting for Redis");
    if (on_answer != NULL)
        on_answer(owner, &lost);
}

void manager_eval(struct manager *manager, int script, const struct words *words,
                  redis_on_answer *on_answer, void *owner)
{
    const struct redis_eval eval = {.script = script_get((enum script_id)script),
                                    .keys = words->keys,
                                    .argc = words->count,
                                    .argv = words->at,
                                    .on_answer = on_answer,
                                    .owner = owner};

    if (!redis_eval(manager->redis, &eval))
        not_sent(on_answer, owner);
}

void manager_send(struct manager *manager, const struct words *words,
                  redis_on_answer *on_answer, void *owner)
{
    const struct redis_call call = {.argc = words->count,
                                    .argv = words->at,
                                    .on_answer = on_answer,
                                    .owner = owner,
                                    .again = true};

    if (!redis_send(manager->redis, &call))
        not_sent(on_answer, owner);
}

/* ---- reading responses and commands ---- */

static void read_on(struct manager *manager);

static void take_stream(struct manager *manager, const struct redis_value *stream)
{
    struct str key = redis_item_text(stream, 0);
    const struct redis_value *entries = redis_item(stream, 1);
    struct str rest = key;
    int64_t lane = 0;

    while (rest.len > 0)
        key = str_cut(rest, ':', &rest); /* the last part: the lane, or "control" */
    if (!str_is(key, "control") && !str_to_i64(key, 1, INT32_MAX, &lane))
        return;
    for (size_t i = 0; i < entries->count; i++) {
        const struct redis_value *entry = redis_item(entries, i);

        fault_point("manager.read");
        if (lane == 0)
            control_command(manager, redis_item_text(entry, 0), redis_item(entry, 1));
        else
            route_response(manager, lane, redis_item_text(entry, 0),
                           redis_item(entry, 1));
    }
}

static void on_read(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;

    if (answer->outcome == REDIS_CANCELLED)
        return;
    manager->reading = false;
    if (answer->outcome != REDIS_OK) {
        log_debug("manager", "reading was refused reason=%s",
                  answer->value == NULL ? "lost" : log_safe(answer->value->text));
        manager->sweep_at_ms = 0; /* something may have been given to us unseen */
        loop_timer_start(&manager->wait, RETRY_MS);
        return;
    }
    if (answer->value->kind == REDIS_ARRAY)
        redis_watch_delivered(&manager->watch);
    for (size_t i = 0; answer->value->kind == REDIS_ARRAY && i < answer->value->count;
         i++)
        take_stream(manager, redis_item(answer->value, i));
    read_on(manager);
}

static void read_on(struct manager *manager)
{
    int lanes = roster_lanes(manager->roster);
    char keys[SEATS_MAX + 1][KEY_SIZE];
    char count[16];
    char block[16];
    struct words words = {0};
    struct redis_call call = {
        .on_answer = on_read, .owner = manager, .timeout_ms = READ_TIMEOUT_MS};

    if (manager->reading || manager->stopping || !leader_leads(&manager->leader))
        return;
    fmt_into(count, sizeof count, "%d", READ_COUNT);
    fmt_into(block, sizeof block, "%d", BLOCK_MS);
    words_add(&words, str_of("XREADGROUP"));
    words_add(&words, str_of("GROUP"));
    words_add(&words, str_of("managers"));
    words_add(&words, str_of(manager->member.name));
    words_add(&words, str_of("COUNT"));
    words_add(&words, str_of(count));
    words_add(&words, str_of("BLOCK"));
    words_add(&words, str_of(block));
    words_add(&words, str_of("STREAMS"));
    for (int lane = 1; lane <= lanes; lane++)
        words_add(&words, key_lane(&manager->keys, "response", lane, keys[lane - 1]));
    words_add(&words, key_make(&manager->keys, "control", NULL, keys[lanes]));
    for (int i = 0; i <= lanes; i++)
        words_add(&words, str_of(">"));
    call.argc = words.count;
    call.argv = words.at;
    manager->reading = redis_send(manager->reader, &call);
    if (!manager->reading)
        loop_timer_start(&manager->wait, RETRY_MS);
}

static void on_wait_over(struct loop_timer *timer, void *owner)
{
    (void)timer;
    read_on(owner);
}

static bool wants(void *owner)
{
    const struct manager *manager = owner;

    return leader_leads(&manager->leader) && !manager->stopping;
}

static size_t watched(void *owner, char keys[REDIS_WATCH_STREAMS_MAX][KEY_SIZE])
{
    const struct manager *manager = owner;
    int lanes = roster_lanes(manager->roster);

    for (int lane = 1; lane <= lanes; lane++)
        key_lane(&manager->keys, "response", lane, keys[lane - 1]);
    key_make(&manager->keys, "control", NULL, keys[lanes]);
    return (size_t)lanes + 1;
}

/* ---- leading ---- */

void manager_doubt_clock(struct manager *manager)
{
    manager->doubt = true;
    leader_ask_now(&manager->leader);
}

void manager_tell(struct manager *manager, const struct manager_event *event)
{
    char key[KEY_SIZE];
    char id[CONVERSATION_SIZE + 96];
    char at[24];
    char turn[24] = "";
    struct words words = {0};

    fmt_into(at, sizeof at, "%lld", (long long)redis_clock_now_us(&manager->clock));
    if (event->turn >= 0)
        fmt_into(turn, sizeof turn, "%lld", (long long)event->turn);
    fmt_into(id, sizeof id, "%s:%s:%s", event->conversation, event->event, at);
    {
        const char *const fields[] = {"XADD",
                                      key_make(&manager->keys, "events", NULL, key).at,
                                      "*",
                                      "id",
                                      id,
                                      "event",
                                      event->event,
                                      "conversation",
                                      event->conversation,
                                      "at",
                                      at,
                                      "turn",
                                      turn,
                                      "transcript",
                                      "",
                                      "state",
                                      "",
                                      "reason",
                                      event->reason,
                                      "summary",
                                      ""};

        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            words_add(&words, str_of(fields[i]));
    }
    manager_send(manager, &words, NULL, NULL);
}

void manager_advance(struct manager *manager)
{
    struct talk *talk;

    if (!leader_leads(&manager->leader))
        return;
    while (roster_count(manager->roster, TALK_WRITING)
               < (size_t)manager->config->story_parallel
           && (talk = roster_first(manager->roster, TALK_QUEUED)) != NULL) {
        roster_move(manager->roster, talk, TALK_WRITING);
        desk_open(manager, talk);
    }
    begin_ready(manager);
}

void manager_lead(struct manager *manager)
{
    manager_follow(manager); /* nothing of an earlier leadership holds */
    manager->sweep_at_ms = clock_mono_ms() + SWEEP_EVERY_MS;
    manager->patrol_at_ms = clock_mono_ms() + PATROL_EVERY_MS;
    recover_all(manager); /* then the pending responses */
    recover_commands(manager, 0);
    read_on(manager);
}

void manager_follow(struct manager *manager)
{
    rewind_remember(manager);
    while (!TAILQ_EMPTY(&manager->desks))
        desk_close(TAILQ_FIRST(&manager->desks));
    roster_clear(manager->roster);
    warm_clear(manager);
}

/* What is looked at again and again until it is as it should be. */
static void look_around(struct manager *manager, int64_t now_ms)
{
    due_look(manager);
    manager_advance(manager);
    if (manager->doubt)
        recover_pending(manager, 0);
    manager->doubt = false;
    if (now_ms >= manager->patrol_at_ms) {
        manager->patrol_at_ms = now_ms + PATROL_EVERY_MS;
        recover_patrol(manager);
    }
    if (now_ms >= manager->sweep_at_ms) {
        manager->sweep_at_ms = now_ms + SWEEP_EVERY_MS;
        recover_pending(manager, SWEEP_EVERY_MS);
        recover_commands(manager, SWEEP_EVERY_MS);
    }
    if (now_ms >= manager->consumers_at_ms) {
        manager->consumers_at_ms = now_ms + CONSUMERS_EVERY_MS;
        due_sweep(manager);
    }
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct manager *manager = owner;
    int64_t now_ms = clock_mono_ms();

    loop_timer_start(timer, TICK_MS);
    if (!leader_leads(&manager->leader) || !redis_ready(manager->redis))
        return;
    shift_go_on(manager);
    if (now_ms >= manager->trim_at_ms && !manager->trimming) { /* may make room */
        manager->trim_at_ms = now_ms + TRIM_EVERY_MS;
        due_trim(manager);
    }
    /* What Redis refuses is kept and sent again: the same found at each look would pile
     * up there, hundreds a second. */
    if (redis_refusal(manager->redis) == NULL)
        look_around(manager, now_ms);
}

/* ---- Redis, the name ---- */

static void on_ready(void *owner, bool restarted)
{
    struct manager *manager = owner;
    bool tell = episode_over(&manager->outage) || !manager->was_ready;

    fault_point("start.connected");
    manager->was_ready = true;
    loop_timer_stop(&manager->first_contact);
    if (tell || restarted)
        log_info("redis", "connected restarted=%d", restarted);
    if (restarted)
        leader_ask_now(&manager->leader); /* it may know less of who leads */
    if (!restarted || !leader_leads(&manager->leader))
        return;
    log_warn("redis", "another server or another history: all is looked at anew");
    manager_follow(manager);
    rewind_check(manager);
    manager_lead(manager);
}

static void on_down(void *owner, const struct err *err)
{
    struct manager *manager = owner;

    manager->last_down = *err;
    if (episode_on(&manager->outage, clock_mono_ms()))
        log_warn("redis", "not connected, trying again for_ms=%lld reason=%s",
                 (long long)episode_ms(&manager->outage, clock_mono_ms()), err->msg);
}

/* A person must act: password, rights, a cluster. */
static void on_denied(void *owner, const struct err *err)
{
    struct manager *manager = owner;

    manager->fatal = *err;
    loop_stop(manager->loop);
}

/* At the start Redis must be there; later we wait for it as long as it takes. */
static void on_first_contact(struct loop_timer *timer, void *owner)
{
    struct manager *manager = owner;

    if (manager->last_down.code == ERR_NONE && redis_greeting(manager->redis)) {
        loop_timer_start(timer, CONTACT_LOOK_MS); /* it is there, but slow */
        return;
    }
    manager->fatal = manager->last_down;
    if (manager->fatal.code == ERR_NONE)
        program_redis_silent(&manager->target, &manager->fatal);
    loop_stop(manager->loop);
}

static size_t describe(void *owner, const char **fields, size_t max)
{
    static char running[24];
    static char waiting[24];
    static char routed[24];
    static char trimmed[24];
    struct manager *manager = owner;
    struct roster *roster = manager->roster;
    size_t n = 0;

    (void)max; /* fourteen of sixteen */
    fmt_into(running, sizeof running, "%zu", roster_count(roster, TALK_RUNNING));
    fmt_into(waiting, sizeof waiting, "%zu",
             roster_count(roster, TALK_QUEUED) + roster_count(roster, TALK_WRITING)
                 + roster_count(roster, TALK_READY));
    fmt_into(routed, sizeof routed, "%lld", (long long)manager->routed);
    fmt_into(trimmed, sizeof trimmed, "%lld", (long long)manager->trimmed);
    fields[n++] = "kind";
    fields[n++] = "manager";
    fields[n++] = "state";
    fields[n++] = leader_leads(&manager->leader) ? "leading" : "standby";
    fields[n++] = "leads";
    fields[n++] = leader_leads(&manager->leader) ? "1" : "0";
    fields[n++] = "running";
    fields[n++] = running;
    fields[n++] = "waiting";
    fields[n++] = waiting;
    fields[n++] = "turns";
    fields[n++] = routed;
    fields[n++] = "trimmed";
    fields[n++] = trimmed;
    return n;
}

/* Another layout: nothing here can be read rightly. */
static void on_layout(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;

    if (!layout_fits(answer, &manager->fatal))
        loop_stop(manager->loop);
}

static void on_held(void *owner)
{
    struct manager *manager = owner;

    fault_point("start.ready");
    log_set_name(manager->member.name);
    log_info("manager", "ready");
    leader_ask_now(&manager->leader);
}

static void on_lost(void *owner)
{
    struct manager *manager = owner;

    leader_stale(&manager->leader);
}

static void on_left(void *owner)
{
    struct manager *manager = owner;

    loop_stop(manager->loop);
}

/* ---- life ---- */

static void on_signal(struct loop_signal *watcher, int number, void *owner)
{
    struct manager *manager = owner;

    (void)watcher;
    if (number == SIGHUP) {
        log_reopen();
        log_info("manager", "log opened anew");
        return;
    }
    if (manager->stopping) {
        manager->forced = true;
        loop_stop(manager->loop);
        return;
    }
    log_info("manager", "leaving signal=%d", number);
    manager->stopping = true;
    leader_resign(&manager->leader);
    member_leave(
        &manager->member); /* behind what is on its way: answers come in order */
}

static void start(struct manager *manager)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct redis_options options = {.target = &manager->target,
                                    .name = "manager",
                                    .on_ready = on_ready,
                                    .on_down = on_down,
                                    .on_fatal = on_denied,
                                    .owner = manager};
    struct redis_options reader = {.target = &manager->target,
                                   .name = "manager-reader",
                                   .on_fatal = on_denied,
                                   .owner = manager};

    /* What was asked last is written first: routing goes before reading on. */
    manager->reader = redis_new(manager->loop, &reader);
    manager->redis = redis_new(manager->loop, &options);
    manager->http = http_new(manager->loop);
    manager->llm = llm_new(manager->loop, manager->http);
    manager->router = router_new(&(struct router_options){
        .loop = manager->loop,
        .redis = manager->redis,
        .llm = manager->llm,
        .keys = &manager->keys,
        .config = manager->config,
        .endpoints = &manager->config->endpoints,
    });
    manager->roster = roster_new();
    TAILQ_INIT(&manager->desks);
    redis_watch_start(&manager->watch, manager->loop,
                      &(struct redis_watch_options){.redis = manager->redis,
                                                    .reader = manager->reader,
                                                    .group = "managers",
                                                    .wants = wants,
                                                    .streams = watched,
                                                    .owner = manager});
    TAILQ_INIT(&manager->warm);
    if (!layout_ask(manager->redis, &manager->keys, on_layout, manager))
        log_error("manager", "the layout cannot be asked for");
    redis_clock_start(&manager->clock, manager->loop, manager->redis);
    manager->clock.on_jump = shift_note;
    manager->clock.owner = manager;
    manager->member.describe = describe;
    manager->member.on_held = on_held;
    manager->member.on_lost = on_lost;
    manager->member.on_left = on_left;
    manager->member.owner = manager;
    loop_timer_init(&manager->first_contact, manager->loop, on_first_contact, manager);
    loop_timer_start(&manager->first_contact, FIRST_CONTACT_MS);
    member_start(&manager->member, manager->loop, manager->redis, &manager->keys,
                 "manager", manager->config->name);
    leader_start(&manager->leader, manager);
    loop_timer_init(&manager->tick, manager->loop, on_tick, manager);
    loop_timer_start(&manager->tick, TICK_MS);
    loop_timer_init(&manager->wait, manager->loop, on_wait_over, manager);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        loop_signal_start(&manager->signals[i], manager->loop, numbers[i], on_signal,
                          manager);
}

static void stop(struct manager *manager)
{
    for (size_t i = 0; i < sizeof manager->signals / sizeof *manager->signals; i++)
        loop_signal_stop(&manager->signals[i]);
    loop_timer_stop(&manager->tick);
    loop_timer_stop(&manager->wait);
    manager_follow(manager);
    leader_done(&manager->leader);
    loop_timer_stop(&manager->first_contact);
    member_done(&manager->member);
    redis_clock_stop(&manager->clock);
    redis_watch_stop(&manager->watch);
    redis_free(manager->reader);
    router_free(manager->router);
    redis_free(manager->redis);
    llm_free(manager->llm);
    warm_done(manager);
    rewind_done(&manager->rewind);
    http_free(manager->http);
    roster_free(manager->roster);
}

static bool prepare(struct manager *manager, const struct config_loaded *loaded,
                    struct err *err)
{
    const struct config *config = &loaded->values;

    manager->config = config;
    if (config->name != NULL && strlen(config->name) >= MEMBER_BASE_SIZE)
        return err_set(err, ERR_USAGE, "--name: at most %d letters",
                       MEMBER_BASE_SIZE - 1);
    return keys_init(&manager->keys, config->prefix,
                     config->shard == NULL ? "0" : config->shard, err)
           && program_redis_target(loaded, &manager->target, err)
           && desk_templates_load(config->prompts, &manager->templates, err);
}

int manager_run(struct manager *manager, const struct config_loaded *loaded,
                struct err *err)
{
    int status;

    *manager = (struct manager){0};
    if (!prepare(manager, loaded, err)) {
        status = err_exit_status(err);
        goto out;
    }
    log_info("manager", "start version=%s shard=%s", version_number(),
             manager->keys.shard);
    manager->loop = loop_new();
    start(manager);
    loop_run(manager->loop);
    log_info("manager", "stop turns=%lld", (long long)manager->routed);
    stop(manager);
    loop_free(manager->loop);
    status = manager->forced ? EXIT_CUT_SHORT : 0;
    if (manager->fatal.code != ERR_NONE) {
        *err = manager->fatal;
        status = err_exit_status(err);
    }
out:
    desk_templates_done(&manager->templates);
    redis_target_done(&manager->target);
    return status;
}
