/* test_ollama_reply.c - what the lines of an Ollama server are taken for. */

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "base/utf8.h"
#include "llm/ollama_reply.h"

#define END       "{\"done\":true,\"done_reason\":\"stop\"}"
#define SAY(text) "{\"message\":{\"role\":\"assistant\",\"content\":\"" text "\"}}"

/* Feeds the lines of `text`, as many as are wanted; whether more are. */
static bool feed(struct reply *reply, const char *text)
{
    struct str rest = str_of(text);
    bool more = true;

    while (more && rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);

        more = ollama_reply_line(reply, line);
    }
    return more;
}

/* ---- good replies ---- */

static void pieces_are_joined_and_the_counts_kept_as_given(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    assert_true(feed(&reply, "{\"model\":\"m:1b\",\"created_at\":\"x\",\"message\":{"
                             "\"role\":\"assistant\",\"content\":\"Good \"},"
                             "\"done\":false}"));
    assert_string_equal(buf_text(&reply.text), "Good ");
    assert_false(
        feed(&reply,
             SAY("day.") "\n"
                         "{\"model\":\"m:1b\",\"message\":{\"role\":\"assistant\","
                         "\"content\":\"\"},\"done_reason\":\"length\",\"done\":true,"
                         "\"total_duration\":900,\"load_duration\":100,"
                         "\"prompt_eval_count\":26,\"prompt_eval_cached_count\":0,"
                         "\"prompt_eval_duration\":200,\"eval_count\":2,"
                         "\"eval_duration\":9223372036854775807}"));
    assert_true(reply.done);
    assert_int_equal(reply.error, LLM_ERROR_NONE);
    assert_string_equal(buf_text(&reply.text), "Good day.");
    assert_string_equal(reply.model, "m:1b");
    assert_string_equal(reply.finish_reason, "length");
    assert_int_equal(reply.pieces, 2);
    assert_int_equal(reply.prompt_tokens, 26);
    assert_int_equal(reply.prompt_cached_tokens, 0);
    assert_int_equal(reply.tokens_generated, 2);
    assert_int_equal(reply.load_ns, 100);
    assert_int_equal(reply.prompt_ns, 200);
    assert_true(reply.generation_ns == INT64_MAX);
    assert_int_equal(reply.total_ns, 900);
    reply_done(&reply);
}

static void what_the_server_did_not_count_is_unknown(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    assert_false(feed(&reply, SAY("x") "\n{\"done\":true,\"eval_count\":null}"));
    assert_int_equal(reply.error, LLM_ERROR_NONE);
    assert_null(reply.finish_reason);
    assert_null(reply.model);
    assert_int_equal(reply.prompt_tokens, -1);
    assert_int_equal(reply.prompt_cached_tokens, -1);
    assert_int_equal(reply.tokens_generated, -1);
    assert_int_equal(reply.load_ns, -1);
    assert_int_equal(reply.prompt_ns, -1);
    assert_int_equal(reply.generation_ns, -1);
    assert_int_equal(reply.total_ns, -1);
    reply_done(&reply);
}

static void counts_that_are_none_are_unknown_and_the_reply_stands(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    assert_false(feed(&reply, SAY("x") "\n{\"done\":true,\"eval_count\":\"9\","
                                       "\"load_duration\":-1,\"prompt_eval_count\":2.5,"
                                       "\"total_duration\":[],\"eval_duration\":7.0}"));
    assert_string_equal(reply.reason.msg, "");
    assert_true(reply.done);
    assert_int_equal(reply.tokens_generated, -1);
    assert_int_equal(reply.load_ns, -1);
    assert_int_equal(reply.prompt_tokens, -1);
    assert_int_equal(reply.total_ns, -1);
    assert_int_equal(reply.generation_ns, 7);
    reply_done(&reply);
}

static void thoughts_are_kept_apart(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    feed(&reply, "{\"message\":{\"content\":\"\",\"thinking\":\"Hm. \"}}\n"
                 "{\"message\":{\"thinking\":\"Tea?\",\"content\":\"Tea!\"}}\n" END);
    assert_int_equal(reply.error, LLM_ERROR_NONE);
    assert_string_equal(buf_text(&reply.text), "Tea!");
    assert_string_equal(buf_text(&reply.thinking), "Hm. Tea?");
    assert_int_equal(reply.pieces, 1);
    assert_int_equal(reply.thoughts, 2);
    reply_done(&reply);
}

