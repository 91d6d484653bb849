/* run.h - `parley run`: launches a fleet, shows it, reports, leaves nothing behind.
 *
 * Flow: models checked, a given Redis reached -> folder -> a private Redis, simulator
 * if asked -> manager and workers -> conversations started -> observer, record
 *       -> all ended, or told to stop -> children ended -> run.json -> analysis
 */
#ifndef PARLEY_RUN_H
#define PARLEY_RUN_H

#include "cli/child.h"
#include "cli/folder.h"
#include "cli/keeping.h"
#include "cli/record.h"
#include "cli/run_show.h"
#include "cli/run_watch.h"
#include "cli/sibling.h"
#include "net/redis.h"
#include "proto/config.h"
#include "proto/keys.h"
#include "proto/wish.h"

struct run {
    const struct config_loaded *loaded; /* borrowed */
    const struct config *config;
    struct loop *loop;
    struct loop_timer timer; /* bounds the waits */
    struct loop_signal signals[3];
    struct run_watch watch;
    struct run_show show;
    struct folder folder;
    struct children children;
    struct child *redis_server; /* ours, or NULL */
    struct child *simulator;
    struct child *observer;
    struct child *analyzer;
    char *socket_folder; /* owned: where the private Redis' socket lies */
    char *redis_url;     /* owned: for the children */
    char *ollama_url;    /* owned */
    struct redis_target target;
    struct redis *redis;
    struct keeping keeping; /* of that Redis */
    struct keys keys;
    char shard[SHARD_MAX_LETTERS + 1];
    struct wish wish; /* what is started; numbered for each */
    bool has_wish;
    int64_t seed; /* of the first conversation; -1 none */
    char **ids;   /* owned: sorted */
    struct record record;
    int interrupts;    /* signals so far */
    int signal_number; /* the first of them */
    bool timed_out;
    bool gave_up; /* a child will not come back */
    bool wrote_run;
    struct err trouble; /* what was told of it */
};

/* The exit status. */
int run_command(const struct config_loaded *loaded, char **words, struct err *err);

/* ---- parts: run_start.c, run_simulator.c, run_show.c, run_end.c ---- */
/* Connects to the Redis that was given, if one was. */
MUST_USE bool run_reach_redis(struct run *run, struct err *err);
MUST_USE bool run_start_redis(struct run *run, struct err *err);
MUST_USE bool run_start_simulator(struct run *run, struct err *err);
MUST_USE bool run_start_fleet(struct run *run, struct err *err);
/* A program of ours as a child that is not started yet; takes the words, of which the
 * first becomes its path. NULL: it is not where it should be. */
struct child *run_add_program(struct run *run, const char *name, const char *label,
                              struct word_list *words, struct err *err);
MUST_USE bool run_start_conversations(struct run *run, struct err *err);
/* Runs the loop until `done(run)`, a passed time (ms; 0 none) or more than so many
 * interrupts since the start of the run (RUN_UNDISTURBED: however many). True when
 * done. */
enum { RUN_UNDISTURBED = 1000000 };
bool run_until(struct run *run, bool (*done)(const struct run *run), int64_t ms,
               int interrupts);
/* As a signal would: the first ends after the turn in flight, the second at once. */
void run_interrupt(struct run *run, int number);
void run_stop_conversations(struct run *run);
void run_end_children(struct run *run);
/* run.json, the analysis on stdout; the exit status. */
int run_report(struct run *run, bool ok);
MUST_USE bool run_write(struct run *run, bool ended, int status, struct err *err);

#endif
