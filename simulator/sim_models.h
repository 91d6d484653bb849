/* sim_models.h - the models the simulator says it has, as /api/tags, /api/ps, /api/show
 * and /v1/models tell of them. Pure: the caller has the clock.
 */
#ifndef PARLEY_SIM_MODELS_H
#define PARLEY_SIM_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "simulator/sim_settings.h"

struct flavor;

#define SIM_FOREVER     INT64_MAX
#define SIM_KEEP_UNSAID INT64_MIN /* a keep_alive that was not given */

/* What a call needs before its model can serve it. */
enum sim_load {
    SIM_LOAD_NONE,   /* it is there */
    SIM_LOAD_COLD,   /* it is not loaded */
    SIM_LOAD_CHANGED /* it is, but for other options: it must be loaded anew */
};

struct sim_model {
    char *name; /* with its tag: "llama3.2:latest" */
    char digest[65];
    const struct sim_family *family;
    int64_t modified_us;
    int64_t keep_ms;          /* after its last call; below 0: for ever */
    int64_t expires_us;       /* wall time until which it is loaded; 0: it is not */
    struct sim_runner runner; /* it was loaded for */
    unsigned busy;            /* calls that use it now */
    bool deleted;             /* there is none of that name any more */
};
struct sim_models {
    struct sim_model **list; /* each is owned, and stays where it is */
    size_t count;
};

/* The usual names and those of `more` (comma between; NULL: none). */
void sim_models_init(struct sim_models *models, const char *more);
void sim_models_done(struct sim_models *models);
/* "llama3.2" is "llama3.2:latest"; NULL when there is none of that name. */
struct sim_model *sim_models_find(const struct sim_models *models, struct str name);
/* Whether it is a name, and whether one of that name could be pulled: the families that
 * are there. */
bool sim_models_is_name(struct str name);
bool sim_models_in_library(struct str name);
/* Adds it, or does nothing where it is. Returns it; NULL: there are too many. */
struct sim_model *sim_models_add(struct sim_models *models, struct str name,
                                 int64_t now_us);
/* The same model by another name. False: there are too many. */
MUST_USE bool sim_models_copy(struct sim_models *models, struct str source,
                              struct str target, int64_t now_us);
/* What is being said goes on to its end. */
void sim_model_delete(struct sim_model *model);

/* ---- loaded and unloaded ---- */

enum sim_load sim_model_needs(const struct sim_model *model,
                              const struct sim_runner *runner, int64_t now_us);
/* A call begins to use it, loaded as the runner says: it must fit, or nobody else use
 * it now. */
void sim_model_enter(struct sim_model *model, const struct sim_runner *runner,
                     int64_t keep_ms, int64_t now_us);
void sim_model_leave(struct sim_model *model, int64_t now_us);
/* Unloads it, after its calls. */
void sim_model_unload(struct sim_model *model);
/* The window it has when it is loaded for this: no more than it was trained for. */
int64_t sim_model_window(const struct sim_model *model,
                         const struct sim_runner *runner);

/* ---- told ---- */

void sim_models_tags(const struct sim_models *models, struct buf *into);
/* Those loaded at now_us. */
void sim_models_ps(const struct sim_models *models, int64_t now_us, struct buf *into);
/* As /v1/models of the flavor tells of them; the one, or all (NULL). */
void sim_models_list(const struct sim_models *models, const struct flavor *flavor,
                     const struct sim_model *only, struct buf *into);
bool sim_model_thinks(const struct sim_model *model);
int64_t sim_model_context(const struct sim_model *model); /* tokens, at most */
int64_t sim_model_bytes(const struct sim_model *model);
void sim_model_show(const struct sim_model *model, struct buf *into);

#endif
