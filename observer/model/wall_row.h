/* wall_row.h - one conversation on the wall: what is known of it, and what follows from
 * that (rate, time left, warnings).
 *
 * The rate is that of the conversation, not of the model: tokens that came into the
 * transcript between two turns, by the time between them on Redis' clock. It has a
 * sample for each time the number of turns was seen to grow, and falls by itself while
 * nothing comes. What is not known is -1.
 */
#ifndef PARLEY_WALL_ROW_H
#define PARLEY_WALL_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "observer/model/wall_facts.h"
#include "proto/keys.h"

enum {
    WALL_SAMPLES = 16,
    WALL_NAMES = 16,     /* seats whose names are kept */
    WALL_NAME_SIZE = 48, /* bytes of one, cut at a character */
    WALL_TOPIC_SIZE = 160,
    WALL_SERVERS_SIZE = 64
};

enum wall_warning {
    WALL_FAILED_TURNS = 1 << 0, /* facts.failures */
    WALL_WAITS = 1 << 1,        /* servers are down: `servers` */
    WALL_REWOUND = 1 << 2,      /* Redis lost turns that had been there */
    WALL_TRUNCATED = 1 << 3,    /* a server cut the prompt */
    WALL_FALLBACK = 1 << 4,     /* the last turn was a fallback reply */
    WALL_ASKED_AGAIN = 1 << 5   /* the turn awaited was asked for more than once */
};

struct wall_row {
    char id[CONVERSATION_SIZE];
    int64_t score_ms; /* its start */
    struct wall_facts facts;
    int64_t read_at_us;    /* when these were read; -1: never */
    struct wall_turn turn; /* turn: -1 not read yet */
    int64_t cast_version;  /* of what follows; -1: not read yet */
    char *topic;           /* owned, as all three */
    char *setting;
    char **names; /* name_count; a seat is at its number - 1 */
    size_t name_count;
    unsigned warned;                 /* enum wall_warning, those that stay once seen */
    int64_t waits_turn;              /* -1: it never waited */
    bool waits_story;                /* it was the story that waited */
    char servers[WALL_SERVERS_SIZE]; /* of the wait of waits_turn */
    float samples[WALL_SAMPLES]; /* tokens/s; sample_at is where the next one goes */
    unsigned sample_at;
    unsigned sample_count;
    int64_t step_us;    /* when the last turn that we know of came, -1 */
    int64_t step_turns; /* turns and tokens there were then */
    int64_t step_tokens;
    float last_rate; /* of the last step, tokens/s; and its tokens: */
    int64_t last_tokens;
    size_t nth;   /* its place in wall_nth, and among the shown ones: */
    size_t place; /* SIZE_MAX: the filter hides it */
};

/* A row of its own, on the heap. `id` is valid. */
struct wall_row *wall_row_new(struct str id, int64_t score_ms);
void wall_row_free(struct wall_row *row); /* NULL is fine */
void wall_row_facts(struct wall_row *row, const struct wall_facts *facts,
                    int64_t now_us);
void wall_row_cast(struct wall_row *row, const struct wall_cast *cast);
void wall_row_turn(struct wall_row *row, const struct wall_turn *turn);
void wall_row_waiting(struct wall_row *row, int64_t turn, struct str servers);

enum wall_state wall_row_state(const struct wall_row *row);
bool wall_row_ended(const struct wall_row *row); /* failed ones too */
/* Running, and what it waits for is not a model's words: all servers are down, or
 * nobody began a call in two seconds. */
bool wall_row_waits(const struct wall_row *row, int64_t now_us);
/* The name of who speaks or is to speak, as it came; empty: nobody, or not known. */
struct str wall_row_speaker(const struct wall_row *row);
/* Tokens a second at now_us, -1 when not known or not running. */
double wall_row_rate(const struct wall_row *row, int64_t now_us);
/* Sample i, 0 the oldest, i < sample_count. */
double wall_row_sample(const struct wall_row *row, unsigned i);
/* Milliseconds until the deadline, -1: none, or unknown, or ended. */
int64_t wall_row_left_ms(const struct wall_row *row, int64_t now_us);
/* Milliseconds since the turn awaited was asked for, -1: none is. */
int64_t wall_row_asked_ms(const struct wall_row *row, int64_t now_us);
unsigned wall_row_warnings(const struct wall_row *row); /* enum wall_warning */
/* Why it ended or is closing, then the warnings, the worst first: "waits for local, 2
 * failed". As they came; cut where `into` is full. */
void wall_row_words(const struct wall_row *row, struct buf *into);

#endif
