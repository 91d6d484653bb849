/* score_show.c - see score_show.h. */
#include "cli/score_show.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/column.h"
#include "cli/score.h"
#include "proto/json_write.h"

enum { CELL_SIZE = 32, CALLS_COLUMNS = 49, MORE_COLUMNS = 14, ROUTE_COLUMN = 13 };

/* Which words of docs/routing.md mean what; those of others are told as they are. */
static const struct {
    const char *word;
    const char *means;
} routes[] = {
    {"only", "there was one candidate"},
    {"first", "the first in the config that had a place"},
    {"sticky", "the conversation's favourite, for its cache"},
    {"least_busy", "the favourite was full, slow or clearly busier"},
    {"fallback", "those before it were down or failed"},
    {"probe", "the server was down: this call tried it"},
    {"mark_seat", "cloud: the persona is marked"},
    {"mark_opening", "cloud: the opening is marked"},
    {"mark_closing", "cloud: the closing is marked"},
    {"mark_every", "cloud: every nth turn is marked"},
    {"complexity", "cloud: what was said last is hard"},
    {"record", "the other tier has a bad record"},
    {"background", "local: nothing speaks for the cloud"},
    {"off", "local: hybrid is off"},
    {"cost_cap", "local: the day's cost cap is reached"},
};

static const char *meaning_of(const char *word)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(routes[i].word, word) == 0)
            return routes[i].means;
    return "";
}

/* ---- tables ---- */

struct table {
    const struct score *score;
    struct buf *out;
    int widths[2]; /* endpoint, model */
    bool verbose;
};

static void measure(struct table *table)
{
    const struct score *score = table->score;
    int figures = CALLS_COLUMNS + (table->verbose ? MORE_COLUMNS : 0);
    int total = (table->verbose ? COLUMNS_WIDE : COLUMNS_USUAL) - figures - 2;
    const char *const titles[] = {"endpoint", "model"};

    for (int i = 0; i < 2; i++)
        table->widths[i] = column_width(str_of(titles[i]));
    for (size_t i = 0; i < score->count; i++) {
        const char *const names[] = {score->rows[i].endpoint, score->rows[i].model};

        for (int k = 0; k < 2; k++)
            if (column_width(str_of(names[k])) > table->widths[k])
                table->widths[k] = column_width(str_of(names[k]));
    }
    column_fit(table->widths, 2, total);
}

static void add_names(const struct table *table, const char *endpoint,
                      const char *model)
{
    column_add(table->out, str_of(endpoint), table->widths[0]);
    column_add(table->out, str_of(model), table->widths[1]);
}

static const char *ms_text(char text[CELL_SIZE], const struct stats *stats, double ms)
{
    fmt_into(text, CELL_SIZE, ms < 100 ? "%.1f" : "%.0f", ms < 1e12 ? ms : 1e12);
    return stats->count > 0 ? text : "-";
}

static void add_calls(const struct table *table, const struct score_row *row)
{
    const struct stats *first = &row->first_ms.stats;
    const struct stats *total = &row->total_ms.stats;
    char cells[4][CELL_SIZE];
    char success[CELL_SIZE];

    fmt_into(success, sizeof success, "%.1f %%",
             100.0 * (double)row->done / (double)row->calls);
    buf_printf(table->out, "%6" PRId64 " %7s %6" PRId64, row->calls, success,
               row->failed);
    if (table->verbose)
        buf_printf(table->out, " %6" PRId64 " %6" PRId64, row->done, row->cancelled);
    buf_printf(table->out, " %6s %6s %6s %6s\n", ms_text(cells[0], first, first->p50),
               ms_text(cells[1], first, first->p95),
               ms_text(cells[2], total, total->p50),
               ms_text(cells[3], total, total->p95));
}

/* No call has none: what adds up to nothing was not told. */
static const char *sum_text(char text[CELL_SIZE], int64_t sum)
{
    fmt_into(text, CELL_SIZE, "%" PRId64, sum);
    return sum > 0 ? text : "-";
}

