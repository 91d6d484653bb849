/* worker.h - the process that drives one seat: everything its parts share.
 *
 * Two connections to Redis (commands; blocking reads), one HTTP client, a memory of
 * conversations and a fixed number of slots. The lane hands requests to free slots.
 */
#ifndef PARLEY_WORKER_H
#define PARLEY_WORKER_H

#include "base/episode.h"
#include "net/loop.h"
#include "net/redis.h"
#include "net/redis_clock.h"
#include "proto/config.h"
#include "proto/keys.h"
#include "scripts/member.h"
#include "worker/budget.h"
#include "worker/clean.h"
#include "worker/lane.h"
#include "worker/memory.h"
#include "worker/prompt.h"
#include "worker/slot.h"

struct http;
struct llm;
struct router;

struct worker {
    const struct config *config; /* borrowed */
    struct loop *loop;
    struct keys keys;
    struct redis_target target;
    struct redis *redis; /* commands and scripts */
    struct redis_clock clock;
    struct http *http;
    struct llm *llm;
    struct router *router;
    struct memory *memory;
    struct prompt_templates templates;
    struct budget budget;
    struct member member;
    struct lane lane;
    struct slot *slots; /* config->concurrency of them */
    size_t slot_count;
    struct loop_timer renew_timer;
    struct loop_timer drain_timer;
    struct loop_signal signals[3];
    int64_t ready_since_ms; /* connected without a break since; monotonic */
    bool draining;
    bool handed_back; /* what was not done in time */
    bool forced;      /* cut short: exit status 143 */
    int64_t asks;     /* numbers them: part of a call's id */
    int64_t calls_ended;
    int64_t calls_failed;
    int64_t cleaned[CLEAN_CHANGE_COUNT]; /* replies in which that was changed */
    int64_t turns_done;
    int64_t turns_failed;
    struct err fatal;      /* why we cannot go on */
    struct err last_down;  /* the last failed connection's */
    struct episode outage; /* no connection for commands */
    struct loop_timer first_contact;
};

/* Runs until it is told to stop. The exit status; err says why when it is not 0. */
int worker_run(struct worker *worker, const struct config_loaded *loaded,
               struct err *err);
/* Redis refuses us for good: the program ends. The owner is the worker. */
void worker_denied(void *owner, const struct err *err);
/* A slot became free. */
void worker_slot_free(struct worker *worker);
size_t worker_free_slots(const struct worker *worker);

#endif
