/* warm.h - has Ollama load the models of a cast before its conversation begins.
 *
 * Loading takes minutes in which nothing is on the wire; the clock of a conversation
 * should not run meanwhile. Each endpoint and model (with its runner options) is asked
 * once in half of keep_alive and leadership. A model that is not there ends the
 * conversation; any other trouble is only logged: its turns wait for servers.
 *
 * Flow: warm_look -> WARM_WAIT, router_start each -> on_warm -> begin_ready
 *       -> warm_look -> WARM_READY | WARM_FAILED
 */
#ifndef PARLEY_WARM_H
#define PARLEY_WARM_H

#include <sys/queue.h>

#include "base/err.h"

struct manager;
struct talk;

struct warm_model;
TAILQ_HEAD(warm_list, warm_model);

enum warm_state { WARM_READY, WARM_WAIT, WARM_FAILED };
/* Whether the models of the talk's cast are loaded; asks for those that are not.
 * WARM_FAILED: err tells which model is not there. */
enum warm_state warm_look(struct manager *manager, const struct talk *talk,
                          struct err *err);
/* A leadership is over: what was learned may not hold in the next. */
void warm_clear(struct manager *manager);
/* The end; after router_free, which drops what is still asked. */
void warm_done(struct manager *manager);

#endif
