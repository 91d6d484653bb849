/* wall_totals.c - see wall_totals.h. */
#include "observer/model/wall_totals.h"

enum { SECOND_US = 1000000, RATE_SECONDS = 10 };

void wall_pace_begin(struct wall_pace *pace, int64_t now_us)
{
    *pace = (struct wall_pace){.since_us = now_us};
}

void wall_pace_add(struct wall_pace *pace, int64_t now_us, int64_t turns,
                   int64_t tokens, int64_t failures)
{
    int64_t second = now_us / SECOND_US;
    int64_t i = second % WALL_SECONDS;

    if (pace->since_us == 0 || now_us < 0)
        return;
    if (pace->second[i] != second) {
        pace->second[i] = second;
        pace->turns[i] = pace->tokens[i] = pace->failures[i] = 0;
    }
    pace->turns[i] += turns;
    pace->tokens[i] += tokens;
    pace->failures[i] += failures;
}

/* Whole seconds of the pace that are over, at most `max`. */
static int64_t seconds_over(const struct wall_pace *pace, int64_t now_us, int64_t max)
{
    int64_t seconds = now_us / SECOND_US - (pace->since_us + SECOND_US - 1) / SECOND_US;

    if (pace->since_us == 0 || seconds < 0)
        return 0;
    return seconds < max ? seconds : max;
}

void wall_pace_tell(const struct wall_pace *pace, int64_t now_us,
                    struct wall_totals *totals)
{
    int64_t now = now_us / SECOND_US;
    int64_t shown = seconds_over(pace, now_us, WALL_SECONDS - 1);
    int64_t rated = shown < RATE_SECONDS ? shown : RATE_SECONDS;
    int64_t turns = 0;
    int64_t tokens = 0;
    int64_t failures = 0;

    totals->sample_count = (unsigned)shown;
    for (int64_t back = shown; back > 0; back--) {
        int64_t i = (now - back) % WALL_SECONDS;
        bool there = pace->second[i] == now - back;

        totals->samples[shown - back] = there ? (double)pace->tokens[i] : 0.0;
        if (!there || back > rated)
            continue;
        turns += pace->turns[i];
        tokens += pace->tokens[i];
        failures += pace->failures[i];
    }
    totals->turns_per_second = rated == 0 ? -1 : (double)turns / (double)rated;
    totals->tokens_per_second = rated == 0 ? -1 : (double)tokens / (double)rated;
    totals->failed_per_second = rated == 0 ? -1 : (double)failures / (double)rated;
}
