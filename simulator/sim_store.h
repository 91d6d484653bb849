/* sim_store.h - requests about the models that Ollama keeps: shown, copied, deleted;
 * what it can do besides and a simulator cannot is refused in its form. Pulling one is
 * in sim_pull.h.
 */
#ifndef PARLEY_SIM_STORE_H
#define PARLEY_SIM_STORE_H

#include <jansson.h>

struct serve_request;
struct sim_world;

void sim_store_show(struct sim_world *world, struct serve_request *http);
void sim_store_copy(struct sim_world *world, struct serve_request *http);
void sim_store_delete(struct sim_world *world, struct serve_request *http);
/* No model here has embeddings: the real server's words for such a one. */
void sim_store_embed(struct sim_world *world, struct serve_request *http);
/* Nobody is signed in. */
void sim_store_me(struct sim_world *world, struct serve_request *http);
void sim_store_blob(struct sim_world *world, struct serve_request *http);
/* What is not simulated: 501. */
void sim_store_refuse(struct sim_world *world, struct serve_request *http);

/* The request's document, to be released by the caller; NULL: refused, as the real
 * server does. */
json_t *sim_store_read(struct sim_world *world, struct serve_request *http);
/* The model it names; "" where it names none. */
const char *sim_store_name(const json_t *document);

#endif
