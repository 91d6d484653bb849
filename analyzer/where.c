/* where.c - see where.h. */
#include "analyzer/where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/runs.h"
#include "base/utf8.h"
#include "net/program.h"
#include "proto/config.h"

static bool flag_gave(const struct config_loaded *loaded, const char *flag)
{
    return loaded->set.from[opt_by_flag(&loaded->set, flag)] == OPT_FLAG_GIVEN;
}

static bool wants_redis(const struct config_loaded *loaded)
{
    return flag_gave(loaded, "redis") || flag_gave(loaded, "redis-host")
           || flag_gave(loaded, "redis-port") || flag_gave(loaded, "shard");
}

#define STDIN_PATH "/dev/stdin"

static char *existing_path(const char *word)
{
    if (word != NULL && strcmp(word, "-") == 0)
        return x_strdup(STDIN_PATH);
    return runs_find(word);
}

/* "s1-k3v9q2m4x7ab" is of shard s1: what stands before the last "-". */
static void shard_of(const struct config *config, const char *word,
                     char ret_shard[SHARD_MAX_LETTERS + 1])
{
    const char *dash = word == NULL ? NULL : strrchr(word, '-');
    size_t len = dash == NULL ? 0 : (size_t)(dash - word);

    if (config->shard != NULL)
        (void)snprintf(ret_shard, SHARD_MAX_LETTERS + 1, "%s", config->shard);
    else if (len > 0 && len <= SHARD_MAX_LETTERS && conversation_id_valid(str_of(word)))
        fmt_into(ret_shard, SHARD_MAX_LETTERS + 1, "%.*s", (int)len, word);
    else
        fmt_into(ret_shard, SHARD_MAX_LETTERS + 1, "0");
}

static bool find_redis(const struct config_loaded *loaded, const char *word,
                       struct where *where, struct err *err)
{
    const struct config *config = &loaded->values;
    char shard[SHARD_MAX_LETTERS + 1];

    shard_of(config, word, shard);
    if (!program_redis_target(loaded, &where->redis, err)
        || !keys_init(&where->keys, config->prefix, shard, err))
        return false;
    if (word != NULL && !conversation_id_valid(str_of(word)))
        return err_set(err, ERR_USAGE, "'%s' is no conversation's id",
                       log_safe(str_of(word)));
    where->conversation = word == NULL ? NULL : x_strdup(word);
    return true;
}

bool where_find(const struct config_loaded *loaded, const char *word,
                struct where *ret_where, struct err *err)
{
    struct where where = {.path = NULL};
    char *url = config_redis_url(loaded);
    bool has_redis = url != NULL;
    bool ok = true;

    free(url);
    if (!wants_redis(loaded))
        where.path = existing_path(word);
    if (where.path == NULL) {
        if (wants_redis(loaded) || (word != NULL && has_redis))
            ok = find_redis(loaded, word, &where, err);
        else if (word == NULL)
            ok = err_set(err, ERR_USAGE, "there is no latest run: name a run's folder");
        else
            ok = err_set(err, ERR_USAGE, "%s: no such folder, file or run",
                         log_safe(str_of(word)));
    }
    if (ok)
        *ret_where = where;
    else
        where_done(&where);
    return ok;
}

bool where_redis(const struct config_loaded *loaded, const char *word,
                 struct where *ret_where, struct err *err)
{
    struct where where = {.path = NULL};

    if (find_redis(loaded, word, &where, err)) {
        *ret_where = where;
        return true;
    }
    where_done(&where);
    return false;
}

void where_done(struct where *where)
{
    free(where->path);
    free(where->conversation);
    redis_target_done(&where->redis);
    *where = (struct where){.path = NULL};
}

char *where_text(const struct where *where)
{
    char *url;
    char *text;

    if (where->path != NULL)
        return x_strdup(strcmp(where->path, STDIN_PATH) == 0 ? "standard input"
                                                             : where->path);
    url = redis_target_text(&where->redis);
    text = x_printf("%s shard %s", url, where->keys.shard);
    free(url);
    return text;
}
