/* limit.c - see limit.h. */
#include "analyzer/compare/limit.h"

#include <math.h>
#include <string.h>

#include "analyzer/spread.h"
#include "base/buf.h"
#include "base/utf8.h"

#define NUMBER_MAX 1e15

double statistic_of(struct statistic statistic, struct spread *spread)
{
    switch (statistic.kind) {
    case STATISTIC_MEAN:
        return spread_mean(spread);
    case STATISTIC_PERCENTILE:
        return spread_percentile(spread, statistic.percent);
    case STATISTIC_COUNT:
        break;
    }
    return (double)spread->count;
}

static bool wrong(struct str text, const char *what, struct err *err)
{
    struct buf names;

    buf_init(&names, 4096);
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        buf_printf(&names, "%s%s", metric == 0 ? "" : ", ",
                   metric_short((enum metric)metric));
    err_set(err, ERR_USAGE,
            "--fail-if: '%s': %s (METRIC.STATISTIC, one of < <= > >=, a number: "
            "ttft.p95>+10%%, itl.mean>20ms; statistics: mean p1 to p99 min max count; "
            "metrics: %s)",
            log_safe(text), what, buf_text(&names));
    buf_done(&names);
    return false;
}

static bool parse_statistic(struct str word, struct statistic *ret_statistic)
{
    int64_t percent;

    if (str_is(word, "mean") || str_is(word, "avg"))
        *ret_statistic = (struct statistic){STATISTIC_MEAN, 0};
    else if (str_is(word, "count"))
        *ret_statistic = (struct statistic){STATISTIC_COUNT, 0};
    else if (str_is(word, "min"))
        *ret_statistic = (struct statistic){STATISTIC_PERCENTILE, 0};
    else if (str_is(word, "max"))
        *ret_statistic = (struct statistic){STATISTIC_PERCENTILE, 100};
    else if (str_starts(word, "p")
             && str_to_i64(str_make(word.at + 1, word.len - 1), 1, 99, &percent))
        *ret_statistic = (struct statistic){STATISTIC_PERCENTILE, (double)percent};
    else
        return false;
    return true;
}

static bool drop_end(struct str *text, const char *end)
{
    size_t len = strlen(end);

    if (text->len < len || memcmp(text->at + text->len - len, end, len) != 0)
        return false;
    *text = str_trim(str_make(text->at, text->len - len));
    return true;
}

static bool parse_number(struct str text, bool is_time, struct limit *limit)
{
    double scale = 1;

    text = str_trim(text);
    limit->relative = drop_end(&text, "%");
    if (!limit->relative && is_time && !drop_end(&text, "ms") && drop_end(&text, "s"))
        scale = 1000;
    if (str_starts(text, "+"))
        text = str_make(text.at + 1, text.len - 1);
    if (!str_to_double(text, -NUMBER_MAX, NUMBER_MAX, &limit->number))
        return false;
    limit->number *= scale;
    return true;
}

bool limit_parse(struct str text, struct limit *ret_limit, struct err *err)
{
    struct limit limit = {.text = text};
    size_t at = 0;
    struct str name;
    struct str statistic;

    while (at < text.len && text.at[at] != '<' && text.at[at] != '>')
        at++;
    if (at == text.len)
        return wrong(text, "no comparison", err);
    name = str_cut(str_trim(str_make(text.at, at)), '.', &statistic);
    limit.compare[0] = text.at[at++];
    if (at < text.len && text.at[at] == '=')
        limit.compare[1] = text.at[at++];
    if (!metric_find(str_trim(name), &limit.metric))
        return wrong(text, "unknown metric", err);
    if (!parse_statistic(str_trim(statistic), &limit.statistic))
        return wrong(text, "unknown statistic", err);
    if (!parse_number(str_make(text.at + at, text.len - at),
                      strcmp(metric_unit(limit.metric), "ms") == 0, &limit))
        return wrong(text, "not a number", err);
    *ret_limit = limit;
    return true;
}

static bool holds(const struct limit *limit, double found)
{
    if (found == limit->number)
        return limit->compare[1] == '=';
    return limit->compare[0] == '<' ? found < limit->number : found > limit->number;
}

enum limit_verdict limit_judge(const struct limit *limit, struct spread *first,
                               struct spread *later, double *ret_found)
{
    double value = statistic_of(limit->statistic, later);

    if (limit->relative) {
        double base = statistic_of(limit->statistic, first);

        /* From 0 to 0 nothing has changed; from 0 to more has no percentage. */
        value = base != 0 ? (value - base) / base * 100 : value == 0 ? 0 : NAN;
    }
    *ret_found = value;
    if (!isfinite(value))
        return LIMIT_UNKNOWN;
    return holds(limit, value) ? LIMIT_HOLDS : LIMIT_KEPT;
}
