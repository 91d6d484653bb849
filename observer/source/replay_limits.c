/* replay_limits.c - see replay_limits.h. The config stands in run.json as texts, in the
 * form that flags have. */
#include "observer/source/replay_limits.h"

#include <jansson.h>

#include "base/file.h"
#include "proto/schema.h"

enum { RUN_MAX_BYTES = 64 << 20 };

static struct str option(const json_t *config, const char *name)
{
    return str_of(json_string_value(json_object_get(config, name)));
}

static void take(const json_t *config, struct replay_limits *limits)
{
    int64_t value;

    if (str_to_i64(option(config, "conversation.max_turns"), 1, INT64_MAX, &value))
        limits->max_turns = value;
    if (str_to_duration_ms(option(config, "conversation.duration_seconds"), &value))
        limits->duration_ms = value;
    if (str_to_i64(option(config, "model.num_ctx"), 1, INT64_MAX, &value))
        limits->num_ctx = value;
}

bool replay_limits_read(const char *path, struct replay_limits *limits, struct err *err)
{
    json_t *run = NULL;
    struct buf text;
    bool ok;

    buf_init(&text, RUN_MAX_BYTES);
    ok = file_slurp(path, &text, err) && json_read(buf_str(&text), &run, err);
    if (ok)
        take(json_object_get(run, "config"), limits);
    json_decref(run);
    buf_done(&text);
    return ok;
}
