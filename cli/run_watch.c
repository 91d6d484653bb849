/* run_watch.c - see run_watch.h.
 *
 * Whether Redis takes writes is asked with one that never changes anything: a SET with
 * XX of a key that is never there is refused like any other write (disk full, memory
 * full, read-only, too few replicas). A Redis whose append-only file is synced at each
 * write ends when its disk is full: that is seen at its death, by the room left.
 */
#include "cli/run_watch.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/aof_cut.h"
#include "cli/last_words.h"
#include "cli/run.h"
#include "net/redis_error.h"

enum {
    LOOK_MS = 2000,
    TELL_MS = 60000,
    SILENT_MS = 5000,     /* more than two looks without an answer */
    LEADERLESS_MS = 1,    /* once one led, its lease has run out already: 5 s */
    UNLED_MS = 15000,     /* at the start: the first leadership takes its time */
    FULL_BYTES = 1 << 20, /* less room than this is none: Redis writes whole buffers */
    WORDS_MAX_BYTES = 65536
};

/* ---- a Redis that refuses writes ---- */

static void tell_refused(struct run *run, const char *why)
{
    struct run_watch *watch = &run->watch;
    int64_t now_ms = clock_mono_ms();

    if (watch->refused_ms == 0)
        watch->refused_ms = now_ms;
    else if (now_ms - watch->told_ms < TELL_MS)
        return;
    watch->told_ms = now_ms;
    log_warn("run", "Redis refuses writes, all goes on when it takes them again: %s",
             why);
}

/* Of the private Redis. */
static bool disk_is_full(const struct run *run)
{
    char *data = path_join(run->folder.path, "redis");
    struct statvfs room;
    bool full = statvfs(data, &room) == 0
                && (uint64_t)room.f_bavail * room.f_frsize < FULL_BYTES;

    free(data);
    return full;
}

static void tell_taken(struct run *run)
{
    struct run_watch *watch = &run->watch;

    if (watch->refused_ms == 0 || (run->redis_server != NULL && disk_is_full(run)))
        return;
    log_warn("run", "Redis takes writes again after_s=%.1f",
             (double)(clock_mono_ms() - watch->refused_ms) / 1e3);
    watch->refused_ms = 0;
}

/* ---- who stands still ---- */

static void answered(struct run *run)
{
    struct run_watch *watch = &run->watch;
    int64_t now_ms = clock_mono_ms();

    if (watch->silence_told)
        log_warn("run", "Redis answers again after_s=%.1f",
                 (double)(now_ms - watch->answered_ms) / 1e3);
    watch->silence_told = false;
    watch->answered_ms = now_ms;
}

/* Told once: whoever waits then knows for what. It ends the waits that are no use. */
static void look_for_silence(struct run *run)
{
    if (!run_watch_silent(run) || run->watch.ending)
        return;
    if (!run->watch.silence_told)
        log_warn("run",
                 "Redis has not answered for %d s: all stands still until it does%s",
                 SILENT_MS / 1000,
                 run->redis_server == NULL ? "" : " (is redis-server stopped?)");
    run->watch.silence_told = true;
    loop_stop(run->loop);
}

static void tell_leader(struct run *run, bool led)
{
    struct run_watch *watch = &run->watch;
    int64_t now_ms = clock_mono_ms();
    int64_t patience_ms = watch->led_ms == 0 ? UNLED_MS : LEADERLESS_MS;
    int64_t since_ms = watch->led_ms == 0 ? watch->started_ms : watch->led_ms;

    if (led) {
        if (watch->leaderless)
            log_warn("run", "a manager leads again");
        watch->led_ms = now_ms;
        watch->leaderless = false;
        return;
    }
    if (watch->ending || watch->leaderless || now_ms - since_ms < patience_ms)
        return;
    watch->leaderless = true;
    log_warn("run",
             "no manager leads for 5 s or more: no turn is routed until one does "
             "(is it stopped? logs/manager.log)");
    loop_stop(run->loop);
}

