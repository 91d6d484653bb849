/* score_show.c - see score_show.h. */
#include "cli/score_show.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "cli/column.h"
#include "cli/score.h"
#include "proto/json_write.h"

enum { ENDPOINT_COLUMN = 14, MODEL_COLUMN = 24, CELL_SIZE = 32 };

/* ---- tables ---- */

static void add_names(struct buf *out, const struct score_row *row, bool is_total)
{
    column_add(out, str_of(is_total ? "all" : row->endpoint), ENDPOINT_COLUMN);
    column_add(out, str_of(is_total ? " " : row->model), MODEL_COLUMN);
}

static const char *ms_text(char text[CELL_SIZE], bool known, double ms)
{
    fmt_into(text, CELL_SIZE, ms < 100 ? "%.1f" : "%.0f", ms < 1e12 ? ms : 1e12);
    return known ? text : "-";
}

static void add_calls(struct buf *out, const struct score_row *row, bool is_total)
{
    const struct stats *first = &row->first_ms.stats;
    const struct stats *total = &row->total_ms.stats;
    char cells[4][CELL_SIZE];

    add_names(out, row, is_total);
    buf_printf(out,
               "%7" PRId64 " %7" PRId64 " %6" PRId64 " %6" PRId64 " %6s %6s %7s %7s\n",
               row->calls, row->done, row->failed, row->cancelled,
               ms_text(cells[0], first->count > 0, first->p50),
               ms_text(cells[1], first->count > 0, first->p95),
               ms_text(cells[2], total->count > 0, total->p50),
               ms_text(cells[3], total->count > 0, total->p95));
}

static void add_tokens(struct buf *out, const struct score_row *row, bool is_total)
{
    double hits = score_cache_hits(row);
    char cost[CELL_SIZE];
    char cached[CELL_SIZE];

    fmt_into(cost, sizeof cost, "%.4f", row->cost < 1e12 ? row->cost : 1e12);
    fmt_into(cached, sizeof cached, "%.1f %%", isnan(hits) ? 0 : hits * 100);
    add_names(out, row, is_total);
    buf_printf(out, "%11" PRId64 " %11" PRId64 " %9s %11s %7" PRId64 "\n",
               row->prompt_tokens, row->generated_tokens, isnan(hits) ? "-" : cached,
               row->has_cost ? cost : "-", row->extra);
}

static void add_words(struct buf *out, const char *title,
                      const struct score_words *words)
{
    int64_t sum = 0;

    if (words->count == 0)
        return;
    for (size_t i = 0; i < words->count; i++)
        sum += words->at[i].count;
    buf_printf(out, "\n%s\n", title);
    for (size_t i = 0; i < words->count; i++)
        buf_printf(out, "  %-32s %9" PRId64 "  %5.1f %%\n",
                   log_safe(str_of(words->at[i].word)), words->at[i].count,
                   100.0 * (double)words->at[i].count / (double)sum);
}

static void each_row(const struct score *score, struct buf *out,
                     void (*add)(struct buf *out, const struct score_row *row,
                                 bool is_total))
{
    for (size_t i = 0; i < score->count; i++)
        add(out, &score->rows[i], false);
    if (score->count > 1)
        add(out, &score->total, true);
}

void score_show_tables(const struct score *score, struct buf *out)
{
    if (score->total.calls == 0) {
        buf_add_text(out, "no calls yet, or none any more: they are kept an hour\n");
        return;
    }
    buf_printf(out, "%-*s %-*s %7s %7s %6s %6s %13s %15s\n", ENDPOINT_COLUMN, "",
               MODEL_COLUMN, "", "", "", "", "", "first token", "total (ms)");
    buf_printf(out, "%-*s %-*s %7s %7s %6s %6s %6s %6s %7s %7s\n", ENDPOINT_COLUMN,
               "endpoint", MODEL_COLUMN, "model", "calls", "done", "failed", "canc.",
               "p50", "p95", "p50", "p95");
    each_row(score, out, add_calls);
    buf_printf(out, "\n%-*s %-*s %11s %11s %9s %11s %7s\n", ENDPOINT_COLUMN, "endpoint",
               MODEL_COLUMN, "model", "prompt tok.", "generated", "cached", "cost",
               "extra");
    each_row(score, out, add_tokens);
    if (score->total.lost > 0)
        buf_printf(out, "\ncalls lost with the worker that made them: %" PRId64 "\n",
                   score->total.lost);
    add_words(out, "why a call went where it went", &score->total.routes);
    add_words(out, "what failed", &score->total.errors);
}

/* ---- JSON ---- */

static void write_times(struct buf *out, const char *name, const struct stats *stats)
{
    bool known = stats->count > 0;

    buf_printf(out, ",\"%s\":{\"p50\":", name);
    json_write_number(out, known ? stats->p50 : (double)NAN, 3);
    buf_add_text(out, ",\"p95\":");
    json_write_number(out, known ? stats->p95 : (double)NAN, 3);
    buf_add_char(out, '}');
}

static void write_words(struct buf *out, const char *list, const char *member,
                        const struct score_words *words)
{
    buf_printf(out, ",\"%s\":[", list);
    for (size_t i = 0; i < words->count; i++) {
        buf_printf(out, "%s{\"%s\":", i == 0 ? "" : ",", member);
        json_write_text(out, words->at[i].word);
        buf_printf(out, ",\"calls\":%" PRId64 "}", words->at[i].count);
    }
    buf_add_char(out, ']');
}

static void write_row(struct buf *out, const struct score_row *row)
{
    buf_printf(out,
               "{\"calls\":%" PRId64 ",\"done\":%" PRId64 ",\"failed\":%" PRId64
               ",\"cancelled\":%" PRId64 ",\"lost\":%" PRId64 ",\"extra\":%" PRId64
               ",\"prompt_tokens\":%" PRId64 ",\"tokens_generated\":%" PRId64
               ",\"prompt_cached_tokens\":%" PRId64 ",\"cache_hits\":",
               row->calls, row->done, row->failed, row->cancelled, row->lost,
               row->extra, row->prompt_tokens, row->generated_tokens,
               row->cached_tokens);
    json_write_number(out, score_cache_hits(row), 4);
    buf_add_text(out, ",\"cost\":");
    json_write_number(out, row->has_cost ? row->cost : (double)NAN, 6);
    write_times(out, "time_to_first_token_ms", &row->first_ms.stats);
    write_times(out, "duration_ms", &row->total_ms.stats);
    write_words(out, "errors", "error", &row->errors);
    write_words(out, "routes", "route", &row->routes);
    buf_add_char(out, '}');
}

void score_show_json(const struct score *score, struct buf *out)
{
    buf_add_text(out, "\"total\":");
    write_row(out, &score->total);
    buf_add_text(out, ",\"models\":[");
    for (size_t i = 0; i < score->count; i++) {
        const struct score_row *row = &score->rows[i];

        buf_add_text(out, i == 0 ? "{\"endpoint\":" : ",{\"endpoint\":");
        json_write_text(out, row->endpoint[0] == '\0' ? NULL : row->endpoint);
        buf_add_text(out, ",\"model\":");
        json_write_text(out, row->model[0] == '\0' ? NULL : row->model);
        buf_add_text(out, ",\"figures\":");
        write_row(out, row);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}