static void add_tokens(const struct table *table, const struct score_row *row)
{
    double hits = score_cache_hits(row);
    char counts[2][CELL_SIZE];
    char cost[CELL_SIZE];
    char cached[CELL_SIZE];

    fmt_into(cost, sizeof cost, "%.4f", row->cost < 1e12 ? row->cost : 1e12);
    fmt_into(cached, sizeof cached, "%.1f %%", isnan(hits) ? 0 : hits * 100);
    buf_printf(table->out, "%10s %10s %8s %10s %5" PRId64 "\n",
               sum_text(counts[0], row->prompt_tokens),
               sum_text(counts[1], row->generated_tokens), isnan(hits) ? "-" : cached,
               row->has_cost ? cost : "-", row->extra);
}

static void each_row(const struct table *table,
                     void (*add)(const struct table *table,
                                 const struct score_row *row))
{
    const struct score *score = table->score;

    for (size_t i = 0; i < score->count; i++) {
        add_names(table, score->rows[i].endpoint, score->rows[i].model);
        add(table, &score->rows[i]);
    }
    if (score->count > 1) {
        add_names(table, "all", " ");
        add(table, &score->total);
    }
}

static double percent_of(int64_t part, int64_t whole)
{
    return 100.0 * (double)part / (double)whole;
}

static void add_routes(const struct table *table)
{
    const struct score_words *words = &table->score->total.routes;
    int64_t sum = 0;

    for (size_t i = 0; i < words->count; i++)
        sum += words->at[i].count;
    if (sum > 0)
        buf_add_text(table->out, "\nwhy a call went where it went\n");
    for (size_t i = 0; i < words->count; i++) {
        buf_add_text(table->out, "  ");
        column_add(table->out, str_of(words->at[i].word), ROUTE_COLUMN);
        buf_printf(table->out, "%7" PRId64 "  %5.1f %%  %s", words->at[i].count,
                   percent_of(words->at[i].count, sum), meaning_of(words->at[i].word));
        column_end(table->out);
    }
}

/* Of which server, and how much of what it was asked. */
static void add_failures(const struct table *table)
{
    const struct score *score = table->score;
    bool is_first = true;

    for (size_t i = 0; i < score->count; i++) {
        const struct score_row *row = &score->rows[i];

        for (size_t k = 0; k < row->errors.count; k++) {
            if (is_first)
                buf_add_text(table->out, "\nwhat failed\n");
            is_first = false;
            buf_add_text(table->out, "  ");
            column_add(table->out, str_of(row->errors.at[k].word), ROUTE_COLUMN + 2);
            buf_printf(table->out, "%5" PRId64 "  %5.1f %% of ",
                       row->errors.at[k].count,
                       percent_of(row->errors.at[k].count, row->calls));
            add_names(table, row->endpoint, row->model);
            column_end(table->out);
        }
    }
}

static void add_notes(const struct table *table)
{
    const struct score_row *total = &table->score->total;

    if (total->cancelled > 0 && !table->verbose)
        buf_printf(table->out,
                   "\ncalls cancelled, by a stop, a pause or a deadline: %" PRId64 "\n",
                   total->cancelled);
    if (total->lost > 0)
        buf_printf(table->out,
                   "\ncalls lost with the worker that made them: %" PRId64 "\n",
                   total->lost);
}

void score_show_tables(const struct score *score, bool verbose, struct buf *out)
{
    struct table table = {.score = score, .out = out, .verbose = verbose};
    int names;

    if (score->total.calls == 0) {
        buf_add_text(out, "no calls: none was made yet, or none within the time asked "
                          "for; they are kept an\nhour. `parley list` tells what runs, "
                          "`parley analyze` of runs that are over.\n");
        return;
    }
    measure(&table);
    names = table.widths[0] + table.widths[1] + 2;
    buf_printf(out, "%*s%s %13s %13s\n", names, "",
               verbose ? "                                   "
                       : "                     ",
               "first tok. ms", "total ms");
    add_names(&table, "endpoint", "model");
    buf_printf(out, "%6s %7s %6s%s %6s %6s %6s %6s\n", "calls", "success", "failed",
               verbose ? "   done  canc." : "", "p50", "p95", "p50", "p95");
    each_row(&table, add_calls);
    buf_add_char(out, '\n');
    add_names(&table, "endpoint", "model");
    buf_printf(out, "%10s %10s %8s %10s %5s\n", "prompt t.", "generated", "cached",
               "cost", "extra");
    each_row(&table, add_tokens);
    add_notes(&table);
    add_routes(&table);
    add_failures(&table);
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
