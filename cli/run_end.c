/* run_end.c - the second half of a run: stopping, ending, reporting. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/order.h"
#include "cli/run.h"
#include "net/entry_line.h"
#include "net/redis_sync.h"
#include "proto/schema.h"

enum {
    STOP_VALID_MS = 30000,
    DRAIN_MS = 6000, /* workers hand back within 5 s */
    STALLED_MS = 2000,
    FORCED_MS = 500,
    REDIS_MS = 5000,
    PATIENT = 1, /* interrupts that a wait bears: the second means at once */
    PARTS_MAX_BYTES = 60 << 20
};

/* ---- telling the fleet ---- */

void run_stop_conversations(struct run *run)
{
    struct command_ask ask = {.keys = &run->keys,
                              .command = "stop",
                              .args = str_of("{\"mode\":\"grace\"}"),
                              .valid_ms = STOP_VALID_MS};
    struct err err = {0};
    char order[COMMAND_ID_LETTERS + 1];

    for (size_t i = 0; i < run->record.count; i++) {
        if (run->record.talks[i].done)
            continue;
        ask.conversation = run->record.talks[i].id;
        /* Our clock is near enough: the command is good for half a minute. */
        if (!command_send(run->redis, &ask, clock_wall_us(), order, &err)) {
            log_error("run", "stopping failed reason=%s", err.msg);
            return;
        }
    }
}

/* ---- ending the children ---- */

/* Those who work on the conversations: what they talk to goes after them. */
static bool is_service(const struct run *run, const struct child *child)
{
    return child != run->observer && child != run->redis_server
           && child != run->simulator;
}

static bool services_over(const struct run *run)
{
    for (size_t i = 0; i < run->children.count; i++)
        if (is_service(run, run->children.list[i]) && child_runs(run->children.list[i]))
            return false;
    return true;
}

static bool simulator_over(const struct run *run)
{
    return run->simulator == NULL || !child_runs(run->simulator);
}

static bool redis_over(const struct run *run)
{
    return run->redis_server == NULL || !child_runs(run->redis_server);
}

static void end_services(struct run *run, int signal_number)
{
    for (size_t i = 0; i < run->children.count; i++)
        if (is_service(run, run->children.list[i]))
            child_end(run->children.list[i], signal_number);
}

void run_end_children(struct run *run)
{
    /* Where Redis is silent nobody can hand anything back; a manager that stands still
     * is not waited for as long. */
    bool forced = run->interrupts > 1 || run_watch_silent(run);
    int64_t drain_ms = run_watch_stalled(run) ? STALLED_MS : DRAIN_MS;

    run_watch_ending(run);
    run_show_end(run);
    end_services(run, SIGTERM);
    if (!run_until(run, services_over, forced ? FORCED_MS : drain_ms,
                   forced ? RUN_UNDISTURBED : PATIENT))
        end_services(run, SIGKILL);
    (void)run_until(run, services_over, FORCED_MS,
                    RUN_UNDISTURBED); /* SIGKILL cannot be missed */
    if (simulator_over(run))
        return;
    child_end(run->simulator, SIGTERM);
    if (!run_until(run, simulator_over, FORCED_MS, PATIENT))
        child_end(run->simulator, SIGKILL);
}

static void end_redis(struct run *run)
{
    bool silent = run_watch_silent(run);

    if (run->redis != NULL)
        redis_free(run->redis);
    run->redis = NULL;
    if (run->redis_server == NULL)
        return;
    child_end(run->redis_server, SIGTERM);
    if (!run_until(run, redis_over, silent ? FORCED_MS : REDIS_MS, PATIENT))
        child_end(run->redis_server, SIGKILL);
}

/* ---- run.json ---- */

struct casts {
    struct run *run;
    size_t at;
    struct buf stories;
    struct buf casts;
};

static void on_cast(void *owner, const struct redis_answer *answer)
{
    struct casts *casts = owner;
    const char *id = casts->run->ids[casts->at];
    bool first = casts->stories.len == 1; /* "[" */
    struct buf story;

    if (answer->outcome != REDIS_OK)
        return;
    buf_init(&story, PARTS_MAX_BYTES);
    if (entry_line_story(id, answer->value, &story)) {
        buf_add_text(&casts->stories, first ? "" : ",");
        buf_add_str(&casts->stories, buf_str(&story));
        buf_add_text(&casts->casts, first ? "" : ",");
        entry_line_cast(id, answer->value, &casts->casts);
    }
    buf_done(&story);
}

/* The casts as Redis has them at the end; a Redis that is gone, or a second interrupt,
 * leaves them out. */
static void read_casts(struct run *run, struct casts *casts)
{
    struct err err = {0};

    for (size_t i = 0; run->redis != NULL && i < run->record.count; i++) {
        char key[KEY_SIZE];
        struct str words[2];
        struct redis_call call = {
            .argc = 2, .argv = words, .on_answer = on_cast, .owner = casts};

        if (run->interrupts > PATIENT || run_watch_silent(run))
            return;
        casts->at = i;
        words[0] = str_of("HGETALL");
        words[1] = key_make(&run->keys, "cast", run->ids[i], key);
        if (!redis_sync_call(run->loop, run->redis, &call, &err)) {
            log_warn("run", "run.json lacks the casts reason=%s", err.msg);
            return;
        }
    }
}

