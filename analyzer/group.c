/* group.c - see group.h. */
#include "analyzer/group.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/message.h"

void group_init(struct group *group)
{
    *group = (struct group){.seat = -1,
                            .first_turn = -1,
                            .last_turn = -1,
                            .counts = {.tokens_generated = -1,
                                       .prompt_tokens = -1,
                                       .attempts = -1,
                                       .cost = -1},
                            .first_us = -1,
                            .last_us = -1};
}

void group_done(struct group *group, struct ration *ration)
{
    free(group->conversation.text);
    free(group->provider.text);
    free(group->model.text);
    free(group->endpoint);
    free(group->name);
    free(group->state);
    free(group->reason);
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        spread_done(&group->metrics[m], ration);
    group_init(group);
}

void shared_take(struct shared *shared, const char *text)
{
    if (text == NULL || shared->differs)
        return;
    if (shared->text == NULL) {
        shared->text = x_strdup(text);
        return;
    }
    shared->differs = strcmp(shared->text, text) != 0;
    if (!shared->differs)
        return;
    free(shared->text);
    shared->text = NULL;
}

/* A sum that would pass the end of the range stays there: a file may claim anything. */
void add_known(int64_t *sum, int64_t value)
{
    if (value < 0)
        return;
    if (*sum < 0)
        *sum = 0;
    *sum = value > INT64_MAX - *sum ? INT64_MAX : *sum + value;
}

void add_known_cost(double *sum, double value)
{
    if (!(value >= 0) || isinf(value))
        return;
    *sum = fmax(*sum, 0) + value;
}

void measure(const struct message *turn, struct measured *ret_measured)
{
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        double value = metric_of(turn, m);

        ret_measured->value[m] = value;
        if (!isnan(value))
            ret_measured->slot[m] = spread_slot(value);
    }
}

static void count_turn(struct counts *counts, const struct message *turn)
{
    counts->turns++;
    counts->failed_turns += turn->failed;
    counts->fallback_turns += turn->fallback;
    counts->cleaned_turns += turn->cleaned != NULL;
    counts->truncated_turns += turn->context_truncated;
    counts->without_counts += turn->tokens_generated < 0;
    counts->without_prompt_count += turn->prompt_tokens < 0;
    add_known(&counts->tokens_generated, turn->tokens_generated);
    add_known(&counts->prompt_tokens, turn->prompt_tokens);
    add_known(&counts->attempts, turn->attempts);
    add_known_cost(&counts->cost, turn->cost);
    counts->without_cost += !(turn->cost >= 0);
}

void group_count(struct group *group, struct ration *ration, const struct message *turn,
                 const struct measured *measured)
{
    count_turn(&group->counts, turn);
    spread_add_row(group->metrics, METRIC_COUNT, ration, measured->value,
                   measured->slot);
}

void group_prefetch(const struct group *group)
{
    const char *at = (const char *)group;

    for (size_t i = 0; i < sizeof *group; i += 64) /* a line of its cache */
        __builtin_prefetch(at + i, 1);
}

void group_span(struct group *group, int64_t at_us)
{
    if (at_us < 0)
        return;
    if (group->first_us < 0 || at_us < group->first_us)
        group->first_us = at_us;
    if (at_us > group->last_us)
        group->last_us = at_us;
}

double group_wall_ms(const struct group *group)
{
    if (group->first_us < 0)
        return (double)NAN;
    return (double)(group->last_us - group->first_us) / 1000;
}

double group_rate(const struct group *group, int64_t count)
{
    double wall_ms = group_wall_ms(group);

    if (isnan(wall_ms) || wall_ms <= 0 || count < 0)
        return (double)NAN;
    return (double)count / (wall_ms / 1000);
}
