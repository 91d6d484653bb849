/* test_tally.c - a small transcript written down by hand, and what it must add up to.
 */
#include <math.h>
#include <stdint.h>

#include "analyzer/recent.h"
#include "analyzer/tally.h"
#include "proto/message.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

/* The tally only reads, so the texts may be constants behind one cast. */
static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

static struct message turn_of(const char *conversation, int64_t seat,
                              const char *author)
{
    return (struct message){.kind = MESSAGE_TURN,
                            .queue_timestamp_us = -1,
                            .conversation_id = text(conversation),
                            .sequence_number = 1,
                            .seat = seat,
                            .author = text(author),
                            .tokens_generated = -1,
                            .generation_time_ms = -1,
                            .prompt_tokens = -1,
                            .time_to_first_token_ms = -1,
                            .tokens_per_second = -1,
                            .queue_wait_ms = -1,
                            .routing_ms = -1,
                            .endpoint_wait_ms = -1,
                            .attempts = -1,
                            .issue = 1,
                            .chunks = -1,
                            .longest_gap_ms = -1,
                            .prefill_ms = -1,
                            .decode_ms = -1,
                            .load_ms = -1,
                            .worker_ms = -1,
                            .prompt_cached_tokens = -1,
                            .num_ctx = -1,
                            .cost = -1};
}

static struct message counted_turn(int64_t seat, const char *author, int64_t tokens,
                                   double generation_ms)
{
    struct message turn = turn_of("c1", seat, author);

    turn.provider = text("ollama");
    turn.model = text("llama3.2:3b");
    turn.tokens_generated = tokens;
    turn.prompt_tokens = 10 * tokens;
    turn.generation_time_ms = generation_ms;
    turn.tokens_per_second = (double)tokens / generation_ms * 1000;
    turn.attempts = 1;
    return turn;
}

static void add(struct tally *tally, struct message message)
{
    tally_message(tally, &message);
}

static void tell(struct tally *tally, struct str id, struct str outcome)
{
    tally_call(tally, &(struct call){.id = id,
                                     .outcome = outcome,
                                     .turn = 1,
                                     .started_us = -1,
                                     .ended_us = -1,
                                     .first_token_ms = -1,
                                     .tokens_generated = -1,
                                     .prompt_tokens = -1,
                                     .prompt_cached_tokens = -1,
                                     .cost = -1});
}

static void tokens_of_turns_add_up_per_persona_and_in_all(void **state)
{
    struct tally *tally = tally_new(NULL);
    struct group *ada;

    (void)state;
    add(tally, counted_turn(1, "Ada", 10, 100));
    add(tally, counted_turn(2, "Ben", 20, 400));
    add(tally, counted_turn(1, "Ada", 30, 200));
    assert_int_equal(tally->total.counts.turns, 3);
    assert_int_equal(tally->total.counts.tokens_generated, 60);
    assert_int_equal(tally->total.counts.prompt_tokens, 600);
    assert_int_equal(tally->total.counts.attempts, 3);
    assert_int_equal(group_table_count(tally->personas), 2);
    ada = group_table_at(tally->personas, 0);
    assert_string_equal(ada->name, "Ada");
    assert_string_equal(ada->model.text, "llama3.2:3b");
    assert_int_equal(ada->counts.turns, 2);
    assert_int_equal(ada->counts.tokens_generated, 40);
    assert_true(spread_percentile(&ada->metrics[METRIC_GENERATION_TIME], 50) == 150);
    assert_true(spread_percentile(&tally->total.metrics[METRIC_GENERATION_TIME], 50)
                == 200);
    assert_true(tally->total.metrics[METRIC_TOKENS_PER_SECOND].max == 150);
    tally_free(tally);
}

static void what_no_server_counted_is_unknown_and_not_zero(void **state)
{
    struct tally *tally = tally_new(NULL);

    (void)state;
    add(tally, turn_of("c1", 1, "Ada"));
    add(tally, turn_of("c1", 2, "Ben"));
    assert_int_equal(tally->total.counts.turns, 2);
    assert_int_equal(tally->total.counts.tokens_generated, -1);
    assert_int_equal(tally->total.counts.prompt_tokens, -1);
    assert_int_equal(tally->total.counts.without_counts, 2);
    assert_int_equal(tally->total.metrics[METRIC_QUEUE_WAIT].count, 0);
    assert_int_equal(tally->calls.ended, -1);
    tally_free(tally);
}

static void turns_without_counts_stand_beside_those_with_counts(void **state)
{
    struct tally *tally = tally_new(NULL);

    (void)state;
    add(tally, counted_turn(1, "Ada", 7, 100));
    add(tally, turn_of("c1", 1, "Ada"));
    assert_int_equal(tally->total.counts.tokens_generated, 7);
    assert_int_equal(tally->total.counts.without_counts, 1);
    assert_int_equal(tally->total.metrics[METRIC_GENERATION_TIME].count, 1);
    tally_free(tally);
}

