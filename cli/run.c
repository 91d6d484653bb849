/* run.c - see run.h: the order of things; their doing is in run_start.c, run_end.c. */
#include "cli/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/version.h"
#include "cli/check_models.h"
#include "cli/wish_cast.h"
#include "proto/config_url.h"
#include "proto/template.h"
#include "proto/wish.h"

enum {
    SEED_BOUND = 1000000,
    OTHER_CHILDREN = 8 /* manager, Redis, observer and so on: with some to spare */
};

/* ---- signals and waits ---- */

void run_interrupt(struct run *run, int number)
{
    run->interrupts++;
    if (run->interrupts == 1)
        run->signal_number = number;
    loop_stop(run->loop);
}

static void on_signal(struct loop_signal *watcher, int number, void *owner)
{
    (void)watcher;
    run_interrupt(owner, number);
}

static void on_time(struct loop_timer *timer, void *owner)
{
    struct run *run = owner;

    (void)timer;
    run->timed_out = true;
    loop_stop(run->loop);
}

static void on_change(void *owner)
{
    struct run *run = owner;

    loop_stop(run->loop);
}

bool run_until(struct run *run, bool (*done)(const struct run *run), int64_t ms,
               int interrupts)
{
    run->timed_out = false;
    if (ms > 0)
        loop_timer_start(&run->timer, ms);
    while (!done(run) && !run->timed_out && run->interrupts <= interrupts)
        loop_run(run->loop);
    loop_timer_stop(&run->timer);
    return done(run);
}

static void watch_signals(struct run *run)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        loop_signal_start(&run->signals[i], run->loop, numbers[i], on_signal, run);
}

/* ---- the order of things ---- */

static bool is_echo(const struct run *run)
{
    return run->config->dry_run || strcmp(run->config->provider, "echo") == 0;
}

static bool is_in_path(const char *name)
{
    const char *path = getenv("PATH");
    struct str rest = str_of(path == NULL ? "/usr/bin:/bin" : path);
    bool found = false;

    while (!found && rest.len > 0) {
        struct str folder = str_cut(rest, ':', &rest);
        char *program = x_printf("%.*s/%s", (int)folder.len, folder.at, name);

        found = folder.len > 0 && access(program, X_OK) == 0;
        free(program);
    }
    return found;
}

/* A private Redis needs its programs; better said before a folder is made. */
static bool have_redis_server(struct err *err)
{
    static const char *const names[] = {"redis-server", "redis-check-aof"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!is_in_path(names[i]))
            return err_set(err, ERR_SYSTEM,
                           "%s is not in PATH: install it (apt install redis-server), "
                           "or use a Redis that runs with --redis URL",
                           names[i]);
    return true;
}

/* Everything that can be known to be wrong before anything is started. */
static bool check(struct run *run, struct err *err)
{
    const struct config *config = run->config;
    const char *shard = config->shard == NULL ? "0" : config->shard;

    if (!keys_init(&run->keys, config->prefix, shard, err))
        return false;
    if (config->simulate && is_echo(run))
        return err_set(err, ERR_USAGE, "--simulate and --dry-run exclude each other");
    if (!template_folder_check(config->prompts, err))
        return false;
    if (!wish_from_config(run->loaded, true, &run->wish, err))
        return false;
    run->has_wish = true;
    if (!wish_cast_agrees(&run->wish, config, true, err))
        return false;
    if (run->wish.personas * config->workers + OTHER_CHILDREN > CHILDREN_MAX)
        return err_set(
            err, ERR_USAGE,
            "--workers: %lld seats with %lld workers are more than %d processes",
            (long long)run->wish.personas, (long long)config->workers, CHILDREN_MAX);
    return true;
}

/* Whom the conversations talk to, for people. */
static void add_servers(const struct run *run, struct buf *into)
{
    const struct config *config = run->config;
    const char *provider = run->wish.model.provider;
    const struct endpoint *one = NULL;
    char *url;

    if (is_echo(run) || config->simulate) {
        buf_add_text(into, config->simulate ? "the simulator" : "no model (dry run)");
        return;
    }
    if (provider != NULL)
        one = endpoint_find(&config->endpoints, str_of(provider));
    if (one == NULL) {
        buf_add_text(into, "endpoints");
        for (size_t i = 0; i < config->endpoints.own; i++)
            buf_printf(into, " %s", config->endpoints.items[i].name);
        return;
    }
    url = config_url_bare(one->url);
    buf_add_text(into, url);
    free(url);
}

static void tell_start(const struct run *run)
{
    enum { SERVERS_MAX_BYTES = 4096 };
    struct buf servers;

    buf_init(&servers, SERVERS_MAX_BYTES);
    add_servers(run, &servers);
    fprintf(stderr, "parley run: %s, %s, seed %lld, folder %s\n", buf_text(&servers),
            run->redis_server != NULL ? "a private Redis" : "the given Redis",
            (long long)run->seed, run->folder.path);
    buf_done(&servers);
}

