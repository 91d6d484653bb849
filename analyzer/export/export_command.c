/* export_command.c - see export_command.h.
 *
 * Flow: options -> where -> material -> export_run -> sink; or, with --from-redis,
 *       where -> shard_copy
 */
#include "analyzer/export/export_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/export/export.h"
#include "analyzer/export/material.h"
#include "analyzer/export/shard_copy.h"
#include "analyzer/notes.h"
#include "analyzer/where.h"
#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/program.h"
#include "proto/config.h"
#include "proto/template.h"

static const char about[] =
    "Conversations in another form. RUN is a run's folder or its name, FILE a log,\n"
    "- a log on standard input; without one the latest run is taken. IDs behind it\n"
    "pick conversations. An ID alone, or --redis, reads from Redis, also while it\n"
    "goes on.\n"
    "\n"
    "  jsonl     the messages as they are in the log, a line each\n"
    "  csv       a row a turn; formulas are disarmed by an apostrophe\n"
    "  messages  training data (OpenAI, TRL): a line a conversation and seat\n"
    "  sharegpt  the same as an array of human and gpt\n"
    "  markdown, html, text   to read; the HTML needs no other file\n"
    "\n"
    "messages and sharegpt show a conversation as one seat saw it: that seat is the\n"
    "assistant, all others the user. Failed and empty turns are left out and counted.\n"
    "\n"
    "Examples:\n"
    "  parley export --format markdown               the latest run, to read\n"
    "  parley export out/ --format messages --perspective 1 --out train.jsonl\n"
    "  parley export --from-redis --redis unix:///tmp/r.sock --out shard0\n"
    "\n"
    "Exit status: 0 done, 1 nothing was found or it cannot be written, 2 a wrong\n"
    "option or a missing folder, 3 Redis cannot be reached.";

static bool parse_perspective(const char *text, int64_t *ret_seat, struct err *err)
{
    if (strcmp(text, "all") == 0) {
        *ret_seat = 0;
        return true;
    }
    return str_to_i64(str_of(text), 1, SEATS_MAX, ret_seat)
           || err_set(err, ERR_USAGE,
                      "--perspective: '%s' is not a seat from 1 to %d, "
                      "or all",
                      log_safe(str_of(text)), (int)SEATS_MAX);
}

/* ---- a shard into a folder ---- */

static bool holds_run(const char *folder)
{
    char *transcript = path_join(folder, "transcript.jsonl");
    bool holds = file_exists(transcript);

    free(transcript);
    return holds;
}

static bool copy_from_redis(const struct config_loaded *loaded,
                            const struct where *where, struct notes *notes,
                            struct err *err)
{
    const char *folder = loaded->values.out;
    struct shard_copy copy = {.target = &where->redis,
                              .keys = &where->keys,
                              .prefix = loaded->values.prefix,
                              .conversation = where->conversation,
                              .folder = folder};
    size_t count = 0;

    if (folder == NULL)
        return err_set(err, ERR_USAGE, "--from-redis makes a folder: --out names it");
    if (holds_run(folder))
        return err_set(err, ERR_USAGE, "--out: %s holds a run already", folder);
    if (!file_make_folder(folder, 0755, err)) {
        err->code = ERR_USAGE;
        return false;
    }
    if (!shard_copy(&copy, notes, &count, err))
        return false;
    fprintf(stderr, "parley export: %zu conversation%s in %s\n", count,
            count == 1 ? "" : "s", log_safe(str_of(folder)));
    return true;
}

/* ---- a log into another form ---- */

static void tell_counts(const struct export_counts *counts)
{
    if (counts->failed + counts->empty > 0)
        fprintf(stderr, "parley export: left out: %lld failed, %lld empty turns\n",
                (long long)counts->failed, (long long)counts->empty);
    if (counts->records == 0)
        fprintf(stderr, "parley export: no seat that is wanted spoke\n");
    if (counts->silent > 0)
        fprintf(stderr,
                "parley export: %lld views of seats that said nothing are left "
                "out\n",
                (long long)counts->silent);
    if (counts->without_system > 0)
        fprintf(stderr,
                "parley export: %lld records have no system text: story or "
                "personas are not in the log\n",
                (long long)counts->without_system);
}

static bool write_out(const struct export_job *job, const char *out,
                      struct notes *notes, struct err *err)
{
    struct export_counts counts = {0};
    struct sink sink;

