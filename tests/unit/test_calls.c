/* test_calls.c - what was wasted, what it cost, what was cached, which turns were good
 * and which were left out: small records whose sums stand beside them.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "analyzer/cache.h"
#include "analyzer/calls.h"
#include "analyzer/goodput.h"
#include "analyzer/picture_parts.h"
#include "analyzer/report.h"
#include "analyzer/tally.h"
#include "proto/message.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant; /* only read */
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9;
}

struct told {
    const char *id, *outcome, *error, *model;
    int64_t tokens, prompt;
    double cost;
};

static void take(struct calls *calls, const struct told *told)
{
    (void)calls_take(calls, &(struct call){.id = str_of(told->id),
                                           .outcome = str_of(told->outcome),
                                           .error = str_of(told->error),
                                           .provider = str_of("ollama"),
                                           .model = str_of(told->model),
                                           .turn = 1,
                                           .tokens_generated = told->tokens,
                                           .prompt_tokens = told->prompt,
                                           .cost = told->cost});
}

static const struct waste *reason(const struct calls *calls, const char *name)
{
    for (size_t i = 0; i < calls->reason_count; i++)
        if (strcmp(calls->reasons[i].reason, name) == 0)
            return &calls->reasons[i];
    return NULL;
}

static void tokens_of_calls_that_came_to_nothing_are_wasted(void **state)
{
    static const struct told told[] = {
        {"1", "done", "", "a", 50, 500, 0.5},
        {"2", "failed", "timeout", "a", 7, 500, 0.25},
        {"2", "failed", "timeout", "a", 7, 500, 0.25}, /* written twice */
        {"3", "failed", "timeout", "b", -1, 600, -1},
        {"4", "cancelled", "", "b", -1, -1, -1},
        {"5", "lost", "", "", -1, -1, -1},
        {"6", "lost", "", "", -1, -1, -1},
        {"6", "done", "", "a", 20, 200, 0.125}, /* it was not lost */
        {"7", "failed", "bad\x1b[2J", "a", 1, 1, -1},
    };
    struct calls calls;

    (void)state;
    calls_init(&calls);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        take(&calls, &told[i]);
    assert_int_equal(calls.ended, 7);
    assert_int_equal(calls.wasted.calls, 5);
    assert_int_equal(calls.wasted.tokens_generated, 8);
    assert_int_equal(calls.wasted.prompt_tokens, 1101);
    assert_int_equal(calls.wasted.without_counts, 3);
    assert_int_equal(reason(&calls, "timeout")->calls, 2);
    assert_int_equal(reason(&calls, "timeout")->tokens_generated, 7);
    assert_int_equal(reason(&calls, "timeout")->without_counts, 1);
    assert_int_equal(reason(&calls, "cancelled")->tokens_generated, -1);
    assert_int_equal(reason(&calls, "lost")->calls, 1);
    assert_int_equal(reason(&calls, "other")->calls, 1); /* no word of ours */
    calls_done(&calls);
}

static void costs_are_added_up_by_model_and_unknown_ones_counted(void **state)
{
    static const struct told told[] = {
        {"1", "done", "", "a", 1, 1, 0.5},
        {"2", "failed", "timeout", "a", 1, 1, 0.25}, /* is paid, too */
        {"3", "done", "", "b", 1, 1, -1},
    };
    struct calls calls;

    (void)state;
    calls_init(&calls);
    for (size_t i = 0; i < 3; i++)
        take(&calls, &told[i]);
    assert_true(near(calls.total_cost.cost, 0.75));
    assert_int_equal(calls.total_cost.calls, 3);
    assert_int_equal(calls.total_cost.without_cost, 1);
    assert_int_equal(calls.cost_count, 2);
    assert_string_equal(calls.costs[0].model, "a");
    assert_true(near(calls.costs[0].cost, 0.75));
    assert_true(calls.costs[1].cost < 0);
    calls_done(&calls);
}