/* What must be there outside is asked before a folder is made, or an old run removed.
 */
static bool reach(struct run *run, struct err *err)
{
    char *given = config_redis_url(run->loaded);
    bool ok = given != NULL || have_redis_server(err);

    free(given);
    if (!ok)
        return false;
    if (!run->config->simulate && !is_echo(run)
        && !check_models(run->loop, run->config, &run->wish, err))
        return false;
    return run_reach_redis(run, err);
}

/* Options that were meant for this run, not for each of its processes: they would all
 * write to one log, take one name, one seat. What they need of them is passed on. */
static bool set_environment(struct err *err)
{
    char ready[8];

    static const char *const names[] = {"PARLEY_NAME", "PARLEY_SEAT", "PARLEY_LOG_FILE",
                                        "PARLEY_CONFIG", "PARLEY_OUT"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unsetenv(names[i]); /* fails for a bad name only */
    fmt_into(ready, sizeof ready, "%d", CHILD_READY_FD);
    return setenv("PARLEY_READY_FD", ready, 1) == 0
           || err_sys(err, errno, "the environment");
}

static bool launch(struct run *run, struct err *err)
{
    if (!set_environment(err) || !run_start_redis(run, err))
        return false;
    run_watch_start(run);
    if (run->config->simulate && !run_start_simulator(run, err))
        return false;
    if (run->ollama_url == NULL)
        run->ollama_url = x_strdup(run->config->ollama_url);
    tell_start(run);
    if (!record_open(&run->record, run->folder.path, err)
        || !run_start_conversations(run, err))
        return false;
    run->wrote_run = run_write(run, false, 0, err);
    return run->wrote_run && run_start_fleet(run, err) && run_show_start(run, err);
}

static bool is_over(const struct run *run)
{
    return record_all_done(&run->record) || run->gave_up || run->record.broken;
}

/* Nobody can end the turn in flight where the fleet stands still. */
static bool is_over_or_stalled(const struct run *run)
{
    return is_over(run) || run_watch_stalled(run);
}

/* First interrupt: the turn in flight has its grace. Second: at once. */
static void play(struct run *run)
{
    if (run_until(run, is_over, 0, 0))
        return;
    fprintf(stderr,
            "\nparley run: ending after the turn in flight; once more: at once\n");
    run_stop_conversations(run);
    if (!run_until(run, is_over_or_stalled, run->config->grace_ms + 5000, 1))
        fprintf(stderr, "parley run: ending at once\n");
    else if (!is_over(run))
        fprintf(stderr, "parley run: the fleet stands still: ending at once\n");
}

static void finish(struct run *run)
{
    for (size_t i = 0; i < sizeof run->signals / sizeof *run->signals; i++)
        loop_signal_stop(&run->signals[i]);
    record_close(&run->record);
    if (run->redis != NULL)
        redis_free(run->redis);
    children_done(&run->children);
    run_watch_stop(run);
    loop_timer_stop(&run->timer);
    if (run->socket_folder != NULL) {
        struct err err = {0};

        if (!file_remove_tree(run->socket_folder, &err))
            log_error("run", "%s", err.msg);
    }
    for (size_t i = 0; run->ids != NULL && run->ids[i] != NULL; i++)
        free(run->ids[i]);
    free(run->ids);
    if (run->has_wish)
        wish_done(&run->wish);
    free(run->socket_folder);
    free(run->redis_url);
    free(run->ollama_url);
    redis_target_done(&run->target);
    folder_done(&run->folder);
    loop_free(run->loop);
}

static int64_t seed_of(const struct config *config)
{
    return config->seed >= 0 ? config->seed : (int64_t)(rng_from_system() % SEED_BOUND);
}

int run_command(const struct config_loaded *loaded, char **words, struct err *err)
{
    struct run run = {.loaded = loaded, .config = &loaded->values};
    int status;
    bool ok;

    (void)words;
    log_set_name("run");
    if (!opt_given(&loaded->set, "log-level"))
        log_set_level(LOG_WARN); /* the terminal is for the conversation */
    run.seed = seed_of(run.config);
    run.loop = loop_new();
    run.record.keys = &run.keys;
    run.record.on_change = on_change;
    run.record.owner = &run;
    loop_timer_init(&run.timer, run.loop, on_time, &run);
    children_init(&run.children, run.loop);
    run_watch_init(&run);
    watch_signals(&run);
    ok = check(&run, err) && reach(&run, err)
         && folder_make(run.config, &run.folder, err) && launch(&run, err);
    if (ok)
        play(&run);
    ok = ok && !run.gave_up && !run.record.broken;
    if (run.record.broken)
        run.trouble = run.record.err;
    if (err->code == ERR_NONE)
        *err = run.trouble;
    else
        run.trouble = *err;
    run_end_children(&run);
    status = run_report(&run, ok);
    finish(&run);
    return status;
}
