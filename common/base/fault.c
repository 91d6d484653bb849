/* fault.c - see fault.h.
 *
 * Nothing here allocates or waits but `delay`, which is a wait on purpose: the whole
 * process stands still, as it would on a stalled disk or a starved machine.
 *
 * Flow: fault_arm -> rules -> fault_point, fault_script -> rule_fires -> act
 */
#include "base/fault.h"

#include <stdlib.h>

#include "base/fault_points.h"

#ifndef PARLEY_FAULTS

bool fault_arm(struct err *err)
{
    const char *wanted = getenv("PARLEY_FAULT");

    if (wanted == NULL || wanted[0] == '\0')
        return true;
    return err_set(err, ERR_USAGE,
                   "PARLEY_FAULT is set, but this build has no fault points (make "
                   "VARIANT=faults has them)");
}

#else

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/rng.h"
#include "base/str.h"

enum { RULES_MAX = 512, ACTION_SIZE = 16, DELAY_MAX_MS = 600000, LINE_SIZE = 128 };

enum action { ACT_KILL, ACT_STOP, ACT_DELAY, ACT_FAIL, ACT_CUT, ACT_COUNT };
static const char *const action_names[ACT_COUNT] = {"kill", "stop", "delay", "fail",
                                                    "cut"};

struct rule {
    char point[FAULT_POINT_SIZE];
    enum action action;
    int64_t delay_ms;
    int64_t at;     /* the hit at which it fires, once; 0: by chance */
    double percent; /* the chance */
    int64_t hits;
};

static struct {
    struct rule rules[RULES_MAX];
    size_t count;
    struct rng rng;
    const char *log_path; /* NULL: none is kept */
} armed;

/* ---- reading PARLEY_FAULT ---- */

static bool unknown_point(const char *name, struct err *err)
{
    struct nearest nearest = nearest_to(str_of(name));
    struct fault_place place;
    char best[FAULT_POINT_SIZE] = "";

    for (size_t i = 0; fault_points_get(i, &place); i++) {
        nearest_try(&nearest, place.name);
        if (nearest.name == place.name) { /* it will be overwritten */
            memcpy(best, place.name, sizeof best);
            nearest.name = best;
        }
    }
    return err_set(err, ERR_USAGE, "PARLEY_FAULT: there is no point '%s'%s%s%s", name,
                   best[0] == '\0' ? "" : ", did you mean ", best,
                   best[0] == '\0' ? "" : "?");
}

static bool read_action(struct str word, struct rule *rule, struct err *err)
{
    struct nearest nearest = nearest_to(word);

    for (int i = 0; i < ACT_COUNT; i++) {
        nearest_try(&nearest, action_names[i]);
        if (!str_is(word, action_names[i]))
            continue;
        rule->action = (enum action)i;
        return true;
    }
    return err_set(err, ERR_USAGE, "PARLEY_FAULT: there is no action '%.*s'%s%s%s",
                   (int)word.len, word.at, nearest.name ? ", did you mean " : "",
                   nearest.name ? nearest.name : "", nearest.name ? "?" : "");
}

/* Cuts "@N" or "%P" off the end of the action's text. */
static bool read_when(struct str *text, struct rule *rule, struct err *err)
{
    struct str number;
    struct str head = str_cut(*text, '@', &number);

    rule->at = 1;
    if (head.len < text->len) {
        *text = head;
        return str_to_i64(number, 1, INT64_MAX, &rule->at)
               || err_set(err, ERR_USAGE,
                          "PARLEY_FAULT: behind '@' stands a number from 1");
    }
    head = str_cut(*text, '%', &number);
    if (head.len == text->len)
        return true;
    *text = head;
    rule->at = 0;
    return str_to_double(number, 0, 100, &rule->percent)
           || err_set(err, ERR_USAGE,
                      "PARLEY_FAULT: behind '%%' stands a number from 0 to 100");
}

static bool fits_place(const struct rule *rule, struct err *err)
{
    struct fault_place place;

    if (!fault_points_find(rule->point, &place))
        return unknown_point(rule->point, err);
    if ((rule->action == ACT_FAIL && !place.fails)
        || (rule->action == ACT_CUT && !place.cuts))
        return err_set(err, ERR_USAGE, "PARLEY_FAULT: the point '%s' has no action %s",
                       rule->point, action_names[rule->action]);
    return true;
}

static bool read_delay(struct str text, struct rule *rule, struct err *err)
{
    if (rule->action != ACT_DELAY)
        return text.len == 0
               || err_set(err, ERR_USAGE, "PARLEY_FAULT: only delay has an argument");
    return str_to_i64(text, 0, DELAY_MAX_MS, &rule->delay_ms)
           || err_set(err, ERR_USAGE,
                      "PARLEY_FAULT: delay:MS, milliseconds from 0 to %d",
                      DELAY_MAX_MS);
}

