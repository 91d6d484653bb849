/* score.c - see score.h. */
#include "cli/score.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* No call has so many; sums of such counts fit their type. */
static const int64_t most_tokens = INT64_C(1) << 40;

void score_init(struct score *score)
{
    *score = (struct score){0};
}

static void row_done(struct score_row *row)
{
    free(row->first_ms.at);
    free(row->total_ms.at);
}

void score_done(struct score *score)
{
    for (size_t i = 0; i < score->count; i++)
        row_done(&score->rows[i]);
    free(score->rows);
    row_done(&score->total);
    score_init(score);
}

/* ---- one call ---- */

static void count_word(struct score_words *words, struct str text)
{
    size_t i = 0;

    if (text.len == 0)
        return;
    if (text.len >= sizeof words->at[0].word)
        text.len = sizeof words->at[0].word - 1;
    while (i < words->count && !str_is(text, words->at[i].word))
        i++;
    if (i == words->count && words->count < SCORE_WORDS_MAX) {
        bool last = words->count == SCORE_WORDS_MAX - 1;

        if (last)
            text = str_of("other");
        fmt_into(words->at[i].word, sizeof words->at[i].word, "%.*s", (int)text.len,
                 text.at);
        words->count++;
    } else if (i == words->count) {
        i = SCORE_WORDS_MAX - 1; /* "other" */
    }
    words->at[i].count++;
}

static void add_time(struct score_times *times, double ms)
{
    if (!isfinite(ms))
        return;
    if (times->count == times->capacity) {
        times->capacity = times->capacity == 0 ? 64 : times->capacity * 2;
        times->at = x_realloc(times->at, times->capacity * sizeof *times->at);
    }
    times->at[times->count++] = (float)ms;
    stats_add(&times->stats, ms);
}

static bool is_told(int64_t count)
{
    return count >= 0 && count <= most_tokens;
}

static void add_count(int64_t *sum, int64_t count)
{
    *sum += is_told(count) ? count : 0;
}

static void add_call(struct score_row *row, const struct score_call *call)
{
    bool done = str_is(call->outcome, "done");

    row->calls++;
    row->done += done;
    row->cancelled += str_is(call->outcome, "cancelled");
    row->failed += str_is(call->outcome, "failed");
    row->lost += str_is(call->outcome, "lost");
    row->extra += call->attempt > 1;
    add_count(&row->prompt_tokens, call->prompt_tokens);
    add_count(&row->generated_tokens, call->generated_tokens);
    if (is_told(call->cached_tokens) && is_told(call->prompt_tokens)) {
        row->cached_tokens += call->cached_tokens;
        row->cached_of += call->prompt_tokens;
    }
    if (isfinite(call->cost) && call->cost >= 0) {
        row->cost += call->cost;
        row->has_cost = true;
    }
    if (str_is(call->outcome, "failed"))
        count_word(&row->errors, call->error);
    count_word(&row->routes, call->route);
    if (!done)
        return;
    add_time(&row->first_ms, call->first_ms);
    add_time(&row->total_ms, call->total_ms);
}

static bool is_name(struct str text, const char *name)
{
    if (text.len >= SCORE_NAME_SIZE)
        text.len = SCORE_NAME_SIZE - 1;
    return str_is(text, name);
}

static void copy_name(char name[SCORE_NAME_SIZE], struct str text)
{
    (void)snprintf(name, SCORE_NAME_SIZE, "%.*s", (int)text.len,
                   text.at); /* cut is fine */
}

static struct score_row *row_of(struct score *score, struct str endpoint,
                                struct str model)
{
    struct score_row *row;

    for (size_t i = 0; i < score->count; i++)
        if (is_name(endpoint, score->rows[i].endpoint)
            && is_name(model, score->rows[i].model))
            return &score->rows[i];
    if (score->count == SCORE_ROWS_MAX - 1 && !str_is(endpoint, "other"))
        return row_of(score, str_of("other"), str_of(""));
    if (score->count == SCORE_ROWS_MAX)
        return &score->rows[SCORE_ROWS_MAX - 1];
    score->rows = x_realloc(score->rows, (score->count + 1) * sizeof *score->rows);
    row = &score->rows[score->count++];
    *row = (struct score_row){0};
    copy_name(row->endpoint, endpoint);
    copy_name(row->model, model);
    return row;
}

void score_take(struct score *score, const struct score_call *call)
{
    if (!str_is(call->outcome, "lost")) /* nobody knows where it went */
        add_call(row_of(score, call->endpoint, call->model), call);
    add_call(&score->total, call);
}

/* ---- the end ---- */

static int compare_rows(const void *a, const void *b)
{
    const struct score_row *x = a;
    const struct score_row *y = b;
    int order = strcmp(x->endpoint, y->endpoint);

    return order != 0 ? order : strcmp(x->model, y->model);
}

static int compare_words(const void *a, const void *b)
{
    const struct score_word *x = a;
    const struct score_word *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return strcmp(x->word, y->word);
}

static void finish_row(struct score_row *row)
{
    stats_finish(&row->first_ms.stats, row->first_ms.at, row->first_ms.count);
    stats_finish(&row->total_ms.stats, row->total_ms.at, row->total_ms.count);
    qsort(row->errors.at, row->errors.count, sizeof *row->errors.at, compare_words);
    qsort(row->routes.at, row->routes.count, sizeof *row->routes.at, compare_words);
}

void score_finish(struct score *score)
{
    for (size_t i = 0; i < score->count; i++)
        finish_row(&score->rows[i]);
    finish_row(&score->total);
    if (score->count > 0)
        qsort(score->rows, score->count, sizeof *score->rows, compare_rows);
}

double score_cache_hits(const struct score_row *row)
{
    return row->cached_of == 0 ? (double)NAN
                               : (double)row->cached_tokens / (double)row->cached_of;
}
