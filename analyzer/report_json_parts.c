/* report_json_parts.c - see report_json_parts.h. Keys stand in the order of the schema;
 * a part of which nothing is known, or that was not asked for, is null.
 */
#include "analyzer/report_json_parts.h"

#include <math.h>
#include <stdlib.h>

#include "analyzer/activity.h"
#include "analyzer/json_put.h"
#include "analyzer/tally.h"
#include "base/alloc.h"
#include "base/buf.h"

static void open_list(struct buf *into, const char *key)
{
    json_put_key(into, key);
    (void)buf_add_char(into, '[');
}

static void open_item(struct buf *into, bool first)
{
    (void)buf_add_text(into, first ? "{" : ",{");
}

static void close_list(struct buf *into)
{
    (void)buf_add_char(into, ']');
}

static void put_warmup(const struct warmup *warmup, struct buf *into)
{
    if (!warmup_wanted(warmup)) {
        json_put_text(into, "warmup", NULL);
        return;
    }
    json_open(into, "warmup");
    json_put_count(into, "turns", warmup->turns_out);
    json_put_count(into, "calls", warmup->calls_out);
    json_put_time(into, "until", warmup->until_us);
    json_close(into);
}

static double share_of(int64_t part, int64_t whole)
{
    return whole <= 0 || part < 0 ? (double)NAN : (double)part / (double)whole;
}

static void put_goodput(const struct tally *tally, struct buf *into)
{
    const struct goodput *goodput = &tally->goodput;

    if (goodput->limits == 0) {
        json_put_text(into, "goodput", NULL);
        return;
    }
    json_open(into, "goodput");
    json_open(into, "limits");
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        if (!isnan(goodput->limit[m]))
            json_put_number(into, metric_name(m), goodput->limit[m]);
    json_close(into);
    json_put_count(into, "good", goodput->good);
    json_put_count(into, "missed", goodput->missed);
    json_put_count(into, "unknown", goodput->unknown);
    json_put_number(
        into, "share",
        share_of(goodput->good, goodput->good + goodput->missed + goodput->unknown));
    json_put_number(into, "turns_per_second", group_rate(&tally->total, goodput->good));
    json_close(into);
}

static void put_concurrency(const struct tally *tally, struct buf *into)
{
    struct activity_summary summary = activity_summary(tally->activity);
    bool ran = summary.first_us >= 0;

    json_open(into, "concurrency");
    json_put_text(into, "from", tally->activity_from_calls ? "calls" : "turns");
    json_put_number(into, "mean", summary.mean_concurrency);
    json_put_count(into, "peak", ran ? summary.peak_concurrency : -1);
    json_put_flag(into, "peak_approximate", summary.peak_approximate);
    json_put_number(into, "peak_tokens_per_second", summary.peak_tokens_per_second);
    json_close(into);
}

static void put_point(const struct activity_point *point, struct buf *into)
{
    json_put_time(into, "at", point->at_us);
    json_put_number(into, "concurrency", point->concurrency);
    json_put_number(into, "turns_per_second", point->turns_per_second);
    json_put_number(into, "tokens_per_second", point->tokens_per_second);
    json_put_number(into, "time_to_first_token_p50_ms", point->first_token_p50_ms);
}

static void put_over_time(struct tally *tally, struct buf *into)
{
    struct activity_point *points = x_calloc(ACTIVITY_POINTS_MAX, sizeof *points);
    int64_t width_us;
    size_t count = activity_points(tally->activity, points, &width_us);

    json_open(into, "over_time");
    json_put_number(into, "bucket_ms", (double)width_us / 1000);
    open_list(into, "points");
    for (size_t i = 0; i < count; i++) {
        open_item(into, i == 0);
        put_point(&points[i], into);
        json_close(into);
    }
    close_list(into);
    json_close(into);
    free(points);
}