static void on_leader(void *owner, const struct redis_answer *answer)
{
    struct run *run = owner;

    if (answer->outcome == REDIS_OK)
        tell_leader(run, answer->value->kind == REDIS_TEXT);
}

static void ask_leader(struct run *run)
{
    char key[KEY_SIZE];
    struct str words[] = {str_of("GET"), key_make(&run->keys, "leader", NULL, key)};
    struct redis_call call = {
        .argc = 2, .argv = words, .on_answer = on_leader, .owner = run};

    if (!redis_send(run->redis, &call))
        log_debug("run", "the queue is full: asked at the next look");
}

static void on_probed(void *owner, const struct redis_answer *answer)
{
    struct run *run = owner;

    run->watch.asking = false;
    if (answer->outcome == REDIS_OK || answer->outcome == REDIS_REFUSED)
        answered(run);
    if (answer->outcome == REDIS_OK)
        tell_taken(run);
    else if (answer->outcome == REDIS_REFUSED
             && redis_class_refuses_writes(redis_class_of(answer->value->text)))
        tell_refused(run, log_safe(answer->value->text));
}

static void on_look(struct loop_timer *timer, void *owner)
{
    struct run *run = owner;
    char key[KEY_SIZE];
    struct str words[] = {str_of("SET"), key_make(&run->keys, "probe", NULL, key),
                          str_of("-"), str_of("XX")};
    struct redis_call call = {
        .argc = 4, .argv = words, .on_answer = on_probed, .owner = run};

    loop_timer_start(timer, LOOK_MS);
    if (run->redis == NULL)
        return;
    look_for_silence(run);
    if (run->watch.asking)
        return;
    run->watch.asking = redis_send(run->redis, &call);
    ask_leader(run);
}

static void tell_cut(const struct child *server)
{
    int64_t bytes = aof_cut_bytes(server->log_path, server->log_from);

    if (bytes > 0)
        log_warn("run",
                 "redis-server's file ended within a step: "
                 "it was cut off bytes=%lld",
                 (long long)bytes);
}

static void on_redis_ready(void *owner, bool restarted)
{
    struct run *run = owner;

    (void)restarted;
    if (run->redis_server == NULL)
        return;
    if (!run->redis_server->ready)
        tell_cut(run->redis_server);
    child_set_ready(run->redis_server);
}

/* ---- deaths ---- */

static int64_t count_turns(void *owner)
{
    return ((const struct run *)owner)->record.turns;
}

/* It found no Redis at its start, and neither do we. */
static bool misses_redis(const struct run *run, const struct child *child)
{
    return child->tells_ready && !child->ready && WIFEXITED(child->status)
           && WEXITSTATUS(child->status) == CHILD_EXIT_REDIS
           && !redis_ready(run->redis);
}

/* Our Redis, and its disk has no room: it will live when there is some. Or one that
 * needs a Redis while there is none: that is the Redis' death, not its own. */
static bool is_excused(void *owner, const struct child *child)
{
    struct run *run = owner;

    if (child != run->redis_server)
        return misses_redis(run, child);
    if (!disk_is_full(run))
        return false;
    tell_refused(run, "its disk is full, it ended and is started again and again");
    return true;
}

static void tell_last_words(const struct child *child)
{
    struct buf words;

    buf_init(&words, WORDS_MAX_BYTES);
    last_words_add(child->log_path, child->log_from, &words);
    if (child->restart.final)
        fprintf(stderr,
                "parley run: %s ended (%s) and is not started again: it would end so "
                "again",
                child->label, child_fate(child));
    else
        fprintf(stderr, "parley run: %s died %d times without a turn between (%s)",
                child->label, child->restart.fruitless, child_fate(child));
    fprintf(stderr, "%s\n%s", words.len > 0 ? ", its last words:" : ", without a word",
            buf_text(&words));
    buf_done(&words);
}

/* The observer ends at once when nobody reads what it shows: `parley run | head`. A
 * terminal that goes away is told by SIGHUP, and must not count twice. */
