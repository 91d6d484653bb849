/* test_verdict.c - what an answer that is no reply is taken for, and the line that
 * tells a person. */

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "llm/ollama.h"
#include "llm/openai.h"
#include "llm/reader.h"
#include "llm/verdict.h"
#include "net/http.h"

static struct verdict_ask ask_of(const struct dialect *dialect, const char *url)
{
    return (struct verdict_ask){
        .dialect = dialect,
        .type_fits = dialect->type_fits,
        .url = url,
        .path = dialect->chat_path,
        .model = "acme/tiny",
        .with_key = true,
        .now_us = 0,
    };
}

static struct http_result answered(int status, const char *content_type)
{
    return (struct http_result){
        .outcome = HTTP_DONE,
        .status = status,
        .content_type = content_type,
        .retry_after = "",
        .retry_after_ms = "",
        .location = "",
        .reason = "",
    };
}

struct row {
    int status;
    const char *body;
    enum llm_error error;
    const char *reason;
};

static void assert_row(const struct verdict_ask *ask, const struct row *row)
{
    struct http_result http = answered(row->status, "application/json");
    struct verdict verdict;

    print_message("%d %s\n", row->status, row->body);
    verdict_of(ask, &http, str_of(row->body), &verdict);
    assert_string_equal(verdict.reason.msg, row->reason);
    assert_string_equal(llm_error_name(verdict.error), llm_error_name(row->error));
}

