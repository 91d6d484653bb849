/* trial.h - one small real call of a model server, and what was seen of it. Nothing is
 * retried; what the model does not take is left out and asked again: this tells how
 * things are.
 *
 * Flow: trial_start -> (no model known: llm_list_models ->) llm_start -> on_result
 *       -> (a parameter is refused: llm_start without it ->)
 *       -> done: llm_ask_slots, server_version_ask | the model is missing:
 *          llm_list_models | no API there: elsewhere_start
 *       -> on_over, servers_answered
 */
#ifndef PARLEY_TRIAL_H
#define PARLEY_TRIAL_H

#include <stdint.h>

#include "base/err.h"
#include "cli/elsewhere.h"
#include "cli/server_version.h"
#include "cli/servers.h"
#include "llm/models.h"
#include "llm/param.h"
#include "proto/config.h"

struct trial {
    struct servers *servers; /* borrowed, as the next two */
    const struct config *config;
    const struct endpoint *endpoint;
    struct llm_server server;
    struct elsewhere elsewhere;
    struct server_version version;
    char *root; /* owned: the URL without an API's path, or NULL */
    bool over;  /* all below is known */
    /* Once. */
    void (*on_over)(struct trial *trial);
    char *key;   /* owned, or NULL */
    char *model; /* owned: asked for, then as the server names it; or NULL */
    enum llm_error error;
    struct err reason; /* one line a user can act on, unless all is well */
    char finish[32];
    const char *not_taken[PARAM_COUNT]; /* what the model does not take; static texts */
    size_t not_taken_count;
    int64_t connect_us; /* -1 unknown, as all that follows */
    int64_t first_us;
    int64_t total_us;
    int64_t prompt_tokens;
    int64_t cached_tokens;
    int64_t tokens;
    int64_t generation_ns;
    int64_t
        window; /* as in struct endpoint; what the server told, where it was asked */
};

/* Begins; the trial must stay where it is until servers_wait is over. on_over may be
 * called before this returns: a key may be missing. */
void trial_start(struct trial *trial, struct servers *servers,
                 const struct config_loaded *loaded, const struct endpoint *endpoint,
                 void (*on_over)(struct trial *trial));
void trial_done(struct trial *trial);

#endif
