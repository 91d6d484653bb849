/* report_rest.c - the sections about all turns together: distribution, time, goodput,
 * calls and waste, cache, cost, the talk, endings.
 */
#include <math.h>
#include <stdlib.h>

#include "analyzer/activity.h"
#include "analyzer/histogram.h"
#include "analyzer/page.h"
#include "analyzer/report.h"
#include "analyzer/report_page.h"
#include "analyzer/report_sections.h"
#include "analyzer/tally.h"
#include "base/alloc.h"

enum { BINS_WANTED = 12 };
static const double COST_SMALL = 1000;
static const double COST_SHOWN_MAX = 1e15;

static double share_of(int64_t part, int64_t whole)
{
    return part >= 0 && whole > 0 ? (double)part / (double)whole : (double)NAN;
}

/* ---- distribution ---- */

static const struct page_column bin_columns[] = {
    {"ms", ALIGN_RIGHT, 0, 0},
    {"turns", ALIGN_RIGHT, 0, 0},
    {"share", ALIGN_RIGHT, 0, 1},
    {"", ALIGN_LEFT, 0, 0},
};

static void bin_row(struct page *page, const struct bin *bin, uint64_t all, double max)
{
    char range[64];

    fmt_into(range, sizeof range, "%s - %s", page_number(bin->from),
             page_number(bin->to));
    page_cell_text(page, PEN_PLAIN, range);
    page_cell_count(page, bin->count);
    page_cell_share(page, share_of(bin->count, (int64_t)all));
    page_cell_bar(page, (double)bin->count, max);
}

void section_distribution(const struct report *report, const struct report_wish *wish,
                          struct page *page)
{
    struct spread *spread = &report->tally->total.metrics[METRIC_TIME_TO_FIRST_TOKEN];
    struct bin bins[HISTOGRAM_BINS_MAX];
    size_t count = histogram_make(spread, BINS_WANTED, bins);
    double max = 0;

    (void)wish;
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        max = fmax(max, (double)bins[i].count);
    page_section(page, "Distribution of the time to first token");
    page_table(page, bin_columns, sizeof bin_columns / sizeof *bin_columns);
    for (size_t i = 0; i < count; i++)
        bin_row(page, &bins[i], spread->count, max);
}

/* ---- over time ---- */

enum series { SERIES_TOKENS, SERIES_TURNS, SERIES_CALLS, SERIES_FIRST, SERIES_COUNT };

static double point_value(const struct activity_point *point, enum series series)
{
    const double values[SERIES_COUNT] = {point->tokens_per_second,
                                         point->turns_per_second, point->concurrency,
                                         point->first_token_p50_ms};

    return values[series];
}

static void series_row(struct page *page, enum series series,
                       const struct activity_point *points, size_t count)
{
    static const char *const titles[SERIES_COUNT] = {"tokens/s", "turns/s",
                                                     "calls at once", "ttft p50, ms"};
    double values[ACTIVITY_POINTS_MAX];
    double max = (double)NAN;

    for (size_t i = 0; i < count; i++) {
        values[i] = point_value(&points[i], series);
        max = fmax(max, values[i]);
    }
    page_cell_text(page, PEN_PLAIN, titles[series]);
    page_cell_spark(page, values, count);
    page_cell_number(page, max);
}

void section_over_time(const struct report *report, const struct report_wish *wish,
                       struct page *page)
{
    static const struct page_column columns[] = {{"", ALIGN_LEFT, 12, 0},
                                                 {"", ALIGN_LEFT, 0, 0},
                                                 {"highest", ALIGN_RIGHT, 0, 0}};
    struct activity_point points[ACTIVITY_POINTS_MAX];
    struct activity_summary sum = activity_summary(report->tally->activity);
    int64_t width_us = 0;
    size_t count = activity_points(report->tally->activity, points, &width_us);

    (void)wish;
    if (count < 2)
        return;
    page_section(page, "Over time");
    page_table(page, columns, sizeof columns / sizeof *columns);
    for (enum series s = 0; s < SERIES_COUNT; s++)
        series_row(page, s, points, count);
    page_words(page, PEN_PLAIN,
               "Calls at once: %s on average, at most %s%s. Most tokens in one second: "
               "%s. A point is %s of time.",
               page_number(sum.mean_concurrency), page_count(sum.peak_concurrency),
               sum.peak_approximate ? " (about)" : "",
               page_number(sum.peak_tokens_per_second),
               page_span((double)width_us / 1000));
}

/* ---- goodput ---- */

void section_goodput(const struct report *report, const struct report_wish *wish,
                     struct page *page)
{
    const struct goodput *goodput = &report->tally->goodput;
    struct buf limits;

