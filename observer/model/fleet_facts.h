/* fleet_facts.h - what is known of a fleet at a moment, as plain records: members,
 * model servers, lanes, events, turns given up, calls. Filled by a source, kept by
 * fleet.c, drawn by the fleet screen.
 *
 * Texts are as they came from Redis or a file, cut to fit: whoever draws makes them
 * harmless. What nobody told is -1, NAN or empty, never 0. Times are in µs since 1970
 * by the source's clock.
 */
#ifndef PARLEY_FLEET_FACTS_H
#define PARLEY_FLEET_FACTS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FLEET_MEMBERS_MAX = 256,
    FLEET_SERVERS_MAX = 64,
    FLEET_LANES_MAX = 16,
    FLEET_DEAD_MAX = 200,
    FLEET_EVENTS_MAX = 1000,
    FLEET_SECONDS = 60,     /* calls are counted by the second, for so long */
    FLEET_SILENT_MS = 5000, /* five beats missed */
    FLEET_WORD_SIZE = 24,   /* kind, state, event */
    FLEET_NAME_SIZE = 64,   /* members, hosts, servers, entry ids */
    FLEET_TEXT_SIZE = 160,  /* reasons */
    FLEET_TALK_SIZE = 56    /* a conversation's id */
};

struct fleet_member {
    char name[FLEET_NAME_SIZE];
    char kind[FLEET_WORD_SIZE];  /* "worker", "manager" */
    char state[FLEET_WORD_SIZE]; /* "serving", "leading", as it says itself */
    char host[FLEET_NAME_SIZE];
    char version[FLEET_WORD_SIZE];
    int64_t pid;
    int64_t lane;
    int64_t busy; /* calls in hand, of `slots` */
    int64_t slots;
    int64_t turns; /* since it started */
    int64_t calls;
    int64_t calls_failed;
    int64_t heard_us; /* its last beat */
    int64_t since_us; /* in this state, as far as we saw: filled in by the model */
    double turns_per_second; /* over the last seconds: filled in by the model */
};
struct fleet_server {
    char name[FLEET_NAME_SIZE];
    char tier[FLEET_WORD_SIZE];
    char breaker[FLEET_WORD_SIZE]; /* "closed", "open", "half"; "" not told */
    char why[FLEET_TEXT_SIZE];     /* it is not closed */
    char error[FLEET_WORD_SIZE];   /* kind of the last failure */
    int64_t window;                /* 0: no limit */
    int64_t held;
    int64_t waiting;
    int64_t ok;
    int64_t failed;
    int64_t retry_us; /* when it is tried again */
    double latency_ms;
    double first_token_ms; /* mean of its last calls: filled in by the model */
};
struct fleet_lane {
    int64_t lane;
    int64_t unread; /* requests nobody has taken */
    int64_t pending;
    int64_t oldest_us; /* when the oldest of them was asked for */
};
struct fleet_event {
    int64_t at_us;
    char event[FLEET_WORD_SIZE]; /* "dialogue.pause" */
    char conversation[FLEET_TALK_SIZE];
    char state[FLEET_WORD_SIZE];
    char reason[FLEET_TEXT_SIZE];
    int64_t turn;
};
struct fleet_dead {
    char record[FLEET_NAME_SIZE]; /* its entry id: what retry and drop name */
    char conversation[FLEET_TALK_SIZE];
    char why[FLEET_TEXT_SIZE];
    int64_t at_us;
    int64_t turn;
    int64_t seat;
    int64_t lane;
    int64_t deliveries;
};
/* A model call that ended. */
struct fleet_call {
    char server[FLEET_NAME_SIZE]; /* "": none is known */
    int64_t at_us;                /* when it ended */
    bool wasted;                  /* failed, cancelled or lost */
    double first_token_ms;
    int64_t tokens;
};
struct fleet_totals {
    char leader[FLEET_NAME_SIZE];  /* "": nobody leads */
    char refusal[FLEET_TEXT_SIZE]; /* what Redis says while it refuses writes */
    int64_t memory_bytes;          /* used by Redis */
    int64_t memory_max_bytes;      /* 0: no limit */
    int64_t conversations;
    int64_t redis_commands; /* a second, as Redis counts them */
    bool recorded; /* a run's record: it tells of no leader, no beats, no lanes */
};
/* Means and sums over the last FLEET_SECONDS before `now_us`. */
struct fleet_rates {
    double calls_per_second;
    int64_t calls;
    int64_t wasted;
    int64_t tokens;
    bool at_least; /* there were more calls than were handed over */
};

#endif
