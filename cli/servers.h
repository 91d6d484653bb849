/* servers.h - the model servers that `parley models` and `parley test` ask: which, and
 * with what key.
 *
 * One by its name; else all of the config file, and of the built-in ones those that
 * were chosen: by --provider, by their URL, by a --model that names them; where there
 * is none of all these, the default provider's. Never `echo`: there is nobody to ask.
 */
#ifndef PARLEY_SERVERS_H
#define PARLEY_SERVERS_H

#include "base/err.h"
#include "llm/models.h"
#include "proto/config.h"

struct http;
struct llm;
struct loop;

struct servers {
    struct loop *loop;
    struct http *http;
    struct llm *llm;
    const struct endpoint **list; /* owned; what it points to is the config's */
    size_t count;
    size_t open; /* what is still asked; the last answer stops the loop */
};
/* name: NULL for all. ERR_USAGE when there is none of that name. */
MUST_USE bool servers_open(const struct config_loaded *loaded, const char *name,
                           struct servers *ret_servers, struct err *err);
void servers_close(struct servers *servers);
/* How to ask it; the caller frees *ret_key, which may be NULL. False when its key
 * cannot be had. */
MUST_USE bool servers_reach(const struct endpoint *endpoint,
                            struct llm_server *ret_server, char **ret_key,
                            struct err *err);
/* Runs the loop until all that was asked (the caller counts it in `open`) is answered.
 */
void servers_wait(struct servers *servers);
/* One more answer is there. */
void servers_answered(struct servers *servers);

#endif
