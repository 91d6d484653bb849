/* member.h - a process' place in the fleet: its name, held by a lock, and its state.
 *
 * Takes the name given, or the next free of "<base>-1", "<base>-2", ...; keeps it with
 * a beat every second. A name lost to another (we were stopped for too long) is told:
 * what was done under it is fenced anyway, so the program takes a new one.
 *
 * A name whose holder is certainly dead (a process of this machine, see base/process.h)
 * is taken at once: who is started anew gets its predecessor's name, and with it what
 * that had in hand. One that died elsewhere keeps its name until the lock runs out.
 */
#ifndef PARLEY_MEMBER_H
#define PARLEY_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/process.h"
#include "net/loop.h"
#include "proto/keys.h"

struct redis;
struct redis_answer;

enum {
    MEMBER_NAME_SIZE = 64,
    MEMBER_BASE_SIZE = 48,
    MEMBER_NONCE_LETTERS = 12,
    MEMBER_HEIR_SIZE = 64,
    MEMBER_FIELDS_MAX = 24
};

struct member {
    struct loop_timer timer;
    struct redis *redis;         /* borrowed */
    const struct keys *keys;     /* borrowed */
    char base[MEMBER_BASE_SIZE]; /* "worker-2" */
    char name[MEMBER_NAME_SIZE]; /* "worker-2-1"; what is tried or held */
    char nonce[MEMBER_NONCE_LETTERS + 1];
    struct process_place place;     /* ours */
    char heir_of[MEMBER_HEIR_SIZE]; /* nonce of a dead holder; "" none */
    int number;                     /* the one being tried; 0: a fixed name */
    bool held;
    bool asking; /* a beat is on its way */
    bool leaving;
    int64_t held_until_ms; /* monotonic: the lock runs out then */
    /* Puts "field", "value" pairs about the process into `fields`; returns how many
     * texts. They must live until the next call. May be NULL. */
    size_t (*describe)(void *owner, const char **fields, size_t max);
    void (*on_held)(void *owner); /* the name is ours, first time or again */
    void (*on_lost)(void *owner); /* it is not ours any more */
    void (*on_left)(void *owner); /* after member_leave */
    void *owner;
};

/* Fills in what is private; set describe, the callbacks and owner before. A name that
 * is NULL means: the next free one. */
void member_start(struct member *member, struct loop *loop, struct redis *redis,
                  const struct keys *keys, const char *base, const char *name);
/* Beats at once: the description has changed. */
void member_beat(struct member *member);
/* Gives the name back; on_left comes when Redis has answered (or is not there). */
void member_leave(struct member *member);
void member_done(struct member *member);

#endif
