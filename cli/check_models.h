/* check_models.h - are the model servers of a conversation there, and do they have what
 * its seats ask for? */
#ifndef PARLEY_CHECK_MODELS_H
#define PARLEY_CHECK_MODELS_H

#include "base/err.h"
#include "proto/config.h"
#include "proto/wish.h"

struct loop;

/* Asks every endpoint where turns of the wish may go for its models. Each seat (and the
 * story, unless there is a file) needs one among its first choices that answers and has
 * the model: else ERR_MODEL, in a line a user can act on. Other trouble is told on
 * stderr, a line each: those would be asked in need only. */
MUST_USE bool check_models(struct loop *loop, const struct config *config,
                           const struct wish *wish, struct err *err);
/* The same without a word to any of them: whether each seat has a first choice at all.
 * *ret_warnings: so many lines were told on stderr. */
MUST_USE bool check_plans(const struct config *config, const struct wish *wish,
                          size_t *ret_warnings, struct err *err);

#endif
