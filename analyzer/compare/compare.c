/* compare.c - see compare.h. */
#include "analyzer/compare/compare.h"

#include <math.h>

#include "analyzer/cell.h"
#include "analyzer/compare/interval.h"
#include "analyzer/tally.h"
#include "base/utf8.h"
#include "proto/json_write.h"

enum {
    DECIMALS = 4,
    STATISTIC_COLUMNS = 5,
    NUMBER_COLUMNS = 9,
    PERCENT_SIZE = 24,
    CHANGE_SIZE = 96,
    CHANGE_COLUMNS = 28
};

const struct statistic compare_statistics[COMPARE_STATISTICS] = {
    {STATISTIC_MEAN, 0},
    {STATISTIC_PERCENTILE, 50},
    {STATISTIC_PERCENTILE, 95},
    {STATISTIC_PERCENTILE, 99},
};

const char *compare_statistic_name(size_t statistic)
{
    static const char *const names[COMPARE_STATISTICS] = {"mean", "p50", "p95", "p99"};

    return names[statistic];
}

static struct spread *spread_in(const struct compared *run, enum metric metric)
{
    return &run->tally->total.metrics[metric];
}

struct difference compare_one(const struct compared *first,
                              const struct compared *later, enum metric metric,
                              size_t statistic)
{
    struct spread *a = spread_in(first, metric);
    struct spread *b = spread_in(later, metric);
    struct statistic which = compare_statistics[statistic];
    struct difference difference = {.low = NAN, .high = NAN, .percent = NAN};
    struct interval interval;
    bool known = which.kind == STATISTIC_MEAN
                     ? interval_mean(a, b, &interval)
                     : interval_percentile(a, b, which.percent, &interval);

    difference.first = statistic_of(which, a);
    difference.later = statistic_of(which, b);
    if (difference.first != 0)
        difference.percent =
            (difference.later - difference.first) / difference.first * 100;
    if (known) {
        difference.low = interval.low;
        difference.high = interval.high;
    }
    return difference;
}

const char *compare_word(const struct difference *difference)
{
    if (isnan(difference->first) || isnan(difference->later))
        return "not measured";
    if (isnan(difference->low))
        return "too few turns";
    if (difference->low > 0)
        return "higher";
    return difference->high < 0 ? "lower" : "no difference to be seen";
}

/* ---- for people ---- */

/* A change of ten times needs no tenths and has no room for them; one of nearly nothing
 * may have hundreds of digits: not all are shown then. */
static const char *percent_text(char text[PERCENT_SIZE], double percent)
{
    if (fabs(percent) < 1e6)
        fmt_into(text, PERCENT_SIZE, "%+.*f", fabs(percent) < 999.95 ? 1 : 0, percent);
    else
        fmt_into(text, PERCENT_SIZE, "%+.3g", percent);
    return text;
}

static void add_change(struct buf *into, const struct difference *difference)
{
    char numbers[3][PERCENT_SIZE];
    char text[CHANGE_SIZE] = "-";
    double scale = 100 / difference->first;

    if (isfinite(difference->percent) && isfinite(difference->low)
        && difference->first > 0)
        fmt_into(text, sizeof text, "%s %% (%s to %s)",
                 percent_text(numbers[0], difference->percent),
                 percent_text(numbers[1], difference->low * scale),
                 percent_text(numbers[2], difference->high * scale));
    else if (isfinite(difference->percent))
        fmt_into(text, sizeof text, "%s %%",
                 percent_text(numbers[0], difference->percent));
    buf_add_text(into, "  ");
    cell_text(into, text, CHANGE_COLUMNS);
    buf_add_char(into, ' ');
}

static void add_metric(const struct compared *first, const struct compared *later,
                       enum metric metric, struct buf *into)
{
    buf_printf(into, "%s, %s\n", metric_label(metric), metric_unit(metric));
    for (size_t i = 0; i < COMPARE_STATISTICS; i++) {
        struct difference difference = compare_one(first, later, metric, i);

        buf_add_text(into, "  ");
        cell_text(into, compare_statistic_name(i), STATISTIC_COLUMNS);
        cell_number(into, difference.first, NUMBER_COLUMNS);
        cell_number(into, difference.later, NUMBER_COLUMNS);
        add_change(into, &difference);
        buf_printf(into, "%s\n", compare_word(&difference));
    }
}

static bool measured(const struct comparison *comparison, enum metric metric)
{
    for (size_t i = 0; i < comparison->count; i++)
        if (spread_in(&comparison->runs[i], metric)->count > 0)
            return true;
    return false;
}

static void add_run(const struct comparison *comparison, size_t run, struct buf *into)
{
    const struct compared *first = &comparison->runs[0];
    const struct compared *later = &comparison->runs[run];

    buf_printf(into, "A  %s  (%lld turns)\n", log_safe(str_of(first->source)),
               (long long)first->tally->total.counts.turns);
    buf_printf(into, "B  %s  (%lld turns)\n\n", log_safe(str_of(later->source)),
               (long long)later->tally->total.counts.turns);
    cell_text(into, "", STATISTIC_COLUMNS + 2);
    cell_right(into, "A", NUMBER_COLUMNS);
    cell_right(into, "B", NUMBER_COLUMNS);
    buf_add_text(into, "  change (95 % interval)\n");
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        if (measured(comparison, (enum metric)metric))
            add_metric(first, later, (enum metric)metric, into);
    buf_add_char(into, '\n');
}

