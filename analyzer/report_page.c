/* report_page.c - see report_page.h: the order of the sections, and the first ones.
 */
#include "analyzer/report_page.h"

#include <string.h>

#include "analyzer/page.h"
#include "analyzer/report.h"
#include "analyzer/report_sections.h"
#include "analyzer/tally.h"

static report_section *const sections[] = {
    section_summary,   section_metrics,       section_personas,       section_models,
    section_endpoints, section_turn_indexes,  section_distribution,   section_over_time,
    section_goodput,   section_calls,         section_cache_and_cost, section_talk,
    section_endings,   section_conversations,
};

struct page *report_page(const struct report *report, const struct report_wish *wish)
{
    struct page *page = page_new();

    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        sections[i](report, wish, page);
    return page;
}

void section_rest(struct page *page, size_t count, size_t shown, size_t kept)
{
    if (count > shown && kept == count)
        page_words(page, PEN_DIM, "... and %s more: --json has all of them.",
                   page_count((int64_t)(count - shown)));
    else if (count > shown)
        page_words(page, PEN_DIM, "... and %s more: --json has the first %s.",
                   page_count((int64_t)(count - shown)), page_count((int64_t)kept));
}

/* ---- in plain words ---- */

static const char *plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

static void tell_size(const struct tally *tally, struct page *page)
{
    const struct counts *counts = &tally->total.counts;
    double wall_ms = group_wall_ms(&tally->total);

    if (counts->turns == 0) {
        page_words(page, PEN_PLAIN, "%s conversation%s, no turns.",
                   page_count(tally->conversation_count),
                   plural(tally->conversation_count));
        return;
    }
    if (counts->tokens_generated < 0) {
        page_words(page, PEN_PLAIN, "%s%s conversation%s, %s turn%s in %s: %s turns/s.",
                   tally->more_conversations ? "at least " : "",
                   page_count(tally->conversation_count),
                   plural(tally->conversation_count), page_count(counts->turns),
                   plural(counts->turns), page_span(wall_ms),
                   page_number(group_rate(&tally->total, counts->turns)));
        return;
    }
    page_words(page, PEN_PLAIN,
               "%s%s conversation%s, %s turn%s, %s token%s generated in %s: "
               "%s tokens/s, %s turns/s.",
               tally->more_conversations ? "at least " : "",
               page_count(tally->conversation_count), plural(tally->conversation_count),
               page_count(counts->turns), plural(counts->turns),
               page_count(counts->tokens_generated), plural(counts->tokens_generated),
               page_span(wall_ms),
               page_number(group_rate(&tally->total, counts->tokens_generated)),
               page_number(group_rate(&tally->total, counts->turns)));
}

static void tell_latency(struct tally *tally, struct page *page)
{
    struct spread *first = &tally->total.metrics[METRIC_TIME_TO_FIRST_TOKEN];
    struct spread *whole = &tally->total.metrics[METRIC_GENERATION_TIME];

    if (first->count > 0)
        page_words(page, PEN_PLAIN,
                   "First token after %s at the median, %s at the 95th percentile.",
                   page_span(spread_percentile(first, 50)),
                   page_span(spread_percentile(first, 95)));
    if (whole->count > 0)
        page_words(page, PEN_PLAIN,
                   "Whole answers took %s at the median, %s at the 95th percentile.",
                   page_span(spread_percentile(whole, 50)),
                   page_span(spread_percentile(whole, 95)));
}

static void tell_calls(const struct calls *calls, struct page *page)
{
    bool clean = calls->failed + calls->cancelled + calls->lost == 0;

    if (calls->ended < 0)
        page_words(page, PEN_DIM, "There is no record of the model calls.");
    else if (clean)
        page_words(page, PEN_GOOD, "%s model call%s, all of them done.",
                   page_count(calls->ended), plural(calls->ended));
    else
        page_words(page, PEN_WARN, "%s model call%s: %s failed, %s cancelled, %s lost.",
                   page_count(calls->ended), plural(calls->ended),
                   page_count(calls->failed), page_count(calls->cancelled),
                   page_count(calls->lost));
}

