/* sim_models.h - the models the simulator says it has, as /api/tags, /api/ps, /api/show
 * and /v1/models tell of them. Pure: the caller has the clock.
 */
#ifndef PARLEY_SIM_MODELS_H
#define PARLEY_SIM_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#define SIM_FOREVER INT64_MAX

struct sim_model {
    char *name; /* with its tag: "llama3.2:latest" */
    char digest[65];
    const struct sim_family *family;
    int64_t expires_us; /* wall time until which it is loaded; 0: it is not */
    int64_t num_ctx;    /* it was loaded with */
    unsigned busy;      /* requests that use it now */
};
struct sim_models {
    struct sim_model *list;
    size_t count;
};

/* The usual names and those of `more` (comma between; NULL: none). */
void sim_models_init(struct sim_models *models, const char *more);
void sim_models_done(struct sim_models *models);
/* "llama3.2" is "llama3.2:latest"; NULL when there is none of that name. */
struct sim_model *sim_models_find(const struct sim_models *models, struct str name);

void sim_models_tags(const struct sim_models *models, struct buf *into);
/* Those loaded at now_us. */
void sim_models_ps(const struct sim_models *models, int64_t now_us, struct buf *into);
/* As /v1/models tells of them; the one, or all (NULL). */
void sim_models_list(const struct sim_models *models, const struct sim_model *only,
                     struct buf *into);
bool sim_model_thinks(const struct sim_model *model);
int64_t sim_model_context(const struct sim_model *model); /* tokens, at most */
void sim_model_show(const struct sim_model *model, struct buf *into);

#endif
