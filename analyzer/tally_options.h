/* tally_options.h - what a person wishes of the analysis, from the command line. */
#ifndef PARLEY_TALLY_OPTIONS_H
#define PARLEY_TALLY_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"

struct config;
struct tally_options;

/* --goodput, --skip-warmup, --talk; ERR_USAGE names what is wrong. */
MUST_USE bool tally_options_read(const struct config *config,
                                 struct tally_options *ret_options, struct err *err);

#endif
