/* tally.c - see tally.h. */
#include "analyzer/tally.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/recent.h"
#include "analyzer/samples.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "proto/message.h"

enum { KEY_MAX_BYTES = 2 * MESSAGE_MAX_BYTES };

struct tally *tally_new(void)
{
    struct tally *tally = x_calloc(1, sizeof *tally);

    group_init(&tally->total);
    tally->personas = group_table_new();
    tally->models = group_table_new();
    tally->conversations = group_table_new();
    tally->calls = tally->calls_failed = tally->calls_cancelled = -1;
    tally->call_ids = recent_new();
    tally->samples = samples_new();
    buf_init(&tally->key, KEY_MAX_BYTES);
    return tally;
}

void tally_free(struct tally *tally)
{
    if (tally == NULL)
        return;
    group_done(&tally->total);
    group_table_free(tally->personas);
    group_table_free(tally->models);
    group_table_free(tally->conversations);
    recent_free(tally->call_ids);
    recent_free(tally->lost_ids);
    samples_free(tally->samples);
    buf_done(&tally->key);
    free(tally);
}

static struct group *conversation_of(struct tally *tally, struct str id)
{
    bool is_new;
    uint32_t number = group_table_find(tally->conversations, id, &is_new);
    struct group *group = group_table_at(tally->conversations, number);

    if (is_new)
        group->conversation.text = x_memdup(id.at, id.len);
    return group;
}

/* A key from a number and two texts: the length in front keeps "ab" + "c" and "a" +
 * "bc" apart; NULL is another key than "". */
static struct str make_key(struct tally *tally, int64_t number, const char *a,
                           const char *b)
{
    buf_clear(&tally->key);
    buf_printf(&tally->key, "%lld %d %zu ", (long long)number, a == NULL,
               a == NULL ? 0 : strlen(a));
    buf_add_str(&tally->key, str_of(a));
    buf_printf(&tally->key, "%d", b == NULL);
    buf_add_str(&tally->key, str_of(b));
    return buf_str(&tally->key);
}

static uint32_t persona_of(struct tally *tally, const struct message *message)
{
    struct str key = make_key(tally, message->seat, message->author, NULL);
    bool is_new;
    uint32_t number = group_table_find(tally->personas, key, &is_new);
    struct group *group = group_table_at(tally->personas, number);

    if (is_new) {
        group->seat = message->seat;
        group->name = message->author == NULL ? NULL : x_strdup(message->author);
    }
    shared_take(&group->conversation, message->conversation_id);
    shared_take(&group->provider, message->provider);
    shared_take(&group->model, message->model);
    return number;
}

static uint32_t model_of(struct tally *tally, const struct message *turn)
{
    struct str key = make_key(tally, 0, turn->provider, turn->model);
    bool is_new;
    uint32_t number = group_table_find(tally->models, key, &is_new);
    struct group *group = group_table_at(tally->models, number);

    if (is_new) {
        shared_take(&group->provider, turn->provider);
        shared_take(&group->model, turn->model);
    }
    return number;
}

static void count_turn(struct tally *tally, const struct message *turn)
{
    struct sample sample = {.group = {persona_of(tally, turn), model_of(tally, turn)}};

    group_count(&tally->total, turn);
    group_count(group_table_at(tally->personas, sample.group[BY_PERSONA]), turn);
    group_count(group_table_at(tally->models, sample.group[BY_MODEL]), turn);
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        sample.value[m] = (float)metric_of(turn, m);
    samples_add(tally->samples, &sample);
}

void tally_message(struct tally *tally, const struct message *message)
{
    struct group *conversation =
        conversation_of(tally, str_of(message->conversation_id));

    group_span(&tally->total, message->queue_timestamp_us);
    group_span(conversation, message->queue_timestamp_us);
    if (message->kind == MESSAGE_PERSONA)
        (void)persona_of(tally, message); /* listed even if it never speaks */
    if (message->kind != MESSAGE_TURN)
        return;
    group_count(conversation, message);
    count_turn(tally, message);
}

void tally_expect_calls(struct tally *tally)
{
    if (tally->calls < 0)
        tally->calls = tally->calls_failed = tally->calls_cancelled = 0;
}

static void lost_call(struct tally *tally, struct str id)
{
    if (tally->lost_ids == NULL)
        tally->lost_ids = recent_new();
    if (recent_knows(tally->call_ids, id) || recent_seen(tally->lost_ids, id))
        return;
    tally->calls++;
    tally->calls_lost++;
}

void tally_call(struct tally *tally, struct str id, struct str outcome)
{
    tally_expect_calls(tally);
    if (str_is(outcome, "lost")) {
        lost_call(tally, id);
        return;
    }
    if (id.len > 0 && recent_seen(tally->call_ids, id))
        return;
    if (tally->lost_ids != NULL && recent_knows(tally->lost_ids, id))
        tally->calls_lost--; /* it was not: it counts already */
    else
        tally->calls++;
    tally->calls_failed += str_is(outcome, "failed");
    tally->calls_cancelled += str_is(outcome, "cancelled");
}

static void replace(char **kept, struct str text)
{
    if (text.len == 0)
        return;
    free(*kept);
    *kept = x_memdup(text.at, text.len);
}

void tally_state(struct tally *tally, struct str conversation, struct str state,
                 struct str reason)
{
    struct group *group = conversation_of(tally, conversation);

    replace(&group->state, state);
    replace(&group->reason, reason);
}

void tally_begin(struct tally *tally, struct str conversation, int64_t at_us)
{
    group_span(&tally->total, at_us);
    group_span(conversation_of(tally, conversation), at_us);
}

/* The stats of one metric of all groups of a table; the caller frees. */
static struct stats **stats_of(const struct group_table *table, enum metric metric)
{
    size_t count = group_table_count(table);
    struct stats **stats = x_malloc((count + 1) * sizeof *stats);

    for (size_t i = 0; i < count; i++)
        stats[i] = &group_table_at(table, i)->stats[metric];
    return stats;
}

static void finish_table(struct tally *tally, const struct group_table *table,
                         enum dimension dimension)
{
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        struct stats **stats = stats_of(table, m);

        samples_finish_groups(tally->samples, dimension, m, stats,
                              group_table_count(table));
        free(stats);
    }
}

void tally_finish(struct tally *tally)
{
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        samples_finish_all(tally->samples, m, &tally->total.stats[m]);
    finish_table(tally, tally->personas, BY_PERSONA);
    finish_table(tally, tally->models, BY_MODEL);
}