static void put_sources(struct buf *into, const char *key, int64_t server,
                        int64_t estimated, int64_t missing)
{
    json_open(into, key);
    json_put_count(into, "server", server);
    json_put_count(into, "estimated", estimated);
    json_put_count(into, "missing", missing);
    json_close(into);
}

/* How many turns each token number comes from. Generated and prompt tokens are never
 * estimated. */
static void put_token_counts(const struct tally *tally, struct buf *into)
{
    const struct counts *counts = &tally->total.counts;
    const struct cache *cache = &tally->cache;

    json_open(into, "token_counts");
    put_sources(into, "tokens_generated", counts->turns - counts->without_counts, 0,
                counts->without_counts);
    put_sources(into, "prompt_tokens", counts->turns - counts->without_prompt_count, 0,
                counts->without_prompt_count);
    put_sources(into, "prompt_cached_tokens", cache->server.turns,
                cache->estimated.turns, cache->missing);
    json_close(into);
}

static void put_cache_sum(struct buf *into, const char *key,
                          const struct cache_sum *sum)
{
    json_open(into, key);
    json_put_count(into, "turns", sum->turns);
    json_put_count(into, "prompt_tokens", sum->prompt_tokens);
    json_put_count(into, "cached_tokens", sum->cached_tokens);
    json_put_number(into, "share", cache_share(sum));
    json_close(into);
}

static void put_cache(const struct tally *tally, struct buf *into)
{
    json_open(into, "cache");
    put_cache_sum(into, "server", &tally->cache.server);
    put_cache_sum(into, "estimated", &tally->cache.estimated);
    json_put_count(into, "missing_turns", tally->cache.missing);
    json_close(into);
}

static void put_waste_counts(const struct waste *waste, struct buf *into)
{
    json_put_count(into, "calls", waste->calls);
    json_put_count(into, "tokens_generated", waste->tokens_generated);
    json_put_count(into, "prompt_tokens", waste->prompt_tokens);
    json_put_count(into, "calls_without_counts", waste->without_counts);
}

static void put_waste(const struct calls *calls, struct buf *into)
{
    bool first = true;

    if (calls->ended < 0) {
        json_put_text(into, "waste", NULL);
        return;
    }
    json_open(into, "waste");
    put_waste_counts(&calls->wasted, into);
    open_list(into, "by_reason");
    for (size_t i = 0; i < calls->reason_count; i++) {
        if (calls->reasons[i].calls == 0) /* a lost call that was none */
            continue;
        open_item(into, first);
        first = false;
        json_put_text(into, "reason", calls->reasons[i].reason);
        put_waste_counts(&calls->reasons[i], into);
        json_close(into);
    }
    close_list(into);
    json_close(into);
}

static void put_cost_counts(double cost, int64_t calls, int64_t without,
                            struct buf *into)
{
    json_put_number(into, "cost", cost < 0 ? (double)NAN : cost);
    json_put_count(into, "calls", calls);
    json_put_count(into, "without_cost", without);
}

static void put_call_costs(const struct calls *calls, struct buf *into)
{
    put_cost_counts(calls->total_cost.cost, calls->total_cost.calls,
                    calls->total_cost.without_cost, into);
    open_list(into, "by_model");
    for (size_t i = 0; i < calls->cost_count; i++) {
        const struct call_cost *row = &calls->costs[i];

        open_item(into, i == 0);
        json_put_text(into, "provider", row->provider);
        json_put_text(into, "model", row->model);
        put_cost_counts(row->cost, row->calls, row->without_cost, into);
        json_close(into);
    }
    close_list(into);
}

/* Without a record of calls the turns tell: wasted calls are not in it then. */
static void put_turn_costs(const struct tally *tally, struct buf *into)
{
    const struct counts *total = &tally->total.counts;

    put_cost_counts(total->cost, total->turns, total->without_cost, into);
    open_list(into, "by_model");
    for (size_t i = 0; i < group_table_count(tally->models); i++) {
        const struct group *group = group_table_at(tally->models, i);

        open_item(into, i == 0);
        json_put_text(into, "provider", group->provider.text);
        json_put_text(into, "model", group->model.text);
        put_cost_counts(group->counts.cost, group->counts.turns,
                        group->counts.without_cost, into);
        json_close(into);
    }
    close_list(into);
}

