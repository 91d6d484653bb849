/* wish.h - what somebody wants when starting a conversation: the arguments of the
 * command `start`, kept in the cast as its `wish`.
 */
#ifndef PARLEY_WISH_H
#define PARLEY_WISH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "proto/cast.h"
#include "proto/message.h"

struct config;
struct config_loaded;
struct endpoint_list;

enum { TOPIC_MAX_BYTES = 4000 };

struct wish {
    char *topic;      /* owned; NULL: a topic of the model's choice */
    char *story_file; /* owned: the JSON of a story file, or NULL */
    int64_t personas;
    int64_t max_turns;   /* -1: no limit */
    int64_t duration_ms; /* -1: no limit */
    int64_t grace_ms;
    bool pass_on_failure;
    int64_t max_issues;
    bool structured; /* replies by schemas/reply.schema.json */
    /* Unknown (NULL, -1, NAN): whoever makes the call uses its own default. */
    struct seat_model model;     /* of every seat and of the story */
    char *models[SEATS_MAX + 1]; /* owned: a seat's own, from 1: "x", "cloud:x" */
};
void wish_init(struct wish *wish);
void wish_done(struct wish *wish);
bool wish_format(const struct wish *wish, struct buf *into);
MUST_USE bool wish_parse(struct str json, struct wish *ret_wish, struct err *err);
/* The wish of the options; `all` also names what was not given (a run whose parts share
 * one config). Reads and checks the story file; numbered 1, with the options' seed. */
MUST_USE bool wish_from_config(const struct config_loaded *loaded, bool all,
                               struct wish *ret_wish, struct err *err);
/* Without --topic and --story a topic is chosen. Makes it the wish of conversation
 * `number` (from 1): {i} in the topic, and a seed of its own made from `seed`, that of
 * the first one (-1: none). */
void wish_set_number(struct wish *wish, const struct config *config, int64_t number,
                     int64_t seed);
/* The model a seat asks for: its own, the wish's, or NULL. */
const char *wish_model(const struct wish *wish, int64_t seat);
/* Fills in what a seat (from 1) leaves open, from the wish. "cloud:x" becomes endpoint
 * and model where the list has such an endpoint. A seat that names an endpoint and no
 * model gets the wish's if that endpoint serves it, else the first it lists. What the
 * seat says of itself stays; the seed is the wish's. */
void wish_equip(const struct wish *wish, int64_t seat,
                const struct endpoint_list *endpoints, struct seat *to);

#endif
