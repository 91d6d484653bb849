/* test_message.c - a message comes back as it was written, and nothing else passes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "proto/message.h"
#include "proto/schema.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

/* Text as a model or an attacker might send it; never NULL, no NUL. */
static char *hostile_text(struct rng *rng)
{
    static const char *const pieces[] = {
        "a",
        "word ",
        "\"",
        "\\",
        "\n",
        "\r\t",
        "\x1B[2J",
        "\x01",
        "\xC3\xA4",
        "\xE2\x80\xAE",
        "\xFF",
        "\xED\xA0\x80",
        "\xF0\x9F\x98\x80",
        "\xE2\x82",
        "</script>",
        "\\u0000",
        "{\"a\":",
        "]}",
        "\x7F",
    };
    size_t count = rng_below(rng, 12);
    struct buf text;

    buf_init(&text, 1000);
    for (size_t i = 0; i < count; i++)
        buf_add_text(&text, pieces[rng_below(rng, sizeof pieces / sizeof *pieces)]);
    return buf_take(&text);
}

static char *text_or_null(struct rng *rng)
{
    return rng_below(rng, 4) == 0 ? NULL : hostile_text(rng);
}

static char *text_not_empty(struct rng *rng)
{
    char *rest = hostile_text(rng);
    char *text = x_printf("x%s", rest);

    free(rest);
    return text;
}

static int64_t count_or_unknown(struct rng *rng, int64_t min)
{
    return rng_below(rng, 4) == 0 ? -1 : min + (int64_t)rng_below(rng, 1 << 30);
}

static double ms_or_unknown(struct rng *rng)
{
    return rng_below(rng, 4) == 0 ? -1 : (double)rng_below(rng, 100000000) / 1000;
}

static void fill_story(struct rng *rng, struct story *story)
{
    size_t count = rng_below(rng, 4);

    story->setting = hostile_text(rng);
    story->initial_situation = hostile_text(rng);
    if (count > 0)
        story->characters = x_calloc(count, sizeof *story->characters);
    story->character_count = count;
    for (size_t i = 0; i < count; i++) {
        story->characters[i].name = hostile_text(rng);
        story->characters[i].description = hostile_text(rng);
    }
}

static void fill_persona(struct rng *rng, struct persona *persona)
{
    size_t count = rng_below(rng, 4);

    persona->name = hostile_text(rng);
    persona->role = hostile_text(rng);
    persona->goal = hostile_text(rng);
    persona->style = hostile_text(rng);
    if (count > 0)
        persona->traits = x_calloc(count, sizeof *persona->traits);
    persona->trait_count = count;
    for (size_t i = 0; i < count; i++)
        persona->traits[i] = hostile_text(rng);
}

static void fill_turn(struct rng *rng, struct message *message)
{
    size_t count = rng_below(rng, 4);

    message->text = hostile_text(rng);
    if (rng_below(rng, 2) == 0)
        message->sentiment = ((double)rng_below(rng, 2001) - 1000) / 1000;
    if (count > 0)
        message->references = x_calloc(count, sizeof *message->references);
    message->reference_count = count;
    for (size_t i = 0; i < count; i++)
        message->references[i] = hostile_text(rng);
    message->sequence_number = 1 + (int64_t)rng_below(rng, 1000);
    message->failed = rng_below(rng, 4) == 0;
}

static void fill_seats(struct rng *rng, struct message *message)
{
    size_t count = rng_below(rng, SEATS_MAX + 1);

    if (count == 0)
        return;
    message->to = x_calloc(count, sizeof *message->to);
    message->to_count = count;
    for (size_t i = 0; i < count; i++)
        message->to[i] = (int)i + 1;
}

static void random_message(struct rng *rng, struct message *message)
{
    message_init(message, (enum message_kind)rng_below(rng, MESSAGE_KIND_COUNT));
    if (message->kind == MESSAGE_STORY)
        fill_story(rng, &message->story);
    else if (message->kind == MESSAGE_PERSONA)
        fill_persona(rng, &message->persona);
    else
        fill_turn(rng, message);
    fill_seats(rng, message);
    if (rng_below(rng, 4) != 0)
        message->queue_timestamp_us = (int64_t)rng_below(rng, INT64_C(1) << 52);
    message->message_id = text_not_empty(rng);
    message->role = x_strdup(rng_below(rng, 2) == 0 ? "assistant" : "system");
    message->conversation_id = text_not_empty(rng);
    if (message->kind != MESSAGE_STORY)
        message->seat = 1 + (int64_t)rng_below(rng, SEATS_MAX);
    message->author = text_or_null(rng);
    message->tokens_generated = count_or_unknown(rng, 0);
    message->generation_time_ms = ms_or_unknown(rng);
    message->prompt_tokens = count_or_unknown(rng, 0);
    message->time_to_first_token_ms = ms_or_unknown(rng);
    message->tokens_per_second = ms_or_unknown(rng);
    message->queue_wait_ms = ms_or_unknown(rng);
    message->routing_ms = ms_or_unknown(rng);
    message->attempts = count_or_unknown(rng, 0);
    message->issue = count_or_unknown(rng, 1);
    message->provider = text_or_null(rng);
    message->endpoint = text_or_null(rng);
    message->model = text_or_null(rng);
    message->finish_reason = text_or_null(rng);
}

/* What was sent may have been broken UTF-8; what came is that, mended. */
static void same_text(const char *sent, const char *came)
{
    struct buf mended;

    if (sent == NULL || came == NULL) {
        assert_ptr_equal(sent, came);
        return;
    }
    buf_init(&mended, 4 << 20);
    assert_true(utf8_mend(str_of(sent), &mended));
    assert_string_equal(buf_text(&mended), came);
    buf_done(&mended);
}

