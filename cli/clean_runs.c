/* clean_runs.c - folders of runs that are over: see clean.h.
 *
 * Only what holds a run.json of ours is looked at. When a run ended is the time of that
 * file, which is written anew then; of one that was cut short it is that of its start.
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/utf8.h"
#include "cli/clean.h"
#include "proto/json_write.h"
#include "proto/schema.h"

struct run_folders {
    const struct config *config;
    char *runs;        /* owned: the folder of all of them */
    int64_t before_us; /* what ended before that is old enough */
    int64_t newest_us; /* the end of the newest, which stays */
    size_t due;
    size_t failed;
};

/* 0: there is none. */
static int64_t ended_us(const struct run_folders *all, const char *name)
{
    char *path = x_printf("%s/%s/run.json", all->runs, name);
    struct stat found;
    int64_t at_us = 0;

    if (stat(path, &found) == 0)
        at_us = (int64_t)found.st_mtim.tv_sec * 1000000 + found.st_mtim.tv_nsec / 1000;
    free(path);
    return at_us;
}

/* A run of another machine that did not end may go on there. */
static bool may_live(const json_t *run)
{
    const char *host = json_string_value(json_object_get(run, "host"));
    char here[256] = "";

    (void)gethostname(here, sizeof here - 1); /* empty when it fails */
    if (json_is_null(json_object_get(run, "ended_at")) && host != NULL
        && strcmp(host, here) != 0)
        return true;
    return fleet_run_lives(run);
}

static bool is_over(const struct run_folders *all, const char *name)
{
    char *path = x_printf("%s/%s/run.json", all->runs, name);
    struct err ignored;
    json_t *run = NULL;
    struct buf text;
    bool over;

    buf_init(&text, RUN_JSON_MAX_BYTES);
    over = file_slurp(path, &text, &ignored)
           && json_read(buf_str(&text), &run, &ignored) && json_is_object(run)
           && json_is_string(json_object_get(run, "run_id")) && !may_live(run);
    json_decref(run);
    buf_done(&text);
    free(path);
    return over;
}

static void find_newest(struct run_folders *all, const char *name)
{
    int64_t at_us = ended_us(all, name);

    if (at_us > all->newest_us)
        all->newest_us = at_us;
}

static bool is_due(const struct run_folders *all, const char *name)
{
    int64_t at_us = ended_us(all, name);

    return at_us > 0 && at_us <= all->before_us && at_us < all->newest_us
           && is_over(all, name);
}

static void count_due(struct run_folders *all, const char *name)
{
    all->due += is_due(all, name);
}

static void tell(const struct run_folders *all, const char *path, const char *what)
{
    struct buf line;

    buf_init(&line, (size_t)1 << 16);
    if (all->config->json) {
        buf_add_text(&line, "{\"run\":");
        json_write_text(&line, path);
        buf_add_text(&line, ",\"result\":");
        json_write_text(&line, what);
        buf_add_char(&line, '}');
    } else {
        buf_printf(&line, "%s  %s", log_safe(str_of(path)), what);
    }
    printf("%s\n", buf_text(&line));
    buf_done(&line);
}

static void remove_due(struct run_folders *all, const char *name)
{
    char *path = path_join(all->runs, name);
    struct err err = {0};

    if (!is_due(all, name)) {
        free(path);
        return;
    }
    if (all->config->dry_run) {
        tell(all, path, "would be removed");
    } else if (file_remove_tree(path, &err)) {
        tell(all, path, "removed");
    } else {
        all->failed++;
        fprintf(stderr, "parley clean: %s\n", err.msg);
    }
    free(path);
}

/* Folders only: `latest` is a link. */
static bool is_folder(const struct run_folders *all, const char *name)
{
    char *path = path_join(all->runs, name);
    struct stat found;
    bool is = name[0] != '.' && lstat(path, &found) == 0 && S_ISDIR(found.st_mode);

    free(path);
    return is;
}

static bool each(struct run_folders *all,
                 void (*visit)(struct run_folders *all, const char *name),
                 struct err *err)
{
    DIR *folder = opendir(all->runs);
    struct dirent *entry;

    if (folder == NULL)
        return errno == ENOENT || err_sys(err, errno, "%s", all->runs);
    /* cppcheck-suppress readdirCalled ; one thread */
    while ((entry = readdir(folder)) != NULL)
        if (is_folder(all, entry->d_name))
            visit(all, entry->d_name);
    (void)closedir(folder); /* only read */
    return true;
}

int clean_runs(const struct config *config, struct err *err)
{
    struct run_folders all = {
        .config = config, .before_us = clock_wall_us() - config->older_than_ms * 1000};
    bool ok = fleet_runs_folder(&all.runs, err) && each(&all, find_newest, err)
              && each(&all, count_due, err);

    if (ok && all.due == 0 && !config->json)
        fprintf(stderr, "parley clean: nothing to remove in %s\n", all.runs);
    if (ok && clean_asked(config, all.due, "folders of runs", all.runs))
        ok = each(&all, remove_due, err);
    free(all.runs);
    if (!ok)
        return err_exit_status(err);
    return all.failed > 0 ? 1 : 0;
}
