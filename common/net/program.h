/* program.h - what every program's main does: options, versions, the last word.
 *
 * Also where config and net meet: the Redis that the options name.
 */
#ifndef PARLEY_PROGRAM_H
#define PARLEY_PROGRAM_H

#include "base/err.h"
#include "net/redis_target.h"
#include "proto/config.h"

struct program {
    struct config_use use;
    bool takes_words; /* words that are no flags are allowed */
    /* Returns the exit status; err tells why when it is not 0 (it is then printed as
     * "<name>: <message>"). words: argv[0..loaded->rest). */
    int (*run)(const struct config_loaded *loaded, char **words, struct err *err);
};
/* argv without the program's name (and without the command word of `parley`). */
int program_main(const struct program *program, int argc, char **argv);

/* Tells who started us that we are in service: a line on the descriptor that
 * PARLEY_READY_FD names (3 or above), which is closed then. Without that variable, and
 * when called again, nothing happens. */
void program_ready(void);

/* The target of --redis, REDIS_URL, the config's redis section or, where none of them
 * is given, redis://127.0.0.1:6379. The password file is read. ERR_USAGE names what is
 * wrong. */
MUST_USE bool program_redis_target(const struct config_loaded *loaded,
                                   struct redis_target *ret_target, struct err *err);
/* ERR_REDIS: nothing was heard of that Redis, not even why. */
void program_redis_silent(const struct redis_target *target, struct err *ret_err);

#endif
