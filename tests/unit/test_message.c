/* test_message.c - a message comes back as it was written, and nothing else passes. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "proto/message.h"
#include "proto/schema.h"
#include "test_message_rig.h"

static void parse(struct str json, struct message *message)
{
    struct err err = {0};

    if (!message_parse(json, message, &err))
        fail_msg("%s: %.*s", err.msg, (int)json.len, json.at);
}

static void obeys_the_schema(struct str json)
{
    struct err err = {0};
    json_t *document = NULL;

    if (!json_read(json, &document, &err)
        || !schema_check(schema_get("dialog_message"), document, &err))
        fail_msg("%s: %.*s", err.msg, (int)json.len, json.at);
    json_decref(document);
}

static void any_message_comes_back_as_it_was_written(void **state)
{
    struct rng rng;
    struct buf json;
    struct buf again;

    (void)state;
    rng_init(&rng, 20260131);
    buf_init(&json, MESSAGE_MAX_BYTES);
    buf_init(&again, MESSAGE_MAX_BYTES);
    for (int round = 0; round < 5000; round++) {
        struct message sent;
        struct message came;

        random_message(&rng, &sent);
        buf_clear(&json);
        buf_clear(&again);
        assert_true(message_format(&sent, &json));
        assert_null(strchr(json.at, '\n'));
        parse(buf_str(&json), &came);
        same_message(&sent, &came);
        assert_true(message_format(&came, &again));
        assert_string_equal(json.at, again.at);
        if (round < 1000)
            obeys_the_schema(buf_str(&json));
        message_done(&sent);
        message_done(&came);
    }
    buf_done(&json);
    buf_done(&again);
}

static void what_is_unknown_is_null_never_0(void **state)
{
    static const char want[] =
        "{\"schema_version\":\"1.0\",\"kind\":\"turn\",\"queue_timestamp\":null,"
        "\"message_id\":\"k3v9q2m4x7ab:7\",\"role\":\"assistant\",\"to\":null,"
        "\"content\":{\"type\":\"conversation\",\"message\":\"\",\"sentiment\":null,"
        "\"references\":[]},\"metadata\":{\"conversation_id\":\"k3v9q2m4x7ab\","
        "\"sequence_number\":7,\"seat\":1,\"author\":null,\"tokens_generated\":null,"
        "\"generation_time_ms\":null,\"prompt_tokens\":null,"
        "\"time_to_first_token_ms\":null,\"tokens_per_second\":null,"
        "\"queue_wait_ms\":null,\"endpoint_wait_ms\":null,\"routing_ms\":null,"
        "\"attempts\":null,\"issue\":null,"
        "\"provider\":null,\"endpoint\":null,\"model\":null,\"finish_reason\":null}}";
    struct message message;
    struct buf json;

    (void)state;
    turn_of(NULL, &message);
    message.queue_wait_ms = -0.4; /* clocks that went apart */
    buf_init(&json, MESSAGE_MAX_BYTES);
    assert_true(message_format(&message, &json));
    assert_string_equal(buf_text(&json), want);
    message_done(&message);
    buf_done(&json);
}

