/* goodput.c - see goodput.h. */
#include "analyzer/goodput.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

void goodput_init(struct goodput *goodput)
{
    *goodput = (struct goodput){.limits = 0};
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        goodput->limit[m] = (double)NAN;
}

/* The next word of `text`, which loses it; empty at the end. */
static struct str next_word(struct str *text)
{
    static const char between[] = " ,\t";
    struct str word;

    while (text->len > 0 && strchr(between, text->at[0]) != NULL)
        *text = str_make(text->at + 1, text->len - 1);
    word = str_make(text->at, 0);
    while (word.len < text->len && strchr(between, text->at[word.len]) == NULL)
        word.len++;
    *text = str_make(text->at + word.len, text->len - word.len);
    return word;
}

static bool take_limit(struct goodput *goodput, struct str word, struct err *err)
{
    struct str number;
    struct str name = str_cut(word, ':', &number);
    enum metric metric;
    double limit;

    if (!metric_find(name, &metric))
        return err_set(err, ERR_USAGE, "goodput: '%s' is no metric; see --help",
                       log_safe(name));
    if (!str_to_double(number, 0, 1e12, &limit))
        return err_set(err, ERR_USAGE, "goodput: '%s': expected %s:NUMBER",
                       log_safe(word), metric_short(metric));
    goodput->limits += isnan(goodput->limit[metric]) ? 1 : 0;
    goodput->limit[metric] = limit;
    return true;
}

bool goodput_parse(struct str text, struct goodput *ret_goodput, struct err *err)
{
    struct goodput goodput;
    struct str word;

    goodput_init(&goodput);
    while ((word = next_word(&text)).len > 0)
        if (!take_limit(&goodput, word, err))
            return false;
    if (goodput.limits == 0)
        return err_set(err, ERR_USAGE,
                       "goodput: no limit, expected ttft:500 or the "
                       "like");
    *ret_goodput = goodput;
    return true;
}

/* More is better of a rate, less of everything else. */
static bool is_met(enum metric metric, double value, double limit)
{
    return metric == METRIC_TOKENS_PER_SECOND ? value >= limit : value <= limit;
}

void goodput_count(struct goodput *goodput, const double value[METRIC_COUNT],
                   int64_t tokens_generated)
{
    bool missed = false;
    bool unknown = false;

    if (goodput->limits == 0)
        return;
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        bool single = m == METRIC_INTER_TOKEN_LATENCY && tokens_generated == 1;

        if (isnan(goodput->limit[m]) || single)
            continue;
        if (isnan(value[m]))
            unknown = true;
        else if (!is_met(m, value[m], goodput->limit[m]))
            missed = true;
    }
    goodput->missed += missed;
    goodput->unknown += unknown && !missed;
    goodput->good += !unknown && !missed;
}
