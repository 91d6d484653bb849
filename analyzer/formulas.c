/* formulas.c - see formulas.h. Change a number's meaning and its line here together. */
#include "analyzer/formulas.h"

#include "analyzer/metric.h"
#include "base/buf.h"

static const char totals[] =
    "Totals, over the messages of the transcript:\n"
    "  turns                    messages of kind turn, the failed ones among them\n"
    "  failed_turns             turns marked failed: empty ones in a failed turn's "
    "place\n"
    "  tokens_generated         sum of metadata.tokens_generated, as the server "
    "counted\n"
    "  prompt_tokens            sum of metadata.prompt_tokens, those it had cached "
    "included\n"
    "  messages_without_counts  turns whose tokens_generated is null; they add "
    "nothing\n"
    "                           to the sums, which are null when no turn has a count\n"
    "  attempts                 sum of metadata.attempts: model calls made for the "
    "turns\n"
    "  wall_time_ms             latest queue_timestamp of all messages minus the time "
    "at\n"
    "                           which the first turn was asked for: the record of\n"
    "                           events tells it, else the earliest queue_timestamp\n"
    "  tokens_per_second        system throughput: tokens_generated / wall_time_ms * "
    "1000\n"
    "  turns_per_second         turns / wall_time_ms * 1000\n"
    "  calls                    model calls that ended, however they ended, from the\n"
    "                           record of calls, each once; null without one\n"
    "  calls_failed             those of them whose outcome is failed\n";

static const char statistics[] =
    "Statistics of a metric, over the turns that have a value (count says how many):\n"
    "  avg            sum / count: each turn weighs the same\n"
    "  p50, p95, p99  percentiles with linear interpolation between the nearest "
    "ranks:\n"
    "                 rank p / 100 * (count - 1) of the sorted values, counted from 0\n"
    "                 (numpy's default); worked out with 7 digits\n"
    "  unknown values (null) are left out, never taken for 0\n"
    "A persona is a name at a seat, over all conversations read; a model is a\n"
    "provider's model; both count the turns that bear their names.\n";

void formulas_write(struct buf *into)
{
    (void)buf_printf(into, "%s\nMetrics, one value a turn:\n", totals);
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        (void)buf_printf(into, "  %s (%s)\n    %s\n", metric_name(m), metric_unit(m),
                         metric_formula(m));
    (void)buf_printf(into, "\n%s", statistics);
}
