/* main.c - parley-observer: options in, exit status out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "net/redis.h"
#include "observer.h"
#include "proto/config.h"
#include "proto/keys.h"

static const struct config_use use = {
    .command = FOR_OBSERVE,
    .name = "parley-observer",
    .synopsis = "[--mode plain|json] [--redis URL] [--shard S] [ID ...]",
    .about =
        "Shows conversations as they are held. Without an ID: those that run now and\n"
        "those that come, until it is interrupted. With IDs: these, until they have\n"
        "ended. One conversation on a terminal is shown word by word; several, or\n"
        "into a pipe, a line a turn. What models write is made harmless.\n"
        "\n"
        "Examples:\n"
        "  parley observe k3v9q2m4x7ab\n"
        "  parley observe --mode json | jq -r 'select(.event == \"turn\")'\n",
};
static const char redis_default[] = "redis://127.0.0.1:6379";
static const char shard_default[] = "0";

static bool check_ids(int count, char **ids, struct err *err)
{
    for (int i = 0; i < count; i++)
        if (!conversation_id_valid(str_of(ids[i])))
            return err_set(err, ERR_USAGE, "%s is not a conversation's id", ids[i]);
    return true;
}

static bool observe(const struct config_loaded *loaded, char **ids, struct err *err)
{
    const struct config *config = &loaded->values;
    const char *shard = config->shard == NULL ? shard_default : config->shard;
    char *url = config_redis_url(loaded);
    struct redis_target target = {0};
    struct keys keys;
    bool ok = false;

    if (!check_ids(loaded->rest, ids, err)
        || !keys_init(&keys, config->prefix, shard, err)
        || !redis_target_parse(url == NULL ? redis_default : url, &target, err))
        goto out;
    ok = observer_run(
        &(struct observer_options){.target = &target,
                                   .keys = &keys,
                                   .ids = (const char *const *)ids,
                                   .id_count = (size_t)loaded->rest,
                                   .json = strcmp(config->observe, "json") == 0,
                                   .color = config->color},
        err);
out:
    redis_target_done(&target);
    free(url);
    return ok;
}

int main(int argc, char **argv)
{
    struct config_loaded loaded;
    struct err err = {0};
    enum config_next next;
    bool ok;

    log_set_name("observer");
    next = config_load(&use, argc - 1, argv + 1, &loaded, &err);
    ok = next == CONFIG_OVER || (next == CONFIG_GO && observe(&loaded, argv + 1, &err));
    config_done(&loaded);
    if (ok)
        return 0;
    log_error("observer", "%s", err.msg);
    return err_exit_status(&err);
}
