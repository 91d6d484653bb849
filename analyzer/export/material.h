/* material.h - the files an export is made from, wherever they come from.
 *
 * A run's folder and a log are read where they lie. What comes through a pipe, and what
 * stands in Redis, is kept in a temporary folder first (TMPDIR, else /tmp) and that is
 * said: an export may read its log several times.
 */
#ifndef PARLEY_MATERIAL_H
#define PARLEY_MATERIAL_H

#include <stdbool.h>

#include "base/err.h"

struct json_t;
struct notes;
struct where;

struct material {
    char *transcript;   /* owned: its path */
    char *calls;        /* owned: NULL there is none */
    char *spool;        /* owned: the temporary folder, or NULL */
    struct json_t *run; /* owned: run.json, or NULL */
    const char *topic;  /* borrowed from `run`: of all conversations, or NULL */
    unsigned long cast; /* where the last topic was found in run.json */
};

/* `twice`: the transcript will be read more than once. *ret_material is owned by the
 * caller (material_done). ERR_USAGE when what was named is not there. */
MUST_USE bool material_find(const struct where *where, const char *prefix, bool twice,
                            struct notes *notes, struct material *ret_material,
                            struct err *err);
/* Removes the temporary folder. */
void material_done(struct material *material);
/* What the personas of a conversation were told it is about; NULL: unknown. owner: the
 * material. */
const char *material_topic(void *owner, const char *conversation);
/* The prompt templates' folder that the run was given, or NULL. */
const char *material_prompts(const struct material *material);

#endif
