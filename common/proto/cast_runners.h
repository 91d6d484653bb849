/* cast_runners.h - do seats that share a model agree on how it is to be loaded?
 *
 * Ollama loads a model anew whenever a call asks for other runner options (num_ctx,
 * num_gpu, ...) than the one before: two seats that differ would spend their turns on
 * that. Pure.
 */
#ifndef PARLEY_CAST_RUNNERS_H
#define PARLEY_CAST_RUNNERS_H

#include "base/err.h"
#include "proto/cast.h"

struct config;

/* What a seat leaves open is the config's. err (ERR_USAGE) names the two seats. */
MUST_USE bool cast_runners_agree(const struct cast *cast, const struct config *config,
                                 struct err *err);

#endif