static void a_mebibyte_of_text_is_the_limit(void **state)
{
    char *text = x_calloc(MESSAGE_MAX_BYTES, 1);
    struct message message;
    struct message came;
    struct err err = {0};
    struct buf json;

    (void)state;
    memset(text, 'x', MESSAGE_MAX_BYTES - 1);
    text[MESSAGE_MAX_BYTES - 1000] = '\0';
    buf_init(&json, MESSAGE_MAX_BYTES);
    turn_of(text, &message);
    assert_true(message_format(&message, &json));
    parse(buf_str(&json), &came);
    assert_string_equal(message.text, came.text);
    message_done(&came);
    message_done(&message);

    memset(text, '\x1B', MESSAGE_MAX_BYTES - 1000); /* six bytes each */
    turn_of(text, &message);
    buf_clear(&json);
    assert_false(message_format(&message, &json));
    buf_done(&json);
    buf_init(&json, 8 * MESSAGE_MAX_BYTES);
    assert_true(message_format(&message, &json));
    assert_false(message_parse(buf_str(&json), &came, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    message_done(&message);
    buf_done(&json);
    free(text);
}

static const char good[] =
    "{\"schema_version\":\"1.0\",\"kind\":\"turn\",\"queue_timestamp\":null,"
    "\"message_id\":\"a:7\",\"role\":\"assistant\",\"to\":null,"
    "\"content\":{\"type\":\"conversation\",\"message\":\"x\",\"sentiment\":null,"
    "\"references\":[]},\"metadata\":{\"conversation_id\":\"a\","
    "\"sequence_number\":7,\"seat\":1,\"tokens_generated\":null}}";

static const struct {
    const char *from;
    const char *to;
    const char *complaint;
} refused[] = {
    {"\"1.0\"", "\"2.0\"", "/schema_version: expected \"1.0\", found \"2.0\""},
    {"\"schema_version\":\"1.0\",", "",
     "/schema_version: expected \"1.0\", found none"},
    {"\"turn\"", "\"rumour\"",
     "/kind: expected one of \"story\", \"persona\", \"turn\", \"event\", \"whisper\", "
     "found \"rumour\""},
    {"\"turn\"", "7",
     "/kind: expected one of \"story\", \"persona\", \"turn\", \"event\", \"whisper\", "
     "found 7"},
    {"\"turn\"", "\"event\"", "/metadata/sequence_number: expected null, found 7"},
    {"\"turn\"", "\"story\"",
     "/content/type: expected \"story\", found \"conversation\""},
    {"\"conversation\"", "\"conversatio\"",
     "/content/type: expected \"conversation\", found \"conversatio\""},
    {"\"queue_timestamp\":null", "\"queue_timestamp\":\"now\"",
     "/queue_timestamp: expected a time like 2026-01-31T10:30:00.123456Z or null, "
     "found \"now\""},
    {"\"queue_timestamp\":null", "\"queue_timestamp\":7",
     "/queue_timestamp: expected a time like 2026-01-31T10:30:00.123456Z or null, "
     "found 7"},
    {"\"a:7\"", "null", "/message_id: expected a string, found null"},
    {"\"a:7\"", "\"\"", "/message_id: expected an id, found \"\""},
    {"\"to\":null", "\"to\":[]",
     "/to: expected null or an array of 1 to 16 seats, found an array of 0"},
    {"\"to\":null", "\"to\":[1,17]", "/to/1: expected a seat from 1 to 16, found 17"},
    {"\"to\":null", "\"to\":[1,\"2\"]",
     "/to/1: expected a seat from 1 to 16, found \"2\""},
    {"\"message\":\"x\"", "\"message\":null",
     "/content/message: expected a string, found null"},
    {"\"sentiment\":null", "\"sentiment\":1.5",
     "/content/sentiment: expected a number from -1 to 1 or null, found 1.5"},
    {"\"sentiment\":null", "\"sentiment\":\"glad\"",
     "/content/sentiment: expected a number of at least -1 or null, found "
     "\"glad\""},
    {"\"references\":[]", "\"references\":[\"a:6\",6]",
     "/content/references/1: expected a string, found 6"},
    {"\"conversation_id\":\"a\"", "\"conversation_id\":null",
     "/metadata/conversation_id: expected the id of a conversation, found null"},
    {"\"sequence_number\":7", "\"sequence_number\":0",
     "/metadata/sequence_number: expected a whole number of at least 1 or null, "
     "found 0"},
    {"\"sequence_number\":7", "\"sequence_number\":null",
     "/metadata/sequence_number: expected the number of the turn, found null"},
    {"\"seat\":1", "\"seat\":0",
     "/metadata/seat: expected a whole number of at least 1 or null, found 0"},
    {"\"seat\":1", "\"seat\":1,\"issue\":0",
     "/metadata/issue: expected a whole number of at least 1 or null, found 0"},
    {"\"seat\":1", "\"seat\":17",
     "/metadata/seat: expected a seat from 1 to 16, found 17"},
    {"\"seat\":1,", "", "/metadata/seat: expected a seat from 1 to 16, found none"},
    {"\"tokens_generated\":null", "\"tokens_generated\":-1",
     "/metadata/tokens_generated: expected a whole number of at least 0 or null, "
     "found -1"},
    {"\"tokens_generated\":null", "\"tokens_generated\":1e300",
     "/metadata/tokens_generated: expected a whole number of at least 0 or null, "
     "found 1e+300"},
    {"\"tokens_generated\":null", "\"failed\":1",
     "/metadata/failed: expected true or false, found 1"},
    {"\"tokens_generated\":null", "\"fallback\":\"yes\"",
     "/metadata/fallback: expected true or false, found \"yes\""},
    {"\"tokens_generated\":null", "\"context_truncated\":0",
     "/metadata/context_truncated: expected true or false, found 0"},
    {"\"tokens_generated\":null", "\"cleaned\":\"a\"",
     "/metadata/cleaned: expected an array of words or null, found \"a\""},
    {"\"tokens_generated\":null", "\"cleaned\":[\"a\",\"\"]",
     "/metadata/cleaned/1: expected a word, found \"\""},
    {"\"tokens_generated\":null", "\"endpoint_wait_ms\":-1",
     "/metadata/endpoint_wait_ms: expected a number of at least 0 or null, found -1"},
    {"\"seat\":1", "\"seat\":1,\"seat\":2",
     "line 1, column 259: duplicate object key near '\"seat\"'"},
};

static void what_is_wrong_is_refused_and_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char *json = changed(good, refused[i].from, refused[i].to);
        struct message message = {.seat = 99};
        struct err err = {0};

        assert_false(message_parse(str_of(json), &message, &err));
        assert_string_equal(err.msg, refused[i].complaint);
        assert_int_equal(err.code, ERR_FORMAT);
        assert_int_equal(message.seat, 99);
        free(json);
    }
}

