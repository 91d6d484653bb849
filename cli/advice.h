/* advice.h - what is wrong with a model server, in one line a user can act on. */
#ifndef PARLEY_ADVICE_H
#define PARLEY_ADVICE_H

#include "base/err.h"
#include "cli/elsewhere.h"
#include "llm/models.h"
#include "proto/endpoint.h"

/* What was seen, as llm/ tells it. */
struct advice_case {
    enum llm_error error;
    const char *reason;
    int http_status; /* 0: none, or not known */
};
/* "<name> (<URL>): <reason>: <what to do>" as ERR_MODEL. */
void advice_make(const struct endpoint *endpoint, const struct advice_case *seen,
                 struct err *ret_line);
/* Adds to such a line where an API was found instead, and what to write. */
void advice_elsewhere(const struct endpoint *endpoint,
                      const struct elsewhere_place *found, struct err *line);
/* It lacks the model; `has`: what there is, of which the nearest
 * name is told first. */
void advice_no_model(const struct endpoint *endpoint, const char *model,
                     const struct llm_models *has, struct err *ret_line);

#endif