/* POINT=ACTION[:ARG][@N|%P] */
static bool read_rule(struct str text, struct rule *rule, struct err *err)
{
    struct str action;
    struct str delay;
    struct str point = str_cut(text, '=', &action);

    if (action.len == 0 || point.len >= sizeof rule->point)
        return err_set(err, ERR_USAGE, "PARLEY_FAULT: '%.*s' is not POINT=ACTION",
                       (int)text.len, text.at);
    *rule = (struct rule){0};
    fmt_into(rule->point, sizeof rule->point, "%.*s", (int)point.len, point.at);
    if (!read_when(&action, rule, err))
        return false;
    action = str_cut(action, ':', &delay);
    return read_action(action, rule, err) && read_delay(delay, rule, err)
           && fits_place(rule, err);
}

static void say(const char *line);

static bool read_seed(struct err *err)
{
    const char *text = getenv("PARLEY_FAULT_SEED");
    char line[LINE_SIZE];
    int64_t seed = (int64_t)(rng_from_system() >> 1);

    if (text != NULL && !str_to_i64(str_of(text), 0, INT64_MAX, &seed))
        return err_set(err, ERR_USAGE, "PARLEY_FAULT_SEED is not a number from 0");
    rng_init(&armed.rng, (uint64_t)seed);
    if (text == NULL) { /* without it nobody could repeat the run */
        fmt_into(line, sizeof line, "fault seed %lld\n", (long long)seed);
        say(line);
    }
    return true;
}

bool fault_arm(struct err *err)
{
    struct str rest = str_of(getenv("PARLEY_FAULT"));

    armed.count = 0;
    armed.log_path = getenv("PARLEY_FAULT_LOG");
    while (rest.len > 0) {
        struct str text = str_cut(rest, ',', &rest);

        if (armed.count == RULES_MAX)
            return err_set(err, ERR_USAGE, "PARLEY_FAULT: more than %d faults",
                           RULES_MAX);
        if (!read_rule(text, &armed.rules[armed.count], err))
            return false;
        armed.count++;
    }
    return armed.count == 0 || read_seed(err);
}

/* ---- firing ---- */

/* Not the log: nothing may stand in a buffer when the process is killed. */
static void say(const char *line)
{
    ssize_t n = write(STDERR_FILENO, line, strlen(line));

    (void)n; /* nobody listens: the fault is carried out all the same */
}

static void keep(const struct rule *rule)
{
    char line[LINE_SIZE];
    struct timespec now;
    int fd = open(armed.log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    ssize_t n = -1;

    clock_gettime(CLOCK_REALTIME, &now);
    fmt_into(line, sizeof line, "%s %s %lld\n", rule->point, action_names[rule->action],
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    if (fd >= 0) {
        n = write(fd, line, strlen(line));
        close(fd);
    }
    if (n != (ssize_t)strlen(line)) { /* a campaign would wait for ever */
        say("fault: PARLEY_FAULT_LOG cannot be written\n");
        abort();
    }
}

static void pause_ms(int64_t wait_ms)
{
    struct timespec left = {.tv_sec = wait_ms / 1000,
                            .tv_nsec = wait_ms % 1000 * 1000000};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static enum fault act(const struct rule *rule)
{
    char line[LINE_SIZE];

    fmt_into(line, sizeof line, "fault %s %s\n", rule->point,
             action_names[rule->action]);
    say(line);
    if (armed.log_path != NULL)
        keep(rule);
    switch (rule->action) {
    case ACT_KILL:
        kill(getpid(), SIGKILL);
        break;
    case ACT_STOP:
        kill(getpid(), SIGSTOP);
        break;
    case ACT_DELAY:
        pause_ms(rule->delay_ms);
        break;
    case ACT_FAIL:
        return FAULT_FAIL;
    case ACT_CUT:
        return FAULT_CUT;
    case ACT_COUNT:
        abort();
    }
    return FAULT_NONE;
}

static bool rule_fires(struct rule *rule)
{
    rule->hits++;
    if (rule->at > 0)
        return rule->hits == rule->at;
    return rng_unit(&armed.rng) * 100 < rule->percent;
}

enum fault fault_point(const char *point)
{
    enum fault fault = FAULT_NONE;

    for (size_t i = 0; i < armed.count; i++) {
        struct rule *rule = &armed.rules[i];
        enum fault told;

        if (strcmp(rule->point, point) != 0 || !rule_fires(rule))
            continue;
        told = act(rule);
        if (told != FAULT_NONE)
            fault = told;
    }
    return fault;
}

enum fault fault_script(const char *script, const char *stage)
{
    char point[FAULT_POINT_SIZE];

    if (armed.count == 0)
        return FAULT_NONE;
    fmt_into(point, sizeof point, "%s.%s", script, stage);
    return fault_point(point);
}

#endif
