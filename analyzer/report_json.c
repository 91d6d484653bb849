/* report_json.c - see report_json.h. Keys stand in the order of the schema. */
#include "analyzer/report_json.h"

#include <math.h>
#include <string.h>

#include "analyzer/json_put.h"
#include "analyzer/report_json_parts.h"
#include "analyzer/run_info.h"
#include "analyzer/tally.h"
#include "base/buf.h"
#include "base/clock.h"
#include "proto/json_write.h"

static void put_metrics(struct buf *into, struct group *group)
{
    json_open(into, "metrics");
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        json_put_spread(into, metric_name(m), metric_unit(m), &group->metrics[m]);
    json_close(into);
}

static void put_counts(struct buf *into, const struct counts *counts)
{
    json_put_count(into, "turns", counts->turns);
    json_put_count(into, "failed_turns", counts->failed_turns);
    json_put_count(into, "tokens_generated", counts->tokens_generated);
    json_put_count(into, "prompt_tokens", counts->prompt_tokens);
}

static void put_run(struct buf *into, const struct run_info *run)
{
    json_put_key(into, "run");
    (void)buf_add_char(into, '{');
    json_put_text(into, "run_id", run->run_id);
    json_put_text(into, "started_at", run->started_at);
    json_put_count(into, "seed", run->seed);
    json_put_text(into, "version", run->version);
    (void)buf_add_char(into, '}');
}

static void put_totals(struct buf *into, const struct tally *tally)
{
    const struct group *total = &tally->total;

    json_put_key(into, "totals");
    (void)buf_add_char(into, '{');
    json_put_count(into, "conversations", tally->conversation_count);
    put_counts(into, &total->counts);
    json_put_number(into, "tokens_per_second",
                    group_rate(total, total->counts.tokens_generated));
    json_put_number(into, "turns_per_second", group_rate(total, total->counts.turns));
    json_put_number(into, "wall_time_ms", group_wall_ms(total));
    json_put_count(into, "calls", tally->calls.ended);
    json_put_count(into, "calls_failed", tally->calls.failed);
    json_put_count(into, "attempts", total->counts.attempts);
    json_put_count(into, "messages_without_counts", total->counts.without_counts);
    json_put_flag(into, "more_conversations", tally->more_conversations);
    json_put_count(into, "calls_cancelled", tally->calls.cancelled);
    json_put_count(into, "calls_lost", tally->calls.ended < 0 ? -1 : tally->calls.lost);
    json_put_count(into, "fallback_turns", total->counts.fallback_turns);
    json_put_count(into, "cleaned_turns", total->counts.cleaned_turns);
    json_put_count(into, "truncated_turns", total->counts.truncated_turns);
    (void)buf_add_char(into, '}');
}

static void put_persona(struct buf *into, struct group *group)
{
    json_put_text(into, "conversation", group->conversation.text);
    json_put_count(into, "seat", group->seat);
    json_put_text(into, "name", group->name == NULL ? "" : group->name);
    json_put_text(into, "model", group->model.text);
    put_counts(into, &group->counts);
    put_metrics(into, group);
}

static void put_model(struct buf *into, struct group *group)
{
    json_put_text(into, "provider", group->provider.text);
    json_put_text(into, "model", group->model.text);
    put_counts(into, &group->counts);
    put_metrics(into, group);
}

static void put_endpoint(struct buf *into, struct group *group)
{
    json_put_text(into, "provider", group->provider.text);
    json_put_text(into, "endpoint", group->endpoint);
    put_counts(into, &group->counts);
    put_metrics(into, group);
}

static void put_turn_indexes(struct buf *into, struct tally *tally)
{
    bool first = true;

    json_put_key(into, "turn_indexes");
    (void)buf_add_char(into, '[');
    for (size_t i = 0; i < TURN_CLASSES; i++) {
        struct group *group = tally->turn_indexes[i];

        if (group == NULL)
            continue;
        (void)buf_add_text(into, first ? "{" : ",{");
        first = false;
        json_put_count(into, "first_turn", group->first_turn);
        json_put_count(into, "last_turn", group->last_turn);
        put_counts(into, &group->counts);
        put_metrics(into, group);
        json_close(into);
    }
    (void)buf_add_char(into, ']');
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

static void put_conversation(struct buf *into, struct group *group)
{
    json_put_text(into, "conversation_id", group->conversation.text);
    json_put_text(into, "state", known_state(group->state));
    json_put_text(into, "reason", group->reason);
    put_counts(into, &group->counts);
    json_put_number(into, "wall_time_ms", group_wall_ms(group));
    put_metrics(into, group);
}

static void put_groups(struct buf *into, const char *key,
                       const struct group_table *table,
                       void (*put)(struct buf *into, struct group *group))
{
    json_put_key(into, key);
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
    struct tally *tally = report->tally;
    char now[CLOCK_TEXT_SIZE];

    clock_format_us(report->now_us, now);
    (void)buf_add_char(into, '{');
    json_put_text(into, "schema_version", "1.1");
    json_put_text(into, "generated_at", now);
    json_put_text(into, "source", report->source);
    if (report->run != NULL)
        put_run(into, report->run);
    put_totals(into, tally);
    put_metrics(into, &tally->total);
    report_json_parts(tally, into);
    put_groups(into, "personas", tally->personas, put_persona);
    put_groups(into, "models", tally->models, put_model);
    put_groups(into, "endpoints", tally->endpoints, put_endpoint);
    put_turn_indexes(into, tally);
    put_groups(into, "conversations", tally->conversations, put_conversation);
    (void)buf_add_text(into, "}\n");
    return !into->overflowed;
}
