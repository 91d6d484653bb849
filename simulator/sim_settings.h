/* sim_settings.h - the `options` of a request to Ollama's API: of what type each is,
 * and which of them a model must be loaded anew for when another call has them
 * otherwise. Pure.
 *
 * As the real server (ollama/ollama, api/types.go and server/sched.go of 2026): a wrong
 * type is status 500, null is as if not given, and a name it does not know is only
 * logged.
 */
#ifndef PARLEY_SIM_SETTINGS_H
#define PARLEY_SIM_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct sim_refusal;

/* How a model is loaded; with its defaults, so that what is given as the default is the
 * same as what is not given. */
struct sim_runner {
    int64_t num_ctx; /* as asked for; the model may have less */
    int64_t num_batch;
    int64_t num_gpu;
    int64_t main_gpu;
    int64_t num_thread;
    int64_t draft_num_predict;
    int64_t use_mmap; /* -1: not given */
    bool no_shift; /* `shift` is false: not among the options, but of the same kind */
};
/* Whether `next` can use what was loaded for `loaded`; a num_gpu below 0 fits any. */
bool sim_runner_fits(const struct sim_runner *loaded, const struct sim_runner *next);

struct sim_settings {
    struct sim_runner runner;
    int64_t num_predict;
    int64_t seed;
    const json_t *stops; /* list of strings, borrowed, or NULL */
};
enum { SIM_NUM_CTX = 4096, SIM_NUM_CTX_MIN = 4 };

struct sim_settings sim_settings_default(void);
/* options: an object, or NULL. False: *ret_refusal says which one is of what type. */
MUST_USE bool sim_settings_read(const json_t *options, struct sim_settings *settings,
                                struct sim_refusal *ret_refusal);

#endif