static void documents_that_are_no_message_are_refused(void **state)
{
    static const char *const bad[] = {"",  "null",  "[]",        "{}",
                                      "7", "\"x\"", "{\"kind\":"};
    struct message message;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};

        assert_false(message_parse(str_of(bad[i]), &message, &err));
        assert_int_equal(err.code, ERR_FORMAT);
        assert_false(message_parse(str_of(bad[i]), &message, NULL));
    }
}

static void every_cut_of_a_message_is_refused(void **state)
{
    struct message message;

    (void)state;
    for (size_t len = 0; len < sizeof good - 1; len++)
        assert_false(message_parse(str_make(good, len), &message, NULL));
}

static void a_whisper_is_to_somebody_and_nobodys_own(void **state)
{
    static const struct {
        const char *to;
        const char *seat;
        const char *complaint; /* NULL: it is well */
    } cases[] = {
        {"[2]", "null", NULL},
        {"null", "null", "/to: expected the seats it is whispered to, found null"},
        {"[2]", "2", "/metadata/seat: expected null, found 2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct message message;
        struct err err = {0};
        char *json = x_printf(
            "{\"schema_version\":\"1.0\",\"kind\":\"whisper\",\"message_id\":\"a:w\","
            "\"to\":%s,\"role\":\"system\",\"content\":{\"type\":\"conversation\","
            "\"message\":\"x\",\"references\":[]},\"metadata\":{"
            "\"conversation_id\":\"a\",\"seat\":%s}}",
            cases[i].to, cases[i].seat);
        bool ok = message_parse(str_of(json), &message, &err);

        free(json);
        assert_int_equal(ok, cases[i].complaint == NULL);
        if (ok)
            message_done(&message);
        else
            assert_string_equal(err.msg, cases[i].complaint);
    }
}

static void unknown_keys_and_later_minor_versions_are_read(void **state)
{
    char *json = changed(good, "\"1.0\"", "\"1.7\",\"mood\":{\"a\":[1]}");
    struct message message;

    (void)state;
    parse(str_of(json), &message);
    assert_string_equal(message.text, "x");
    assert_int_equal(message.tokens_generated, -1);
    message_done(&message);
    free(json);
    json = changed(good, "\"sequence_number\":7", "\"sequence_number\":7.0,\"cost\":1");
    parse(str_of(json), &message);
    assert_int_equal(message.sequence_number, 7);
    message_done(&message);
    free(json);
}

static void the_examples_come_back_as_the_same_document(void **state)
{
    static const char *const names[] = {
        "turn",  "turn-not-counted", "turn-failed", "turn-cleaned", "turn-fallback",
        "story", "persona"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        struct buf text;
        struct buf json;
        struct err err = {0};
        struct message message;
        json_t *before = NULL;
        json_t *after = NULL;

        fmt_into(path, sizeof path, "schemas/examples/dialog_message/valid-%s.json",
                 names[i]);
        buf_init(&text, MESSAGE_MAX_BYTES);
        buf_init(&json, MESSAGE_MAX_BYTES);
        assert_true(file_slurp(path, &text, &err));
        parse(buf_str(&text), &message);
        assert_true(message_format(&message, &json));
        assert_true(json_read(buf_str(&text), &before, &err));
        assert_true(json_read(buf_str(&json), &after, &err));
        /* What was added to the form later is null where it was not. */
        if (json_object_get(json_object_get(before, "metadata"), "endpoint_wait_ms")
            == NULL)
            json_object_set_new(json_object_get(before, "metadata"), "endpoint_wait_ms",
                                json_null());
        assert_true(json_equal(before, after));
        json_decref(before);
        json_decref(after);
        message_done(&message);
        buf_done(&text);
        buf_done(&json);
    }
}

static void a_full_buffer_is_told_at_any_size(void **state)
{
    struct message message;
    struct buf json;
    size_t whole;

    (void)state;
    turn_of("\"hello\"", &message);
    buf_init(&json, MESSAGE_MAX_BYTES);
    assert_true(message_format(&message, &json));
    whole = json.len;
    buf_done(&json);
    for (size_t max = 0; max <= whole; max++) {
        buf_init(&json, max);
        assert_int_equal(message_format(&message, &json), max == whole);
        buf_done(&json);
    }
    message_done(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_message_comes_back_as_it_was_written),
        cmocka_unit_test(what_is_unknown_is_null_never_0),
        cmocka_unit_test(a_mebibyte_of_text_is_the_limit),
        cmocka_unit_test(what_is_wrong_is_refused_and_named),
        cmocka_unit_test(documents_that_are_no_message_are_refused),
        cmocka_unit_test(every_cut_of_a_message_is_refused),
        cmocka_unit_test(a_whisper_is_to_somebody_and_nobodys_own),
        cmocka_unit_test(unknown_keys_and_later_minor_versions_are_read),
        cmocka_unit_test(the_examples_come_back_as_the_same_document),
        cmocka_unit_test(a_full_buffer_is_told_at_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
