/* run_start.c - the first half of a run: what is started, in its order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/fleet.h"
#include "cli/order.h"
#include "cli/run.h"
#include "cli/socket_folder.h"
#include "net/layout.h"
#include "net/program.h"
#include "net/redis_sync.h"
#include "proto/wish.h"

enum {
    START_VALID_MS = 45000, /* scripts refuse more than 50 s */
    WISH_MAX_BYTES = 2 << 20
};

/* ---- Redis ---- */

/* Runs as "sh -c MENDED_START redis-server FOLDER OPTION...". A kill can cut Redis'
 * last write short, within a script's commands. Redis 7.0 drops such a step when it
 * loads, but leaves its first commands in the file, and runs that half at a later
 * start: redis-check-aof cuts before it. In the first life there is no file. */
static const char MENDED_START[] =
    "list=$1/appendonlydir/appendonly.aof.manifest; shift\n"
    "[ ! -e \"$list\" ] || echo y | redis-check-aof --fix \"$list\"\n"
    "exec redis-server \"$@\"";

static bool start_private(struct run *run, struct err *err)
{
    struct word_list words = {0};
    char *data = path_join(run->folder.path, "redis");
    char *log = folder_log(&run->folder, "redis.log");
    bool ok = socket_folder_make(&run->socket_folder, err)
              && file_make_folder(data, 0755, err);

    if (ok) {
        static const char *const fixed[] = {
            "--port",      "0",  "--appendonly",       "yes",
            "--save",      "",   "--maxmemory-policy", "noeviction",
            "--daemonize", "no", "--unixsocketperm",   "700"};

        word_list_add(&words, "/bin/sh");
        word_list_add(&words, "-c");
        word_list_add(&words, "%s", MENDED_START);
        word_list_add(&words, "redis-server");
        word_list_add(&words, "%s", data);
        for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
            word_list_add(&words, "%s", fixed[i]);
        word_list_add(&words, "--appendfsync");
        word_list_add(&words, "%s", run->config->durability);
        word_list_add(&words, "--unixsocket");
        word_list_add(&words, "%s/redis.sock", run->socket_folder);
        word_list_add(&words, "--dir");
        word_list_add(&words, "%s", data);
        run->redis_server =
            children_add(&run->children, "redis-server", words.words, log);
        run->redis_server->stays = true;
        run->redis_url = x_printf("unix://%s/redis.sock", run->socket_folder);
        ok = child_start(run->redis_server, err)
             && redis_target_parse(run->redis_url, &run->target, err);
    }
    free(data);
    free(log);
    return ok;
}

/* Children get the URL through the environment: it may hold a password. */
static bool use_given(struct run *run, struct err *err)
{
    if (!program_redis_target(run->loaded, &run->target, err))
        return false;
    run->redis_url = config_redis_url(run->loaded);
    return true;
}

bool run_reach_redis(struct run *run, struct err *err)
{
    char *given = config_redis_url(run->loaded);
    bool ok = given == NULL
              || (use_given(run, err)
                  && fleet_connect(run->loop, &run->target, &run->redis, err));

    free(given);
    return ok;
}

/* A private one is set well: it has none. */
static void tell_dangers(const struct run *run)
{
    const char *lines[KEEPING_WARNINGS];

    keeping_warnings(&run->keeping, lines);
    for (size_t i = 0; lines[i] != NULL; i++)
        log_warn("run", "%s", lines[i]);
}

/* Each death of it ends the wait: it is waited for anew until it is given up. */
static bool reach_private(struct run *run, struct err *err)
{
    int deaths;

    do {
        deaths = run->redis_server->restart.unready;
        if (fleet_connect(run->loop, &run->target, &run->redis, err))
            return true;
        if (run->gave_up) {
            *err = run->trouble; /* "interrupted" would tell nothing */
            return false;
        }
    } while (run->interrupts == 0 && run->redis_server->restart.unready > deaths);
    return false;
}

bool run_start_redis(struct run *run, struct err *err)
{
    if (run->redis == NULL && (!start_private(run, err) || !reach_private(run, err)))
        return false;
    if (run->config->shard != NULL)
        (void)snprintf(run->shard, sizeof run->shard, "%s", run->config->shard);
    else
        fmt_into(run->shard, sizeof run->shard, "%s",
                 run->redis_server != NULL ? "0" : run->folder.id);
    if (!keys_init(&run->keys, run->config->prefix, run->shard, err)
        || !layout_check(run->loop, run->redis, &run->keys, err)
        || !keeping_read(run->loop, run->redis, &run->keeping, err))
        return false;
    tell_dangers(run);
    if (setenv("PARLEY_REDIS", run->redis_url, 1) != 0)
        return err_sys(err, errno, "the environment");
    return true;
}

/* ---- manager, workers ---- */

/* A program of ours with its words (words[0] is filled in); its log bears its label.
 * NULL when it is not there. */
struct child *run_add_program(struct run *run, const char *name, const char *label,
                              struct word_list *words, struct err *err)
{
    struct child *child;
    char *path = NULL;
    char *file;
    char *log;

    if (!sibling_path(name, &path, err)) {
        word_list_free(words);
        return NULL;
    }
    free(words->words[0]);
    words->words[0] = path;
    file = x_printf("%s.log", label);
    log = folder_log(&run->folder, file);
    child = children_add(&run->children, label, words->words, log);
    free(file);
    free(log);
    return child;
}

