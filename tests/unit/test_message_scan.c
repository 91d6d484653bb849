/* test_message_scan.c - the fast road of reading a message never differs from the
 * judge, message_read: tried with messages that are whole and with damaged ones.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/message_read.h"
#include "proto/message_scan.h"
#include "test_message_rig.h"

/* Changes, takes out or puts in one byte. */
static void damage(struct rng *rng, struct buf *json)
{
    static const char often[] = "\"\\{}[],:0123456789.-eunl \x01\xC3\xFF";
    char byte = often[rng_below(rng, sizeof often - 1)];
    size_t at = rng_below(rng, json->len);
    char *rest;

    switch (rng_below(rng, 3)) {
    case 0:
        json->at[at] = byte;
        break;
    case 1:
        memmove(json->at + at, json->at + at + 1, json->len - at);
        json->len--;
        break;
    default:
        rest = x_memdup(json->at + at, json->len - at);
        json->len = at;
        buf_add_char(json, byte);
        buf_add_text(json, rest);
        free(rest);
        break;
    }
}

/* Into memory of just the size that was asked for: beyond it, the sanitizer tells. */
static void same_into(struct str json, const struct message *expected)
{
    char *room = x_malloc(json.len);
    struct message found;

    assert_int_equal(message_scan_into(json, room, &found), expected->to == NULL);
    if (expected->to == NULL)
        same_message(expected, &found);
    free(room);
}

/* The fast road may refuse what it likes, but not differ from the judge. */
static bool roads_agree(struct str json)
{
    struct message fast;
    struct message slow;
    struct err err = {0};

    if (!message_scan(json, &fast))
        return false;
    if (!message_read(json, &slow, &err))
        fail_msg("%s: %.*s", err.msg, (int)json.len, json.at);
    same_message(&slow, &fast);
    same_into(json, &fast);
    message_done(&fast);
    message_done(&slow);
    return true;
}

static void the_fast_road_never_differs_from_the_judge(void **state)
{
    struct rng rng;
    struct buf json;
    int accepted = 0;

    (void)state;
    rng_init(&rng, 42);
    buf_init(&json, MESSAGE_MAX_BYTES);
    for (int round = 0; round < 40000; round++) {
        struct message message;

        random_message(&rng, &message);
        buf_clear(&json);
        assert_true(message_format(&message, &json));
        if (message.kind == MESSAGE_TURN && message.reference_count == 0)
            assert_true(roads_agree(buf_str(&json)));
        damage(&rng, &json);
        accepted += roads_agree(buf_str(&json));
        message_done(&message);
    }
    assert_true(accepted > 300); /* else this would prove little */
    buf_done(&json);
}

static void the_fast_road_leaves_what_it_does_not_know(void **state)
{
    static const char *const odd[][2] = {
        {"\"x\"", "\"\\/\""},
        {"\"x\"", "\"\\u0041\""},
        {"\"x\"", "\"\\u0000\""},
        {"\"x\"", "\"\\u001f\\"},
        {"\"x\"", "\"\xFF\""},
        {":7,", ":07,"},
        {":7,", ":7.0,"},
        {":7,", ":1234567890123456,"},
        {":7,", ": 7,"},
        {"812.4", "812."},
        {"812.4", "8e2"},
        {"812.4", "0.12345678901"},
        {"812.4", "999999999999999.9"},
        {"812.4", "-812.4"},
        {":7,", ":0,"},
        {"\"seat\":1", "\"seat\":0"},
        {"\"issue\":null", "\"issue\":0"},
        {"}}", "}} "},
        {"\"to\":null", "\"to\":[]"},
        {"\"to\":null", "\"to\":[17]"},
        {"\"sentiment\":null", "\"sentiment\":-1.001"},
    };
    struct message message;
    struct buf json;

    (void)state;
    turn_of("x", &message);
    message.generation_time_ms = 812.4;
    buf_init(&json, MESSAGE_MAX_BYTES);
    assert_true(message_format(&message, &json));
    assert_true(roads_agree(buf_str(&json)));
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char *text = changed(buf_text(&json), odd[i][0], odd[i][1]);
        struct message none = {.seat = 99};

        assert_false(message_scan(str_of(text), &none));
        assert_int_equal(none.seat, 99);
        free(text);
    }
    for (size_t len = 0; len < json.len; len++) {
        char *cut = x_memdup(json.at, len); /* so that a read too far is seen */

        assert_false(message_scan(str_make(cut, len), &message));
        free(cut);
    }
    message_done(&message);
    buf_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fast_road_never_differs_from_the_judge),
        cmocka_unit_test(the_fast_road_leaves_what_it_does_not_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
