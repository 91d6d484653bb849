/* run_info.c - see run_info.h. */
#include "analyzer/run_info.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
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

/* Copies what stands before `from`, and "***" for what stands up to `to`. */
static void copy_masked(struct buf *into, const char *at, const char *from,
                        const char *to)
{
    (void)buf_add(into, at, (size_t)(from - at)); /* not longer than what was read */
    if (to > from)
        (void)buf_add_text(into, "***");
}

char *run_info_mask(const char *text)
{
    struct buf masked;
    const char *at = text;
    const char *url;

    buf_init(&masked, 2 * strlen(text) + 64);
    while ((url = strstr(at, "://")) != NULL) {
        const char *host = url + strlen("://");
        const char *path = host + strcspn(host, "/?# \t\n,;\"'");
        const char *end = path + strcspn(path, " \t\n,;\"'");
        const char *query = path + strcspn(path, "?# \t\n,;\"'");
        const char *user_end = path;

        while (user_end > host && user_end[-1] != '@')
            user_end--;
        copy_masked(&masked, at, host, user_end > host ? user_end - 1 : host);
        at = user_end > host ? user_end - 1 : host;
        query = query > end ? end : query;
        copy_masked(&masked, at, *query == '?' ? query + 1 : query, end);
        at = end;
    }
    (void)buf_add_text(&masked, at);
    return buf_take(&masked);
}

static void read_settings(const json_t *run, struct run_info *info)
{
    json_t *config = json_object_get(run, "config");
    const json_t *sources = json_object_get(run, "sources");
    const char *key;
    json_t *value;

    if (json_object_size(config) == 0)
        return;
    info->settings = x_calloc(json_object_size(config), sizeof *info->settings);
    json_object_foreach(config, key, value)
    {
        const char *source = json_string_value(json_object_get(sources, key));

        if (!json_is_string(value))
            continue;
        info->settings[info->setting_count++] =
            (struct run_setting){x_strdup(key), run_info_mask(json_string_value(value)),
                                 source == NULL || strcmp(source, "default") != 0};
    }
}

static bool is_cut_off(const json_t *run)
{
    json_int_t pid = json_integer_value(json_object_get(run, "pid"));

    return !json_is_string(json_object_get(run, "ended_at")) && pid > 1
           && pid <= INT_MAX && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
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
    info.cut_off = is_cut_off(run);
    info.run_id = copy_of(json_object_get(run, "run_id"));
    info.started_at = copy_of(json_object_get(run, "started_at"));
    info.version = copy_of(json_object_get(json_object_get(run, "versions"), "parley"));
    if (json_is_integer(seed) && json_integer_value(seed) >= 0)
        info.seed = json_integer_value(seed);
    if (info.run_id == NULL || !is_time(info.started_at)) {
        err_set(err, ERR_FORMAT, "run_id or started_at is missing");
        goto out;
    }
    read_settings(run, &info);
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
    for (size_t i = 0; i < info->setting_count; i++) {
        free(info->settings[i].key);
        free(info->settings[i].value);
    }
    free(info->settings);
    *info = (struct run_info){.seed = -1};
}