static void more_models_and_reasons_than_rows_stay_in_the_sums(void **state)
{
    struct calls calls;
    char word[16];

    (void)state;
    calls_init(&calls);
    for (int i = 0; i < 2 * COST_ROWS_MAX; i++) {
        fmt_into(word, sizeof word, "m%d", i);
        take(&calls, &(struct told){word, "failed", word, word, 1, 1, 1});
    }
    assert_int_equal(calls.cost_count, COST_ROWS_MAX);
    assert_int_equal(calls.costs[COST_ROWS_MAX - 1].calls, COST_ROWS_MAX + 1);
    assert_null(calls.costs[COST_ROWS_MAX - 1].model);
    assert_int_equal(calls.reason_count, WASTE_REASONS_MAX);
    assert_string_equal(calls.reasons[WASTE_REASONS_MAX - 1].reason, "others");
    assert_int_equal(calls.wasted.tokens_generated, 2 * COST_ROWS_MAX);
    calls_done(&calls);
}

static struct message turn_of(int64_t number, int64_t seat, int64_t prompt,
                              int64_t tokens)
{
    struct message turn;

    message_init(&turn, MESSAGE_TURN);
    turn.conversation_id = text("c1");
    turn.sequence_number = number;
    turn.seat = seat;
    turn.prompt_tokens = prompt;
    turn.tokens_generated = tokens;
    return turn;
}

/* Seat 1: 100+20, then a prompt of 200: 120 were there. Seat 2 is told by its server.
 */
static void cached_tokens_are_told_or_estimated_and_never_mixed(void **state)
{
    struct message turns[] = {
        turn_of(1, 1, 100, 20), turn_of(2, 2, 150, 30), turn_of(3, 1, 200, 10),
        turn_of(4, 2, 260, 5),  turn_of(5, 1, 150, 1), /* cut: all of it was there */
        turn_of(6, 2, -1, 5),   turn_of(7, 1, 300, 1),
    };
    struct cache cache;

    (void)state;
    turns[1].prompt_cached_tokens = 0;
    turns[3].prompt_cached_tokens = 180;
    cache_init(&cache);
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++)
        cache_turn(&cache, &turns[i]);
    assert_int_equal(cache.server.turns, 2);
    assert_int_equal(cache.server.prompt_tokens, 410);
    assert_int_equal(cache.server.cached_tokens, 180);
    assert_int_equal(cache.estimated.turns, 4);
    assert_int_equal(cache.estimated.prompt_tokens, 100 + 200 + 150 + 300);
    assert_int_equal(cache.estimated.cached_tokens, 0 + 120 + 150 + 151);
    assert_int_equal(cache.missing, 1);
    assert_true(near(cache_share(&cache.server), 180.0 / 410));
    cache_done(&cache);
}

static void count(struct goodput *goodput, double ttft, double itl, int64_t tokens)
{
    double value[METRIC_COUNT];

    for (enum metric m = 0; m < METRIC_COUNT; m++)
        value[m] = (double)NAN;
    value[METRIC_TIME_TO_FIRST_TOKEN] = ttft;
    value[METRIC_INTER_TOKEN_LATENCY] = itl;
    goodput_count(goodput, value, tokens);
}

static void good_turns_meet_every_limit(void **state)
{
    struct goodput goodput;
    struct err err = {0};

    (void)state;
    assert_true(goodput_parse(str_of("ttft:500, itl:50"), &goodput, &err));
    assert_int_equal(goodput.limits, 2);
    count(&goodput, 500, 50, 10);          /* just */
    count(&goodput, 501, 10, 10);          /* no */
    count(&goodput, 100, 51, 10);          /* no */
    count(&goodput, 100, (double)NAN, 1);  /* one token has no gap */
    count(&goodput, 100, (double)NAN, 10); /* unknown */
    count(&goodput, 900, (double)NAN, 10); /* missed, whatever the other is */
    assert_int_equal(goodput.good, 2);
    assert_int_equal(goodput.missed, 3);
    assert_int_equal(goodput.unknown, 1);
}