static void text_in_the_line_of_the_end_marker_counts(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    assert_false(feed(&reply, "{\"message\":{\"content\":\"All.\"},\"done\":true}"));
    assert_int_equal(reply.error, LLM_ERROR_NONE);
    assert_string_equal(buf_text(&reply.text), "All.");
    reply_done(&reply);
}

static void an_escaped_nul_becomes_a_replacement_character(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    feed(&reply, SAY("a\\u0000b\\u0000") "\n" SAY("\\\\u0000 \\\\\\u0000") "\n" END);
    assert_int_equal(reply.error, LLM_ERROR_NONE);
    assert_string_equal(buf_text(&reply.text), "a\xEF\xBF\xBD"
                                               "b\xEF\xBF\xBD\\u0000 \\\xEF\xBF\xBD");
    reply_done(&reply);
}

static void unknown_keys_and_nulls_are_passed_over(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    assert_true(feed(&reply,
                     "{\"message\":null,\"done\":null,\"error\":null,\"new\":[]}\n"
                     "{\"message\":{\"content\":null,\"tool_calls\":[{}]}}\n{}"));
    assert_false(feed(&reply, SAY("x") "\n" END));
    assert_int_equal(reply.error, LLM_ERROR_NONE);
    assert_string_equal(buf_text(&reply.text), "x");
    reply_done(&reply);
}

/* ---- characters ---- */

static void a_character_cut_between_two_lines_is_whole_again(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    feed(&reply, SAY("a\xF0\x9F"));
    assert_string_equal(buf_text(&reply.text), "a"); /* whole characters only */
    feed(&reply, SAY("\xA6\x89z"));
    assert_string_equal(buf_text(&reply.text), "a\xF0\x9F\xA6\x89z");
    assert_int_equal(reply.pieces, 2);
    reply_done(&reply);
}

