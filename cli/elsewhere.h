/* elsewhere.h - where on its host an API answers, when an endpoint's URL leads to none:
 * /v1 forgotten, doubled or put behind Ollama's URL, a whole path copied from a manual,
 * one API's server taken for the other's.
 *
 * Only the endpoint's own host is asked, with its own key: nobody learns anything new.
 *
 * Flow: elsewhere_start -> llm_list_models of one place after the other -> on_over
 */
#ifndef PARLEY_ELSEWHERE_H
#define PARLEY_ELSEWHERE_H

#include <stddef.h>

#include "llm/models.h"

enum { ELSEWHERE_MAX = 6 };

struct elsewhere_place {
    enum llm_provider provider; /* LLM_OPENAI or LLM_OLLAMA */
    char *url;                  /* owned */
};
struct elsewhere {
    struct llm *llm; /* borrowed, as key and owner */
    const char *key;
    struct elsewhere_place places[ELSEWHERE_MAX];
    size_t count;
    size_t at; /* being asked */
    /* found: NULL when none of them answers as an API does. Called once. */
    void (*on_over)(void *owner, const struct elsewhere_place *found);
    void *owner;
};

/* The places worth asking for a URL of that provider, without that one itself; the
 * likeliest first. Pure; the caller frees each url. */
size_t elsewhere_places(enum llm_provider provider, const char *url,
                        struct elsewhere_place places[ELSEWHERE_MAX]);
/* The caller sets llm, key, on_over and owner before, and keeps it in place. Never
 * calls back before it returned. False: there is no place to ask, and nothing was
 * begun. */
bool elsewhere_start(struct elsewhere *elsewhere, const struct llm_server *server);
void elsewhere_done(struct elsewhere *elsewhere);

#endif
