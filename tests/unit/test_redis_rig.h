/* test_redis_rig.h - for tests with a redis-server of their own, on a Unix socket in a
 * folder of its own, and a loop that fails instead of waiting for ever.
 */
#ifndef PARLEY_TEST_REDIS_RIG_H
#define PARLEY_TEST_REDIS_RIG_H

/* cmocka.h wants the four before it, in whatever order. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "net/loop.h"
#include "net/redis.h"

enum { RIG_LIMIT_MS = 20000, RIG_LOG_MAX = 4096 };

/* What a connection told, and what its calls were answered. */
struct rig {
    char folder[64];
    char url[128];
    pid_t server; /* 0: none */
    struct loop *loop;
    struct loop_timer guard;
    struct loop_hook hook;
    struct redis *redis;
    bool (*until)(struct rig *rig); /* asked once a turn */
    bool late;                      /* the limit passed */
    int turns;                      /* left to run, for rig_turns */
    int ready_count, restart_count, down_count;
    struct err down;       /* the last */
    char log[RIG_LOG_MAX]; /* a word an answer */
    size_t answers;
};

static inline void rig_server_start(struct rig *rig, const char *option,
                                    const char *value)
{
    char socket[96], output[96];

    fmt_into(socket, sizeof(socket), "%s/r.sock", rig->folder);
    fmt_into(output, sizeof(output), "%s/log", rig->folder);
    rig->server = fork();
    if (rig->server != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket,
           "--dir", rig->folder, "--save", "", "--logfile", output, option, value,
           NULL);
    _exit(127);
}

static inline void rig_server_kill(struct rig *rig)
{
    if (rig->server == 0)
        return;
    kill(rig->server, SIGKILL);
    waitpid(rig->server, NULL, 0);
    rig->server = 0;
}

static inline void rig_on_ready(void *owner, bool restarted)
{
    struct rig *rig = owner;

    rig->ready_count++;
    rig->restart_count += restarted;
}

static inline void rig_on_down(void *owner, const struct err *err)
{
    struct rig *rig = owner;

    rig->down_count++;
    rig->down = *err;
}

static inline void rig_on_guard(struct loop_timer *timer, void *owner)
{
    struct rig *rig = owner;

    (void)timer;
    rig->late = true;
    loop_stop(rig->loop);
}

static inline void rig_on_turn(struct loop_hook *hook, void *owner)
{
    struct rig *rig = owner;

    (void)hook;
    if (rig->until(rig))
        loop_stop(rig->loop);
}

/* Runs the loop until the condition holds; fails the test after RIG_LIMIT_MS. */
static inline void rig_run(struct rig *rig, bool (*until)(struct rig *rig))
{
    rig->until = until;
    loop_timer_start(&rig->guard, RIG_LIMIT_MS);
    loop_run(rig->loop);
    loop_timer_stop(&rig->guard);
    if (rig->late)
        fail_msg("waited in vain; last trouble: %s; answers: %s", rig->down.msg,
                 rig->log);
}

static inline bool rig_is_ready(struct rig *rig)
{
    return redis_ready(rig->redis);
}

static inline bool rig_is_answered(struct rig *rig)
{
    return redis_waiting(rig->redis) == 0;
}

static inline bool rig_turns_are_over(struct rig *rig)
{
    return rig->turns-- <= 0;
}

static inline void rig_on_tick(struct loop_timer *timer, void *owner)
{
    (void)owner;
    loop_timer_start(timer, 0);
}

/* A few turns of the loop: what was queued has gone to the kernel afterwards. */
static inline void rig_turns(struct rig *rig, int turns)
{
    struct loop_timer tick;

    rig->turns = turns;
    loop_timer_init(&tick, rig->loop, rig_on_tick, rig);
    loop_timer_start(&tick, 0);
    rig_run(rig, rig_turns_are_over);
    loop_timer_stop(&tick);
}

static inline struct redis *rig_connect_to(struct rig *rig, const char *url,
                                           struct redis_options options)
{
    struct redis_target target;
    struct err err = {0};

    if (!redis_target_parse(url, &target, &err))
        fail_msg("%s", err.msg);
    options.target = &target;
    options.on_ready = rig_on_ready;
    options.on_down = rig_on_down;
    options.owner = rig;
    rig->redis = redis_new(rig->loop, &options);
    redis_target_done(&target);
    return rig->redis;
}

/* A folder, a loop; neither server nor connection yet. */
static inline void rig_open(struct rig *rig)
{
    *rig = (struct rig){.folder = "/tmp/parley-test-XXXXXX"};
    assert_non_null(mkdtemp(rig->folder));
    fmt_into(rig->url, sizeof(rig->url), "unix://%s/r.sock", rig->folder);
    rig->loop = loop_new();
    loop_timer_init(&rig->guard, rig->loop, rig_on_guard, rig);
    loop_hook_start(&rig->hook, rig->loop, rig_on_turn, rig);
}

static inline void rig_close(struct rig *rig)
{
    struct err err = {0};

    redis_free(rig->redis);
    rig->redis = NULL;
    rig_server_kill(rig);
    loop_timer_stop(&rig->guard);
    loop_hook_stop(&rig->hook);
    loop_free(rig->loop);
    if (!file_remove_tree(rig->folder, &err))
        fail_msg("%s", err.msg);
}

static inline void rig_note(struct rig *rig, const char *word)
{
    size_t len = strlen(rig->log);

    rig->answers++;
    if (len + strlen(word) + 2 < sizeof(rig->log))
        fmt_into(rig->log + len, sizeof(rig->log) - len, "%s%s", len ? " " : "", word);
}

/* Notes an answer: its text or number, or the outcome where there is none. */
static inline void rig_on_answer(void *owner, const struct redis_answer *answer)
{
    char word[96];
    struct str error = {"", 0};

    if (answer->outcome == REDIS_REFUSED)
        error = str_cut(answer->value->text, ' ', &error); /* its first word */
    if (!answer->value)
        fmt_into(word, sizeof(word), "%s", redis_outcome_name(answer->outcome));
    else if (answer->value->kind == REDIS_INTEGER)
        fmt_into(word, sizeof(word), "%lld", (long long)answer->value->integer);
    else if (answer->value->kind == REDIS_TEXT)
        fmt_into(word, sizeof(word), "%.*s", (int)answer->value->text.len,
                 answer->value->text.at);
    else if (answer->value->kind == REDIS_ERROR)
        fmt_into(word, sizeof(word), "refused:%.*s", (int)error.len, error.at);
    else
        fmt_into(word, sizeof(word), "%s", redis_kind_name(answer->value->kind));
    rig_note(owner, word);
}

enum { RIG_WORDS_MAX = 8 };

/* Splits at blanks. */
static inline size_t rig_split(const char *line, struct str words[RIG_WORDS_MAX])
{
    struct str rest = str_of(line);
    size_t count = 0;

    while (rest.len > 0) {
        assert_true(count < RIG_WORDS_MAX);
        words[count++] = str_cut(rest, ' ', &rest);
    }
    return count;
}

static inline void rig_ask_as(struct rig *rig, const char *line, bool again)
{
    struct str words[RIG_WORDS_MAX];
    struct redis_call call = {
        .argv = words, .on_answer = rig_on_answer, .owner = rig, .again = again};

    call.argc = rig_split(line, words);
    assert_true(redis_send(rig->redis, &call));
}

static inline void rig_ask(struct rig *rig, const char *line)
{
    rig_ask_as(rig, line, false);
}

/* How many descriptors this process has open. */
static inline int rig_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

#endif
