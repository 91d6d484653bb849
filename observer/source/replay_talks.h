/* replay_talks.h - the conversations of a record by number: id to number and back. */
#ifndef PARLEY_REPLAY_TALKS_H
#define PARLEY_REPLAY_TALKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "proto/keys.h"

/* Numbers fit into 20 bits of an entry. */
enum { REPLAY_TALKS_MAX = 1 << 20 };

struct replay_talks {
    char (*ids)[CONVERSATION_SIZE]; /* owned; `count` of them */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* owned; number + 1 by the id's hash, 0 empty */
    size_t slot_count;
};

void replay_talks_done(struct replay_talks *talks); /* zeroed is fine */
bool replay_talks_find(const struct replay_talks *talks, struct str id,
                       size_t *ret_number);
/* Finds it or adds it. False: no valid id, or there are REPLAY_TALKS_MAX. */
bool replay_talks_add(struct replay_talks *talks, struct str id, size_t *ret_number);

#endif