static void broken_characters_are_mended(void **state)
{
    static const char *const rows[][2] = {
        {SAY("a\xFFz"), "a\xEF\xBF\xBDz"},
        {SAY("a\xC3"), "a\xEF\xBF\xBD"}, /* its rest never comes */
        {SAY("\xC3\xA9"), "\xC3\xA9"},
        {SAY("\\ud83e\\udd89"), "\xF0\x9F\xA6\x89"},
        {SAY("\xED\xA0\xBD"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reply reply;

        reply_init(&reply, 1000, "line");
        feed(&reply, rows[i][0]);
        feed(&reply, END);
        assert_int_equal(reply.error, LLM_ERROR_NONE);
        assert_string_equal(buf_text(&reply.text), rows[i][1]);
        reply_done(&reply);
    }
}

static void every_byte_comes_through_as_text_or_is_mended(void **state)
{
    (void)state;
    for (int byte = 0x80; byte <= 0xFF; byte++) {
        struct reply reply;
        char line[] = SAY("<_>");
        struct buf expected;

        *strchr(line, '_') = (char)byte;
        buf_init(&expected, 100);
        assert_true(utf8_mend(str_make(strchr(line, '<'), 3), &expected));
        reply_init(&reply, 1000, "line");
        feed(&reply, line);
        assert_string_equal(buf_text(&reply.text), buf_text(&expected));
        reply_done(&reply);
        buf_done(&expected);
    }
}

/* ---- bad replies ---- */

struct bad_row {
    const char *lines;
    enum llm_error error;
    const char *reason;
};

static void assert_bad(const struct bad_row *row)
{
    struct reply reply;

    reply_init(&reply, 20, "line");
    assert_false(feed(&reply, row->lines));
    assert_int_equal(reply.error, row->error);
    assert_string_equal(reply.reason.msg, row->reason);
    reply_done(&reply);
}

static void a_wrong_type_is_told_with_its_place(void **state)
{
    static const struct bad_row rows[] = {
        {"7", LLM_ERROR_PROTOCOL,
         "line 1 of the reply: /: expected an object, found 7"},
        {"[]", LLM_ERROR_PROTOCOL,
         "line 1 of the reply: /: expected an object, found an array of 0"},
        {SAY("a") "\n{\"message\":\"b\"}", LLM_ERROR_PROTOCOL,
         "line 2 of the reply: /message: expected an object, found \"b\""},
        {"{\"message\":{\"content\":7}}", LLM_ERROR_PROTOCOL,
         "line 1 of the reply: /message/content: expected a string, found 7"},
        {"{\"message\":{\"thinking\":{}}}", LLM_ERROR_PROTOCOL,
         "line 1 of the reply: /message/thinking: expected a string, found an object"},
        {"{\"done\":\"true\"}", LLM_ERROR_PROTOCOL,
         "line 1 of the reply: /done: expected true or false, found \"true\""},
        {"{\"model\":1}", LLM_ERROR_PROTOCOL,
         "line 1 of the reply: /model: expected a string, found 1"},
        {SAY("a") "\n{\"done\":true,\"done_reason\":3}", LLM_ERROR_PROTOCOL,
         "line 2 of the reply: /done_reason: expected a string, found 3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_bad(&rows[i]);
}

static void an_error_line_is_a_failure_at_any_time(void **state)
{
    static const struct bad_row rows[] = {
        {SAY("a") "\n{\"error\":\"unexpected EOF\"}", LLM_ERROR_STREAM,
         "the server broke off: unexpected EOF"},
        {"{\"error\":{\"message\":\"no\"},\"done\":true}", LLM_ERROR_STREAM,
         "the server broke off: no"},
        {"{\"error\":7}", LLM_ERROR_STREAM,
         "the server broke off: an error without a text"},
        {"{\"error\":\"\\u001b[31m\\nx\xFF\"}", LLM_ERROR_STREAM,
         "the server broke off: <U+001B>[31m<U+000A>x\xEF\xBF\xBD"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_bad(&rows[i]);
}

static void a_model_that_said_nothing_has_failed(void **state)
{
    static const struct bad_row rows[] = {
        {END, LLM_ERROR_EMPTY, "the model said nothing (finish reason \"stop\")"},
        {SAY(" \\n") "\n" END, LLM_ERROR_EMPTY,
         "the model said nothing (finish reason \"stop\")"},
        {"{\"done\":true}", LLM_ERROR_EMPTY,
         "the model said nothing (finish reason \"\")"},
        {"{\"done\":true,\"done_reason\":\"load\"}", LLM_ERROR_EMPTY,
         "the model said nothing (finish reason \"load\")"},
        {SAY("a") "\n{\"done\":true,\"done_reason\":\"unload\"}", LLM_ERROR_EMPTY,
         "the model said nothing (finish reason \"unload\")"},
        {"{\"message\":{\"thinking\":\"Hm\"}}\n" END, LLM_ERROR_EMPTY,
         "the model thought and said nothing (finish reason \"stop\")"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_bad(&rows[i]);
}

static void a_reply_over_its_maximum_is_too_large(void **state)
{
    static const char reason[] = "the reply is longer than 20 bytes";
    static const struct bad_row rows[] = {
        {SAY("0123456789") "\n" SAY("0123456789x"), LLM_ERROR_TOO_LARGE, reason},
        {"{\"message\":{\"thinking\":\"0123456789012345678901\"}}", LLM_ERROR_TOO_LARGE,
         reason},
        /* The replacement of the unfinished character does not fit. */
        {SAY("0123456789012345678\xC3") "\n" END, LLM_ERROR_TOO_LARGE, reason},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_bad(&rows[i]);
}

static void a_line_that_is_not_json_breaks_the_protocol(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    assert_false(feed(&reply, "data: {}\033[2J"));
    assert_int_equal(reply.error, LLM_ERROR_PROTOCOL);
    assert_non_null(strstr(reply.reason.msg, "line 1 of the reply is not JSON: "));
    assert_null(strchr(reply.reason.msg, '\033'));
    reply_done(&reply);
}

static void broken_bytes_are_shown_as_such_in_a_complaint(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    assert_false(feed(&reply, "\xE9{}"));
    assert_string_equal(reply.reason.msg,
                        "line 1 of the reply is not JSON: line 1, "
                        "column 1: invalid token near '\xEF\xBF\xBD'");
    reply_done(&reply);
}

static void a_byte_order_mark_may_stand_before_the_first_line(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    assert_false(feed(&reply, "\xEF\xBB\xBF" SAY("a") "\n" END));
    assert_int_equal(reply.error, LLM_ERROR_NONE);
    reply_done(&reply);
    reply_init(&reply, 1000, "line");
    ollama_reply_end(&reply, str_of("\xEF\xBB\xBF{\"message\":{\"con"), "");
    assert_int_equal(reply.error, LLM_ERROR_TRUNCATED);
    reply_done(&reply);
    reply_init(&reply, 1000, "line");
    assert_false(feed(&reply, SAY("a") "\n\xEF\xBB\xBF" END));
    assert_int_equal(reply.error, LLM_ERROR_PROTOCOL);
    reply_done(&reply);
}

static void names_from_the_server_are_made_harmless_and_cut(void **state)
{
    struct reply reply;
    char line[1000];
    char name[601];

    (void)state;
    memset(name, 'm', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    fmt_into(line, sizeof line, "{\"model\":\"\\u001b%s\"}", name);
    reply_init(&reply, 1000, "line");
    assert_true(feed(&reply, line));
    assert_memory_equal(reply.model, "<U+001B>mmm", 11);
    assert_true(strlen(reply.model) <= 256);
    reply_done(&reply);
}

/* ---- the end of the stream ---- */

static void a_stream_without_its_end_marker_is_truncated(void **state)
{
    static const struct {
        const char *rest;
        const char *broken;
        enum llm_error error;
        const char *reason;
    } rows[] = {
        {"", "", LLM_ERROR_TRUNCATED, "the reply ended before its end marker"},
        {"", "reset", LLM_ERROR_TRUNCATED,
         "the reply ended before its end marker: reset"},
        {"{\"message\":{\"cont", "", LLM_ERROR_TRUNCATED,
         "the reply ended before its end marker"},
        {SAY("more"), "", LLM_ERROR_TRUNCATED, "the reply ended before its end marker"},
        {END, "reset", LLM_ERROR_NONE, ""},
        {"{\"error\":\"no\"}", "", LLM_ERROR_STREAM, "the server broke off: no"},
        {"{\"done\":1}", "", LLM_ERROR_PROTOCOL,
         "line 2 of the reply: /done: expected true or false, found 1"},
        {"7", "", LLM_ERROR_PROTOCOL,
         "line 2 of the reply: /: expected an object, found 7"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reply reply;

        reply_init(&reply, 1000, "line");
        assert_true(feed(&reply, SAY("some")));
        ollama_reply_end(&reply, str_of(rows[i].rest), rows[i].broken);
        assert_int_equal(reply.error, rows[i].error);
        assert_string_equal(reply.reason.msg, rows[i].reason);
        reply_done(&reply);
    }
}

static void the_first_failure_is_the_one_told(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "line");
    assert_false(feed(&reply, "{\"error\":\"first\"}"));
    ollama_reply_end(&reply, str_of("7"), "reset");
    assert_false(reply_fail(&reply, LLM_ERROR_TIMEOUT, "late"));
    assert_int_equal(reply.error, LLM_ERROR_STREAM);
    assert_string_equal(reply.reason.msg, "the server broke off: first");
    reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_joined_and_the_counts_kept_as_given),
        cmocka_unit_test(what_the_server_did_not_count_is_unknown),
        cmocka_unit_test(counts_that_are_none_are_unknown_and_the_reply_stands),
        cmocka_unit_test(thoughts_are_kept_apart),
        cmocka_unit_test(text_in_the_line_of_the_end_marker_counts),
        cmocka_unit_test(an_escaped_nul_becomes_a_replacement_character),
        cmocka_unit_test(unknown_keys_and_nulls_are_passed_over),
        cmocka_unit_test(a_character_cut_between_two_lines_is_whole_again),
        cmocka_unit_test(broken_characters_are_mended),
        cmocka_unit_test(every_byte_comes_through_as_text_or_is_mended),
        cmocka_unit_test(a_wrong_type_is_told_with_its_place),
        cmocka_unit_test(an_error_line_is_a_failure_at_any_time),
        cmocka_unit_test(a_model_that_said_nothing_has_failed),
        cmocka_unit_test(a_reply_over_its_maximum_is_too_large),
        cmocka_unit_test(a_line_that_is_not_json_breaks_the_protocol),
        cmocka_unit_test(broken_bytes_are_shown_as_such_in_a_complaint),
        cmocka_unit_test(a_byte_order_mark_may_stand_before_the_first_line),
        cmocka_unit_test(names_from_the_server_are_made_harmless_and_cut),
        cmocka_unit_test(a_stream_without_its_end_marker_is_truncated),
        cmocka_unit_test(the_first_failure_is_the_one_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