static const char *verdict_word(enum limit_verdict verdict)
{
    if (verdict == LIMIT_UNKNOWN)
        return "cannot be judged: not measured, or 0 in A";
    return verdict == LIMIT_HOLDS ? "holds" : "does not hold";
}

static void add_limit(const struct comparison *comparison, const struct limit *limit,
                      struct buf *into)
{
    for (size_t run = 1; run < comparison->count; run++) {
        double found;
        enum limit_verdict verdict =
            limit_judge(limit, spread_in(&comparison->runs[0], limit->metric),
                        spread_in(&comparison->runs[run], limit->metric), &found);

        buf_printf(into, "fail if %s: %s", log_safe(limit->text),
                   verdict_word(verdict));
        if (verdict != LIMIT_UNKNOWN)
            buf_printf(into, " (%.4g%s)", found, limit->relative ? " %" : "");
        buf_printf(into, "%s%s\n", comparison->count > 2 ? ", " : "",
                   comparison->count > 2
                       ? log_safe(str_of(comparison->runs[run].source))
                       : "");
    }
}

void compare_table(const struct comparison *comparison, struct buf *into)
{
    for (size_t run = 1; run < comparison->count; run++)
        add_run(comparison, run, into);
    for (size_t i = 0; i < comparison->limit_count; i++)
        add_limit(comparison, &comparison->limits[i], into);
}

/* ---- for programs ---- */

static void json_number(struct buf *into, const char *key, double value)
{
    buf_printf(into, ",\"%s\":", key);
    json_write_number(into, value, DECIMALS);
}

static void json_metric(const struct comparison *comparison, size_t run,
                        enum metric metric, struct buf *into)
{
    const struct compared *first = &comparison->runs[0];
    const struct compared *later = &comparison->runs[run];

    buf_printf(into,
               "\"%s\":{\"unit\":\"%s\",\"count\":{\"first\":%llu,\"later\":%llu}",
               metric_name(metric), metric_unit(metric),
               (unsigned long long)spread_in(first, metric)->count,
               (unsigned long long)spread_in(later, metric)->count);
    for (size_t i = 0; i < COMPARE_STATISTICS; i++) {
        struct difference difference = compare_one(first, later, metric, i);

        buf_printf(into, ",\"%s\":{\"first\":", compare_statistic_name(i));
        json_write_number(into, difference.first, DECIMALS);
        json_number(into, "later", difference.later);
        json_number(into, "change_percent", difference.percent);
        json_number(into, "low", difference.low);
        json_number(into, "high", difference.high);
        buf_printf(into, ",\"verdict\":\"%s\"}", compare_word(&difference));
    }
    buf_add_char(into, '}');
}

static void json_run(const struct comparison *comparison, size_t run, struct buf *into)
{
    const struct compared *compared = &comparison->runs[run];

    buf_printf(into, "%s{\"source\":", run > 1 ? "," : "");
    json_write_text(into, compared->source);
    buf_printf(into, ",\"turns\":%lld,\"metrics\":{",
               (long long)compared->tally->total.counts.turns);
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        buf_add_text(into, metric > 0 ? "," : "");
        json_metric(comparison, run, (enum metric)metric, into);
    }
    buf_add_text(into, "}}");
}

static void json_limits(const struct comparison *comparison, struct buf *into)
{
    static const char *const words[] = {"false", "true", "null"};
    const char *comma = "";

    for (size_t i = 0; i < comparison->limit_count; i++) {
        const struct limit *limit = &comparison->limits[i];

        for (size_t run = 1; run < comparison->count; run++) {
            double found;
            enum limit_verdict verdict =
                limit_judge(limit, spread_in(&comparison->runs[0], limit->metric),
                            spread_in(&comparison->runs[run], limit->metric), &found);

            buf_printf(into, "%s{\"limit\":", comma);
            json_write_string(into, limit->text);
            buf_add_text(into, ",\"source\":");
            json_write_text(into, comparison->runs[run].source);
            json_number(into, "found", found);
            buf_printf(into, ",\"holds\":%s}", words[verdict]);
            comma = ",";
        }
    }
}

void compare_json(const struct comparison *comparison, struct buf *into)
{
    struct str rest = buf_str(comparison->warnings);
    const char *comma = "";

    buf_add_text(into, "{\"schema_version\":\"1.0\",\"first\":{\"source\":");
    json_write_text(into, comparison->runs[0].source);
    buf_printf(into, ",\"turns\":%lld},\"later\":[",
               (long long)comparison->runs[0].tally->total.counts.turns);
    for (size_t run = 1; run < comparison->count; run++)
        json_run(comparison, run, into);
    buf_add_text(into, "],\"warnings\":[");
    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);

        buf_add_text(into, comma);
        json_write_string(into, line);
        comma = ",";
    }
    buf_add_text(into, "],\"limits\":[");
    json_limits(comparison, into);
    buf_add_text(into, "]}\n");
}
