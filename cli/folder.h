/* folder.h - the folder of a run: run.json, transcript.jsonl, calls.jsonl,
 * events.jsonl, analysis.json, logs/. JSON Lines is the truth after a run.
 */
#ifndef PARLEY_FOLDER_H
#define PARLEY_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/config.h"

struct keeping;

struct folder {
    char *path;  /* owned, absolute */
    char *logs;  /* owned: "<path>/logs" */
    char id[16]; /* the run's */
    char started_at[32];
};
/* --out, or a new one among the runs; ERR_USAGE when --out holds a run and --force is
 * not given. Points `latest` to it. */
MUST_USE bool folder_make(const struct config *config, struct folder *ret_folder,
                          struct err *err);
void folder_done(struct folder *folder);
char *folder_log(const struct folder *folder, const char *name); /* caller frees */

/* What run.json tells besides the options. */
struct folder_facts {
    const char *redis_url; /* without its password */
    const char *prefix;
    const char *shard;
    bool private_redis;
    const struct keeping *keeping; /* what that Redis keeps when it dies */
    int64_t seed;                  /* -1: none */
    const char *const *conversations;
    size_t conversation_count;
    const char *stories; /* JSON arrays, NULL: "[]" */
    const char *casts;
    bool ended;
    int exit_status;
};
MUST_USE bool folder_write_run(const struct folder *folder,
                               const struct config_loaded *loaded,
                               const struct folder_facts *facts, struct err *err);

#endif
