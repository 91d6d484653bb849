/* config.h - every option of every program, in one table and one struct.
 *
 * Values come from flags, then the environment, then the config file, then defaults;
 * each program takes the part of the table that bears its bit. Bad values stop the
 * start with ERR_USAGE: the place, the value, what is allowed.
 */
#ifndef PARLEY_CONFIG_H
#define PARLEY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"
#include "proto/config_values.h"

/* Who takes an option. */
enum config_command {
    FOR_RUN = 1,
    FOR_START = 2,
    FOR_MANAGER = 4,
    FOR_WORKER = 8,
    FOR_OBSERVE = 16,
    FOR_ANALYZE = 32,
    FOR_SIMULATE = 64,
    FOR_CHECK = 128,   /* check-config */
    FOR_CONTROL = 256, /* a running fleet: stop, say, list, dead and the like */
    FOR_ASK = 512,     /* models, test: no Redis */
    FOR_PERFORMANCE = 1024,
    FOR_STOP = 2048, /* beside FOR_CONTROL */
    FOR_CLEAN = 4096,
    FOR_EXPORT = 1 << 13,
    FOR_COMPARE = 1 << 14, /* no Redis */
    FOR_SAY = 1 << 15,     /* beside FOR_CONTROL, as the next */
    FOR_PAUSE = 1 << 16
};

/* One program's view: its command bit and how it is called. */
struct config_use {
    unsigned command;     /* one bit of config_command */
    const char *name;     /* "parley run" */
    const char *synopsis; /* "[--topic TEXT] [--turns N] ..." */
    const char *about;    /* a paragraph and examples, for --help */
};
struct config_loaded {
    struct config values;
    struct opt_set set;
    int rest;       /* words that are no flags: argv[0..rest) */
    char *warnings; /* owned: what is allowed and yet not wise, a line each; or NULL */
};

enum config_next {
    CONFIG_GO,   /* do the work */
    CONFIG_OVER, /* --help, --version or --show-config was printed: exit 0 */
    CONFIG_BAD   /* err tells: exit 2 */
};
/* Reads argv[0..argc) (without program and command words), the environment and the
 * config file; prints what --help, --version and --show-config ask for to stdout; sets
 * log level and trace. *ret_loaded is owned by the caller in every case (config_done).
 */
enum config_next config_load(const struct config_use *use, int argc, char **argv,
                             struct config_loaded *ret_loaded, struct err *err);
void config_done(struct config_loaded *loaded);
/* The Redis URL that host, port, db or url of the config name; caller frees. NULL when
 * none of them was given. The password stays in its file. */
char *config_redis_url(const struct config_loaded *loaded);
/* The model of a seat (from 1): its own or everybody's. */
const char *config_model(const struct config *config, int64_t seat);
/* The options that `command` takes as two members of run.json:
 * `,"config":{"conversation.max_turns":"6",...},"sources":{"...":"flag",...}`; the
 * config file's endpoints as "endpoints.<name>.url" and so on, without secrets. */
bool config_to_json(const struct config_loaded *loaded, unsigned command,
                    struct buf *into);
extern const struct opt_row config_rows[];
extern const size_t config_row_count;

#endif
