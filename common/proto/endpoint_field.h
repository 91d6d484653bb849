/* endpoint_field.h - the members of an endpoint as one table: what may stand in the
 * config file, and where it goes. For endpoint_read.c; endpoint_member (endpoint.h)
 * shows them by the same table.
 */
#ifndef PARLEY_ENDPOINT_FIELD_H
#define PARLEY_ENDPOINT_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct endpoint;

enum endpoint_field_kind {
    FIELD_PROVIDER,
    FIELD_URL,      /* as written: what it means depends on the provider */
    FIELD_VARIABLE, /* the name of one */
    FIELD_PATH,
    FIELD_MODELS,
    FIELD_TIER,
    FIELD_WINDOW,
    FIELD_SECONDS, /* stored in ms */
    FIELD_PRICE,
    ENDPOINT_FIELD_KINDS
};
struct endpoint_field {
    const char *key; /* "tier", "price.cached" */
    enum endpoint_field_kind kind;
    size_t offset; /* in struct endpoint */
    double max;    /* of numbers */
};

/* The field of that index, NULL behind the last. */
const struct endpoint_field *endpoint_field(size_t index);
/* The same of the clocks alone, which a tier has too. */
const struct endpoint_field *endpoint_clock(size_t index);
/* Checks the value and puts it into the endpoint. where: "endpoints.cloud.tier", with
 * which a complaint (ERR_USAGE) begins. */
MUST_USE bool endpoint_field_read(const struct endpoint_field *field, const char *where,
                                  const json_t *value, struct endpoint *endpoint,
                                  struct err *err);
/* "<where>: 'space' is not local or cloud". Returns false. */
bool endpoint_field_wrong(const char *where, const json_t *value, const char *allowed,
                          struct err *err);

#endif
