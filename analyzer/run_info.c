/* run_info.c - see run_info.h. */
#include "analyzer/run_info.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proto/schema.h"

static char *copy_of(const json_t *value)
{
    const char *text = json_string_value(value);

    return text == NULL || *text == '\0' ? NULL : x_strdup(text);
}

static bool is_time(const char *text)
{
    int64_t at_us;

    return text != NULL && clock_parse_us(str_of(text), &at_us);
}

bool run_info_parse(struct str json, struct run_info *ret_info, struct err *err)
{
    struct run_info info = {.seed = -1};
    json_t *run = NULL;
    const json_t *seed;
    bool ok = false;

    if (!json_read(json, &run, err))
        return false;
    seed = json_object_get(run, "seed");
    info.run_id = copy_of(json_object_get(run, "run_id"));
    info.started_at = copy_of(json_object_get(run, "started_at"));
    info.version = copy_of(json_object_get(json_object_get(run, "versions"), "parley"));
    if (json_is_integer(seed) && json_integer_value(seed) >= 0)
        info.seed = json_integer_value(seed);
    if (info.run_id == NULL || !is_time(info.started_at)) {
        err_set(err, ERR_FORMAT, "run_id or started_at is missing");
        goto out;
    }
    *ret_info = info;
    info = (struct run_info){.seed = -1}; /* ownership has moved */
    ok = true;
out:
    run_info_done(&info);
    json_decref(run);
    return ok;
}

void run_info_done(struct run_info *info)
{
    free(info->run_id);
    free(info->started_at);
    free(info->version);
    *info = (struct run_info){.seed = -1};
}