static void limits_that_are_none_are_named(void **state)
{
    static const char *const wrong[] = {"",        "ttft",    "ttft:",     "ttft:x",
                                        "speed:5", "ttft:-1", "ttft:1e400"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct goodput goodput;
        struct err err = {0};

        if (goodput_parse(str_of(wrong[i]), &goodput, &err))
            fail_msg("'%s' was taken", wrong[i]);
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.msg, "goodput"));
    }
}

static void every_metric_is_found_by_each_of_its_names(void **state)
{
    enum metric found;

    (void)state;
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        assert_true(metric_find(str_of(metric_name(m)), &found) && found == m);
        assert_true(metric_find(str_of(metric_short(m)), &found) && found == m);
    }
    assert_true(metric_find(str_of("e2el"), &found));
    assert_int_equal(found, METRIC_GENERATION_TIME);
    assert_false(metric_find(str_of(""), &found));
}

static struct tally *ten_turns(const char *warmup)
{
    struct tally_options options = {.speech = SPEECH_NONE};
    struct tally *tally;

    goodput_init(&options.goodput);
    assert_true(warmup_parse(str_of(warmup), &options.warmup, NULL));
    tally = tally_new(&options);
    for (int i = 1; i <= 10; i++) {
        struct message turn = turn_of(i, 1, 100, i);

        turn.queue_timestamp_us = INT64_C(1000000) * (100 + i);
        tally_message(tally, &turn);
    }
    for (int i = 1; i <= 10; i++)
        tally_call(tally, &(struct call){.outcome = str_of("failed"),
                                         .started_us = INT64_C(1000000) * (99 + i),
                                         .ended_us = INT64_C(1000000) * (100 + i),
                                         .tokens_generated = 1,
                                         .prompt_tokens = -1,
                                         .cost = -1});
    return tally;
}

static void the_first_turns_can_be_left_out(void **state)
{
    struct tally *tally = ten_turns("3");

    (void)state;
    assert_int_equal(tally->warmup.turns_out, 3);
    assert_int_equal(tally->warmup.calls_out, 3);
    assert_int_equal(tally->total.counts.turns, 7);
    assert_int_equal(tally->total.counts.tokens_generated, 4 + 5 + 6 + 7 + 8 + 9 + 10);
    assert_int_equal(tally->calls.wasted.tokens_generated, 7);
    assert_true(near(group_wall_ms(&tally->total), 7000));
    tally_free(tally);
}

static void the_first_time_can_be_left_out(void **state)
{
    struct tally *tally = ten_turns("4s"); /* from the first message at 101 s */

    (void)state;
    assert_int_equal(tally->warmup.turns_out, 5);
    assert_int_equal(tally->total.counts.turns, 5);
    assert_true(near(group_wall_ms(&tally->total), 5000));
    tally_free(tally);
}

