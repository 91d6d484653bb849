/* main.c - parley-analyzer: what a run cost and how fast it was.
 *
 * Reads a run's folder or a shard in Redis, prints tables or another form to stdout,
 * notes to stderr. Changes nothing but the files it was asked for.
 *
 * Flow: options -> where -> source_folder or source_redis -> tally -> outputs
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/compare/compare_command.h"
#include "analyzer/export/export_command.h"
#include "analyzer/formulas.h"
#include "analyzer/notes.h"
#include "analyzer/outputs.h"
#include "analyzer/report.h"
#include "analyzer/run_info.h"
#include "analyzer/source_folder.h"
#include "analyzer/source_redis.h"
#include "analyzer/tally.h"
#include "analyzer/tally_options.h"
#include "analyzer/watch.h"
#include "analyzer/where.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/program.h"
#include "proto/config.h"

enum { ABOUT_MAX_BYTES = 64 * 1024, EXIT_INTERRUPTED = 130 };

static const char about_head[] =
    "What a run cost and how fast it was: tables, or with --json a document by\n"
    "schemas/analysis.schema.json. RUN is a run's folder or its name, FILE a\n"
    "transcript; without it the latest run is taken. With --redis the conversations\n"
    "of a shard are read, or the one named; an ID alone is one of the newest live\n"
    "run. - is a log on standard input. --watch tells again and again, until all has\n"
    "ended.\n\n"
    "Examples:\n"
    "  parley analyze                              the latest run\n"
    "  parley analyze out/ --json | jq .totals     a run's folder\n"
    "  parley analyze --html report.html           one page with pictures\n"
    "  parley analyze --csv turns.csv --plots pictures/\n"
    "  parley analyze --redis unix:///tmp/r.sock   all of shard 0\n"
    "  parley analyze --watch                      the latest run while it goes on\n\n"
    "Exit status: 0 done, 1 nothing to analyze was found, 2 a wrong option or a\n"
    "missing folder, 3 Redis cannot be reached, 130 --watch was interrupted.\n\n";

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

/* A terminal shows the last report only; elsewhere they stand one below the other. */
static bool show_next(struct outputs *outputs, struct report *report, bool first,
                      struct err *err)
{
    if (outputs_are_tables(outputs) && isatty(STDOUT_FILENO))
        printf("\x1b[H\x1b[2J");
    else if (outputs_are_tables(outputs) && !first)
        printf("\n");
    return outputs_show(outputs, report, err);
}

/* *ret_interrupted: somebody had seen enough. */
static bool watch_on(struct watch *watching, struct outputs *outputs,
                     struct report *report, bool *ret_interrupted, struct err *err)
{
    for (bool first = true;; first = false) {
        struct notes notes;
        bool ok;

        notes_init(&notes);
        ok = watch_step(watching, report->tally, &notes, err);
        (void)fputs(notes_text(&notes), stderr); /* nowhere to tell that it failed */
        notes_done(&notes);
        report->now_us = clock_wall_us();
        outputs->goes_on = !watching->over;
        if (!ok || !show_next(outputs, report, first, err))
            return false;
        if (watching->over)
            return true;
        *ret_interrupted = !watch_wait(outputs->config->watch_ms);
        if (*ret_interrupted)
            return true;
    }
}

static bool watch(const struct where *where, struct outputs *outputs,
                  struct report *report, bool *ret_interrupted, struct err *err)
{
    struct watch watch;
    bool ok = watch_begin(&watch, where, err);

    if (!ok)
        return false;
    ok = watch_on(&watch, outputs, report, ret_interrupted, err);
    watch_done(&watch);
    return ok;
}

static bool look_once(const struct where *where, struct outputs *outputs,
                      struct report *report, struct err *err)
{
    struct notes notes;
    bool ok;

    notes_init(&notes);
    ok = read_source(where, report->tally, &notes, err);
    if (report->run != NULL && report->run->cut_off) {
        notes_add(&notes,
                  "the run was cut off: it wrote no end, and its process is gone");
        tally_cut_off(report->tally);
    }
    (void)fputs(notes_text(&notes), stderr); /* nowhere to tell that it failed */
    notes_done(&notes);
    report->now_us = clock_wall_us();
    return ok && outputs_show(outputs, report, err);
}

static bool find_run(const struct where *where, struct run_info *ret_run)
{
    struct notes notes;
    bool found;

    notes_init(&notes);
    found = where->path != NULL && source_folder_run(where->path, &notes, ret_run);
    (void)fputs(notes_text(&notes), stderr); /* nowhere to tell that it failed */
    notes_done(&notes);
    return found;
}

struct outcome {
    bool found;       /* there was something to analyze */
    bool interrupted; /* somebody had seen enough */
};

/* Below long tables somebody at a terminal wonders whether the files are there. */
static void tell_files(const struct outputs *outputs)
{
    const struct config *config = outputs->config;
    const char *const files[] = {config->html, config->plots, config->csv,
                                 config->csv_summary};

    if (!outputs_are_tables(outputs) || isatty(STDOUT_FILENO) == 0)
        return;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] != NULL)
            fprintf(stderr, "parley analyze: wrote %s\n", log_safe(str_of(files[i])));
}

/* False when reading or writing failed. */
static bool analyze(const struct where *where, const struct config *config,
                    struct outcome *ret_outcome, struct err *err)
{
    char *source = where_text(where);
    struct tally_options options;
    struct tally *tally = NULL;
    struct run_info run = {.seed = -1};
    struct report report = {.source = source};
    struct outputs outputs = {.config = NULL};
    bool ok = tally_options_read(config, &options, err);

    if (!ok)
        goto out;
    report.tally = tally = tally_new(&options);
    ok = outputs_open(&outputs, config, tally, err);
    if (!ok)
        goto out;
    if (find_run(where, &run))
        report.run = &run;
    ok = (config->watch_ms > 0
              ? watch(where, &outputs, &report, &ret_outcome->interrupted, err)
              : look_once(where, &outputs, &report, err))
         && outputs_finish(&outputs, &report, err);
    (void)fputs(outputs.note, stderr); /* nowhere to tell that it failed */
    if (ok)
        tell_files(&outputs);
    ret_outcome->found = tally->conversation_count > 0;
out:
    outputs_done(&outputs);
    run_info_done(&run);
    tally_free(tally);
    free(source);
    return ok;
}

static int run(const struct config_loaded *loaded, char **argv, struct err *err)
{
    struct where where;
    struct outcome outcome = {.found = false};
    bool ok;

    if (loaded->rest > 1) {
        err_set(err, ERR_USAGE, "one run at a time; see --help");
        return err_exit_status(err);
    }
    if (!where_find(loaded, loaded->rest == 1 ? argv[0] : NULL, &where, err))
        return err_exit_status(err);
    ok = analyze(&where, &loaded->values, &outcome, err);
    where_done(&where);
    if (ok && outcome.interrupted)
        return EXIT_INTERRUPTED;
    if (ok && !outcome.found)
        ok = err_set(err, ERR_FORMAT, "nothing to analyze was found");
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
        {FOR_ANALYZE, "parley analyze", "[RUN | FILE | - | ID] [OPTION ...]", NULL},
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