static void each_status_has_its_meaning(void **state)
{
    static const struct {
        int status;
        enum llm_error error;
    } rows[] = {
        {204, LLM_ERROR_PROTOCOL}, {301, LLM_ERROR_REDIRECT}, {302, LLM_ERROR_REDIRECT},
        {307, LLM_ERROR_REDIRECT}, {308, LLM_ERROR_REDIRECT}, {400, LLM_ERROR_REQUEST},
        {401, LLM_ERROR_AUTH},     {402, LLM_ERROR_AUTH},     {403, LLM_ERROR_AUTH},
        {404, LLM_ERROR_REQUEST},  {405, LLM_ERROR_REQUEST},  {408, LLM_ERROR_SERVER},
        {409, LLM_ERROR_SERVER},   {413, LLM_ERROR_REQUEST},  {422, LLM_ERROR_REQUEST},
        {425, LLM_ERROR_SERVER},   {429, LLM_ERROR_BUSY},     {499, LLM_ERROR_REQUEST},
        {500, LLM_ERROR_SERVER},   {502, LLM_ERROR_SERVER},   {503, LLM_ERROR_BUSY},
        {504, LLM_ERROR_SERVER},   {529, LLM_ERROR_BUSY},     {599, LLM_ERROR_SERVER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(verdict_status_error(rows[i].status), rows[i].error);
}

/* Each server's own way to say that it does not have the model, or the path. */
static void a_404_is_the_model_or_the_path(void **state)
{
    static const char no_path[] =
        "http://h:1234/v1/chat/completions: no such path (404): is the URL right?";
    static const struct row rows[] = {
        {404, "{\"error\":\"model 'x' not found\"}", LLM_ERROR_MODEL_NOT_FOUND,
         "the server answered 404: model 'x' not found"},
        {404,
         "{\"error\":{\"message\":\"The model `x` does not exist.\",\"code\":404}}",
         LLM_ERROR_MODEL_NOT_FOUND,
         "the server answered 404: The model `x` does not exist."},
        {404,
         "{\"object\":\"error\",\"message\":\"The model `x` does not "
         "exist.\",\"code\":404}",
         LLM_ERROR_MODEL_NOT_FOUND,
         "the server answered 404: The model `x` does not exist."},
        {404,
         "{\"error\":{\"message\":\"No endpoints found for acme/tiny.\",\"code\":404}}",
         LLM_ERROR_MODEL_NOT_FOUND,
         "the server answered 404: No endpoints found for acme/tiny."},
        {404, "{\"error\":{\"message\":\"?\",\"code\":\"model_not_found\"}}",
         LLM_ERROR_MODEL_NOT_FOUND, "the server answered 404: ?"},
        {400, "{\"error\":{\"message\":\"x is not a valid model ID\",\"code\":400}}",
         LLM_ERROR_MODEL_NOT_FOUND,
         "the server answered 400: x is not a valid model ID"},
        {404, "404 page not found", LLM_ERROR_REQUEST, no_path},
        {404, "{\"detail\":\"Not Found\"}", LLM_ERROR_REQUEST, no_path},
        {404, "{\"error\":{\"code\":404,\"message\":\"File Not Found\"}}",
         LLM_ERROR_REQUEST, no_path},
        {404, "<html><title>Not Found</title>", LLM_ERROR_REQUEST, no_path},
        {404, "", LLM_ERROR_REQUEST, no_path},
    };
    struct verdict_ask ask = ask_of(openai_dialect(), "http://h:1234/v1");
    const struct row without = {
        404, "", LLM_ERROR_REQUEST,
        "http://h:1234/chat/completions: no such path (404): is the path right "
        "(\xE2\x80\xA6/v1)?"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_row(&ask, &rows[i]);
    ask.url = "http://h:1234";
    assert_row(&ask, &without);
}

static void a_prompt_over_the_window_is_told_as_that(void **state)
{
    static const struct row rows[] = {
        {400, "{\"error\":\"longer than the context length (4096)\"}",
         LLM_ERROR_CONTEXT,
         "the prompt is longer than the server's window (it answered 400: longer than "
         "the context length (4096))"},
        {413, "the context size", LLM_ERROR_CONTEXT,
         "the prompt is longer than the server's window (it answered 413: the context "
         "size)"},
        {500, "{\"error\":\"context length\"}", LLM_ERROR_SERVER,
         "the server answered 500: context length"},
    };
    const struct verdict_ask ask = ask_of(ollama_dialect(), "http://h:1234");

    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        assert_row(&ask, &rows[k]);
}

static void an_error_is_told_in_one_harmless_line(void **state)
{
    static const struct row rows[] = {
        {500, "{\"error\":\"a\\nb\\u001b[2J\"}", LLM_ERROR_SERVER,
         "the server answered 500: a<U+000A>b<U+001B>[2J"},
        {500, " <html><head><title> 500 Oops\n</title>", LLM_ERROR_SERVER,
         "the server answered 500: 500 Oops"},
        {502, "<html>gateway</html>", LLM_ERROR_SERVER,
         "the server answered 502 (the fault is on its side)"},
        {500, "{\"error\":\"cut of", LLM_ERROR_SERVER,
         "the server answered 500 (the fault is on its side)"},
        {500, "[7]", LLM_ERROR_SERVER,
         "the server answered 500 (the fault is on its side)"},
        {503, "", LLM_ERROR_BUSY, "the server answered 503 (it is busy)"},
        {429, "slow down\n", LLM_ERROR_BUSY, "the server answered 429: slow down"},
        {422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\"}]}",
         LLM_ERROR_REQUEST, "the server answered 422: field required"},
        {400, "{\"message\":\"bare\"}", LLM_ERROR_REQUEST,
         "the server answered 400: bare"},
        {400, "{\"error\":{\"type\":\"x\"}}", LLM_ERROR_REQUEST,
         "the server answered 400"},
        {401, "{\"error\":{\"message\":\"Incorrect API key\"}}", LLM_ERROR_AUTH,
         "the server answered 401: Incorrect API key (is the key right?)"},
        {402, "{\"error\":{\"message\":\"Insufficient credits\",\"code\":402}}",
         LLM_ERROR_AUTH,
         "the server answered 402: Insufficient credits (has the account run out of "
         "credit?)"},
        {403, "", LLM_ERROR_AUTH, "the server answered 403 (may this key do that?)"},
        {429,
         "{\"error\":{\"message\":\"You exceeded your current quota.\",\"code\":"
         "\"insufficient_quota\"}}",
         LLM_ERROR_AUTH,
         "the server answered 429: You exceeded your current quota. (has the account "
         "run out of credit?)"},
        {400,
         "{\"error\":{\"message\":\"Provider returned "
         "error\",\"code\":400,\"metadata\":"
         "{\"raw\":\"the prompt is too long\",\"provider_name\":\"x\"}}}",
         LLM_ERROR_REQUEST, "the server answered 400: the prompt is too long"},
        {429,
         "{\"error\":{\"message\":\"You exceeded your current quota.\",\"code\":429}}",
         LLM_ERROR_BUSY, "the server answered 429: You exceeded your current quota."},
        {400,
         "{\"error\":{\"message\":\"Billing hard limit has been reached\",\"code\":"
         "\"billing_hard_limit_reached\"}}",
         LLM_ERROR_AUTH,
         "the server answered 400: Billing hard limit has been reached (has the "
         "account "
         "run out of credit?)"},
        {204, "", LLM_ERROR_PROTOCOL, "the server answered 204"},
    };
    static const struct row keyless = {
        401, "{\"error\":\"unauthorized\"}", LLM_ERROR_AUTH,
        "the server answered 401: unauthorized (no key was sent)"};
    struct verdict_ask ask = ask_of(ollama_dialect(), "http://h:1234");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_row(&ask, &rows[i]);
    ask.with_key = false;
    assert_row(&ask, &keyless);
}

/* ---- what is not taken ---- */

#define TOKENS_OLD                                                               \
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use " \
    "'max_completion_tokens' instead."
#define HEAT_OLD                                                                   \
    "Unsupported value: 'temperature' does not support 0.8 with this model. Only " \
    "the default (1) value is supported."

/* As servers have been seen to say it; PARAM_NONE: what looks like it, and is not. */
static const struct {
    int status;
    const char *body;
    enum llm_param param;
} refusals[] = {
    {400,
     "{\"error\":{\"message\":\"" TOKENS_OLD "\",\"type\":\"invalid_request_error\","
     "\"param\":\"max_tokens\",\"code\":\"unsupported_parameter\"}}",
     PARAM_MAX_TOKENS},
    {400,
     "{\"error\":{\"message\":\"" TOKENS_OLD "\",\"code\":\"invalid_request_body\"}}",
     PARAM_MAX_TOKENS},
    {400,
     "{\"error\":{\"message\":\"" HEAT_OLD "\",\"type\":\"invalid_request_error\","
     "\"param\":\"temperature\",\"code\":\"unsupported_value\"}}",
     PARAM_TEMPERATURE},
    {400, "{\"error\":\"" HEAT_OLD "\"}", PARAM_TEMPERATURE},
    {400,
     "{\"error\":{\"message\":\"Your organization must be verified to stream this "
     "model.\",\"param\":\"stream\",\"code\":\"unsupported_value\"}}",
     PARAM_STREAM},
    {400,
     "{\"error\":{\"message\":\"Unsupported parameter: 'stop' is not supported "
     "with "
     "this model.\",\"param\":\"stop\",\"code\":\"unsupported_parameter\"}}",
     PARAM_STOP},
    {400,
     "{\"error\":{\"message\":\"Unrecognized request argument supplied: "
     "seed\",\"param\":null,\"code\":null}}",
     PARAM_SEED},
    {400,
     "{\"error\":{\"message\":\"Model incompatible request argument supplied: "
     "temperature\",\"param\":null,\"code\":null}}",
     PARAM_TEMPERATURE},
    {400,
     "{\"error\":{\"message\":\"Unsupported value: 'reasoning_effort' does not "
     "support 'none' with this model. Supported values are: 'low', 'medium'.\"}}",
     PARAM_THINK},
    {400, "{\"error\":\"\\\"tiny\\\" does not support thinking\"}", PARAM_THINK},
    {400,
     "{\"object\":\"error\",\"message\":\"[{'type': 'extra_forbidden', 'loc': "
     "('body', 'max_completion_tokens'), 'msg': 'Extra inputs are not permitted', "
     "'input': 800}]\",\"param\":null,\"code\":400}",
     PARAM_MAX_COMPLETION_TOKENS},
    {400,
     "{\"error\":{\"message\":\"Extra inputs are not permitted, field: "
     "'stream_options'\"}}",
     PARAM_STREAM_OPTIONS},
    {422,
     "{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\",\"top_k\"],"
     "\"msg\":\"Extra inputs are not permitted\"}]}",
     PARAM_TOP_K},
    {400,
     "{\"error\":{\"message\":\"Provider returned error\",\"code\":400,\"metadata\":{"
     "\"raw\":\"{\\\"error\\\": {\\\"message\\\": \\\"Unsupported parameter: 'top_p' "
     "is not "
     "supported with this model.\\\"}}\"}}}",
     PARAM_TOP_P},
    {400, "{\"message\":\"`temperature` is deprecated for this model.\"}",
     PARAM_TEMPERATURE},
    {400, "{\"message\":\"invalid temperature: only 1 is allowed for this model\"}",
     PARAM_TEMPERATURE},
    {400,
     "{\"error\":{\"message\":\"Unsupported value: 'messages[0].role' does not "
     "support 'system' with this model.\",\"param\":\"messages[0].role\","
     "\"code\":\"unsupported_value\"}}",
     PARAM_NONE},
    {400,
     "{\"error\":{\"message\":\"Invalid value: 9 is over the maximum of 2.\","
     "\"param\":\"temperature\",\"code\":\"decimal_above_max_value\"}}",
     PARAM_NONE},
    {400,
     "{\"error\":{\"message\":\"'response_format' is not supported with this "
     "model: it cannot stop there\"}}",
     PARAM_NONE},
    {400, "{\"error\":\"this model does not support tools, stop asking\"}", PARAM_NONE},
    {400, "{\"error\":\"this model does not support min_penalty\"}", PARAM_NONE},
    {400, "{\"error\":\"max_tokens is too large: 99999\"}", PARAM_NONE},
    {500, "{\"error\":\"" HEAT_OLD "\"}", PARAM_NONE},
    {400, "{\"error\":{\"param\":\"temperature\",\"code\":7}}", PARAM_NONE},
};

static void a_parameter_that_is_not_taken_is_known_in_every_form(void **state)
{
    struct verdict_ask ask = ask_of(openai_dialect(), "http://h/v1");

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct http_result http =
            answered(refusals[i].status, "application/json");
        struct verdict verdict;

        print_message("%s\n", refusals[i].body);
        ask.sent = ~0U;
        verdict_of(&ask, &http, str_of(refusals[i].body), &verdict);
        assert_int_equal(verdict.param, refusals[i].param);
        assert_int_equal(verdict.error == LLM_ERROR_UNSUPPORTED,
                         refusals[i].param != PARAM_NONE);
        ask.sent &=
            ~(1U << refusals[i].param); /* what was not sent cannot be left out */
        verdict_of(&ask, &http, str_of(refusals[i].body), &verdict);
        assert_int_equal(verdict.param, PARAM_NONE);
        assert_int_not_equal(verdict.error, LLM_ERROR_UNSUPPORTED);
    }
}

static void what_is_not_taken_is_told_with_what_is_done_about_it(void **state)
{
    static const struct row rows[] = {
        {400, "{\"error\":\"'temperature' is not supported\"}", LLM_ERROR_UNSUPPORTED,
         "temperature is not taken by this model: left out from now on (the server "
         "answered 400: 'temperature' is not supported)"},
        {400, "{\"error\":\"'max_tokens' is not supported\\u001b[2J\"}",
         LLM_ERROR_UNSUPPORTED,
         "max_tokens is not taken by this model: max_completion_tokens is sent from "
         "now "
         "on (the server answered 400: 'max_tokens' is not supported<U+001B>[2J)"},
    };
    struct verdict_ask ask = ask_of(openai_dialect(), "http://h/v1");

    (void)state;
    ask.sent = ~0U;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_row(&ask, &rows[i]);
}

static void a_long_error_is_cut(void **state)
{
    const struct verdict_ask ask = ask_of(ollama_dialect(), "http://h:1");
    const struct http_result http = answered(500, "");
    struct verdict verdict;
    char body[4001];

    (void)state;
    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    verdict_of(&ask, &http, str_of(body), &verdict);
    assert_true(strlen(verdict.reason.msg) < 250);
    assert_non_null(strstr(verdict.reason.msg, "..."));
}

static void a_redirect_names_its_target_without_secrets(void **state)
{
    static const char *const rows[][2] = {
        {"https://h/v1/chat/completions?token=s",
         "http://h sends us on (301) to https://h/v1/chat/completions, which is not "
         "followed: is that its URL?"},
        {"https://me:secret@h/",
         "http://h sends us on (301) to https://h, which is not followed: is that its "
         "URL?"},
        {"/v1/\x1b[2J",
         "http://h sends us on (301) to /v1/<U+001B>[2J, which is not followed: is "
         "that its URL?"},
        {"", "http://h answers 301 and names no other place: is that its URL?"},
    };
    const struct verdict_ask ask = ask_of(openai_dialect(), "http://h");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_result http = answered(301, "");
        struct verdict verdict;

        http.location = rows[i][0];
        verdict_of(&ask, &http, str_of(""), &verdict);
        assert_int_equal(verdict.error, LLM_ERROR_REDIRECT);
        assert_string_equal(verdict.reason.msg, rows[i][1]);
    }
}

static void the_wrong_type_is_no_api(void **state)
{
    static const struct {
        bool openai;
        const char *url;
        const char *type;
        const char *reason;
    } rows[] = {
        {true, "http://127.0.0.1:1234", "text/html; charset=utf-8",
         "http://127.0.0.1:1234 answers with an HTML page, not the OpenAI API: is the "
         "path right (\xE2\x80\xA6/v1)?"},
        {true, "http://h/v1", "Text/HTML",
         "http://h/v1 answers with an HTML page, not the OpenAI API: is the URL "
         "right?"},
        {true, "http://h/v1", "application/x-ndjson",
         "http://h/v1 answers with the type application/x-ndjson, not the OpenAI API: "
         "is the URL right?"},
        {false, "http://h", "text/event-stream",
         "http://h answers with the type text/event-stream, not Ollama's API: is the "
         "URL right?"},
        {false, "http://h", "",
         "http://h answers with no type, not Ollama's API: is the URL right?"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct verdict_ask ask =
            ask_of(rows[i].openai ? openai_dialect() : ollama_dialect(), rows[i].url);
        const struct http_result http = answered(200, rows[i].type);
        struct verdict verdict;

        verdict_of(&ask, &http, str_of(""), &verdict);
        assert_int_equal(verdict.error, LLM_ERROR_PROTOCOL);
        assert_string_equal(verdict.reason.msg, rows[i].reason);
    }
}

static void a_good_answer_is_left_to_its_reader(void **state)
{
    static const struct {
        bool openai;
        const char *type;
    } rows[] = {
        {false, "application/x-ndjson"}, {false, "application/json; charset=utf-8"},
        {true, "text/event-stream"},     {true, "text/event-stream; charset=utf-8"},
        {true, "application/json"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct verdict_ask ask =
            ask_of(rows[i].openai ? openai_dialect() : ollama_dialect(), "http://h");
        struct http_result http = answered(200, rows[i].type);
        struct verdict verdict;

        verdict_of(&ask, &http, str_of(""), &verdict);
        assert_int_equal(verdict.error, LLM_ERROR_NONE);
        assert_string_equal(verdict.reason.msg, "");
        http.outcome = HTTP_BROKEN; /* in the middle of the body */
        verdict_of(&ask, &http, str_of(""), &verdict);
        assert_int_equal(verdict.error, LLM_ERROR_NONE);
    }
}

static void an_end_without_an_answer_is_told_as_it_was(void **state)
{
    static const struct {
        enum http_outcome outcome;
        enum llm_error error;
    } rows[] = {
        {HTTP_REFUSED, LLM_ERROR_REFUSED},     {HTTP_TIMEOUT, LLM_ERROR_TIMEOUT},
        {HTTP_BROKEN, LLM_ERROR_TRUNCATED},    {HTTP_GARBLED, LLM_ERROR_PROTOCOL},
        {HTTP_TOO_LARGE, LLM_ERROR_TOO_LARGE}, {HTTP_CANCELLED, LLM_ERROR_TRUNCATED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct verdict_ask ask = ask_of(openai_dialect(), "http://h");
        struct http_result http = answered(0, "");
        struct verdict verdict;

        http.outcome = rows[i].outcome;
        http.reason = "as it was";
        verdict_of(&ask, &http, str_of(""), &verdict);
        assert_int_equal(verdict.error, rows[i].error);
        assert_string_equal(verdict.reason.msg, "as it was");
        assert_int_equal(verdict.retry_after_ms, -1);
    }
}

static void a_status_speaks_though_its_body_never_ends(void **state)
{
    const struct verdict_ask ask = ask_of(openai_dialect(), "http://h");
    struct http_result http = answered(503, "");
    struct verdict verdict;

    (void)state;
    http.outcome = HTTP_TIMEOUT;
    http.reason = "too late";
    verdict_of(&ask, &http, str_of("{\"error\":\"fu"), &verdict);
    assert_int_equal(verdict.error, LLM_ERROR_BUSY);
    http.status = 200;
    verdict_of(&ask, &http, str_of(""), &verdict);
    assert_int_equal(verdict.error, LLM_ERROR_TIMEOUT);
}

static void the_wait_is_found_wherever_it_stands(void **state)
{
    static const struct {
        const char *header_ms;
        const char *header;
        const char *body;
        int64_t wait_ms;
    } rows[] = {
        {"", "", "", -1},
        {"", "2", "", 2000},
        {"250", "2", "", 250},
        {"x", "2", "", 2000},
        {"", "Thu, 01 Jan 1970 00:00:07 GMT", "", 7000},
        {"", "", "{\"error\":{\"retry_after\":3}}", 3000},
        {"", "", "{\"error\":{\"retry_after\":\"1.5\"}}", 1500},
        {"", "", "{\"error\":{\"metadata\":{\"retry_after\":4}}}", 4000},
        {"", "", "{\"error\":\"x\",\"retry_after\":5}", 5000},
        {"", "", "{\"error\":{\"message\":\"Please try again in 2.5s.\"}}", 2500},
        {"", "", "Please try again in 2.5s.", 2500},
        {"", "1", "{\"error\":{\"retry_after\":3}}", 1000},
        {"", "", "{\"error\":{\"retry_after\":-3}}", 0},
        {"", "", "{\"error\":{\"retry_after\":[]}}", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct verdict_ask ask = ask_of(openai_dialect(), "http://h");
        struct http_result http = answered(429, "application/json");
        struct verdict verdict;

        print_message("%zu\n", i);
        http.retry_after = rows[i].header;
        http.retry_after_ms = rows[i].header_ms;
        verdict_of(&ask, &http, str_of(rows[i].body), &verdict);
        assert_int_equal(verdict.error, LLM_ERROR_BUSY);
        assert_int_equal(verdict.retry_after_ms, rows[i].wait_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_has_its_meaning),
        cmocka_unit_test(a_404_is_the_model_or_the_path),
        cmocka_unit_test(an_error_is_told_in_one_harmless_line),
        cmocka_unit_test(a_prompt_over_the_window_is_told_as_that),
        cmocka_unit_test(a_parameter_that_is_not_taken_is_known_in_every_form),
        cmocka_unit_test(what_is_not_taken_is_told_with_what_is_done_about_it),
        cmocka_unit_test(a_long_error_is_cut),
        cmocka_unit_test(a_redirect_names_its_target_without_secrets),
        cmocka_unit_test(the_wrong_type_is_no_api),
        cmocka_unit_test(a_good_answer_is_left_to_its_reader),
        cmocka_unit_test(an_end_without_an_answer_is_told_as_it_was),
        cmocka_unit_test(a_status_speaks_though_its_body_never_ends),
        cmocka_unit_test(the_wait_is_found_wherever_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