static void put_cost(const struct tally *tally, struct buf *into)
{
    bool from_calls = tally->calls.ended >= 0;

    json_open(into, "cost");
    json_put_text(into, "from", from_calls ? "calls" : "turns");
    if (from_calls)
        put_call_costs(&tally->calls, into);
    else
        put_turn_costs(tally, into);
    json_close(into);
}

static void put_speaker(const struct speech_row *row, struct buf *into)
{
    json_put_count(into, "seat", row->seat);
    json_put_text(into, "name", row->name == NULL ? "" : row->name);
    json_put_count(into, "turns", row->turns);
    json_put_count(into, "words", row->words);
    json_put_count(into, "sentences", row->sentences);
    json_put_number(into, "turn_share", row->turn_share);
    json_put_number(into, "word_share", row->word_share);
    json_put_number(into, "diversity", row->diversity);
    json_put_number(into, "repetition", row->repetition);
    json_put_count(into, "name_bleed_turns", row->bled_turns);
}

static void put_speakers(struct speech *speech, struct buf *into)
{
    const struct speech_row *rows;
    size_t count = speech_rows(speech, &rows);

    open_list(into, "speakers");
    for (size_t i = 0; i < count; i++) {
        open_item(into, i == 0);
        put_speaker(&rows[i], into);
        json_close(into);
    }
    close_list(into);
}

static void put_talk(struct speech *speech, struct buf *into)
{
    struct speech_summary summary;

    if (speech == NULL) {
        json_put_text(into, "talk", NULL);
        return;
    }
    summary = speech_summary(speech);
    json_open(into, "talk");
    json_put_count(into, "every", summary.every);
    json_put_count(into, "conversations", summary.conversations);
    json_put_count(into, "turns", summary.turns);
    json_put_count(into, "words", summary.words);
    json_put_count(into, "sentences", summary.sentences);
    json_put_spread(into, "words_per_turn", "words", speech_words(speech));
    json_put_spread(into, "sentences_per_turn", "sentences", speech_sentences(speech));
    json_put_number(into, "balance", summary.balance);
    json_put_number(into, "diversity", summary.diversity);
    json_put_number(into, "repetition", summary.repetition);
    json_put_count(into, "name_bleed_turns", summary.bled_turns);
    put_speakers(speech, into);
    json_close(into);
}

static void put_endings(const struct tally *tally, struct buf *into)
{
    open_list(into, "endings");
    for (size_t i = 0; i < tally->ending_count; i++) {
        open_item(into, i == 0);
        json_put_text(into, "reason", tally->endings[i].reason);
        json_put_count(into, "conversations", tally->endings[i].conversations);
        json_close(into);
    }
    close_list(into);
}

/* Lists have so many rows at most; what found none is in the totals all the same. */
static void put_without_row(const struct tally *tally, struct buf *into)
{
    json_open(into, "turns_without_row");
    json_put_count(into, "personas", group_table_passed(tally->personas));
    json_put_count(into, "models", group_table_passed(tally->models));
    json_put_count(into, "endpoints", group_table_passed(tally->endpoints));
    json_put_count(into, "conversations", group_table_passed(tally->conversations));
    json_close(into);
}

void report_json_parts(struct tally *tally, struct buf *into)
{
    put_warmup(&tally->warmup, into);
    put_goodput(tally, into);
    put_concurrency(tally, into);
    put_over_time(tally, into);
    put_token_counts(tally, into);
    put_cache(tally, into);
    put_waste(&tally->calls, into);
    put_cost(tally, into);
    put_talk(tally->speech, into);
    put_endings(tally, into);
    put_without_row(tally, into);
}
