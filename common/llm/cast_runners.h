/* cast_runners.h - do seats that share a model agree on how it is to be loaded?
 *
 * Ollama loads a model anew whenever a call asks for other runner options (num_ctx,
 * num_gpu, ...) than the one before: two seats that differ would spend their turns on
 * that. Looked at are the places where the seats' turns go first. Pure.
 */
#ifndef PARLEY_LLM_CAST_RUNNERS_H
#define PARLEY_LLM_CAST_RUNNERS_H

#include "base/err.h"
#include "proto/cast.h"

struct config;

/* What a seat leaves open is the config's; or, where the calls are made by processes
 * with options of their own (`defaults_known` false), nobody's: it agrees with all. err
 * (ERR_USAGE) names the two seats. */
MUST_USE bool cast_runners_agree(const struct cast *cast, const struct config *config,
                                 bool defaults_known, struct err *err);

#endif
