/* cast.h - who takes part: the seats with their personas, drivers and models; and the
 * story files and model replies they are made from.
 */
#ifndef PARLEY_CAST_H
#define PARLEY_CAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "proto/message.h"
#include "proto/seat_model.h"

struct seat {
    struct persona persona;
    char *driver; /* "model" */
    int64_t lane; /* request:<lane>, from 1 */
    struct seat_model model;
    bool spotlight;       /* its turns deserve the better model (docs/routing.md) */
    bool structured;      /* it answers by schemas/reply.schema.json */
    char *fallback_reply; /* said, and marked, when no server answers; NULL: none */
};
struct cast {
    struct story story;
    struct seat *seats; /* seats[0] is seat 1 */
    size_t seat_count;
    int64_t version;
};

/* The _done functions leave an empty struct; `to` is written over, not freed. */
void story_done(struct story *story);
void story_copy(struct story *to, const struct story *from);
void persona_done(struct persona *persona);
void persona_copy(struct persona *to, const struct persona *from);
void seat_init(struct seat *seat); /* everything unknown, driver "model" */
void seat_done(struct seat *seat);
void cast_done(struct cast *cast);

/* The JSON of a `seat:<n>` field of K:cast:<id>, schemas/seat.schema.json; reading it
 * passes over unknown keys. */
bool seat_format(const struct seat *seat, struct buf *into);
MUST_USE bool seat_parse(struct str json, struct seat *ret_seat, struct err *err);

/* A story file: setting, characters, initial_situation and personas (2 to 16), by
 * schemas/story_file.schema.json. Fills story and seats (persona, driver, lane = seat
 * number, and how the persona is to be asked, as far as the file says). Names lose the
 * blanks around them; they differ in more than the case of ASCII letters. err
 * (ERR_USAGE): "line 3, column 7: ..." for bad JSON,
 * "/personas/1/name: expected ..." */
MUST_USE bool cast_parse_story_file(struct str json, struct cast *ret_cast,
                                    struct err *err);
/* A model's replies: the documents in them (document.h), by schemas/story.schema.json
 * and schemas/personas.schema.json. Exactly `seats` personas with names that differ are
 * asked for (2 to 16). Seats of `cast` that are there already, then as many, keep all
 * but their persona; else they are made as by cast_parse_story_file. Untouched on
 * failure. */
MUST_USE bool story_parse(struct str reply, struct story *ret_story, struct err *err);
MUST_USE bool personas_parse(struct str reply, size_t seats, struct cast *cast,
                             struct err *err);
/* {"setting", "characters", "initial_situation"}; false when `into` is full. */
bool story_format(const struct story *story, struct buf *into);

#endif