    if (!sink_open(&sink, out, err))
        return false;
    if (!export_run(job, &sink, notes, &counts, err)) {
        sink_drop(&sink);
        return false;
    }
    if (counts.records == 0 && counts.conversations == 0) {
        sink_drop(&sink);
        return err_set(err, ERR_FORMAT, "nothing to export was found");
    }
    if (!sink_close(&sink, err))
        return false;
    tell_counts(&counts);
    return true;
}

static bool is_rows(enum export_format format)
{
    return format == EXPORT_JSONL || format == EXPORT_CSV;
}

static bool is_chat(enum export_format format)
{
    return format == EXPORT_MESSAGES || format == EXPORT_SHAREGPT;
}

/* The templates the personas were told by: --prompts, else the built-in ones. `job` is
 * a copy: it borrows what ends here. */
static bool with_prompts(struct export_job job, const struct config *config,
                         const struct material *material, struct notes *notes,
                         struct err *err)
{
    const char *folder = config->prompts;
    char *persona = NULL;
    char *opening = NULL;
    bool ok = template_load(folder, "worker/prompts/persona.txt", &persona, err)
              && template_load(folder, "worker/prompts/opening.txt", &opening, err);
    struct chat_prompts prompts = {persona, opening};

    if (ok && is_chat(job.format) && folder == NULL
        && material_prompts(material) != NULL)
        notes_add(notes, "the run had templates of its own: --prompts %s",
                  log_safe(str_of(material_prompts(material))));
    job.prompts = &prompts;
    ok = ok && write_out(&job, config->out, notes, err);
    free(persona);
    free(opening);
    return ok;
}

static bool export_from(const struct config_loaded *loaded, const struct where *where,
                        const struct export_job *wanted, struct notes *notes,
                        struct err *err)
{
    const struct config *config = &loaded->values;
    struct export_job job = *wanted;
    struct material material;
    bool ok;

    if (!material_find(where, config->prefix, !is_rows(job.format), notes, &material,
                       err))
        return false;
    job.transcript = material.transcript;
    job.topic_of = material_topic;
    job.topic_owner = &material;
    if (config->thinking && material.calls == NULL)
        notes_add(notes, "there is no calls.jsonl: no thinking is known");
    if (config->thinking)
        job.calls = material.calls;
    ok = with_prompts(job, config, &material, notes, err);
    material_done(&material);
    return ok;
}

static bool make_job(const struct config_loaded *loaded, char **words,
                     struct export_job *ret_job, struct err *err)
{
    const struct config *config = &loaded->values;
    struct export_job job = {.names = config->names};
    bool known = export_format_parse(config->format, &job.format);

    if (!known)
        return err_set(err, ERR_USAGE, "--format: unknown");
    if (!parse_perspective(config->perspective, &job.perspective, err))
        return false;
    if (config->thinking && is_rows(job.format))
        return err_set(err, ERR_USAGE,
                       "--thinking: %s has no place for it; the "
                       "run's calls.jsonl has it",
                       export_format_name(job.format));
    if (loaded->rest > 1) {
        job.wanted = (const char *const *)(words + 1);
        job.wanted_count = (size_t)loaded->rest - 1;
    }
    *ret_job = job;
    return true;
}

static int run(const struct config_loaded *loaded, char **words, struct err *err)
{
    const char *word = loaded->rest > 0 ? words[0] : NULL;
    bool from_redis = loaded->values.from_redis;
    struct export_job job = {.format = EXPORT_JSONL};
    struct where where;
    struct notes notes;
    bool ok;

    if (!make_job(loaded, words, &job, err)
        || !(from_redis ? where_redis(loaded, word, &where, err)
                        : where_find(loaded, word, &where, err)))
        return err_exit_status(err);
    notes_init(&notes);
    ok = from_redis ? copy_from_redis(loaded, &where, &notes, err)
                    : export_from(loaded, &where, &job, &notes, err);
    (void)fputs(notes_text(&notes), stderr); /* nowhere to tell that it failed */
    notes_done(&notes);
    where_done(&where);
    return ok ? 0 : err_exit_status(err);
}

int export_command(int argc, char **argv)
{
    static const struct program program = {
        {FOR_EXPORT, "parley export", "[RUN | FILE | - | ID] [ID ...] [OPTION ...]",
         about},
        true,
        run};

    log_set_name("export");
    return program_main(&program, argc, argv);
}
