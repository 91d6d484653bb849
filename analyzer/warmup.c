/* warmup.c - see warmup.h. */
#include "analyzer/warmup.h"

#include "base/utf8.h"

bool warmup_parse(struct str text, struct warmup *ret_warmup, struct err *err)
{
    struct warmup warmup = {.begin_us = -1, .until_us = -1};
    int64_t ms;

    if (str_to_i64(text, 0, INT64_C(1000000000000), &warmup.turns)) {
        *ret_warmup = warmup;
        return true;
    }
    if (!str_to_duration_ms(text, &ms))
        return err_set(err, ERR_USAGE,
                       "skip-warmup: '%s': expected a number of turns, or a time "
                       "like 30s",
                       log_safe(text));
    warmup.duration_us = ms * 1000;
    *ret_warmup = warmup;
    return true;
}

bool warmup_wanted(const struct warmup *warmup)
{
    return warmup->turns > 0 || warmup->duration_us > 0;
}

void warmup_begin(struct warmup *warmup, int64_t at_us)
{
    if (at_us < 0 || (warmup->begin_us >= 0 && warmup->begin_us <= at_us))
        return;
    warmup->begin_us = at_us;
    if (warmup->duration_us > 0)
        warmup->until_us = at_us + warmup->duration_us;
}

bool warmup_takes_turn(struct warmup *warmup, int64_t at_us)
{
    bool takes =
        warmup->turns_out < warmup->turns
        || (warmup->duration_us > 0 && at_us >= 0 && at_us <= warmup->until_us);

    if (!takes)
        return false;
    warmup->turns_out++;
    if (warmup->turns > 0 && at_us > warmup->until_us)
        warmup->until_us = at_us;
    return true;
}

bool warmup_takes_call(struct warmup *warmup, int64_t ended_us)
{
    bool takes = warmup->until_us >= 0 && ended_us >= 0 && ended_us <= warmup->until_us;

    warmup->calls_out += takes;
    return takes;
}
