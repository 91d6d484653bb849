/* run_info.h - the little that the report repeats from a run's run.json. */
#ifndef PARLEY_RUN_INFO_H
#define PARLEY_RUN_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* A setting as run.json has it; both owned. */
struct run_setting {
    char *key;   /* "model.name" */
    char *value; /* user names, passwords and queries in URLs are "***" */
    bool given;  /* by a flag, the environment or a file: not the default */
};
struct run_info {
    char *run_id;     /* owned, as the texts below */
    char *started_at; /* RFC 3339 */
    char *version;    /* of parley, NULL unknown */
    int64_t seed;     /* -1 none */
    bool cut_off;     /* it wrote no end, and there is no such process here any more */
    struct run_setting *settings; /* owned */
    size_t setting_count;
};

/* Of a document by schemas/run.schema.json; only what is read here is looked at.
 * *ret_info is owned by the caller (run_info_done). */
MUST_USE bool run_info_parse(struct str json, struct run_info *ret_info,
                             struct err *err);
void run_info_done(struct run_info *info);
/* The text with what could be a secret in its URLs replaced by "***"; caller frees. */
char *run_info_mask(const char *text);

#endif
