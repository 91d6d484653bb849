/* compare_command.c - see compare_command.h.
 *
 * Flow: options, limits -> each run: where -> source_folder -> tally -> compare
 */
#include "analyzer/compare/compare_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/compare.h"
#include "analyzer/compare/unlike.h"
#include "analyzer/notes.h"
#include "analyzer/source_folder.h"
#include "analyzer/tally.h"
#include "analyzer/where.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/program.h"
#include "proto/config.h"

enum {
    RUNS_MAX = 16,
    OUTPUT_MAX_BYTES = 16 << 20,
    WARNINGS_MAX_BYTES = 64 * 1024,
    LIMIT_HELD = 1
};

static const char about[] =
    "Runs beside each other, metric by metric: A is the first, B each of the others.\n"
    "RUN is a run's folder, its name or a transcript file.\n"
    "\n"
    "Behind a change stands its 95 % confidence interval, in percent of A: Welch's\n"
    "for means, a bootstrap with a fixed seed for percentiles (2,000 draws; beyond\n"
    "10,000 values from a sketch that is right to 0.5 %). Where it holds 0, no\n"
    "difference is to be seen. Turns are taken for independent of each other.\n"
    "\n"
    "--fail-if METRIC.STATISTIC, one of < <= > >=, and a change in percent (+10%)\n"
    "or a limit (500ms); statistics: mean, p1 to p99, min, max, count. A condition\n"
    "on what was not measured cannot be judged: that is a failure, too.\n"
    "--skip-warmup leaves the first turns of each run out.\n"
    "\n"
    "Examples:\n"
    "  parley compare before/ after/\n"
    "  parley compare before/ after/ --fail-if 'ttft.p95>+10%,tps.mean<20'\n"
    "\n"
    "Exit status: 0 done, 1 a --fail-if holds or a run is empty, 2 a wrong option\n"
    "or a missing run.";

struct comparing {
    struct where wheres[RUNS_MAX];
    struct compared runs[RUNS_MAX];
    size_t count;                 /* of runs that are open */
    struct tally_options options; /* of each run's tally */
    struct limit limits[COMPARE_LIMITS_MAX];
    size_t limit_count;
    struct buf warnings;
};

static bool parse_limits(const char *text, struct comparing *comparing, struct err *err)
{
    struct str rest = str_of(text);

    while (rest.len > 0) {
        struct str one = str_trim(str_cut(rest, ',', &rest));

        if (one.len == 0)
            continue;
        if (comparing->limit_count == COMPARE_LIMITS_MAX)
            return err_set(err, ERR_USAGE, "--fail-if: at most %d",
                           (int)COMPARE_LIMITS_MAX);
        if (!limit_parse(one, &comparing->limits[comparing->limit_count], err))
            return false;
        comparing->limit_count++;
    }
    return true;
}

/* Only the metrics are compared: the talk is not looked at. */
static bool read_options(const struct config *config, struct tally_options *options,
                         struct err *err)
{
    *options = (struct tally_options){.warmup = {.begin_us = -1, .until_us = -1},
                                      .speech = SPEECH_NONE};
    goodput_init(&options->goodput);
    return config->skip_warmup == NULL
           || warmup_parse(str_of(config->skip_warmup), &options->warmup, err);
}

static bool read_run(const struct config_loaded *loaded, const char *word,
                     struct comparing *comparing, struct err *err)
{
    size_t number = comparing->count;
    struct where *where = &comparing->wheres[number];
    struct notes notes;
    bool ok;

