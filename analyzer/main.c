/* main.c - parley-analyzer: what a run cost and how fast it was.
 *
 * Reads a run's folder or a shard in Redis, prints tables or JSON to stdout, notes to
 * stderr. Changes nothing but the file of --out.
 *
 * Flow: options -> where -> source_folder or source_redis -> tally -> report
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/compare/compare_command.h"
#include "analyzer/export/export_command.h"
#include "analyzer/formulas.h"
#include "analyzer/notes.h"
#include "analyzer/report_json.h"
#include "analyzer/report_table.h"
#include "analyzer/run_info.h"
#include "analyzer/source_folder.h"
#include "analyzer/source_redis.h"
#include "analyzer/tally.h"
#include "analyzer/tally_options.h"
#include "analyzer/where.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "net/program.h"
#include "proto/config.h"

enum { REPORT_MAX_BYTES = 1 << 30, ABOUT_MAX_BYTES = 64 * 1024 };

static const char about_head[] =
    "What a run cost and how fast it was: tables, or with --json a document by\n"
    "schemas/analysis.schema.json. RUN is a run's folder or its name, or a transcript\n"
    "file; without it the latest run is taken. With --redis the conversations of a "
    "shard\n"
    "are read, or the one named.\n\n"
    "Examples:\n"
    "  parley analyze                              the latest run\n"
    "  parley analyze out/ --json | jq .totals     a run's folder\n"
    "  parley analyze --redis unix:///tmp/r.sock   all of shard 0\n\n"
    "Exit status: 0 done, 1 nothing to analyze was found, 2 a wrong option or a "
    "missing\n"
    "folder, 3 Redis cannot be reached.\n\n";

static bool wants_bold(const char *color)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if (strcmp(color, "auto") != 0)
        return strcmp(color, "always") == 0;
    return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0')
           && term != NULL && strcmp(term, "dumb") != 0;
}

static bool read_source(const struct where *where, struct tally *tally,
                        struct notes *notes, struct err *err)
{
    struct source_redis redis = {.target = &where->redis,
                                 .keys = &where->keys,
                                 .conversation = where->conversation};

    if (where->path != NULL)
        return source_folder_read(where->path, tally, notes, err);
    return source_redis_read(&redis, tally, notes, err);
}

static bool print(const struct buf *text, struct err *err)
{
    if (fwrite(buf_text(text), 1, text->len, stdout) != text->len
        || fflush(stdout) != 0)
        return err_set(err, ERR_SYSTEM, "standard output cannot be written");
    return true;
}

static bool give_report(const struct report *report, const struct config *config,
                        struct err *err)
{
    struct buf json;
    struct buf table;
    bool ok;

    buf_init(&json, REPORT_MAX_BYTES);
    buf_init(&table, REPORT_MAX_BYTES);
    ok = report_json(report, &json)
         || err_set(err, ERR_LIMIT, "the report is larger than %zu bytes", json.max);
    fault_point("analyze.write");
    if (ok && config->out != NULL)
        ok = file_write(config->out, buf_str(&json), err);
    if (ok && !config->json)
        report_table(report, &table);
    ok = ok && print(config->json ? &json : &table, err);
    buf_done(&json);
    buf_done(&table);
    return ok;
}

/* False when reading or writing failed; *ret_found: there was something to analyze. */
static bool analyze(const struct where *where, const struct config *config,
                    bool *ret_found, struct err *err)
{
    char *source = where_text(where);
    struct tally_options options;
    struct tally *tally = NULL;
    struct run_info run = {.seed = -1};
    struct report report = {.source = source};
    struct notes notes;
    bool ok;

    notes_init(&notes);
    ok = tally_options_read(config, &options, err);
    if (!ok)
        goto out;
    report.tally = tally = tally_new(&options);
    ok = read_source(where, tally, &notes, err);
    if (ok && where->path != NULL && source_folder_run(where->path, &notes, &run))
        report.run = &run;
    (void)fputs(notes_text(&notes), stderr); /* nowhere to tell that it failed */
    if (!ok)
        goto out;
    report.now_us = clock_wall_us();
    report.bold = wants_bold(config->color);
    *ret_found = tally->conversation_count > 0;
    ok = give_report(&report, config, err);
out:
    notes_done(&notes);
    run_info_done(&run);
    tally_free(tally);
    free(source);
    return ok;
}

static int run(const struct config_loaded *loaded, char **argv, struct err *err)
{
    struct where where;
    bool found = false;
    bool ok;

    if (loaded->rest > 1) {
        err_set(err, ERR_USAGE, "one run at a time; see --help");
        return err_exit_status(err);
    }
    if (!where_find(loaded, loaded->rest == 1 ? argv[0] : NULL, &where, err))
        return err_exit_status(err);
    ok = analyze(&where, &loaded->values, &found, err);
    if (ok && !found)
        ok = err_set(err, ERR_FORMAT, "nothing to analyze was found");
    where_done(&where);
    return ok ? 0 : err_exit_status(err);
}

/* `parley export` and `parley compare` hand over to this program under their own names:
 * they read the same logs. */
static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} others[] = {{"compare", compare_command}, {"export", export_command}};

int main(int argc, char **argv)
{
    struct program program = {
        {FOR_ANALYZE, "parley analyze",
         "[RUN | FILE] [--json] [--out FILE] | --redis URL [--shard S] [CONVERSATION]",
         NULL},
        true,
        run};
    struct buf about;
    int status;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (argc > 0 && strcmp(argv[0], others[i].name) == 0)
            return others[i].run(argc - 1, argv + 1);
    log_set_name("analyzer");
    buf_init(&about, ABOUT_MAX_BYTES);
    (void)buf_add_text(&about, about_head); /* both fit: their sizes are known here */
    formulas_write(&about);
    program.use.about = buf_text(&about);
    status = program_main(&program, argc - 1, argv + 1);
    buf_done(&about);
    return status;
}