/* The endpoints stand in the config file alone. A simulated run leaves them out: none
 * of their names may lead to a real server. */
static void add_config_words(struct run *run, const char *label,
                             struct word_list *words)
{
    char *file;
    char *log;

    if (run->config->config_file == NULL || run->config->simulate)
        return;
    word_list_add(words, "--config=%s", run->config->config_file);
    if (run->config->log_file == NULL)
        return;
    /* The file's is the run's own: they would all write to it. */
    file = x_printf("%s.log", label);
    log = folder_log(&run->folder, file);
    word_list_add(words, "--log-file=%s", log);
    free(log);
    free(file);
}

static void add_fleet_words(struct run *run, unsigned command, const char *label,
                            struct word_list *words)
{
    word_list_add(words, "program"); /* its path comes later */
    word_list_add(words, "--shard=%s", run->shard);
    if (run->wish.model.provider != NULL) /* else any endpoint of the config will do */
        word_list_add(words, "--provider=%s", run->wish.model.provider);
    add_config_words(run, label, words);
    if (run->config->redis_password_file != NULL)
        word_list_add(words, "--redis-password-file=%s",
                      run->config->redis_password_file);
    word_list_add_options(words, run->loaded, command);
}

static bool start_manager(struct run *run, struct err *err)
{
    struct word_list words = {0};
    struct child *child;

    add_fleet_words(run, FOR_MANAGER, "manager", &words);
    child = run_add_program(run, "manager", "manager", &words, err);
    if (child == NULL)
        return false;
    child->stays = child->tells_ready = true;
    return child_start(child, err);
}

static bool start_worker(struct run *run, int64_t seat, int64_t number, struct err *err)
{
    struct word_list words = {0};
    struct child *child;
    char label[CHILD_LABEL_SIZE];

    fmt_into(label, sizeof label, "worker-%lld-%lld", (long long)seat,
             (long long)number);
    add_fleet_words(run, FOR_WORKER, label, &words);
    word_list_add(&words, "--seat=%lld", (long long)seat);
    child = run_add_program(run, "worker", label, &words, err);
    if (child == NULL)
        return false;
    child->stays = child->tells_ready = true;
    return child_start(child, err);
}

/* Through the environment, as Redis' URL: they may hold a password, and everybody can
 * read the words of a process. */
static bool name_servers(const struct run *run, struct err *err)
{
    char *simulated =
        run->simulator == NULL ? NULL : x_printf("%s/v1", run->ollama_url);
    const char *openai = simulated == NULL ? run->config->openai_url : simulated;
    bool ok = setenv("PARLEY_OLLAMA", run->ollama_url, 1) == 0
              && setenv("PARLEY_OPENAI", openai, 1) == 0;

    free(simulated);
    return ok || err_sys(err, errno, "the environment");
}

bool run_start_fleet(struct run *run, struct err *err)
{
    int64_t seats = run->wish.personas;

    if (!name_servers(run, err) || !start_manager(run, err))
        return false;
    for (int64_t seat = 1; seat <= seats; seat++)
        for (int64_t number = 1; number <= run->config->workers; number++)
            if (!start_worker(run, seat, number, err))
                return false;
    return true;
}

/* ---- conversations ---- */

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool send_start(struct run *run, int64_t number, int64_t now_us, struct err *err)
{
    struct command_ask ask = {.keys = &run->keys,
                              .command = "start",
                              .conversation = run->ids[number - 1],
                              .valid_ms = START_VALID_MS};
    char order[COMMAND_ID_LETTERS + 1];
    struct buf json;
    bool ok;

    wish_set_number(&run->wish, run->config, number, run->seed);
    buf_init(&json, WISH_MAX_BYTES);
    ok = wish_format(&run->wish, &json)
         || err_set(err, ERR_LIMIT, "topic and story are too large");
    ask.args = buf_str(&json);
    ok = ok && command_send(run->redis, &ask, now_us, order, err);
    buf_done(&json);
    return ok;
}

struct now {
    int64_t us;
};

static void on_time(void *owner, const struct redis_answer *answer)
{
    struct now *now = owner;

    if (answer->outcome == REDIS_OK)
        now->us = redis_item_i64(answer->value, 0, 0) * 1000000
                  + redis_item_i64(answer->value, 1, 0);
}

bool run_start_conversations(struct run *run, struct err *err)
{
    int64_t count = run->config->conversations;
    struct now now = {0};
    struct str words[] = {str_of("TIME")};
    struct redis_call call = {
        .argc = 1, .argv = words, .on_answer = on_time, .owner = &now};
    char from[CURSOR_SIZE];

    if (!redis_sync_call(run->loop, run->redis, &call, err))
        return false;
    run->ids = x_calloc((size_t)count + 1, sizeof *run->ids);
    for (int64_t i = 0; i < count; i++) {
        run->ids[i] = x_malloc(CONVERSATION_SIZE);
        conversation_id_make(&run->keys, run->ids[i]);
    }
    qsort(run->ids, (size_t)count, sizeof *run->ids, compare_ids);
    record_set_talks(&run->record, (const char *const *)run->ids, (size_t)count);
    fmt_into(from, sizeof from, "%lld", (long long)(now.us / 1000 - 1));
    record_start(&run->record, run->loop, run->redis, &run->target, from);
    for (int64_t i = 0; i < count; i++)
        if (!send_start(run, i + 1, now.us, err))
            return false;
    return true;
}
