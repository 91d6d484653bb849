/* tally_options.c - see tally_options.h. */
#include "analyzer/tally_options.h"

#include <string.h>

#include "analyzer/tally.h"
#include "proto/config_values.h"

static enum speech_mode mode_of(const char *talk)
{
    if (strcmp(talk, "none") == 0)
        return SPEECH_NONE;
    return strcmp(talk, "all") == 0 ? SPEECH_ALL : SPEECH_SAMPLE;
}

bool tally_options_read(const struct config *config, struct tally_options *ret_options,
                        struct err *err)
{
    struct tally_options options = {.warmup = {.begin_us = -1, .until_us = -1},
                                    .speech = mode_of(config->talk)};

    goodput_init(&options.goodput);
    if (config->goodput != NULL
        && !goodput_parse(str_of(config->goodput), &options.goodput, err))
        return false;
    if (config->skip_warmup != NULL
        && !warmup_parse(str_of(config->skip_warmup), &options.warmup, err))
        return false;
    *ret_options = options;
    return true;
}
