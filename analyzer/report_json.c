/* report_json.c - see report_json.h. Keys stand in the order of the schema. */
#include "analyzer/report_json.h"

#include <math.h>
#include <string.h>

#include "analyzer/run_info.h"
#include "analyzer/tally.h"
#include "base/buf.h"
#include "base/clock.h"
#include "proto/json_write.h"

enum { DECIMALS = 6 };

/* `"key":` with a comma before it unless it is the first in its object. */
static void put_key(struct buf *into, const char *key)
{
    bool first = into->len == 0 || into->at[into->len - 1] == '{';

    if (!first)
        (void)buf_add_char(into, ',');
    (void)buf_printf(into, "\"%s\":", key);
}

static void put_text(struct buf *into, const char *key, const char *text)
{
    put_key(into, key);
    (void)json_write_text(into, text);
}

static void put_count(struct buf *into, const char *key, int64_t value)
{
    put_key(into, key);
    (void)json_write_count(into, value);
}

static void put_number(struct buf *into, const char *key, double value)
{
    put_key(into, key);
    (void)json_write_number(into, value, DECIMALS);
}

static void put_stats(struct buf *into, enum metric metric, const struct stats *stats)
{
    bool known = stats->count > 0;

    put_key(into, metric_name(metric));
    (void)buf_add_char(into, '{');
    put_text(into, "unit", metric_unit(metric));
    put_number(into, "avg", stats_mean(stats));
    put_number(into, "min", known ? stats->min : (double)NAN);
    put_number(into, "max", known ? stats->max : (double)NAN);
    put_number(into, "p50", known ? stats->p50 : (double)NAN);
    put_number(into, "p95", known ? stats->p95 : (double)NAN);
    put_number(into, "p99", known ? stats->p99 : (double)NAN);
    put_count(into, "count", (int64_t)stats->count);
    (void)buf_add_char(into, '}');
}

static void put_metrics(struct buf *into, const struct group *group)
{
    put_key(into, "metrics");
    (void)buf_add_char(into, '{');
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        put_stats(into, m, &group->stats[m]);
    (void)buf_add_char(into, '}');
}

static void put_counts(struct buf *into, const struct counts *counts)
{
    put_count(into, "turns", counts->turns);
    put_count(into, "failed_turns", counts->failed_turns);
    put_count(into, "tokens_generated", counts->tokens_generated);
    put_count(into, "prompt_tokens", counts->prompt_tokens);
}

static void put_run(struct buf *into, const struct run_info *run)
{
    put_key(into, "run");
    (void)buf_add_char(into, '{');
    put_text(into, "run_id", run->run_id);
    put_text(into, "started_at", run->started_at);
    put_count(into, "seed", run->seed);
    put_text(into, "version", run->version);
    (void)buf_add_char(into, '}');
}

static void put_totals(struct buf *into, const struct tally *tally)
{
    const struct group *total = &tally->total;

    put_key(into, "totals");
    (void)buf_add_char(into, '{');
    put_count(into, "conversations", (int64_t)group_table_count(tally->conversations));
    put_counts(into, &total->counts);
    put_number(into, "tokens_per_second",
               group_rate(total, total->counts.tokens_generated));
    put_number(into, "turns_per_second", group_rate(total, total->counts.turns));
    put_number(into, "wall_time_ms", group_wall_ms(total));
    put_count(into, "calls", tally->calls);
    put_count(into, "calls_failed", tally->calls_failed);
    put_count(into, "attempts", total->counts.attempts);
    put_count(into, "messages_without_counts", total->counts.without_counts);
    (void)buf_add_char(into, '}');
}

static void put_persona(struct buf *into, const struct group *group)
{
    put_text(into, "conversation", group->conversation.text);
    put_count(into, "seat", group->seat);
    put_text(into, "name", group->name == NULL ? "" : group->name);
    put_text(into, "model", group->model.text);
    put_counts(into, &group->counts);
    put_metrics(into, group);
}

static void put_model(struct buf *into, const struct group *group)
{
    put_text(into, "provider", group->provider.text);
    put_text(into, "model", group->model.text);
    put_counts(into, &group->counts);
    put_metrics(into, group);
}

/* A state that the schema does not know came from a newer or broken writer. */
static const char *known_state(const char *state)
{
    static const char *const states[] = {"preparing", "running", "paused", "closing",
                                         "ended"};

    for (size_t i = 0; state != NULL && i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i], state) == 0)
            return states[i];
    return NULL;
}

static void put_conversation(struct buf *into, const struct group *group)
{
    put_text(into, "conversation_id", group->conversation.text);
    put_text(into, "state", known_state(group->state));
    put_text(into, "reason", group->reason);
    put_counts(into, &group->counts);
    put_number(into, "wall_time_ms", group_wall_ms(group));
}

static void put_groups(struct buf *into, const char *key,
                       const struct group_table *table,
                       void (*put)(struct buf *into, const struct group *group))
{
    put_key(into, key);
    (void)buf_add_char(into, '[');
    for (size_t i = 0; i < group_table_count(table); i++) {
        (void)buf_add_text(into, i == 0 ? "{" : ",{");
        put(into, group_table_at(table, i));
        (void)buf_add_char(into, '}');
    }
    (void)buf_add_char(into, ']');
}

bool report_json(const struct report *report, struct buf *into)
{
    const struct tally *tally = report->tally;
    char now[CLOCK_TEXT_SIZE];

    clock_format_us(report->now_us, now);
    (void)buf_add_char(into, '{');
    put_text(into, "schema_version", "1.0");
    put_text(into, "generated_at", now);
    put_text(into, "source", report->source);
    if (report->run != NULL)
        put_run(into, report->run);
    put_totals(into, tally);
    put_metrics(into, &tally->total);
    put_groups(into, "personas", tally->personas, put_persona);
    put_groups(into, "models", tally->models, put_model);
    put_groups(into, "conversations", tally->conversations, put_conversation);
    (void)buf_add_text(into, "}\n");
    return !into->overflowed;
}
