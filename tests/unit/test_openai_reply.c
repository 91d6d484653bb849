/* test_openai_reply.c - what the events of a server of the OpenAI API are taken for.
 * Whole streams of each server: test_streams.c. */

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "llm/openai_reply.h"

#define SAY(text)  "{\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}"
#define STOP       "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}"
#define END_MARKER "[DONE]"

/* Feeds the events, one a line, as many as are wanted; whether more are. */
static bool feed(struct reply *reply, const char *text)
{
    struct str rest = str_of(text);
    bool more = true;

    while (more && rest.len > 0) {
        const struct sse_event event = {.data = str_cut(rest, '\n', &rest)};

        more = openai_reply_event(reply, &event);
    }
    return more;
}

struct row {
    const char *events;
    enum llm_error error;
    const char *reason;
};

static void assert_ends(const struct row *row)
{
    struct reply reply;

    print_message("%s\n", row->events);
    reply_init(&reply, 20, "event");
    (void)feed(&reply, row->events);
    openai_reply_end(&reply, "");
    assert_string_equal(reply.reason.msg, row->reason);
    assert_int_equal(reply.error, row->error);
    assert_int_equal(reply.done, reply.error == LLM_ERROR_NONE
                                     || reply.error == LLM_ERROR_EMPTY
                                     || strstr(row->events, END_MARKER) != NULL);
    reply_done(&reply);
}