static void a_failed_turn_is_a_turn_and_does_not_hide_its_personas_model(void **state)
{
    struct tally *tally = tally_new(NULL);
    struct message failed = turn_of("c1", 1, "Ada");

    (void)state;
    failed.failed = true;
    add(tally, failed);
    add(tally, counted_turn(1, "Ada", 5, 50));
    assert_int_equal(tally->total.counts.turns, 2);
    assert_int_equal(tally->total.counts.failed_turns, 1);
    assert_string_equal(group_table_at(tally->personas, 0)->model.text, "llama3.2:3b");
    assert_int_equal(group_table_count(tally->models), 2); /* the unknown one, too */
    tally_free(tally);
}

static void a_persona_that_changed_its_model_names_none(void **state)
{
    struct tally *tally = tally_new(NULL);
    struct message other = counted_turn(1, "Ada", 5, 50);

    (void)state;
    other.model = text("qwen3");
    add(tally, counted_turn(1, "Ada", 5, 50));
    add(tally, other);
    add(tally, counted_turn(1, "Ada", 5, 50));
    assert_null(group_table_at(tally->personas, 0)->model.text);
    assert_int_equal(group_table_count(tally->models), 2);
    assert_int_equal(group_table_at(tally->models, 0)->counts.turns, 2);
    assert_string_equal(group_table_at(tally->models, 1)->model.text, "qwen3");
    tally_free(tally);
}

static void the_same_name_at_a_seat_of_two_conversations_is_one_persona(void **state)
{
    struct tally *tally = tally_new(NULL);

    (void)state;
    add(tally, turn_of("c1", 1, "Ada"));
    add(tally, turn_of("c2", 1, "Ada"));
    add(tally, turn_of("c2", 2, "Ada"));
    assert_int_equal(group_table_count(tally->personas), 2);
    assert_int_equal(group_table_at(tally->personas, 0)->counts.turns, 2);
    assert_null(group_table_at(tally->personas, 0)->conversation.text);
    assert_string_equal(group_table_at(tally->personas, 1)->conversation.text, "c2");
    assert_int_equal(group_table_count(tally->conversations), 2);
    tally_free(tally);
}

static void throughput_is_tokens_by_the_time_from_first_to_last(void **state)
{
    struct tally *tally = tally_new(NULL);
    struct message story = {.kind = MESSAGE_STORY,
                            .queue_timestamp_us = 5000000,
                            .conversation_id = text("c1"),
                            .sequence_number = -1,
                            .seat = -1};
    struct message turn = counted_turn(1, "Ada", 40, 100);

    (void)state;
    turn.queue_timestamp_us = 7000000;
    add(tally, turn); /* the order does not matter */
    add(tally, story);
    assert_true(group_wall_ms(&tally->total) == 2000);
    assert_true(group_rate(&tally->total, 40) == 20);
    assert_true(isnan(group_rate(&tally->total, -1)));
    assert_int_equal(tally->total.counts.turns, 1);
    tally_free(tally);
}

static void time_begins_when_the_first_turn_was_asked_for(void **state)
{
    struct tally *tally = tally_new(NULL);
    struct message turn = counted_turn(1, "Ada", 40, 100);

    (void)state;
    turn.queue_timestamp_us = 7000000;
    add(tally, turn);
    assert_true(isnan(group_rate(&tally->total, 40))); /* no time has passed */
    tally_begin(tally, (struct str){"c1", 2}, 6000000);
    assert_true(group_rate(&tally->total, 40) == 40);
    assert_true(group_wall_ms(group_table_at(tally->conversations, 0)) == 1000);
    tally_free(tally);
}

static void impossible_values_are_left_out(void **state)
{
    struct tally *tally = tally_new(NULL);
    struct message turn = turn_of("c1", 1, "Ada");

    (void)state;
    turn.queue_wait_ms = -3;
    turn.routing_ms = 1e300;
    turn.generation_time_ms = (double)INFINITY;
    turn.tokens_per_second = (double)NAN;
    add(tally, turn);
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        assert_int_equal(tally->total.metrics[m].count, 0);
    tally_free(tally);
}

static void sums_stop_at_the_end_of_their_range(void **state)
{
    struct tally *tally = tally_new(NULL);

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct message turn = turn_of("c1", 1, "Ada");

        turn.tokens_generated = INT64_MAX / 2;
        add(tally, turn);
    }
    assert_int_equal(tally->total.counts.tokens_generated, INT64_MAX);
    tally_free(tally);
}

static void calls_are_unknown_until_a_record_of_them_is_there(void **state)
{
    struct tally *tally = tally_new(NULL);

    (void)state;
    assert_int_equal(tally->calls.ended, -1);
    tally_expect_calls(tally);
    assert_int_equal(tally->calls.ended, 0);
    tell(tally, str_of("done"), str_of("done"));
    tell(tally, str_of("failed"), str_of("failed"));
    tell(tally, str_of("cancelled"), str_of("cancelled"));
    tally_expect_calls(tally);
    assert_int_equal(tally->calls.ended, 3);
    assert_int_equal(tally->calls.failed, 1);
    assert_int_equal(tally->calls.cancelled, 1);
    tally_free(tally);
}

