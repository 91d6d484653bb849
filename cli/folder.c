/* folder.c - see folder.h. */
#include "cli/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/version.h"
#include "cli/fleet.h"
#include "cli/keeping.h"
#include "proto/json_write.h"

enum { ID_LETTERS_SHOWN = 6 };

static char *new_path(const char *runs, const char *id)
{
    time_t now = (time_t)(clock_wall_us() / 1000000);
    struct tm parts;
    char stamp[32];

    gmtime_r(&now, &parts);
    (void)strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &parts); /* 15 letters fit */
    return x_printf("%s/%s-%s", runs, stamp, id);
}

/* The newest run is what `parley analyze` takes without an argument. A link that cannot
 * be made costs only that comfort. */
static void point_latest(const char *runs, const char *path)
{
    char *link = path_join(runs, "latest");
    char *beside = x_printf("%s.%d", link, (int)getpid());

    if (symlink(path, beside) != 0 || rename(beside, link) != 0)
        (void)unlink(beside); /* it may not be there */
    free(beside);
    free(link);
}

static bool clear_out(const struct config *config, const char *path, struct err *err)
{
    static const char *const parts[] = {"run.json",      "transcript.jsonl",
                                        "calls.jsonl",   "events.jsonl",
                                        "analysis.json", "logs",
                                        "redis"};
    char *run = path_join(path, "run.json");
    char *transcript = path_join(path, "transcript.jsonl");
    bool holds = file_exists(run) || file_exists(transcript);
    bool ok = true;

    free(run);
    free(transcript);
    if (!holds)
        return true;
    if (!config->force)
        return err_set(err, ERR_USAGE,
                       "--out: %s holds a run already; --force replaces it", path);
    for (size_t i = 0; ok && i < sizeof parts / sizeof *parts; i++) {
        char *part = path_join(path, parts[i]);

        ok = file_remove_tree(part, err);
        free(part);
    }
    return ok;
}

static char *absolute(const char *path)
{
    char here[PATH_MAX];

    if (path[0] == '/' || getcwd(here, sizeof here) == NULL)
        return x_strdup(path);
    return path_join(here, path);
}

bool folder_make(const struct config *config, struct folder *ret_folder,
                 struct err *err)
{
    struct folder folder = {0};
    char *runs = NULL;
    struct err no_home = {0};
    bool have_runs = fleet_runs_folder(&runs, &no_home);
    bool ok = false;

    rng_id(folder.id, ID_LETTERS_SHOWN);
    clock_format_us(clock_wall_us(), folder.started_at);
    if (config->out != NULL) {
        folder.path = absolute(config->out);
    } else if (have_runs) {
        folder.path = new_path(runs, folder.id);
    } else {
        *err = no_home;
        goto out;
    }
    folder.logs = path_join(folder.path, "logs");
    if (!clear_out(config, folder.path, err)
        || !file_make_folder(folder.logs, 0755, err)) {
        if (err->code == ERR_SYSTEM)
            err->code = ERR_USAGE; /* a folder that cannot be: choose another */
        goto out;
    }
    if (have_runs && file_make_folder(runs, 0755, &no_home))
        point_latest(runs, folder.path);
    *ret_folder = folder;
    folder = (struct folder){0};
    ok = true;
out:
    folder_done(&folder);
    free(runs);
    return ok;
}

void folder_done(struct folder *folder)
{
    free(folder->path);
    free(folder->logs);
    *folder = (struct folder){0};
}

char *folder_log(const struct folder *folder, const char *name)
{
    return path_join(folder->logs, name);
}

static void write_versions(struct buf *into)
{
    struct buf text;
    struct str rest;
    const char *comma = "";

    buf_init(&text, 65536);
    version_text(&text);
    rest = buf_str(&text);
    buf_add_text(into, ",\"versions\":{");
    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);
        struct str version;
        struct str name = str_cut(line, ' ', &version);

        buf_add_text(into, comma);
        json_write_string(into, name);
        buf_add_char(into, ':');
        json_write_string(into, version);
        comma = ",";
    }
    buf_add_char(into, '}');
    buf_done(&text);
}

static void write_facts(const struct folder *folder, const struct folder_facts *facts,
                        struct buf *into)
{
    char host[256] = "";
    char now[CLOCK_TEXT_SIZE];

    (void)gethostname(host, sizeof host - 1); /* empty when it fails */
    clock_format_us(clock_wall_us(), now);
    buf_add_text(into, "{\"schema_version\":\"1.0\",\"run_id\":");
    json_write_text(into, folder->id);
    buf_printf(into, ",\"started_at\":\"%s\",\"ended_at\":", folder->started_at);
    json_write_text(into, facts->ended ? now : NULL);
    buf_add_text(into, ",\"exit_status\":");
    json_write_count(into, facts->ended ? facts->exit_status : -1);
    buf_printf(into, ",\"pid\":%d,\"host\":", (int)getpid());
    json_write_text(into, host[0] == '\0' ? "unknown" : host);
    buf_add_text(into, ",\"seed\":");
    json_write_count(into, facts->seed);
    buf_add_text(into, ",\"redis\":{\"url\":");
    json_write_text(into, facts->redis_url);
    buf_add_text(into, ",\"prefix\":");
    json_write_text(into, facts->prefix);
    buf_add_text(into, ",\"shard\":");
    json_write_text(into, facts->shard);
    buf_printf(into, ",\"private\":%s,\"durability\":",
               facts->private_redis ? "true" : "false");
    keeping_json(facts->keeping, into);
    buf_add_char(into, '}');
}

bool folder_write_run(const struct folder *folder, const struct config_loaded *loaded,
                      const struct folder_facts *facts, struct err *err)
{
    char *path = path_join(folder->path, "run.json");
    struct buf json;
    bool ok;

    buf_init(&json, RUN_JSON_MAX_BYTES);
    write_facts(folder, facts, &json);
    write_versions(&json);
    config_to_json(loaded, FOR_RUN, &json);
    buf_add_text(&json, ",\"topic\":");
    json_write_text(&json, loaded->values.topic);
    buf_add_text(&json, ",\"conversations\":[");
    for (size_t i = 0; i < facts->conversation_count; i++) {
        buf_add_text(&json, i == 0 ? "" : ",");
        json_write_text(&json, facts->conversations[i]);
    }
    buf_printf(&json, "],\"stories\":%s,\"casts\":%s}\n",
               facts->stories == NULL ? "[]" : facts->stories,
               facts->casts == NULL ? "[]" : facts->casts);
    ok = json.overflowed ? err_set(err, ERR_LIMIT, "%s would be too large", path)
                         : file_write(path, buf_str(&json), err);
    buf_done(&json);
    free(path);
    return ok;
}
