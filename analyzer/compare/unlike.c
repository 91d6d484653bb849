/* unlike.c - see unlike.h. */
#include "analyzer/compare/unlike.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/tally.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/utf8.h"
#include "proto/schema.h"

enum { RUN_MAX_BYTES = 64 << 20, WORDS_MAX_BYTES = 64 * 1024 };

/* NULL when there is none, or it is of no use: then nothing is known. */
static json_t *read_run(const char *path)
{
    char *file = path_join(path, "run.json");
    struct err ignored = {0};
    json_t *run = NULL;
    struct buf text;

    buf_init(&text, RUN_MAX_BYTES);
    if (file_exists(file) && file_slurp(file, &text, &ignored)
        && !json_read(buf_str(&text), &run, &ignored))
        run = NULL;
    buf_done(&text);
    free(file);
    return run;
}

static void tell(struct buf *into, const char *what, const char *a, const char *b)
{
    if (a != NULL && b != NULL && strcmp(a, b) != 0)
        buf_printf(into, "%s: %s and %s\n", what, log_safe(str_of(a)),
                   log_safe(str_of(b)));
}

/* A number or a text as text; NULL: it is not there. Caller frees. */
static char *text_of(const json_t *value)
{
    if (json_is_integer(value))
        return x_printf("%lld", (long long)json_integer_value(value));
    return json_is_string(value) ? x_strdup(json_string_value(value)) : NULL;
}

static void tell_value(struct buf *into, const char *what, const json_t *first,
                       const json_t *later)
{
    char *a = text_of(first);
    char *b = text_of(later);

    tell(into, what, a, b);
    free(a);
    free(b);
}

static const json_t *config_of(const json_t *run, const char *key)
{
    return json_object_get(json_object_get(run, "config"), key);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "llama3.2, qwen3": in the order of the alphabet, as that in which they were met may
 * be another each time. */
static char *models_of(const struct tally *tally)
{
    const char *models[TALLY_FEW_ROWS_MAX] = {NULL};
    size_t count = 0;
    struct buf names;
    char *text;

    for (size_t i = 0; i < group_table_count(tally->models); i++) {
        const struct group *group = group_table_at(tally->models, i);

        if (group->model.text != NULL)
            models[count++] = group->model.text;
    }
    qsort(models, count, sizeof *models, by_text);
    buf_init(&names, WORDS_MAX_BYTES);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(models[i], models[i - 1]) != 0)
            buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", models[i]);
    text = count == 0 ? NULL : x_strdup(buf_text(&names));
    buf_done(&names);
    return text;
}

void unlike_tell(const struct unlike_run *first, const struct unlike_run *later,
                 struct buf *into)
{
    json_t *a = read_run(first->path);
    json_t *b = read_run(later->path);
    char *models_a = models_of(first->tally);
    char *models_b = models_of(later->tally);

    tell(into, "the models differ", models_a, models_b);
    tell_value(into, "the seeds differ", json_object_get(a, "seed"),
               json_object_get(b, "seed"));
    tell_value(into, "--turns differ", config_of(a, "conversation.max_turns"),
               config_of(b, "conversation.max_turns"));
    tell_value(into, "the versions of parley differ",
               json_object_get(json_object_get(a, "versions"), "parley"),
               json_object_get(json_object_get(b, "versions"), "parley"));
    if (first->tally->total.counts.turns != later->tally->total.counts.turns)
        buf_printf(into, "the numbers of turns differ: %lld and %lld\n",
                   (long long)first->tally->total.counts.turns,
                   (long long)later->tally->total.counts.turns);
    free(models_a);
    free(models_b);
    json_decref(a);
    json_decref(b);
}
