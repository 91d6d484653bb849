/* talk_seat.h - who sits in a conversation, and what their turns took so far.
 *
 * Pure. Sums are of the turns that were counted (struct talk tells which); a turn whose
 * server told no count is in none of them but `turns`. Texts are harmless; numbers are
 * -1 where they are not known.
 */
#ifndef PARLEY_OBSERVER_TALK_SEAT_H
#define PARLEY_OBSERVER_TALK_SEAT_H

#include <stdint.h>

#include "observer/model/talk_line.h"

struct message;
struct persona;

struct talk_seat {
    struct buf name;     /* these are empty while not known */
    struct buf who;      /* role, traits, goal, style, in one line */
    struct buf model;    /* as its last turn says, else as the cast wishes */
    struct buf endpoint; /* the same */
    int64_t num_ctx;     /* the model's window in tokens */
    int64_t turns;
    int64_t tokens;            /* generated, over `counted` turns */
    int64_t counted;           /* turns that have a count */
    double first_token_sum_ms; /* over `first_tokens` turns */
    int64_t first_tokens;      /* turns that have a time to first token */
    int64_t last_turn;         /* the one that `last` is of; 0: none */
    struct talk_figures last;
};

void talk_seat_init(struct talk_seat *seat);
void talk_seat_done(struct talk_seat *seat);
void talk_seat_meet(struct talk_seat *seat, const struct persona *persona);
/* Empty and -1: the cast says nothing of it. What a turn has shown stays. */
void talk_seat_wish(struct talk_seat *seat, struct str model, struct str endpoint,
                    int64_t num_ctx);
/* What the latest turn's message says of model and endpoint. */
void talk_seat_meet_turn(struct talk_seat *seat, const struct message *message);
/* Takes a turn's line into the sums. */
void talk_seat_count(struct talk_seat *seat, const struct talk_line *line);
/* As if no turn had been counted. */
void talk_seat_recount(struct talk_seat *seat);
/* Mean time to first token; -1: none is known. */
double talk_seat_first_token_ms(const struct talk_seat *seat);
/* Tokens of its window that the last turn filled, prompt and reply; -1 not known. */
int64_t talk_seat_context(const struct talk_seat *seat);

#endif
