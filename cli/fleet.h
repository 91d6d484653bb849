/* fleet.h - which Redis a command means that names none.
 *
 * The one given; else the newest run that is alive; else localhost. Which it is, is
 * said on stderr when it was not given.
 */
#ifndef PARLEY_FLEET_H
#define PARLEY_FLEET_H

#include "base/err.h"
#include "net/redis.h"
#include "net/redis_target.h"
#include "proto/config.h"
#include "proto/keys.h"

struct loop;

struct json_t;

enum { RUN_JSON_MAX_BYTES = 64 << 20 };

struct fleet {
    struct redis_target target;
    struct keys keys;
    struct loop *loop;
    struct redis *redis; /* connected */
};
/* Connects within 4 s or fails with ERR_REDIS. */
MUST_USE bool fleet_open(const struct config_loaded *loaded, struct fleet *ret_fleet,
                         struct err *err);
void fleet_close(struct fleet *fleet);
/* As redis_sync_call, for the words of one command; NULL ends them. */
MUST_USE bool fleet_ask(struct fleet *fleet, const char *const *words,
                        redis_on_answer *on_answer, void *owner, struct err *err);
/* "$XDG_STATE_HOME/parley/runs" or "~/.local/state/parley/runs"; caller frees. */
MUST_USE bool fleet_runs_folder(char **ret_path, struct err *err);
/* What a run.json tells: not ended, and its process is there (its pid may have been
 * given to another since; then it seems alive). Of this machine's runs only. */
bool fleet_run_lives(const struct json_t *run);
/* For a program that is handed over to: unless its words or the environment name a
 * Redis, the newest live run's goes into the environment, and that is said. */
void fleet_offer_run(char *const *words);
/* Connects within 4 s, or ERR_REDIS. */
MUST_USE bool fleet_connect(struct loop *loop, const struct redis_target *target,
                            struct redis **ret_redis, struct err *err);

#endif
