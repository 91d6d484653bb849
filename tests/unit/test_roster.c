/* test_roster.c - the conversations a leader looks after: queues, lanes, seats, size.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "manager/roster.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct roster *roster;

static int set_up(void **state)
{
    (void)state;
    roster = roster_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    roster_free(roster);
    return 0;
}

static struct talk *add(const char *id)
{
    struct wish *wish = x_malloc(sizeof *wish);

    wish_init(wish);
    wish->topic = x_strdup("a topic");
    return roster_add(roster, id, wish);
}

/* A cast of seats with lanes from `first_lane` on. */
static void set_cast(struct talk *talk, size_t seats, int64_t first_lane)
{
    struct cast *cast = x_calloc(1, sizeof *cast);

    cast->seats = x_calloc(seats, sizeof *cast->seats);
    cast->seat_count = seats;
    for (size_t i = 0; i < seats; i++) {
        seat_init(&cast->seats[i]);
        cast->seats[i].persona.name = x_strdup("Ada");
        cast->seats[i].lane = first_lane + (int64_t)i;
    }
    roster_set_cast(talk, cast);
}

static void expect_counts(size_t queued, size_t writing, size_t ready, size_t running)
{
    const size_t wanted[] = {queued, writing, ready, running};

    for (int i = 0; i < TALK_STATE_COUNT; i++)
        if (roster_count(roster, (enum talk_state)i) != wanted[i])
            fail_msg("%s: %zu", talk_state_name((enum talk_state)i),
                     roster_count(roster, (enum talk_state)i));
}

/* The ids of a state's queue, in order, as one text. */
static void expect_queue(enum talk_state state, const char *wanted)
{
    struct buf got;

    buf_init(&got, 1000);
    for (struct talk *talk = roster_first(roster, state); talk != NULL;
         talk = roster_next(talk)) {
        assert_int_equal(talk->state, state);
        buf_add_text(&got, talk->id);
    }
    assert_string_equal(buf_text(&got), wanted);
    buf_done(&got);
}

static void a_new_talk_is_queued_and_found(void **state)
{
    struct talk *talk = add("k3v9q2m4x7ab");

    (void)state;
    assert_int_equal(talk->state, TALK_QUEUED);
    assert_ptr_equal(roster_find(roster, str_of("k3v9q2m4x7ab")), talk);
    assert_ptr_equal(roster_find(roster, str_make("k3v9q2m4x7abc", 12)), talk);
    assert_null(roster_find(roster, str_of("k3v9q2m4x7a")));
    assert_null(roster_find(roster, str_of("k3v9q2m4x7abc")));
    assert_null(roster_find(roster, str_of("")));
    expect_counts(1, 0, 0, 0);
}

static void the_wish_says_whether_failures_are_passed(void **state)
{
    struct wish *wish = x_malloc(sizeof *wish);

    (void)state;
    wish_init(wish);
    wish->pass_on_failure = true;
    assert_true(roster_add(roster, "a", wish)->pass_on_failure);
    assert_false(add("b")->pass_on_failure);
}

static void queues_keep_the_order_of_arrival_in_their_state(void **state)
{
    struct talk *a = add("a");
    struct talk *b = add("b");

    (void)state;
    add("c");
    expect_queue(TALK_QUEUED, "abc");
    roster_move(roster, b, TALK_WRITING);
    roster_move(roster, a, TALK_WRITING);
    expect_queue(TALK_QUEUED, "c");
    expect_queue(TALK_WRITING, "ba");
    roster_move(roster, b, TALK_WRITING); /* to the end of its own queue */
    expect_queue(TALK_WRITING, "ab");
    roster_move(roster, a, TALK_QUEUED); /* its story could not be written yet */
    expect_queue(TALK_QUEUED, "ca");
    expect_counts(2, 1, 0, 0);
    assert_null(roster_first(roster, TALK_READY));
}

static void a_running_talk_keeps_seats_and_lanes_and_nothing_else(void **state)
{
    struct talk *talk = add("a");

    (void)state;
    set_cast(talk, 3, 4);
    set_cast(talk, 2, 5); /* another cast takes the first one's place */
    roster_move(roster, talk, TALK_READY);
    assert_non_null(talk->wish);
    assert_non_null(talk->cast);
    roster_run(roster, talk);
    assert_int_equal(talk->state, TALK_RUNNING);
    assert_null(talk->wish);
    assert_null(talk->cast);
    assert_int_equal(talk->seat_count, 2);
    assert_int_equal(talk_lane(talk, 1), 5);
    assert_int_equal(talk_lane(talk, 2), 6);
    expect_counts(0, 0, 0, 1);
}

static void turns_go_round_the_table(void **state)
{
    struct talk *talk = add("a");

    (void)state;
    set_cast(talk, 2, 1);
    assert_int_equal(talk_next_seat(talk, 1), 2);
    assert_int_equal(talk_next_seat(talk, 2), 1);
    set_cast(talk, SEATS_MAX, 1);
    for (int64_t seat = 1; seat < SEATS_MAX; seat++) {
        assert_int_equal(talk_next_seat(talk, seat), seat + 1);
        assert_int_equal(talk_lane(talk, seat), seat);
    }
    assert_int_equal(talk_next_seat(talk, SEATS_MAX), 1);
    assert_int_equal(talk_lane(talk, SEATS_MAX), SEATS_MAX);
}