static bool is_read_by_nobody(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    struct stat kind;

    return fstat(STDOUT_FILENO, &kind) == 0 && !S_ISCHR(kind.st_mode)
           && poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

static bool is_refused(const struct child *child)
{
    return child->restart.final && WEXITSTATUS(child->status) == CHILD_EXIT_REDIS;
}

static void on_death(void *owner, struct child *child, enum child_next next)
{
    struct run *run = owner;
    bool over = run->record.count > 0 && record_all_done(&run->record);
    bool unseen =
        child == run->observer && !child->ended && !over && run->interrupts == 0;

    if (child == run->observer && run_show_died(run))
        return;
    if (next == CHILD_GIVEN_UP) {
        run->gave_up = true;
        tell_last_words(child);
        err_set(&run->trouble, is_refused(child) ? ERR_DENIED : ERR_SYSTEM,
                "%s %s (%s); its log: %s", child->label,
                child->restart.final ? "cannot go on" : "keeps dying",
                child_fate(child), child->log_path);
    } else if (child == run->simulator && !child->ended && !over) {
        run->gave_up = true;
        err_set(&run->trouble, ERR_SYSTEM, "the simulator died (%s); its log: %s",
                child_fate(child), child->log_path);
    } else if (unseen && is_read_by_nobody()) {
        run_interrupt(run, SIGPIPE);
    } else if (unseen && child->status != 0) {
        log_warn("run",
                 "observer died (%s): nothing is shown any more, all goes on; "
                 "`parley observe` in another terminal shows it",
                 child_fate(child));
    }
    loop_stop(run->loop);
}

/* ---- Ctrl-Z ---- */

static void signal_all(const struct run *run, int number)
{
    for (size_t i = 0; i < run->children.count; i++)
        if (run->children.list[i]->pid > 0)
            (void)kill(run->children.list[i]->pid, number); /* it may just have died */
}

static void on_suspended(struct loop_signal *watcher, int number, void *owner);

static void watch_suspended(struct run *run)
{
    struct sigaction now;

    /* Who starts us with it ignored wants it ignored. */
    if (sigaction(SIGTSTP, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        loop_signal_start(&run->watch.suspended, run->loop, SIGTSTP, on_suspended, run);
}

/* The terminal stops only us: the others have process groups of their own. They would
 * go on talking, at somebody's cost. */
static void on_suspended(struct loop_signal *watcher, int number, void *owner)
{
    struct run *run = owner;

    signal_all(run, SIGSTOP);
    loop_signal_stop(watcher);
    (void)raise(number); /* by default: stops here, until SIGCONT */
    signal_all(run, SIGCONT);
    run->watch.answered_ms = run->watch.led_ms = clock_mono_ms(); /* we stood still */
    watch_suspended(run);
}

/* ---- life ---- */

void run_watch_init(struct run *run)
{
    run->children.on_death = on_death;
    run->children.turns = count_turns;
    run->children.excuses = is_excused;
    run->children.owner = run;
    run->children.never_give_up = run->config->no_give_up;
    loop_timer_init(&run->watch.timer, run->loop, on_look, run);
    watch_suspended(run);
}

void run_watch_start(struct run *run)
{
    redis_set_handlers(run->redis, on_redis_ready, NULL, run);
    on_redis_ready(run, false); /* it has answered already */
    run->watch.started_ms = run->watch.answered_ms = clock_mono_ms();
    loop_timer_start(&run->watch.timer, LOOK_MS);
}

void run_watch_ending(struct run *run)
{
    run->watch.ending = true;
}

bool run_watch_silent(const struct run *run)
{
    return run->redis != NULL && run->watch.answered_ms > 0
           && clock_mono_ms() - run->watch.answered_ms >= SILENT_MS;
}

bool run_watch_stalled(const struct run *run)
{
    return run->watch.leaderless || run_watch_silent(run);
}

void run_watch_stop(struct run *run)
{
    loop_timer_stop(&run->watch.timer);
    loop_signal_stop(&run->watch.suspended);
}
