/* cast_json.h - stories and personas between JSON and our structs; for message.c and
 * cast.c, which wrap them in different objects.
 */
#ifndef PARLEY_CAST_JSON_H
#define PARLEY_CAST_JSON_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/json_get.h"

struct persona;
struct story;

/* The members without the braces: `"setting":...,"characters":[...],...`. A text that
 * is NULL is written as "": these may not be null. False when `into` is full. */
bool story_write(struct buf *into, const struct story *story);
bool persona_write(struct buf *into, const struct persona *persona);

/* The caller owns what *ret_story holds (story_done); unknown keys are passed over. */
MUST_USE bool story_read(const struct json_place *object, struct story *ret_story,
                         struct err *err);
MUST_USE bool persona_read(const struct json_place *object, struct persona *ret_persona,
                           struct err *err);

#endif
