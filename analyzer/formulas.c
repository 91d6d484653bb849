/* formulas.c - see formulas.h. Change a number's meaning and its line here together;
 * docs/metrics.md says the same at length.
 */
#include "analyzer/formulas.h"

#include "analyzer/metric.h"
#include "base/buf.h"

/* clang-format off */
static const char totals[] =
    "Totals, over the messages of the transcript:\n"
    "  turns                    messages of kind turn, the failed ones among them\n"
    "  failed_turns             turns marked failed: empty ones in a failed turn's\n"
    "                           place\n"
    "  fallback_turns           turns in which a persona's fallback reply was said\n"
    "  cleaned_turns            turns in whose reply something was changed\n"
    "  truncated_turns          turns whose prompt the server cut, by its own counts\n"
    "  tokens_generated         sum of metadata.tokens_generated, as the server\n"
    "                           counted\n"
    "  prompt_tokens            sum of metadata.prompt_tokens, those it had cached\n"
    "                           included\n"
    "  messages_without_counts  turns whose tokens_generated is null; they add\n"
    "                           nothing to the sums, which are null when no turn has\n"
    "                           a count\n"
    "  attempts                 sum of metadata.attempts: model calls made for the\n"
    "                           turns\n"
    "  wall_time_ms             latest queue_timestamp of all messages minus the time\n"
    "                           at which the first turn was asked for: the record of\n"
    "                           events tells it, else the earliest queue_timestamp\n"
    "  tokens_per_second        system throughput: tokens_generated / wall_time_ms *\n"
    "                           1000\n"
    "  turns_per_second         turns / wall_time_ms * 1000\n"
    "  calls                    model calls that ended, however they ended, from the\n"
    "                           record of calls, each once; null without one\n"
    "  calls_failed, calls_cancelled, calls_lost\n"
    "                           those of them that ended so\n"
    "  more_conversations       true: there were more than can be told apart\n"
    "                           (1,048,576)\n";

static const char statistics[] =
    "Statistics of a metric, over the turns that have a value (count says how many):\n"
    "  avg, sum       each turn weighs the same\n"
    "  std            deviation of all values: square root of mean((v - avg)^2)\n"
    "  p1 ... p99     percentiles with linear interpolation between the nearest\n"
    "                 ranks: rank p / 100 * (count - 1) of the sorted values, counted\n"
    "                 from 0 (numpy's default); worked out with 7 digits\n"
    "  approximate    true: over 10,000 values in all, or 2,000 in a group,\n"
    "                 percentiles come from buckets and are off by at most 0.5 %\n"
    "                 (DDSketch)\n"
    "  unknown values (null) are left out, never taken for 0\n"
    "A persona is a name at a seat, over all conversations read; a model is a\n"
    "provider's model, an endpoint a provider's address by its name; all count the\n"
    "turns that bear their names. turn_indexes puts turns of the same number\n"
    "together: 1 to 16, then 17-32, 33-64, ... The lists have at most 1,000 personas\n"
    "and conversations.\n";

static const char the_rest[] =
    "Beside these:\n"
    "  goodput        turns that meet all limits of --goodput, their share and rate\n"
    "  concurrency    calls at once: mean is busy time by time, peak a sweep over\n"
    "                 starts and ends, ends first\n"
    "  over_time      at most 240 buckets; tokens are spread evenly from a call's\n"
    "                 first token to its end, none before\n"
    "  waste          calls that ended otherwise than done, with the tokens known of\n"
    "                 them\n"
    "  cache          cached prompt tokens as servers told; elsewhere estimated as\n"
    "                 min(prompt, the seat's last prompt + reply); never mixed\n"
    "  cost           by the endpoints' prices, of calls where there is a record of\n"
    "                 them\n"
    "  talk           balance: entropy of the words by speaker / log(speakers);\n"
    "                 diversity: moving-average type-token ratio, 50 words;\n"
    "                 repetition: groups of 4 words said in the last 32 turns of the\n"
    "                 conversation; name bleed: lines that begin with another\n"
    "                 persona's name and a colon. Of more than 128 conversations a\n"
    "                 sample is looked at (talk.every)\n";
/* clang-format on */

void formulas_write(struct buf *into)
{
    (void)buf_printf(into, "%s\nMetrics, one value a turn:\n", totals);
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        (void)buf_printf(into, "  %s (%s; %s)\n    %s\n", metric_name(m),
                         metric_unit(m), metric_short(m), metric_formula(m));
    (void)buf_printf(into, "\n%s\n%s", statistics, the_rest);
}