static void tell_warnings(const struct tally *tally, struct page *page)
{
    const struct counts *counts = &tally->total.counts;

    if (counts->failed_turns > 0)
        page_words(page, PEN_BAD, "%s turn%s failed and %s empty.",
                   page_count(counts->failed_turns), plural(counts->failed_turns),
                   counts->failed_turns == 1 ? "is" : "are");
    if (counts->without_counts > 0)
        page_words(page, PEN_WARN,
                   "Of %s turn%s no server told the tokens: sums lack them.",
                   page_count(counts->without_counts), plural(counts->without_counts));
    if (warmup_wanted(&tally->warmup))
        page_words(page, PEN_DIM, "Left out as warm-up: %s turn%s, %s call%s.",
                   page_count(tally->warmup.turns_out), plural(tally->warmup.turns_out),
                   page_count(tally->warmup.calls_out),
                   plural(tally->warmup.calls_out));
    if (spread_approximate(&tally->total.metrics[METRIC_GENERATION_TIME]))
        page_words(page, PEN_DIM,
                   "Percentiles are right to %.1f %% of their value: there are too "
                   "many turns to keep each.",
                   SPREAD_ERROR * 100);
}

void section_summary(const struct report *report, const struct report_wish *wish,
                     struct page *page)
{
    (void)wish;
    page_section(page, "Summary");
    tell_size(report->tally, page);
    tell_latency(report->tally, page);
    tell_calls(&report->tally->calls, page);
    tell_warnings(report->tally, page);
}

/* ---- latencies and rates: a row a metric ---- */

static const int few_percents[] = {50, 95, 99};
static const int all_percents[] = {1, 5, 10, 25, 50, 75, 90, 95, 99};
static const struct page_column few_columns[] = {
    {"", ALIGN_LEFT, 0, 0},       {"p50", ALIGN_RIGHT, 0, 0},
    {"p95", ALIGN_RIGHT, 0, 0},   {"p99", ALIGN_RIGHT, 0, 0},
    {"mean", ALIGN_RIGHT, 0, 0},  {"std", ALIGN_RIGHT, 0, 3},
    {"min", ALIGN_RIGHT, 0, 2},   {"max", ALIGN_RIGHT, 0, 1},
    {"turns", ALIGN_RIGHT, 0, 0},
};
static const struct page_column all_columns[] = {
    {"", ALIGN_LEFT, 12, 0},      {"p1", ALIGN_RIGHT, 0, 2},
    {"p5", ALIGN_RIGHT, 0, 1},    {"p10", ALIGN_RIGHT, 0, 3},
    {"p25", ALIGN_RIGHT, 0, 0},   {"p50", ALIGN_RIGHT, 0, 0},
    {"p75", ALIGN_RIGHT, 0, 0},   {"p90", ALIGN_RIGHT, 0, 0},
    {"p95", ALIGN_RIGHT, 0, 0},   {"p99", ALIGN_RIGHT, 0, 0},
    {"mean", ALIGN_RIGHT, 0, 4},  {"std", ALIGN_RIGHT, 0, 8},
    {"min", ALIGN_RIGHT, 0, 7},   {"max", ALIGN_RIGHT, 0, 6},
    {"turns", ALIGN_RIGHT, 0, 5},
};

static void metric_row(struct page *page, enum metric metric, struct spread *spread,
                       bool verbose)
{
    const int *percents = verbose ? all_percents : few_percents;
    size_t count = verbose ? sizeof all_percents / sizeof *all_percents
                           : sizeof few_percents / sizeof *few_percents;
    char label[80];

    fmt_into(label, sizeof label, "%s%s", metric_label(metric),
             strcmp(metric_unit(metric), "ms") == 0 ? ", ms" : "");
    page_cell_text(page, PEN_PLAIN, label);
    for (size_t i = 0; i < count; i++)
        page_cell_number(page, spread_percentile(spread, percents[i]));
    page_cell_number(page, spread_mean(spread));
    page_cell_number(page, spread_std(spread));
    page_cell_number(page, spread_min(spread));
    page_cell_number(page, spread_max(spread));
    page_cell_count(page, (int64_t)spread->count);
}

/* The metrics that no turn has, in one line instead of a row of "-" each. */
static void tell_missing(struct tally *tally, struct page *page)
{
    struct buf names;

    buf_init(&names, 1024);
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        if (tally->total.metrics[m].count == 0)
            (void)buf_printf(&names, "%s%s", names.len == 0 ? "" : ", ",
                             metric_label(m)); /* all of them fit */
    if (names.len > 0)
        page_words(page, PEN_DIM, "Not measured here: %s.", buf_text(&names));
    buf_done(&names);
}

void section_metrics(const struct report *report, const struct report_wish *wish,
                     struct page *page)
{
    struct tally *tally = report->tally;

    if (tally->total.counts.turns == 0)
        return;
    page_section(page, "Latencies and rates, one value a turn");
    page_table(page, wish->verbose ? all_columns : few_columns,
               wish->verbose ? sizeof all_columns / sizeof *all_columns
                             : sizeof few_columns / sizeof *few_columns);
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        if (tally->total.metrics[m].count > 0)
            metric_row(page, m, &tally->total.metrics[m], wish->verbose);
    tell_missing(tally, page);
}