    if (!where_find(loaded, word, where, err))
        return false;
    comparing->count++;
    comparing->runs[number] =
        (struct compared){where->path, tally_new(&comparing->options)};
    if (where->path == NULL)
        return err_set(err, ERR_USAGE, "%s: only runs and logs are compared",
                       log_safe(str_of(word)));
    notes_init(&notes);
    ok = source_folder_read(where->path, comparing->runs[number].tally, &notes, err);
    (void)fputs(notes_text(&notes), stderr); /* nowhere to tell that it failed */
    notes_done(&notes);
    if (ok && comparing->runs[number].tally->total.counts.turns == 0)
        return err_set(err, ERR_FORMAT, "%s: no turn was found",
                       log_safe(str_of(where->path)));
    return ok;
}

static void warn(struct comparing *comparing)
{
    struct unlike_run first = {comparing->runs[0].source, comparing->runs[0].tally};
    struct str rest;

    for (size_t i = 1; i < comparing->count; i++) {
        struct unlike_run later = {comparing->runs[i].source, comparing->runs[i].tally};

        unlike_tell(&first, &later, &comparing->warnings);
    }
    rest = buf_str(&comparing->warnings);
    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);

        fprintf(stderr, "parley compare: %.*s\n", (int)line.len, line.at);
    }
}

/* Whether a condition holds, or cannot be judged. */
static bool any_holds(const struct comparing *comparing)
{
    bool any = false;

    for (size_t i = 0; i < comparing->limit_count; i++)
        for (size_t run = 1; run < comparing->count; run++) {
            const struct limit *limit = &comparing->limits[i];
            double found;

            any = any
                  || limit_judge(
                         limit, &comparing->runs[0].tally->total.metrics[limit->metric],
                         &comparing->runs[run].tally->total.metrics[limit->metric],
                         &found)
                         != LIMIT_KEPT;
        }
    return any;
}

static bool print(struct comparing *comparing, bool json, struct err *err)
{
    struct comparison comparison = {.runs = comparing->runs,
                                    .count = comparing->count,
                                    .limits = comparing->limits,
                                    .limit_count = comparing->limit_count,
                                    .warnings = &comparing->warnings};
    struct buf text;
    bool ok;

    buf_init(&text, OUTPUT_MAX_BYTES);
    if (json)
        compare_json(&comparison, &text);
    else
        compare_table(&comparison, &text);
    ok = !text.overflowed && fwrite(buf_text(&text), 1, text.len, stdout) == text.len
         && fflush(stdout) == 0;
    if (!ok)
        err_set(err, ERR_SYSTEM, "standard output cannot be written");
    buf_done(&text);
    return ok;
}

static bool compare(const struct config_loaded *loaded, char **words,
                    struct comparing *comparing, struct err *err)
{
    const struct config *config = &loaded->values;

    if (loaded->rest < 2 || loaded->rest > RUNS_MAX)
        return err_set(err, ERR_USAGE, "name two runs or more, at most %d",
                       (int)RUNS_MAX);
    if (config->fail_if != NULL && !parse_limits(config->fail_if, comparing, err))
        return false;
    if (!read_options(config, &comparing->options, err))
        return false;
    for (int i = 0; i < loaded->rest; i++)
        if (!read_run(loaded, words[i], comparing, err))
            return false;
    warn(comparing);
    return print(comparing, config->json, err);
}

static int run(const struct config_loaded *loaded, char **words, struct err *err)
{
    struct comparing comparing = {.count = 0};
    int status;

    buf_init(&comparing.warnings, WARNINGS_MAX_BYTES);
    if (!compare(loaded, words, &comparing, err))
        status = err_exit_status(err);
    else
        status = any_holds(&comparing) ? LIMIT_HELD : 0;
    for (size_t i = 0; i < comparing.count; i++) {
        tally_free(comparing.runs[i].tally);
        where_done(&comparing.wheres[i]);
    }
    buf_done(&comparing.warnings);
    return status;
}

int compare_command(int argc, char **argv)
{
    static const struct program program = {
        {FOR_COMPARE, "parley compare", "RUN RUN ... [--fail-if LIMIT] [OPTION ...]",
         about},
        true,
        run};

    log_set_name("compare");
    return program_main(&program, argc, argv);
}