static void either_end_is_one_and_neither_is_none(void **state)
{
    static const struct row rows[] = {
        {SAY("a") "\n" STOP "\n[DONE]", LLM_ERROR_NONE, ""},
        {SAY("a") "\n" STOP, LLM_ERROR_NONE, ""},
        {SAY("a") "\n[DONE]", LLM_ERROR_NONE, ""},
        {SAY("a") "\n [DONE] ", LLM_ERROR_NONE, ""},
        {SAY("a"), LLM_ERROR_TRUNCATED, "the reply ended before its end marker"},
        {SAY("a") "\n{\"choices\":[{\"delta\":{},\"finish_reason\":\"\"}]}",
         LLM_ERROR_TRUNCATED, "the reply ended before its end marker"},
        {"", LLM_ERROR_TRUNCATED, "the reply ended before its end marker"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_ends(&rows[i]);
}

static void an_error_is_seen_before_the_choices(void **state)
{
    static const struct row rows[] = {
        {"{\"error\":\"no\",\"choices\":[{\"delta\":{\"content\":7}}]}",
         LLM_ERROR_STREAM, "the server broke off: no"},
        {SAY("a") "\n{\"error\":{\"message\":\"no\",\"code\":500}}", LLM_ERROR_STREAM,
         "the server broke off: no"},
        {"{\"error\":{\"code\":\"x\"}}", LLM_ERROR_STREAM,
         "the server broke off: an error without a text"},
        {"{\"error\":7}", LLM_ERROR_STREAM,
         "the server broke off: an error without a text"},
        {"{\"object\":\"error\",\"message\":\"no\"}", LLM_ERROR_STREAM,
         "the server broke off: no"},
        {"{\"object\":\"error\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
         LLM_ERROR_STREAM, "the server broke off: an error without a text"},
        {SAY("a") "\n" STOP "\n{\"error\":\"late\"}", LLM_ERROR_STREAM,
         "the server broke off: late"},
        {"{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"error\"}]}",
         LLM_ERROR_STREAM, "the server broke off (finish reason \"error\")"},
        {"{\"error\":\"\\u001b[31m\\nx\xFF\"}", LLM_ERROR_STREAM,
         "the server broke off: <U+001B>[31m<U+000A>x\xEF\xBF\xBD"},
        {"{\"error\":false,\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n"
         "{\"error\":\"\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}",
         LLM_ERROR_NONE, ""},
        {"{\"error\":\"\"}", LLM_ERROR_TRUNCATED,
         "the reply ended before its end marker"},
        {"{\"error\":null,"
         "\"choices\":[{\"delta\":{\"content\":\"a\"},"
         "\"finish_reason\":\"stop\"}]}",
         LLM_ERROR_NONE, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_ends(&rows[i]);
}

static void what_is_no_json_is_none_where_nobody_looks_either(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 20, "event");
    assert_false(feed(&reply, "{\"choices\":[{\"delta\":{\"content\":\"a\","
                              "\"reasoning_content\":\"b\",\"reasoning\":\"\\x\"}}]}"));
    assert_int_equal(reply.error, LLM_ERROR_PROTOCOL);
    reply_done(&reply);
}

static void an_event_that_is_an_error_may_be_anything(void **state)
{
    static const struct {
        struct sse_event event;
        const char *reason;
    } rows[] = {
        {{.error = {"{\"code\":500,\"message\":\"no\"}", 27}},
         "the server broke off: no"},
        {{.error = {"{\"error\":{\"message\":\"no\"}}", 26}},
         "the server broke off: no"},
        {{.error = {"plain", 5}, .data = {"[DONE]", 6}}, "the server broke off: plain"},
        {{.name = {"error", 5}, .data = {"{\"message\":\"no\"}", 16}},
         "the server broke off: no"},
        {{.name = {"error", 5}, .data = {"plain\x1b", 6}},
         "the server broke off: plain<U+001B>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reply reply;

        reply_init(&reply, 1000, "event");
        assert_false(openai_reply_event(&reply, &rows[i].event));
        assert_int_equal(reply.error, LLM_ERROR_STREAM);
        assert_string_equal(reply.reason.msg, rows[i].reason);
        reply_done(&reply);
    }
}

static void a_wrong_type_is_told_with_its_place(void **state)
{
    static const struct row rows[] = {
        {"7", LLM_ERROR_PROTOCOL,
         "event 1 of the reply: /: expected an object, found 7"},
        {SAY("a") "\n{\"choices\":{}}", LLM_ERROR_PROTOCOL,
         "event 2 of the reply: /choices: expected an array, found an object"},
        {"{\"choices\":[7]}", LLM_ERROR_PROTOCOL,
         "event 1 of the reply: /choices/0: expected an object, found 7"},
        {"{\"choices\":[{\"delta\":\"x\"}]}", LLM_ERROR_PROTOCOL,
         "event 1 of the reply: /choices/0/delta: expected an object, found \"x\""},
        {SAY("a") "\n{\"choices\":[{\"delta\":{\"content\":7}}]}", LLM_ERROR_PROTOCOL,
         "event 2 of the reply: /choices/0/delta/content: expected a string, found 7"},
        {"{\"choices\":[{\"delta\":{\"reasoning\":{}}}]}", LLM_ERROR_PROTOCOL,
         "event 1 of the reply: /choices/0/delta/reasoning: expected a string, found "
         "an object"},
        {"{\"choices\":[{\"delta\":{},\"finish_reason\":3}]}", LLM_ERROR_PROTOCOL,
         "event 1 of the reply: /choices/0/finish_reason: expected a string, found 3"},
        {"{\"model\":1}", LLM_ERROR_PROTOCOL,
         "event 1 of the reply: /model: expected a string, found 1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_ends(&rows[i]);
}

/* No words are thrown away for a figure. */
static void counts_that_are_none_are_unknown_and_the_reply_stands(void **state)
{
    static const char *const rows[] = {
        "[]",
        "\"x\"",
        "{\"prompt_tokens\":-1,\"completion_tokens\":2.5}",
        "{\"prompt_tokens\":\"12\",\"completion_tokens\":true}",
        "{\"prompt_tokens\":null,\"prompt_tokens_details\":[]}",
        "{\"prompt_tokens_details\":{\"cached_tokens\":{}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reply reply;
        char usage[200];

        print_message("%s\n", rows[i]);
        fmt_into(usage, sizeof usage, SAY("a") "\n" STOP "\n{\"usage\":%s}\n[DONE]",
                 rows[i]);
        reply_init(&reply, 20, "event");
        (void)feed(&reply, usage);
        assert_string_equal(reply.reason.msg, "");
        assert_true(reply.done);
        assert_int_equal(reply.prompt_tokens, -1);
        assert_int_equal(reply.prompt_cached_tokens, -1);
        assert_int_equal(reply.tokens_generated, -1);
        reply_done(&reply);
    }
}

static void a_model_that_said_nothing_has_failed(void **state)
{
    static const struct row rows[] = {
        {STOP "\n[DONE]", LLM_ERROR_EMPTY,
         "the model said nothing (finish reason \"stop\")"},
        {"[DONE]", LLM_ERROR_EMPTY, "the model said nothing (finish reason \"\")"},
        {SAY(" \\n") "\n" STOP, LLM_ERROR_EMPTY,
         "the model said nothing (finish reason \"stop\")"},
        {"{\"choices\":[{\"delta\":{\"reasoning\":\"Hm\"}}]}\n" STOP, LLM_ERROR_EMPTY,
         "the model thought and said nothing (finish reason \"stop\")"},
        {"{\"choices\":[{\"delta\":{\"tool_calls\":[{}]},\"finish_reason\":"
         "\"tool_calls\"}]}",
         LLM_ERROR_EMPTY, "the model said nothing (finish reason \"tool_calls\")"},
        {"{\"choices\":[{\"delta\":{\"refusal\":\"No\\u001b.\"}}]}\n" STOP,
         LLM_ERROR_EMPTY, "the model refused: No<U+001B>."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_ends(&rows[i]);
}

static void the_limit_of_a_reply_holds(void **state)
{
    static const char reason[] = "the reply is longer than 20 bytes";
    static const struct row rows[] = {
        {SAY("0123456789") "\n" SAY("0123456789x"), LLM_ERROR_TOO_LARGE, reason},
        {"{\"choices\":[{\"delta\":{\"reasoning\":\"0123456789012345678901\"}}]}",
         LLM_ERROR_TOO_LARGE, reason},
        {SAY("0123456789\\u003c0123456789"), LLM_ERROR_TOO_LARGE, reason},
        {SAY("01234567890123456789") "\n" STOP, LLM_ERROR_NONE, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_ends(&rows[i]);
}

/* ---- pieces ---- */

static void assert_text(const char *events, const char *text, const char *thinking)
{
    struct reply reply;

    print_message("%s\n", events);
    reply_init(&reply, 1000, "event");
    (void)feed(&reply, events);
    openai_reply_end(&reply, "");
    assert_string_equal(reply.reason.msg, "");
    assert_string_equal(buf_text(&reply.text), text);
    assert_string_equal(buf_text(&reply.thinking), thinking);
    reply_done(&reply);
}

static void pieces_are_joined_whatever_stands_around_them(void **state)
{
    static const char *const rows[][3] = {
        {SAY("a") "\n{\"choices\":[]}\n{}\n{\"choices\":null}\n" SAY("b") "\n[DONE]",
         "ab", ""},
        {"{\"choices\":[{\"delta\":{\"content\":null}},{\"delta\":{\"content\":\"x\"}}]"
         "}"
         "\n" SAY("a") "\n[DONE]",
         "a", ""},
        {"{\"choices\":[{\"delta\":{\"reasoning\":\"H\",\"reasoning_content\":\"H\"}}]}"
         "\n"
         "{\"choices\":[{\"delta\":{\"reasoning\":\"m\",\"reasoning_content\":null}}]}"
         "\n"
         "{\"choices\":[{\"delta\":{\"reasoning\":null,\"reasoning_content\":\".\"}}]}"
         "\n" SAY("a") "\n[DONE]",
         "a", "Hm."},
        /* What the model has finished is finished. */
        {SAY("a") "\n" STOP "\n" SAY("b") "\n[DONE]", "a", ""},
        {"{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"length\"}]}",
         "a", ""},
        /* Characters cut between events, escaped halves of pairs, NULs. */
        {SAY("\xF0\x9F") "\n" SAY("\xA6\x89") "\n[DONE]", "\xF0\x9F\xA6\x89", ""},
        {SAY("\\ud83e\\udd89") "\n[DONE]", "\xF0\x9F\xA6\x89", ""},
        {SAY("\\ud83e") "\n" SAY("\\udd89x") "\n[DONE]", "\xEF\xBF\xBD\xEF\xBF\xBDx",
         ""},
        {SAY("a\\u0000b") "\n[DONE]",
         "a\xEF\xBF\xBD"
         "b",
         ""},
        {SAY("a") "\n" SAY("\xC3") "\n[DONE]", "a\xEF\xBF\xBD", ""},
        {"{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}",
         "a", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_text(rows[i][0], rows[i][1], rows[i][2]);
}

static void the_last_usage_counts_and_goes_before_the_timings(void **state)
{
    struct reply reply;

    (void)state;
    reply_init(&reply, 1000, "event");
    assert_false(feed(
        &reply,
        "{\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"a\"}}],"
        "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n"
        "{\"model\":\"other\",\"choices\":[],\"usage\":{\"prompt_tokens\":30,"
        "\"completion_tokens\":9.0,\"prompt_tokens_details\":{\"cached_tokens\":0}},"
        "\"timings\":{\"prompt_n\":5,\"cache_n\":6,\"predicted_n\":7,"
        "\"prompt_ms\":1.5,\"predicted_ms\":2}}\n[DONE]"));
    assert_string_equal(reply.model, "m");
    assert_int_equal(reply.prompt_tokens, 30);
    assert_int_equal(reply.prompt_cached_tokens, 0);
    assert_int_equal(reply.tokens_generated, 9);
    assert_int_equal(reply.prompt_ns, 1500000);
    assert_int_equal(reply.generation_ns, 2000000);
    assert_int_equal(reply.load_ns, -1);
    assert_int_equal(reply.total_ns, -1);
    reply_done(&reply);
}

static void odd_timings_are_no_failure(void **state)
{
    static const char *const rows[] = {
        "{\"timings\":7}", "{\"timings\":{\"prompt_n\":-1}}",
        "{\"timings\":{\"prompt_n\":1,\"prompt_ms\":-5,\"predicted_ms\":\"x\"}}",
        "{\"timings\":{\"prompt_n\":1,\"prompt_ms\":1e300,\"cache_n\":1.5}}"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reply reply;

        reply_init(&reply, 1000, "event");
        assert_true(feed(&reply, rows[i]));
        assert_int_equal(reply.error, LLM_ERROR_NONE);
        assert_int_equal(reply.prompt_tokens, -1);
        assert_int_equal(reply.prompt_ns, -1);
        assert_int_equal(reply.generation_ns, -1);
        reply_done(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_end_is_one_and_neither_is_none),
        cmocka_unit_test(an_error_is_seen_before_the_choices),
        cmocka_unit_test(what_is_no_json_is_none_where_nobody_looks_either),
        cmocka_unit_test(an_event_that_is_an_error_may_be_anything),
        cmocka_unit_test(a_wrong_type_is_told_with_its_place),
        cmocka_unit_test(counts_that_are_none_are_unknown_and_the_reply_stands),
        cmocka_unit_test(a_model_that_said_nothing_has_failed),
        cmocka_unit_test(the_limit_of_a_reply_holds),
        cmocka_unit_test(pieces_are_joined_whatever_stands_around_them),
        cmocka_unit_test(the_last_usage_counts_and_goes_before_the_timings),
        cmocka_unit_test(odd_timings_are_no_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
