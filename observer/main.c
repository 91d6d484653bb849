/* main.c - parley-observer: options in, exit status out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "net/program.h"
#include "observer/observe_replay.h"
#include "observer/observer.h"
#include "observer/run_parent.h"
#include "observer/tui.h"
#include "proto/keys.h"

static bool check_ids(int count, char **ids, struct err *err)
{
    for (int i = 0; i < count; i++)
        if (!conversation_id_valid(str_of(ids[i])))
            return err_set(err, ERR_USAGE, "'%s' is not a conversation's id",
                           log_safe(str_of(ids[i])));
    return true;
}

/* The full screen where it can be had; it never comes unasked into a pipe. */
static bool is_full_screen(const struct config *config)
{
    bool asked = strcmp(config->mode, "tui") == 0;
    const char *unfit;

    if (config->once)
        return true;
    if (!asked && strcmp(config->mode, "auto") != 0)
        return false;
    unfit = tui_unfit(config);
    if (unfit != NULL && asked) {
        fprintf(stderr, "parley-observer: no full screen: %s; plain text instead\n",
                unfit);
        if (run_parent_there())
            exit(TUI_UNFIT_STATUS);
    }
    return unfit == NULL;
}

static bool show(const struct config *config, const struct tui_options *tui,
                 struct err *err)
{
    const struct observer_options options = {.replay = tui->replay,
                                             .target = tui->target,
                                             .keys = tui->keys,
                                             .ids = tui->ids,
                                             .id_count = tui->id_count,
                                             .wait = config->wait,
                                             .json = strcmp(config->mode, "json") == 0,
                                             .color = config->color};

    return is_full_screen(config) ? tui_run(tui, err) : observer_run(&options, err);
}

static bool observe(const struct config_loaded *loaded, char **ids, struct err *err)
{
    const struct config *config = &loaded->values;
    struct redis_target target = {0};
    struct keys keys;
    bool ok = check_ids(loaded->rest, ids, err)
              && keys_init(&keys, config->prefix,
                           config->shard == NULL ? "0" : config->shard, err)
              && program_redis_target(loaded, &target, err);

    if (ok) {
        const struct tui_options options = {.config = config,
                                            .target = &target,
                                            .keys = &keys,
                                            .ids = (const char *const *)ids,
                                            .id_count = (size_t)loaded->rest};

        ok = show(config, &options, err);
    }
    redis_target_done(&target);
    return ok;
}

static bool replay(const struct config *config, char **words, int count,
                   struct err *err)
{
    struct observe_replay replay;

    if (!observe_replay_open(config, words, count, &replay, err))
        return false;
    return show(config,
                &(struct tui_options){.config = config,
                                      .replay = &replay,
                                      .ids = replay.ids,
                                      .id_count = replay.id_count},
                err);
}

static int run(const struct config_loaded *loaded, char **words, struct err *err)
{
    bool ok = loaded->values.replay != NULL
                  ? replay(&loaded->values, words, loaded->rest, err)
                  : observe(loaded, words, err);

    return ok ? 0 : err_exit_status(err);
}

int main(int argc, char **argv)
{
    static const struct program program = {
        {FOR_OBSERVE, "parley observe", "[--mode tui|plain|json] [ID ...]",
         "Shows conversations as they are held. Without an ID: those that run now and\n"
         "those that come, until it is interrupted. With IDs: these, until they have\n"
         "ended; they must be there, unless --wait is given. On a terminal that can "
         "it\n"
         "is a full screen (? lists its keys); into a pipe, or with --mode plain, a\n"
         "line a turn. What models write is made harmless.\n"
         "With --replay, or as parley replay: a recorded run, by its own times.\n"
         "\n"
         "  parley observe k3v9q2m4x7ab\n"
         "  parley replay --speed 8                    the latest run again\n"
         "  parley observe --mode json | jq -r 'select(.event == \"turn\")'"},
        true,
        run};

    static const struct program replayer = {
        {FOR_OBSERVE, "parley replay", "[RUN] [--speed N|max] [--from TIME] [ID ...]",
         "Shows a recorded run again, by its own times, on the same full screen;\n"
         "without a model and without Redis. RUN is a run's folder or its name, or a\n"
         "transcript file; without it the latest run is taken. IDs pick "
         "conversations.\n"
         "\n"
         "  parley replay --speed 8                    the latest run, faster\n"
         "  parley replay my-run --from 90s\n"
         "  parley replay my-run --speed max --mode plain | less"},
        true,
        run};
    /* `parley replay` says so with its first word (cli/main.c). */
    bool replays = argc > 1 && strcmp(argv[1], "--replay=-") == 0;

    log_set_name("observer");
    return program_main(replays ? &replayer : &program, argc - 1, argv + 1);
}
