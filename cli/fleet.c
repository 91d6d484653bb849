/* fleet.c - see fleet.h. */
#include "cli/fleet.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/runs.h"
#include "net/layout.h"
#include "net/loop.h"
#include "net/program.h"
#include "net/redis_sync.h"
#include "proto/schema.h"

enum { CONNECT_MS = 4000, WORDS_MAX = 16 };

bool fleet_runs_folder(char **ret_path, struct err *err)
{
    char *path = runs_folder();

    if (path == NULL)
        return err_set(err, ERR_USAGE,
                       "neither XDG_STATE_HOME nor HOME is set: give --out");
    *ret_path = path;
    return true;
}

bool fleet_connect(struct loop *loop, const struct redis_target *target,
                   struct redis **ret_redis, struct err *err)
{
    return redis_sync_connect(loop, target, CONNECT_MS, ret_redis, err);
}

bool fleet_run_lives(const struct json_t *run)
{
    pid_t pid = (pid_t)json_integer_value(json_object_get(run, "pid"));

    return json_is_null(json_object_get(run, "ended_at")) && pid > 1
           && (kill(pid, 0) == 0 || errno != ESRCH);
}

/* The newest run's Redis, if that run is alive. */
static char *live_run(char **ret_shard)
{
    char *folder = NULL;
    char *path = NULL;
    char *url = NULL;
    json_t *run = NULL;
    const json_t *redis;
    struct err ignored;
    struct buf text;

    buf_init(&text, RUN_JSON_MAX_BYTES);
    if (!fleet_runs_folder(&folder, &ignored))
        goto out;
    path = path_join(folder, "latest/run.json");
    if (!file_slurp(path, &text, &ignored)
        || !json_read(buf_str(&text), &run, &ignored))
        goto out;
    redis = json_object_get(run, "redis");
    if (!json_is_string(json_object_get(redis, "url")) || !fleet_run_lives(run))
        goto out;
    url = x_strdup(json_string_value(json_object_get(redis, "url")));
    if (json_is_string(json_object_get(redis, "shard")))
        *ret_shard = x_strdup(json_string_value(json_object_get(redis, "shard")));
out:
    json_decref(run);
    buf_done(&text);
    free(path);
    free(folder);
    return url;
}

static bool names_redis(char *const *words)
{
    static const char *const variables[] = {"REDIS_URL", "PARLEY_REDIS",
                                            "PARLEY_REDIS_HOST", "PARLEY_CONFIG"};

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (getenv(variables[i]) != NULL)
            return true;
    for (; *words != NULL; words++)
        if (str_starts(str_of(*words), "--redis")
            || str_starts(str_of(*words), "--config") || strcmp(*words, "--help") == 0
            || strcmp(*words, "--version") == 0)
            return true;
    return false;
}

void fleet_offer_run(char *const *words)
{
    char *shard = NULL;
    char *url = names_redis(words) ? NULL : live_run(&shard);

    if (url != NULL && setenv("PARLEY_REDIS", url, 1) == 0
        && setenv("PARLEY_SHARD", shard == NULL ? "0" : shard, 1) == 0)
        fprintf(stderr, "parley: using %s (the newest run)\n", url);
    free(shard);
    free(url);
}

static bool choose(const struct config_loaded *loaded, struct fleet *fleet,
                   char **ret_shard, struct err *err)
{
    char *given = config_redis_url(loaded);
    char *url = given == NULL ? live_run(ret_shard) : NULL;
    bool ok;

    if (given != NULL || url == NULL)
        ok = program_redis_target(loaded, &fleet->target, err);
    else
        ok = redis_target_parse(url, &fleet->target, err);
    if (given == NULL && ok) {
        char *text = redis_target_text(&fleet->target);

        fprintf(stderr, "parley: using %s (%s)\n", text,
                url != NULL ? "the newest run"
                            : "no run is alive, no --redis given; `parley analyze` "
                              "shows the last one");
        free(text);
    }
    free(given);
    free(url);
    return ok;
}

bool fleet_open(const struct config_loaded *loaded, struct fleet *ret_fleet,
                struct err *err)
{
    struct fleet fleet = {0};
    char *shard = NULL;
    const char *named = loaded->values.shard;
    bool ok;

    fleet.loop = loop_new();
    ok = choose(loaded, &fleet, &shard, err);
    if (named == NULL)
        named = shard == NULL ? "0" : shard;
    ok = ok && keys_init(&fleet.keys, loaded->values.prefix, named, err)
         && fleet_connect(fleet.loop, &fleet.target, &fleet.redis, err)
         && layout_check(fleet.loop, fleet.redis, &fleet.keys, err);
    free(shard);
    if (ok)
        *ret_fleet = fleet;
    else
        fleet_close(&fleet);
    return ok;
}

void fleet_close(struct fleet *fleet)
{
    if (fleet->redis != NULL)
        redis_free(fleet->redis);
    redis_target_done(&fleet->target);
    loop_free(fleet->loop);
}

bool fleet_ask(struct fleet *fleet, const char *const *words,
               redis_on_answer *on_answer, void *owner, struct err *err)
{
    struct str argv[WORDS_MAX];
    struct redis_call call = {.argv = argv, .on_answer = on_answer, .owner = owner};

    while (words[call.argc] != NULL) {
        assert(call.argc < WORDS_MAX);
        argv[call.argc] = str_of(words[call.argc]);
        call.argc++;
    }
    return redis_sync_call(fleet->loop, fleet->redis, &call, err);
}
