/* seat_model.h - how a seat's model is called: the part of a cast, a wish and a persona
 * of a story file that says whom to ask, and with what.
 */
#ifndef PARLEY_SEAT_MODEL_H
#define PARLEY_SEAT_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/json_get.h"

/* Unknown (NULL, -1, NAN) means: the worker's default, which is then recorded in the
 * message. All texts are owned (seat_model_done). */
struct seat_model {
    char *provider; /* "ollama", "openai", ... */
    char *endpoint; /* asked first (proto/endpoint.h); NULL: as the strategy says */
    char *model;
    char *fallback; /* then these, comma between: "cloud:gpt-4o-mini,local"; or NULL */
    char *options;  /* further options, a JSON object by proto/model_options.h */
    char *think;    /* "true", "false", "low", "medium", "high", "max" */
    int64_t num_ctx;
    int64_t num_predict;
    double temperature;
    int64_t seed; /* of the conversation; the worker adds the turn to it */
};

void seat_model_init(struct seat_model *model); /* everything unknown */
void seat_model_done(struct seat_model *model); /* then as after seat_model_init */
/* `to` is written over, not freed. */
void seat_model_copy(struct seat_model *to, const struct seat_model *from);

/* The members without the braces: `"provider":...,"options":{"num_ctx":...,...}`. The
 * numbers stand in `options`, beside the further ones. False when `into` is full. */
bool seat_model_write(struct buf *into, const struct seat_model *model);
/* Reads what is there over what `model` holds; null and missing members leave it.
 * Beside the written form it takes what people write: `fallback` as a list of texts,
 * `think` as true or false, num_ctx, num_predict and temperature beside `options`. err
 * names the place: "/personas/0/options: top_k is a string, not a whole number ...". */
MUST_USE bool seat_model_read(const struct json_place *object, struct seat_model *model,
                              struct err *err);

#endif
