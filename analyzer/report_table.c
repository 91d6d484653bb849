/* report_table.c - see report_table.h.
 *
 * Flow: conversations, totals, latency (a row a metric), then for personas and for
 *       models one table of counts and rates and one of latencies
 */
#include "analyzer/report_table.h"

#include <math.h>
#include <stdlib.h>

#include "analyzer/cell.h"
#include "analyzer/tally.h"
#include "base/alloc.h"
#include "base/buf.h"

/* Columns; each table's sum stays within 100. */
enum {
    ROWS_SHOWN = 32,
    NAME_WIDTH = 25,
    SHORT_NAME_WIDTH = 14,
    COUNT_WIDTH = 10,
    WIDE_WIDTH = 12,
    NUMBER_WIDTH = 9,
    PERCENTILE_WIDTH = 7,
    ID_WIDTH = 26,
    WORD_WIDTH = 10,
    LABEL_WIDTH = 30
};

static void title(const struct report *report, struct buf *into, const char *text)
{
    (void)buf_printf(into, report->bold ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

static void end_line(struct buf *into)
{
    while (into->len > 0 && into->at[into->len - 1] == ' ')
        into->at[--into->len] = '\0';
    (void)buf_add_char(into, '\n');
}

static size_t shown_of(size_t count)
{
    return count > ROWS_SHOWN ? ROWS_SHOWN : count;
}

static void rest_line(struct buf *into, size_t count)
{
    if (count > ROWS_SHOWN)
        (void)buf_printf(into, "  ... and %zu more: see --json\n", count - ROWS_SHOWN);
}

/* ---- conversations ---- */

static void conversation_row(struct buf *into, const struct group *group)
{
    (void)buf_add_text(into, "  ");
    cell_text(into, group->conversation.text, ID_WIDTH);
    (void)buf_add_char(into, ' ');
    cell_text(into, group->state, WORD_WIDTH);
    (void)buf_add_char(into, ' ');
    cell_text(into, group->reason, WORD_WIDTH);
    cell_count(into, group->counts.turns, COUNT_WIDTH);
    cell_count(into, group->counts.tokens_generated, WIDE_WIDTH);
    cell_number(into, group_wall_ms(group) / 1000, NUMBER_WIDTH);
    cell_number(into, group_rate(group, group->counts.tokens_generated), NUMBER_WIDTH);
    end_line(into);
}

static void conversations(const struct report *report, struct buf *into)
{
    const struct group_table *table = report->tally->conversations;
    size_t count = group_table_count(table);

    title(report, into, count == 1 ? "Conversation" : "Conversations");
    (void)buf_add_text(into, "  ");
    cell_text(into, "id", ID_WIDTH);
    (void)buf_add_char(into, ' ');
    cell_text(into, "state", WORD_WIDTH);
    (void)buf_add_char(into, ' ');
    cell_text(into, "reason", WORD_WIDTH);
    cell_right(into, "turns", COUNT_WIDTH);
    cell_right(into, "tokens", WIDE_WIDTH);
    cell_right(into, "wall s", NUMBER_WIDTH);
    cell_right(into, "tokens/s", NUMBER_WIDTH);
    end_line(into);
    for (size_t i = 0; i < shown_of(count); i++)
        conversation_row(into, group_table_at(table, i));
    rest_line(into, count);
}

/* ---- totals ---- */

static void count_line(struct buf *into, const char *label, int64_t value)
{
    (void)buf_add_text(into, "  ");
    cell_text(into, label, LABEL_WIDTH);
    cell_count(into, value, COUNT_WIDTH);
    end_line(into);
}

static void number_line(struct buf *into, const char *label, double value)
{
    (void)buf_add_text(into, "  ");
    cell_text(into, label, LABEL_WIDTH);
    cell_number(into, value, COUNT_WIDTH);
    end_line(into);
}

static void totals(const struct report *report, struct buf *into)
{
    const struct tally *tally = report->tally;
    const struct counts *counts = &tally->total.counts;

    title(report, into, "Totals");
    count_line(into, "conversations", tally->conversation_count);
    count_line(into, "turns", counts->turns);
    count_line(into, "turns failed", counts->failed_turns);
    count_line(into, "turns without token counts", counts->without_counts);
    count_line(into, "prompt tokens", counts->prompt_tokens);
    count_line(into, "tokens generated", counts->tokens_generated);
    number_line(into, "wall time, s", group_wall_ms(&tally->total) / 1000);
    number_line(into, "throughput, tokens/s",
                group_rate(&tally->total, counts->tokens_generated));
    number_line(into, "throughput, turns/s", group_rate(&tally->total, counts->turns));
    count_line(into, "model calls", tally->calls.ended);
    count_line(into, "model calls failed", tally->calls.failed);
    count_line(into, "model calls cancelled", tally->calls.cancelled);
    if (tally->calls.lost > 0)
        count_line(into, "model calls lost", tally->calls.lost);
    count_line(into, "attempts for the turns", counts->attempts);
}

/* ---- latency: a row a metric ---- */

static void latency_row(struct buf *into, struct spread *stats, enum metric metric)
{
    char *label = x_printf("%s, %s", metric_label(metric), metric_unit(metric));

    (void)buf_add_text(into, "  ");
    cell_text(into, label, LABEL_WIDTH);
    cell_number(into, spread_mean(stats), NUMBER_WIDTH);
    cell_number(into, spread_percentile(stats, 50), NUMBER_WIDTH);
    cell_number(into, spread_percentile(stats, 95), NUMBER_WIDTH);
    cell_number(into, spread_percentile(stats, 99), NUMBER_WIDTH);
    cell_number(into, spread_min(stats), NUMBER_WIDTH);
    cell_number(into, spread_max(stats), NUMBER_WIDTH);
    cell_count(into, (int64_t)stats->count, NUMBER_WIDTH);
    end_line(into);
    free(label);
}

static void latency(const struct report *report, struct buf *into)
{
    static const char *const heads[] = {"mean", "p50", "p95",  "p99",
                                        "min",  "max", "turns"};

    title(report, into, "Rates and latencies");
    (void)buf_add_text(into, "  ");
    cell_text(into, "", LABEL_WIDTH);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        cell_right(into, heads[i], NUMBER_WIDTH);
    end_line(into);
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        latency_row(into, &report->tally->total.metrics[m], m);
}

/* ---- groups: personas or models ---- */

/* "1 Ada Quill", "ollama llama3.2:3b"; the caller frees. */
static char *group_title(const struct group *group)
{
    const char *model = group->model.text == NULL ? "-" : group->model.text;

    if (group->seat >= 0)
        return x_printf("%lld %s", (long long)group->seat,
                        group->name == NULL ? "-" : group->name);
    return group->provider.text == NULL
               ? x_strdup(model)
               : x_printf("%s %s", group->provider.text, model);
}

static void counts_row(struct buf *into, struct group *group)
{
    struct spread *rate = &group->metrics[METRIC_TOKENS_PER_SECOND];
    char *name = group_title(group);

    (void)buf_add_text(into, "  ");
    cell_text(into, name, NAME_WIDTH);
    cell_count(into, group->counts.turns, NUMBER_WIDTH);
    cell_count(into, group->counts.without_counts, COUNT_WIDTH);
    cell_count(into, group->counts.prompt_tokens, WIDE_WIDTH);
    cell_count(into, group->counts.tokens_generated, WIDE_WIDTH);
    cell_number(into, spread_mean(rate), WIDE_WIDTH);
    cell_number(into, spread_percentile(rate, 50), NUMBER_WIDTH);
    cell_number(into, spread_percentile(rate, 95), NUMBER_WIDTH);
    end_line(into);
    free(name);
}

static void counts_table(struct buf *into, const struct group_table *table,
                         const char *head)
{
    (void)buf_add_text(into, "  ");
    cell_text(into, head, NAME_WIDTH);
    cell_right(into, "turns", NUMBER_WIDTH);
    cell_right(into, "uncounted", COUNT_WIDTH);
    cell_right(into, "prompt tok", WIDE_WIDTH);
    cell_right(into, "generated", WIDE_WIDTH);
    cell_right(into, "tok/s mean", WIDE_WIDTH);
    cell_right(into, "p50", NUMBER_WIDTH);
    cell_right(into, "p95", NUMBER_WIDTH);
    end_line(into);
    for (size_t i = 0; i < shown_of(group_table_count(table)); i++)
        counts_row(into, group_table_at(table, i));
}

static const enum metric latencies[] = {METRIC_TIME_TO_FIRST_TOKEN,
                                        METRIC_GENERATION_TIME, METRIC_QUEUE_WAIT,
                                        METRIC_ROUTING};
enum { LATENCIES = sizeof latencies / sizeof *latencies };

static void latencies_row(struct buf *into, struct group *group)
{
    char *name = group_title(group);

    (void)buf_add_text(into, "  ");
    cell_text(into, name, SHORT_NAME_WIDTH);
    for (size_t i = 0; i < LATENCIES; i++) {
        struct spread *stats = &group->metrics[latencies[i]];

        cell_number(into, spread_percentile(stats, 50), PERCENTILE_WIDTH);
        cell_number(into, spread_percentile(stats, 95), PERCENTILE_WIDTH);
        cell_number(into, spread_percentile(stats, 99), PERCENTILE_WIDTH);
    }
    end_line(into);
    free(name);
}

static void latencies_table(struct buf *into, const struct group_table *table)
{
    cell_text(into, "  ms", SHORT_NAME_WIDTH + 2);
    for (size_t i = 0; i < LATENCIES; i++)
        cell_right(into, metric_label(latencies[i]), (size_t)3 * PERCENTILE_WIDTH);
    end_line(into);
    cell_text(into, "", SHORT_NAME_WIDTH + 2);
    for (size_t i = 0; i < LATENCIES; i++) {
        cell_right(into, "p50", PERCENTILE_WIDTH);
        cell_right(into, "p95", PERCENTILE_WIDTH);
        cell_right(into, "p99", PERCENTILE_WIDTH);
    }
    end_line(into);
    for (size_t i = 0; i < shown_of(group_table_count(table)); i++)
        latencies_row(into, group_table_at(table, i));
    rest_line(into, group_table_count(table));
}

void report_table(const struct report *report, struct buf *into)
{
    const struct tally *tally = report->tally;

    (void)buf_add_text(into, "source: ");
    cell_text(into, report->source, 90);
    end_line(into);
    conversations(report, into);
    totals(report, into);
    latency(report, into);
    title(report, into, "By persona");
    counts_table(into, tally->personas, "seat and name");
    (void)buf_add_char(into, '\n');
    latencies_table(into, tally->personas);
    title(report, into, "By model");
    counts_table(into, tally->models, "provider and model");
    (void)buf_add_char(into, '\n');
    latencies_table(into, tally->models);
}
