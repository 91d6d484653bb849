/* json_put.c - see json_put.h. */
#include "analyzer/json_put.h"

#include <math.h>

#include "base/buf.h"
#include "base/clock.h"
#include "proto/json_write.h"

enum { DECIMALS = 6 };

/* `"key":` with a comma before it unless it is the first in its object. */
void json_put_key(struct buf *into, const char *key)
{
    bool first = into->len == 0 || into->at[into->len - 1] == '{';

    if (!first)
        (void)buf_add_char(into, ',');
    (void)buf_printf(into, "\"%s\":", key);
}

void json_put_text(struct buf *into, const char *key, const char *text)
{
    json_put_key(into, key);
    (void)json_write_text(into, text);
}

void json_put_count(struct buf *into, const char *key, int64_t value)
{
    json_put_key(into, key);
    (void)json_write_count(into, value);
}

void json_put_number(struct buf *into, const char *key, double value)
{
    json_put_key(into, key);
    (void)json_write_number(into, value, DECIMALS);
}

void json_put_flag(struct buf *into, const char *key, bool set)
{
    json_put_key(into, key);
    (void)buf_add_text(into, set ? "true" : "false");
}

void json_put_time(struct buf *into, const char *key, int64_t at_us)
{
    char text[CLOCK_TEXT_SIZE];

    if (at_us >= 0)
        clock_format_us(at_us, text);
    json_put_text(into, key, at_us >= 0 ? text : NULL);
}

void json_open(struct buf *into, const char *key)
{
    json_put_key(into, key);
    (void)buf_add_char(into, '{');
}

void json_close(struct buf *into)
{
    (void)buf_add_char(into, '}');
}

void json_put_spread(struct buf *into, const char *key, const char *unit,
                     struct spread *spread)
{
    static const int percents[] = {1, 5, 10, 25, 50, 75, 90, 95, 99};
    char name[8];

    json_open(into, key);
    json_put_text(into, "unit", unit);
    json_put_number(into, "avg", spread_mean(spread));
    json_put_number(into, "std", spread_std(spread));
    json_put_number(into, "min", spread_min(spread));
    json_put_number(into, "max", spread_max(spread));
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        fmt_into(name, sizeof name, "p%d", percents[i]);
        json_put_number(into, name, spread_percentile(spread, percents[i]));
    }
    json_put_count(into, "count", (int64_t)spread->count);
    json_put_number(into, "sum", spread->count == 0 ? (double)NAN : spread->sum);
    json_put_flag(into, "approximate", spread_approximate(spread));
    json_close(into);
}
