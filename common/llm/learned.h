/* learned.h - what this process has learned of models from their answers, by endpoint
 * and model: the parameters one does not take, and how much room its thoughts need.
 * Pure.
 *
 * A lesson costs one call; remembered here it costs that once a process. Bounded: of
 * more than LEARNED_MODELS models the one that came first is forgotten, and learned
 * anew.
 */
#ifndef PARLEY_LLM_LEARNED_H
#define PARLEY_LLM_LEARNED_H

#include <stddef.h>
#include <stdint.h>

#include "llm/param.h"

enum { LEARNED_MODELS = 64 };

struct learned {
    struct learned_model {
        char *url;              /* owned, as the model; NULL: free */
        char *model;            /* as it is asked for */
        unsigned untaken;       /* bits of param.h */
        int64_t thought_tokens; /* the most of a reply they cut off; 0: of none */
    } models[LEARNED_MODELS];
    size_t next; /* the place of the next one that is new */
};
/* All zero is empty. */
void learned_done(struct learned *learned);
void learned_untaken(struct learned *learned, const char *url, const char *model,
                     enum llm_param param);
void learned_thought(struct learned *learned, const char *url, const char *model,
                     int64_t tokens);
/* NULL: nothing of that one. Valid until something is learned. */
const struct learned_model *learned_find(const struct learned *learned, const char *url,
                                         const char *model);
/* Tokens for thoughts beside those of the words: twice the most that was seen, from
 * 1024 to 32768; 0 when no reply was cut off by them, or nothing is known (NULL). */
int64_t learned_room(const struct learned_model *model);

#endif