bool run_write(struct run *run, bool ended, int status, struct err *err)
{
    struct casts casts = {.run = run};
    char *url = redis_target_text(&run->target);
    bool ok;

    buf_init(&casts.stories, PARTS_MAX_BYTES);
    buf_init(&casts.casts, PARTS_MAX_BYTES);
    buf_add_char(&casts.stories, '[');
    buf_add_char(&casts.casts, '[');
    if (ended)
        read_casts(run, &casts);
    buf_add_char(&casts.stories, ']');
    buf_add_char(&casts.casts, ']');
    {
        const struct folder_facts facts = {
            .redis_url = url,
            .prefix = run->config->prefix,
            .shard = run->shard,
            .private_redis = run->redis_server != NULL,
            .keeping = &run->keeping,
            .seed = run->seed,
            .conversations = (const char *const *)run->ids,
            .conversation_count = run->record.count,
            .stories = buf_text(&casts.stories),
            .casts = buf_text(&casts.casts),
            .ended = ended,
            .exit_status = status,
        };

        ok = folder_write_run(&run->folder, run->loaded, &facts, err);
    }
    buf_done(&casts.stories);
    buf_done(&casts.casts);
    free(url);
    return ok;
}

/* ---- the report ---- */

static int outcome(const struct run *run, bool ok, const struct err *err)
{
    enum { SIGNAL_BASE = 128 };

    if (run->interrupts > 0)
        return SIGNAL_BASE + run->signal_number;
    if (!ok)
        return err_exit_status(err);
    for (size_t i = 0; i < run->record.count; i++)
        if (strcmp(run->record.talks[i].reason, "failed") == 0)
            return 1;
    return 0;
}

static void tell_failures(const struct run *run)
{
    enum { TOLD_MAX = 5 };
    int told = 0;

    for (size_t i = 0; i < run->record.count && told < TOLD_MAX; i++) {
        const struct record_talk *talk = &run->record.talks[i];

        if (strcmp(talk->reason, "failed") != 0)
            continue;
        told++;
        fprintf(stderr, "parley run: conversation %s failed: %s (logs: %s)\n", talk->id,
                talk->trouble[0] == '\0' ? "see the logs" : talk->trouble,
                run->folder.logs);
    }
}

static bool analyzer_over(const struct run *run)
{
    return !child_runs(run->analyzer);
}

/* A further interrupt ends the analysis, too. */
static void await_analyzer(struct run *run)
{
    if (run_until(run, analyzer_over, 0, run->interrupts))
        return;
    child_end(run->analyzer, SIGTERM);
    if (!run_until(run, analyzer_over, FORCED_MS, RUN_UNDISTURBED))
        child_end(run->analyzer, SIGKILL);
    (void)run_until(run, analyzer_over, FORCED_MS, RUN_UNDISTURBED);
}

/* The analyzer writes analysis.json and, unless stdout is for JSON, its tables. */
static bool analyze(struct run *run, struct err *err)
{
    struct word_list words = {0};
    char *path = NULL;
    char *log = folder_log(&run->folder, "analyzer.log");
    bool json = strcmp(run->config->observe, "json") == 0;
    bool ok;

    if (!sibling_path("analyzer", &path, err)) {
        free(log);
        return false;
    }
    word_list_add(&words, "%s", path);
    free(path);
    word_list_add(&words, "--out=%s/analysis.json", run->folder.path);
    word_list_add_options(&words, run->loaded, FOR_ANALYZE);
    word_list_add(&words, "%s", run->folder.path);
    run->analyzer = children_add(&run->children, "analyzer", words.words, log);
    run->analyzer->shares_stdout = !json;
    free(log);
    ok = child_start(run->analyzer, err);
    if (ok)
        await_analyzer(run);
    return ok;
}

/* Somebody at a terminal wonders what to do with it. */
static void tell_what_next(const struct run *run)
{
    if (isatty(STDOUT_FILENO) == 0)
        return;
    fprintf(stderr,
            "\nparley run: kept in %s\n"
            "  parley replay                       watch it again\n"
            "  parley export --format markdown     read it\n"
            "  parley analyze --html report.html   these figures with pictures\n",
            run->folder.path);
}

static bool any_turns(const struct run *run)
{
    for (size_t i = 0; i < run->record.count; i++)
        if (run->record.talks[i].cursor[0] != '\0')
            return true;
    return false;
}

static bool fetched(const struct run *run)
{
    return !record_busy(&run->record);
}

int run_report(struct run *run, bool ok)
{
    struct err err = run->trouble;
    int status;
    bool began;

    if (run->redis != NULL && run->record.count > 0 && !run_watch_silent(run)) {
        record_fetch_all(&run->record);
        (void)run_until(run, fetched, DRAIN_MS, PATIENT); /* what came is written */
    }
    began = any_turns(run);
    status = outcome(run, ok, &err);
    if (!record_close_files(&run->record, &err)) {
        fprintf(stderr, "parley run: %s\n", err.msg);
        status = status == 0 ? 1 : status;
    }
    if (run->wrote_run && !run_write(run, true, status, &err)) {
        fprintf(stderr, "parley run: %s\n", err.msg);
        status = status == 0 ? 1 : status;
    }
    end_redis(run);
    tell_failures(run);
    if (began && analyze(run, &err)) {
        tell_what_next(run);
    } else if (began) {
        fprintf(stderr, "parley run: no analysis: %s\n", err.msg);
        status = status == 0 ? 1 : status;
    }
    if (run->interrupts > 0)
        status = outcome(run, ok, &err); /* it may have come meanwhile */
    return status;
}
