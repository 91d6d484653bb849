/* picks.h - single turns kept for pictures: a bounded choice out of any number. Pure.
 *
 * Two choices. `early`: the first turns of the first rows (a speaker of a conversation
 * is a row), all of them and without gaps: the timeline. `even`: every n-th turn of the
 * log, n doubled whenever there is no more room: points over time. Which turns are
 * chosen depends on their order alone.
 */
#ifndef PARLEY_PICKS_H
#define PARLEY_PICKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { PICKS_ROWS = 24, PICKS_EARLY = 1200, PICKS_EVEN = 2000 };

/* One turn; NAN: unknown. */
struct pick {
    int64_t end_us;           /* UTC: the answer was written; -1 unknown */
    double wait_ms;           /* in the queue and for a place at the endpoint */
    double first_token_ms;    /* from the call's start */
    double generation_ms;     /* the call, from start to end */
    double tokens_per_second; /* while generating */
    int64_t turn;             /* its number in the conversation, from 1 */
    unsigned row;             /* early ones only */
};

/* A speaker of a conversation. */
struct pick_row {
    char *conversation; /* owned, as the name; the name may be NULL */
    char *name;
    int64_t seat;
};

struct picks {
    struct pick_row rows[PICKS_ROWS];
    size_t row_count;
    struct pick *early; /* owned, as `even` */
    size_t early_count;
    struct pick *even;
    size_t even_count;
    size_t every; /* `even` has each of these, from the first on */
    size_t seen;  /* turns in all */
};

struct picks *picks_new(void);
void picks_free(struct picks *picks); /* NULL is fine */
/* Takes the next turn; pick->row is not looked at. The texts are copied where they are
 * kept; name may be NULL. */
void picks_take(struct picks *picks, const struct pick *pick, struct str conversation,
                int64_t seat, const char *name);
/* How many different conversations the rows are of. */
size_t picks_conversations(const struct picks *picks);

#endif