    (void)wish;
    if (goodput->limits == 0)
        return;
    buf_init(&limits, 1024);
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        if (isfinite(goodput->limit[m]))
            (void)buf_printf(
                &limits, "%s%s %s %s %s", limits.len == 0 ? "" : ", ", metric_label(m),
                m == METRIC_TOKENS_PER_SECOND ? "at least" : "at most",
                page_number(goodput->limit[m]), metric_unit(m)); /* all of them fit */
    page_section(page, "Goodput");
    page_words(page, PEN_PLAIN, "Limits: %s.", buf_text(&limits));
    page_words(page, goodput->missed > 0 ? PEN_WARN : PEN_GOOD,
               "%s turn%s met all of them, %s missed one, of %s it is not known: "
               "%s of all are good, %s good turns/s.",
               page_count(goodput->good), goodput->good == 1 ? "" : "s",
               page_count(goodput->missed), page_count(goodput->unknown),
               page_share(share_of(goodput->good,
                                   goodput->good + goodput->missed + goodput->unknown)),
               page_number(group_rate(&report->tally->total, goodput->good)));
    buf_done(&limits);
}

/* ---- calls ---- */

static const struct page_column waste_columns[] = {
    {"wasted calls", ALIGN_LEFT, 12, 0}, {"calls", ALIGN_RIGHT, 0, 0},
    {"generated", ALIGN_RIGHT, 0, 0},    {"prompt tokens", ALIGN_RIGHT, 0, 0},
    {"uncounted", ALIGN_RIGHT, 0, 0},
};

static void waste_row(struct page *page, const char *title, const struct waste *waste)
{
    page_cell_text(page, PEN_PLAIN, title);
    page_cell_count(page, waste->calls);
    page_cell_count(page, waste->tokens_generated);
    page_cell_count(page, waste->prompt_tokens);
    page_cell_count(page, waste->without_counts);
}

void section_calls(const struct report *report, const struct report_wish *wish,
                   struct page *page)
{
    const struct calls *calls = &report->tally->calls;
    size_t rows = 0;

    (void)wish; /* their number is bounded */
    if (calls->ended < 0 || calls->wasted.calls == 0)
        return;
    page_section(page, "Wasted on calls that came to nothing");
    page_table(page, waste_columns, sizeof waste_columns / sizeof *waste_columns);
    for (size_t i = 0; i < calls->reason_count; i++) {
        if (calls->reasons[i].calls == 0) /* a lost call that was none */
            continue;
        waste_row(page, calls->reasons[i].reason, &calls->reasons[i]);
        rows++;
    }
    if (rows > 1)
        waste_row(page, "all", &calls->wasted);
}

/* ---- cache and cost ---- */

static void tell_cache(const struct cache *cache, struct page *page)
{
    if (cache->server.turns > 0)
        page_words(page, PEN_PLAIN,
                   "Servers told of %s turns: %s of the prompt tokens came from a "
                   "cache.",
                   page_count(cache->server.turns),
                   page_share(cache_share(&cache->server)));
    if (cache->estimated.turns > 0)
        page_words(page, PEN_PLAIN,
                   "Of %s turns nobody told; at most %s of their prompt tokens can "
                   "have been in a cache (an estimate).",
                   page_count(cache->estimated.turns),
                   page_share(cache_share(&cache->estimated)));
}

static const struct page_column cost_columns[] = {
    {"model", ALIGN_LEFT, 12, 0},
    {"calls", ALIGN_RIGHT, 0, 0},
    {"cost", ALIGN_RIGHT, 0, 0},
    {"of no known cost", ALIGN_RIGHT, 0, 0},
};

/* A price is told for a million tokens, so a turn's cost lies far behind the point. */
static void cost_cell(struct page *page, double cost)
{
    bool known = cost >= 0 && cost <= COST_SHOWN_MAX;
    char text[48];

    if (known)
        fmt_into(text, sizeof text, "%.*f", cost < COST_SMALL ? 6 : 2, cost);
    page_cell_text(page, PEN_PLAIN, known ? text : NULL);
}

static void cost_row(struct page *page, const char *title, const struct call_cost *cost)
{
    page_cell_text(page, PEN_PLAIN, title);
    page_cell_count(page, cost->calls);
    cost_cell(page, cost->cost);
    page_cell_count(page, cost->without_cost);
}

