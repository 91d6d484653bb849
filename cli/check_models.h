/* check_models.h - is the model server there, and does it have what is wanted? */
#ifndef PARLEY_CHECK_MODELS_H
#define PARLEY_CHECK_MODELS_H

#include <stdint.h>

#include "base/err.h"
#include "proto/config.h"

struct loop;

/* Asks the Ollama server for its models; every model of the seats (1 to `seats`) must
 * be among them. ERR_MODEL names the URL and what to do. */
MUST_USE bool check_models(struct loop *loop, const struct config *config,
                           int64_t seats, struct err *err);

#endif
