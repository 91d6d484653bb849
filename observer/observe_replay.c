/* observe_replay.c - see observe_replay.h. */
#include "observe_replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/runs.h"
#include "base/utf8.h"
#include "proto/config.h"
#include "proto/keys.h"
#include "source/replay_clock.h"
#include "source/replay_record.h"

static void on_note(void *owner, const char *text)
{
    (void)owner;
    fprintf(stderr, "parley-observer: %s\n", text);
}

static bool open_record(const char *word, struct replay_record **ret_record,
                        struct err *err)
{
    char *path = runs_find(word);
    bool ok;

    if (path == NULL && word == NULL)
        return err_set(err, ERR_USAGE, "there is no latest run: name a run's folder");
    if (path == NULL)
        return err_set(err, ERR_USAGE, "%s: no such folder, file or run",
                       log_safe(str_of(word)));
    ok = replay_record_open(path, on_note, NULL, ret_record, err);
    free(path);
    return ok;
}

static bool check_ids(const struct replay_record *record, char **ids, int count,
                      struct err *err)
{
    size_t ignored;

    for (int i = 0; i < count; i++)
        if (!replay_record_find(record, str_of(ids[i]), &ignored))
            return err_set(err, ERR_USAGE, "%s is not in this record",
                           log_safe(str_of(ids[i])));
    return true;
}

bool observe_replay_open(const struct config *config, char **words, int count,
                         struct observe_replay *ret_replay, struct err *err)
{
    struct observe_replay replay = {.record = NULL};
    const char *word = config->replay;

    if (!replay_speed_parse(config->speed, &replay.speed))
        return err_set(err, ERR_USAGE,
                       "--speed %s: neither a number from 0.25 to 1024 nor max",
                       log_safe(str_of(config->speed)));
    if (strcmp(word, "-") == 0) {
        word = count > 0 ? words[0] : NULL;
        words += count > 0;
        count -= count > 0;
    }
    if (!open_record(word, &replay.record, err))
        return false;
    if (!check_ids(replay.record, words, count, err)) {
        replay_record_free(replay.record);
        return false;
    }
    replay.ids = (const char *const *)words;
    replay.id_count = (size_t)count;
    replay.start_us = replay_record_first_us(replay.record) + config->from_ms * 1000;
    *ret_replay = replay;
    if (count == 0 && replay_record_talks(replay.record) == 1) {
        ret_replay->only = replay_record_id(replay.record, 0);
        ret_replay->ids = &ret_replay->only;
        ret_replay->id_count = 1;
    }
    return true;
}