static void put_costs(const struct calls *calls, struct page *page)
{
    page_table(page, cost_columns, sizeof cost_columns / sizeof *cost_columns);
    for (size_t i = 0; i < calls->cost_count; i++) {
        const struct call_cost *cost = &calls->costs[i];
        char *title = x_printf("%s %s", cost->provider == NULL ? "" : cost->provider,
                               cost->model == NULL ? "-" : cost->model);

        cost_row(page, title, cost);
        free(title);
    }
    if (calls->cost_count > 1)
        cost_row(page, "all", &calls->total_cost);
}

void section_cache_and_cost(const struct report *report, const struct report_wish *wish,
                            struct page *page)
{
    const struct cache *cache = &report->tally->cache;
    const struct calls *calls = &report->tally->calls;
    bool cost = calls->ended > 0 && calls->total_cost.cost >= 0;

    (void)wish; /* their number is bounded */
    if (cache->server.turns + cache->estimated.turns == 0 && !cost)
        return;
    page_section(page, cost ? "Cache and cost" : "Cache");
    tell_cache(cache, page);
    if (cost)
        put_costs(calls, page);
}

/* ---- the talk ---- */

static const struct page_column talk_columns[] = {
    {"", ALIGN_LEFT, 16, 0},
    {"turns", ALIGN_RIGHT, 0, 3},
    {"words", ALIGN_RIGHT, 0, 0},
    {"share", ALIGN_RIGHT, 0, 0},
    {"", ALIGN_LEFT, 0, 0},
    {"a turn", ALIGN_RIGHT, 0, 2},
    {"diversity", ALIGN_RIGHT, 0, 0},
    {"repeated", ALIGN_RIGHT, 0, 0},
    {"name bleed", ALIGN_RIGHT, 0, 1},
};

static void talk_row(struct page *page, const struct speech_row *row)
{
    char *title =
        x_printf("%lld %s", (long long)row->seat, row->name == NULL ? "-" : row->name);

    page_cell_text(page, PEN_PLAIN, title);
    page_cell_count(page, row->turns);
    page_cell_count(page, row->words);
    page_cell_share(page, row->word_share);
    page_cell_bar(page, row->word_share, 1);
    page_cell_number(page, row->turns > 0 ? (double)row->words / (double)row->turns
                                          : (double)NAN);
    page_cell_number(page, row->diversity);
    page_cell_share(page, row->repetition);
    page_cell_text(page, row->bled_turns > 0 ? PEN_WARN : PEN_PLAIN,
                   page_count(row->bled_turns));
    free(title);
}

static void tell_talk(const struct speech_summary *sum, struct page *page)
{
    page_words(page, PEN_PLAIN,
               "%s words in %s sentences. Balance between speakers %s (1: all spoke "
               "as much), vocabulary diversity %s, repeated %s.",
               page_count(sum->words), page_count(sum->sentences),
               page_number(sum->balance), page_number(sum->diversity),
               page_share(sum->repetition));
    if (sum->every > 1)
        page_words(page, PEN_DIM, "Of the conversations each %lldth was taken: %s.",
                   (long long)sum->every, page_count(sum->conversations));
}

void section_talk(const struct report *report, const struct report_wish *wish,
                  struct page *page)
{
    struct speech *speech = report->tally->speech;
    const struct speech_row *rows = NULL;
    struct speech_summary sum;
    size_t count;
    size_t shown;

    if (speech == NULL)
        return;
    sum = speech_summary(speech);
    if (sum.turns == 0)
        return;
    count = speech_rows(speech, &rows);
    shown = count > wish->rows ? wish->rows : count;
    page_section(page, "The talk");
    tell_talk(&sum, page);
    page_table(page, talk_columns, sizeof talk_columns / sizeof *talk_columns);
    for (size_t i = 0; i < shown; i++)
        talk_row(page, &rows[i]);
    section_rest(page, count, shown, count);
}

/* ---- endings ---- */

static const struct page_column ending_columns[] = {
    {"reason", ALIGN_LEFT, 8, 0},
    {"conversations", ALIGN_RIGHT, 0, 0},
    {"", ALIGN_LEFT, 0, 0},
};

/* A single conversation tells its ending in its own row. */
void section_endings(const struct report *report, const struct report_wish *wish,
                     struct page *page)
{
    const struct tally *tally = report->tally;

    (void)wish; /* their number is bounded */
    if (tally->ending_count == 0 || tally->conversation_count < 2)
        return;
    page_section(page, "How conversations ended");
    page_table(page, ending_columns, sizeof ending_columns / sizeof *ending_columns);
    for (size_t i = 0; i < tally->ending_count; i++) {
        page_cell_text(page, PEN_PLAIN, tally->endings[i].reason);
        page_cell_count(page, tally->endings[i].conversations);
        page_cell_bar(page, (double)tally->endings[i].conversations,
                      (double)tally->conversation_count);
    }
}
