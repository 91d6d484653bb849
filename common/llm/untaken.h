/* untaken.h - what this process has learned of the parameters that models do not take,
 * by endpoint and model. Pure.
 *
 * A refusal costs one call; remembered here it costs that once a process. Bounded: of
 * more than UNTAKEN_MODELS models the one that was added first is forgotten, and
 * learned anew.
 */
#ifndef PARLEY_LLM_UNTAKEN_H
#define PARLEY_LLM_UNTAKEN_H

#include <stddef.h>

#include "llm/param.h"

enum { UNTAKEN_MODELS = 64 };

struct untaken {
    struct untaken_model {
        char *url;       /* owned, as the model; NULL: free */
        char *model;     /* as it is asked for */
        unsigned params; /* bits of param.h */
    } models[UNTAKEN_MODELS];
    size_t next; /* the place of the next one that is new */
};
/* All zero is empty. */
void untaken_done(struct untaken *untaken);
void untaken_add(struct untaken *untaken, const char *url, const char *model,
                 enum llm_param param);
unsigned untaken_find(const struct untaken *untaken, const char *url,
                      const char *model);

#endif