static void a_call_recorded_twice_counts_once(void **state)
{
    struct tally *tally = tally_new(NULL);

    (void)state;
    tell(tally, str_of("w:1"), str_of("failed"));
    tell(tally, str_of("w:2"), str_of("done"));
    tell(tally, str_of("w:1"), str_of("failed"));
    assert_int_equal(tally->calls.ended, 2);
    assert_int_equal(tally->calls.failed, 1);
    tell(tally, str_of(""), str_of("done"));
    tell(tally, str_of(""), str_of("done"));
    assert_int_equal(tally->calls.ended, 4);
    tally_free(tally);
}

static void a_lost_call_counts_until_another_record_tells_how_it_ended(void **state)
{
    static const char *const records[][2] = {
        {"w:1", "lost"},      {"w:1", "lost"}, {"w:2", "lost"},
        {"w:2", "cancelled"}, {"w:3", "done"}, {"w:3", "lost"},
    };
    struct tally *tally = tally_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        tell(tally, str_of(records[i][0]), str_of(records[i][1]));
    assert_int_equal(tally->calls.ended, 3);
    assert_int_equal(tally->calls.lost, 1);
    assert_int_equal(tally->calls.cancelled, 1);
    tally_free(tally);
}

static void calls_without_an_id_are_nobodys_second(void **state)
{
    static const char *const outcomes[] = {"lost", "lost", "done", "failed"};
    struct tally *tally = tally_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        tell(tally, str_of(""), str_of(outcomes[i]));
    assert_int_equal(tally->calls.ended, 4);
    assert_int_equal(tally->calls.lost, 2);
    tally_free(tally);
}

static void the_second_record_is_known_among_very_many(void **state)
{
    enum { CALLS = 3 * RECENT_NAMES };
    struct tally *tally = tally_new(NULL);
    char id[16];

    (void)state;
    for (int i = 0; i < CALLS; i++) {
        fmt_into(id, sizeof id, "%d", i);
        tell(tally, str_of(id), str_of("done"));
        fmt_into(id, sizeof id, "%d", i < RECENT_NAMES / 2 ? 0 : i - RECENT_NAMES / 2);
        tell(tally, str_of(id), str_of("done"));
    }
    assert_int_equal(tally->calls.ended, CALLS);
    tally_free(tally);
}

static void the_last_state_that_was_told_stays(void **state)
{
    struct tally *tally = tally_new(NULL);
    const struct group *group;

    (void)state;
    tally_state(tally, str_of("c1"), str_of("running"), str_of(""));
    tally_state(tally, str_of("c1"), str_of("ended"), str_of("turns"));
    tally_state(tally, str_of("c1"), str_of(""), str_of(""));
    group = group_table_at(tally->conversations, 0);
    assert_string_equal(group->state, "ended");
    assert_string_equal(group->reason, "turns");
    tally_free(tally);
}

static void many_groups_and_many_rows_keep_apart(void **state)
{
    enum { GROUPS = 1000, ROWS = 10 };
    struct tally *tally = tally_new(NULL);
    char name[16];

    (void)state;
    for (int row = 0; row < ROWS; row++)
        for (int g = 0; g < GROUPS; g++) {
            struct message turn;

            fmt_into(name, sizeof name, "P%d", g);
            turn = turn_of("c1", 1, name);
            turn.queue_wait_ms = 100 * g + row;
            add(tally, turn);
        }
    assert_int_equal(group_table_count(tally->personas), GROUPS);
    for (size_t g = 0; g < GROUPS; g++) {
        struct spread *waits =
            &group_table_at(tally->personas, g)->metrics[METRIC_QUEUE_WAIT];

        assert_int_equal(waits->count, ROWS);
        assert_true(spread_percentile(waits, 50) == 100 * (double)g + 4.5);
        assert_true(spread_percentile(waits, 99) > 100 * (double)g + 8.9);
        assert_true(spread_max(waits) == 100 * (double)g + 9);
    }
    tally_free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_turns_add_up_per_persona_and_in_all),
        cmocka_unit_test(what_no_server_counted_is_unknown_and_not_zero),
        cmocka_unit_test(turns_without_counts_stand_beside_those_with_counts),
        cmocka_unit_test(a_failed_turn_is_a_turn_and_does_not_hide_its_personas_model),
        cmocka_unit_test(a_persona_that_changed_its_model_names_none),
        cmocka_unit_test(the_same_name_at_a_seat_of_two_conversations_is_one_persona),
        cmocka_unit_test(throughput_is_tokens_by_the_time_from_first_to_last),
        cmocka_unit_test(time_begins_when_the_first_turn_was_asked_for),
        cmocka_unit_test(impossible_values_are_left_out),
        cmocka_unit_test(sums_stop_at_the_end_of_their_range),
        cmocka_unit_test(calls_are_unknown_until_a_record_of_them_is_there),
        cmocka_unit_test(a_call_recorded_twice_counts_once),
        cmocka_unit_test(a_lost_call_counts_until_another_record_tells_how_it_ended),
        cmocka_unit_test(calls_without_an_id_are_nobodys_second),
        cmocka_unit_test(the_second_record_is_known_among_very_many),
        cmocka_unit_test(the_last_state_that_was_told_stays),
        cmocka_unit_test(many_groups_and_many_rows_keep_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
