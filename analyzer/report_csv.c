/* report_csv.c - see report_csv.h. */
#include "analyzer/report_csv.h"

#include "analyzer/tally.h"
#include "base/csv.h"

static const int percents[] = {1, 5, 10, 25, 50, 75, 90, 95, 99};
enum { PERCENTS = sizeof percents / sizeof *percents };

static void put_heads(struct csv *csv)
{
    static const char *const before[] = {
        "group",      "seat",      "name",  "provider", "endpoint", "model",
        "first_turn", "last_turn", "turns", "metric",   "unit",     "count",
        "avg",        "std",       "min",   "max"};
    char name[8];

    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        csv_text(csv, before[i]);
    for (size_t i = 0; i < PERCENTS; i++) {
        fmt_into(name, sizeof name, "p%d", percents[i]);
        csv_text(csv, name);
    }
    csv_text(csv, "sum");
    csv_text(csv, "approximate");
    csv_end_row(csv);
}

static void put_metric(struct csv *csv, enum metric metric, struct spread *spread)
{
    csv_text(csv, metric_name(metric));
    csv_text(csv, metric_unit(metric));
    csv_count(csv, (int64_t)spread->count);
    csv_number(csv, spread_mean(spread));
    csv_number(csv, spread_std(spread));
    csv_number(csv, spread_min(spread));
    csv_number(csv, spread_max(spread));
    for (size_t i = 0; i < PERCENTS; i++)
        csv_number(csv, spread_percentile(spread, percents[i]));
    csv_number(csv, spread->count == 0 ? spread_mean(spread) : spread->sum);
    csv_text(csv, spread_approximate(spread) ? "true" : "false");
    csv_end_row(csv);
}

static void put_group(struct csv *csv, const char *kind, struct group *group)
{
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        csv_text(csv, kind);
        csv_count(csv, group->seat);
        csv_text(csv, group->name);
        csv_text(csv, group->provider.text);
        csv_text(csv, group->endpoint);
        csv_text(csv, group->model.text);
        csv_count(csv, group->first_turn);
        csv_count(csv, group->last_turn);
        csv_count(csv, group->counts.turns);
        put_metric(csv, m, &group->metrics[m]);
    }
}

static void put_table(struct csv *csv, const char *kind,
                      const struct group_table *table)
{
    for (size_t i = 0; i < group_table_count(table); i++)
        put_group(csv, kind, group_table_at(table, i));
}

void report_csv(const struct report *report, struct buf *into)
{
    struct tally *tally = report->tally;
    struct csv csv = {.into = into};

    put_heads(&csv);
    put_group(&csv, "total", &tally->total);
    put_table(&csv, "persona", tally->personas);
    put_table(&csv, "model", tally->models);
    put_table(&csv, "endpoint", tally->endpoints);
    for (size_t i = 0; i < TURN_CLASSES; i++)
        if (tally->turn_indexes[i] != NULL)
            put_group(&csv, "turn_index", tally->turn_indexes[i]);
}