static void same_number(double a, double b)
{
    assert_true((isnan(a) && isnan(b)) || (a <= b && a >= b));
}

static void same_texts(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++)
        same_text(a[i], b[i]);
}

static void same_content(const struct message *a, const struct message *b)
{
    same_text(a->text, b->text);
    same_number(a->sentiment, b->sentiment);
    same_texts(a->references, a->reference_count, b->references, b->reference_count);
    same_text(a->story.setting, b->story.setting);
    same_text(a->story.initial_situation, b->story.initial_situation);
    assert_int_equal(a->story.character_count, b->story.character_count);
    for (size_t i = 0; i < a->story.character_count; i++) {
        same_text(a->story.characters[i].name, b->story.characters[i].name);
        same_text(a->story.characters[i].description,
                  b->story.characters[i].description);
    }
    same_text(a->persona.name, b->persona.name);
    same_text(a->persona.role, b->persona.role);
    same_texts(a->persona.traits, a->persona.trait_count, b->persona.traits,
               b->persona.trait_count);
    same_text(a->persona.goal, b->persona.goal);
    same_text(a->persona.style, b->persona.style);
}

static void same_message(const struct message *a, const struct message *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->queue_timestamp_us, b->queue_timestamp_us);
    same_text(a->message_id, b->message_id);
    same_text(a->role, b->role);
    assert_int_equal(a->to_count, b->to_count);
    assert_int_equal(a->to == NULL, b->to == NULL);
    for (size_t i = 0; i < a->to_count; i++)
        assert_int_equal(a->to[i], b->to[i]);
    same_content(a, b);
    same_text(a->conversation_id, b->conversation_id);
    assert_int_equal(a->sequence_number, b->sequence_number);
    assert_int_equal(a->seat, b->seat);
    same_text(a->author, b->author);
    assert_int_equal(a->tokens_generated, b->tokens_generated);
    same_number(a->generation_time_ms, b->generation_time_ms);
    assert_int_equal(a->prompt_tokens, b->prompt_tokens);
    same_number(a->time_to_first_token_ms, b->time_to_first_token_ms);
    same_number(a->tokens_per_second, b->tokens_per_second);
    same_number(a->queue_wait_ms, b->queue_wait_ms);
    same_number(a->routing_ms, b->routing_ms);
    assert_int_equal(a->attempts, b->attempts);
    assert_int_equal(a->issue, b->issue);
    same_text(a->provider, b->provider);
    same_text(a->endpoint, b->endpoint);
    same_text(a->model, b->model);
    same_text(a->finish_reason, b->finish_reason);
    assert_int_equal(a->failed, b->failed);
}

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

static void turn_of(const char *text, struct message *ret_message)
{
    message_init(ret_message, MESSAGE_TURN);
    ret_message->message_id = x_strdup("k3v9q2m4x7ab:7");
    ret_message->conversation_id = x_strdup("k3v9q2m4x7ab");
    ret_message->sequence_number = 7;
    ret_message->seat = 1;
    ret_message->text = text == NULL ? NULL : x_strdup(text);
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
        "\"queue_wait_ms\":null,\"routing_ms\":null,\"attempts\":null,\"issue\":null,"
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

/* `good` with one piece replaced; the caller frees. */
static char *changed(const char *from, const char *to)
{
    const char *at = strstr(good, from);

    assert_non_null(at);
    return x_printf("%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
}

static void what_is_wrong_is_refused_and_named(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *complaint;
    } bad[] = {
        {"\"1.0\"", "\"2.0\"", "/schema_version: expected \"1.0\", found \"2.0\""},
        {"\"schema_version\":\"1.0\",", "",
         "/schema_version: expected \"1.0\", found none"},
        {"\"turn\"", "\"rumour\"",
         "/kind: expected one of \"story\", \"persona\", \"turn\", found \"rumour\""},
        {"\"turn\"", "7",
         "/kind: expected one of \"story\", \"persona\", \"turn\", found 7"},
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
        {"\"to\":null", "\"to\":[1,17]",
         "/to/1: expected a seat from 1 to 16, found 17"},
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
        {"\"seat\":1", "\"seat\":1,\"seat\":2",
         "line 1, column 259: duplicate object key near '\"seat\"'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *json = changed(bad[i].from, bad[i].to);
        struct message message = {.seat = 99};
        struct err err = {0};

        assert_false(message_parse(str_of(json), &message, &err));
        assert_string_equal(err.msg, bad[i].complaint);
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

static void unknown_keys_and_later_minor_versions_are_read(void **state)
{
    char *json = changed("\"1.0\"", "\"1.7\",\"mood\":{\"a\":[1]}");
    struct message message;

    (void)state;
    parse(str_of(json), &message);
    assert_string_equal(message.text, "x");
    assert_int_equal(message.tokens_generated, -1);
    message_done(&message);
    free(json);
    json = changed("\"sequence_number\":7", "\"sequence_number\":7.0,\"cost\":1");
    parse(str_of(json), &message);
    assert_int_equal(message.sequence_number, 7);
    message_done(&message);
    free(json);
}

static void the_examples_come_back_as_the_same_document(void **state)
{
    static const char *const names[] = {"turn", "turn-not-counted", "turn-failed",
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
        cmocka_unit_test(unknown_keys_and_later_minor_versions_are_read),
        cmocka_unit_test(the_examples_come_back_as_the_same_document),
        cmocka_unit_test(a_full_buffer_is_told_at_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