static void what_is_no_warmup_is_named(void **state)
{
    struct warmup warmup;
    struct err err = {0};

    (void)state;
    assert_false(warmup_parse(str_of("soon"), &warmup, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_false(warmup_parse(str_of("-3"), &warmup, &err));
}

static void turns_stand_in_classes_that_double(void **state)
{
    static const struct {
        int64_t number, first, last;
    } cases[] = {{1, 1, 1},    {16, 16, 16}, {17, 17, 32},
                 {32, 17, 32}, {33, 33, 64}, {1000000, 524289, 1048576}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tally *tally = tally_new(NULL);
        struct message turn = turn_of(cases[i].number, 1, 1, 1);
        int found = 0;

        tally_message(tally, &turn);
        for (size_t k = 0; k < TURN_CLASSES; k++) {
            if (tally->turn_indexes[k] == NULL)
                continue;
            found++;
            assert_int_equal(tally->turn_indexes[k]->first_turn, cases[i].first);
            assert_int_equal(tally->turn_indexes[k]->last_turn, cases[i].last);
        }
        assert_int_equal(found, 1);
        tally_free(tally);
    }
}

static void the_last_class_of_turns_has_its_place_in_the_picture(void **state)
{
    struct tally *tally = tally_new(NULL);
    const struct report report = {.tally = tally};
    struct buf data;
    struct buf drawing;

    (void)state;
    for (int64_t number = INT64_MAX; number > 0; number -= INT64_MAX - 1) {
        struct message turn = turn_of(number, 1, 1, 1);

        turn.time_to_first_token_ms = 5;
        tally_message(tally, &turn);
    }
    buf_init(&data, 4096);
    buf_init(&drawing, 4096);
    assert_true(picture_turn_index(&report, &data, &drawing));
    assert_non_null(strstr(buf_text(&data), "\n1 5 5 5 "));
    assert_non_null(strstr(buf_text(&data), "\n6.91753e+18 5 5 5 "));
    buf_done(&data);
    buf_done(&drawing);
    tally_free(tally);
}

static void endings_are_counted_once_a_conversation(void **state)
{
    struct tally *tally = tally_new(NULL);

    (void)state;
    tally_state(tally, str_of("c1"), str_of("running"), str_of(""));
    for (int i = 0; i < 2; i++) /* events may come twice */
        tally_state(tally, str_of("c1"), str_of("ended"), str_of("turns"));
    tally_state(tally, str_of("c2"), str_of("ended"), str_of("turns"));
    tally_state(tally, str_of("c3"), str_of("ended"), str_of("stopped"));
    assert_int_equal(tally->ending_count, 2);
    assert_string_equal(tally->endings[0].reason, "turns");
    assert_int_equal(tally->endings[0].conversations, 2);
    assert_int_equal(tally->endings[1].conversations, 1);
    assert_int_equal(tally->conversation_count, 3);
    tally_free(tally);
}

/* A million names would have no row each; they are counted all the same. */
static void conversations_beyond_the_rows_are_counted(void **state)
{
    enum { MANY = 3 * TALLY_ROWS_MAX };
    struct tally *tally = tally_new(NULL);
    char id[16];

    (void)state;
    for (int i = 0; i < 2 * MANY; i++) {
        struct message turn = turn_of(1, 1, 1, 2);

        fmt_into(id, sizeof id, "c%d", i % MANY);
        turn.conversation_id = id;
        tally_message(tally, &turn);
    }
    assert_int_equal(tally->conversation_count, MANY);
    assert_int_equal(group_table_count(tally->conversations), TALLY_ROWS_MAX);
    assert_int_equal(group_table_passed(tally->conversations),
                     2 * (MANY - TALLY_ROWS_MAX));
    assert_int_equal(tally->total.counts.tokens_generated, 4 * MANY);
    tally_free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_calls_that_came_to_nothing_are_wasted),
        cmocka_unit_test(costs_are_added_up_by_model_and_unknown_ones_counted),
        cmocka_unit_test(more_models_and_reasons_than_rows_stay_in_the_sums),
        cmocka_unit_test(cached_tokens_are_told_or_estimated_and_never_mixed),
        cmocka_unit_test(good_turns_meet_every_limit),
        cmocka_unit_test(limits_that_are_none_are_named),
        cmocka_unit_test(every_metric_is_found_by_each_of_its_names),
        cmocka_unit_test(the_first_turns_can_be_left_out),
        cmocka_unit_test(the_first_time_can_be_left_out),
        cmocka_unit_test(what_is_no_warmup_is_named),
        cmocka_unit_test(turns_stand_in_classes_that_double),
        cmocka_unit_test(the_last_class_of_turns_has_its_place_in_the_picture),
        cmocka_unit_test(endings_are_counted_once_a_conversation),
        cmocka_unit_test(conversations_beyond_the_rows_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