static void a_talk_waits_until_each_of_its_lanes_is_alive(void **state)
{
    struct talk *talk = add("a");

    (void)state;
    set_cast(talk, 3, 2); /* lanes 2, 3, 4 */
    assert_false(talk_has_lanes(talk, 0));
    for (unsigned lane = 2; lane <= 4; lane++)
        assert_false(talk_has_lanes(talk, 0x1CU & ~(1U << lane)));
    assert_true(talk_has_lanes(talk, 0x1C));
    assert_true(talk_has_lanes(talk, ~UINT32_C(0)));
    set_cast(talk, SEATS_MAX, 1);
    assert_true(talk_has_lanes(talk, 0x1FFFE));
    assert_false(talk_has_lanes(talk, 0x0FFFE));
}

static void the_highest_lane_in_use_is_known(void **state)
{
    struct talk *a = add("a");
    struct talk *b = add("b");

    (void)state;
    assert_int_equal(roster_lanes(roster), 2);
    set_cast(a, 2, 1);
    roster_run(roster, a);
    assert_int_equal(roster_lanes(roster), 2);
    set_cast(b, 3, 9);
    assert_int_equal(roster_lanes(roster), 2); /* not before it runs */
    b->lanes[0] = 12;
    roster_run(roster, b);
    assert_int_equal(roster_lanes(roster), 12);
    roster_remove(roster, b);
    assert_int_equal(roster_lanes(roster), 12); /* its streams are there still */
}

static void a_talk_is_removed_from_any_state(void **state)
{
    (void)state;
    for (int i = 0; i < TALK_STATE_COUNT; i++) {
        struct talk *talk = add("a");
        struct talk *other = add("b");

        set_cast(talk, 2, 1);
        set_cast(other, 2, 1);
        if (i == TALK_RUNNING) {
            roster_run(roster, talk);
            roster_run(roster, other);
        } else {
            roster_move(roster, talk, (enum talk_state)i);
            roster_move(roster, other, (enum talk_state)i);
        }
        expect_queue((enum talk_state)i, "ab");
        roster_remove(roster, talk);
        assert_null(roster_find(roster, str_of("a")));
        expect_queue((enum talk_state)i, "b");
        roster_remove(roster, other);
        expect_counts(0, 0, 0, 0);
    }
}

static void clearing_leaves_an_empty_roster_that_works(void **state)
{
    (void)state;
    roster_run(roster, add("a"));
    roster_move(roster, add("b"), TALK_READY);
    set_cast(add("c"), 2, 1);
    roster_clear(roster);
    expect_counts(0, 0, 0, 0);
    assert_null(roster_find(roster, str_of("a")));
    add("a");
    expect_queue(TALK_QUEUED, "a");
    roster_free(NULL);
}

/* The allocator's own count where it has one (the sanitizers' has not). */
static size_t heap_bytes(void)
{
    return mallinfo2().uordblks;
}

static void ten_thousand_talks_run_in_less_than_4_kib_each(void **state)
{
    enum { TALKS = 10000, BYTES_EACH = 4096, BYTES_RUNNING = 300 };
    size_t before = heap_bytes();
    char id[CONVERSATION_SIZE];

    (void)state;
    assert_true(sizeof(struct talk) <= BYTES_RUNNING);
    for (int i = 0; i < TALKS; i++) {
        fmt_into(id, sizeof id, "a-long-shard-of-forty-letters-0123456789-%012d", i);
        set_cast(add(id), SEATS_MAX, 1);
    }
    while (roster_first(roster, TALK_QUEUED) != NULL)
        roster_run(roster, roster_first(roster, TALK_QUEUED));
    expect_counts(0, 0, 0, TALKS);
    assert_true(heap_bytes() - before < (size_t)TALKS * BYTES_RUNNING);
    for (int i = 0; i < TALKS; i += 7) {
        fmt_into(id, sizeof id, "a-long-shard-of-forty-letters-0123456789-%012d", i);
        assert_non_null(roster_find(roster, str_of(id)));
    }
}

static void each_state_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < TALK_STATE_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(talk_state_name((enum talk_state)i),
                                    talk_state_name((enum talk_state)j));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_talk_is_queued_and_found),
        TEST(the_wish_says_whether_failures_are_passed),
        TEST(queues_keep_the_order_of_arrival_in_their_state),
        TEST(a_running_talk_keeps_seats_and_lanes_and_nothing_else),
        TEST(turns_go_round_the_table),
        TEST(a_talk_waits_until_each_of_its_lanes_is_alive),
        TEST(the_highest_lane_in_use_is_known),
        TEST(a_talk_is_removed_from_any_state),
        TEST(clearing_leaves_an_empty_roster_that_works),
        TEST(ten_thousand_talks_run_in_less_than_4_kib_each),
        TEST(each_state_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
