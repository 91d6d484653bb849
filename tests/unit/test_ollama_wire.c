/* test_ollama_wire.c - what is sent to Ollama, byte by byte, and what its errors and
 * its list of models are taken for. */

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "llm/models.h"
#include "llm/ollama_wire.h"

/* ---- the request ---- */

static const struct llm_message messages[] = {
    {"system", {"You are \"Ada\".\nTopic: tea", 25}},
    {"user", {"caf\xC3\xA9 \xFF", 7}},
};
static const struct llm_request plain = {
    .model = "llama3.2",
    .messages = messages,
    .message_count = 2,
    .num_ctx = 8192,
    .num_predict = 256,
    .temperature = 0.8,
    .seed = -1,
};

static void assert_written(const struct llm_request *request, const char *expected)
{
    struct buf body;

    buf_init(&body, 4096);
    assert_true(ollama_write_request(request, &body));
    assert_string_equal(buf_text(&body), expected);
    buf_done(&body);
}

static void a_request_is_written_in_a_fixed_order_of_keys(void **state)
{
    (void)state;
    assert_written(&plain,
                   "{\"model\":\"llama3.2\",\"messages\":["
                   "{\"role\":\"system\",\"content\":\"You are "
                   "\\\"Ada\\\".\\nTopic: tea\"},"
                   "{\"role\":\"user\",\"content\":\"caf\xC3\xA9 \xEF\xBF\xBD\"}],"
                   "\"stream\":true,\"options\":{\"num_ctx\":8192,\"num_predict\":256,"
                   "\"temperature\":0.8}}");
}

static void a_schema_a_seed_and_keep_alive_are_written_when_given(void **state)
{
    struct llm_request full = plain;

    (void)state;
    full.message_count = 0;
    full.schema = "{\n \"type\": \"object\"\n}\n";
    full.seed = 0;
    full.keep_alive = "10m";
    assert_written(&full,
                   "{\"model\":\"llama3.2\",\"messages\":[],\"stream\":true,"
                   "\"format\":{\n \"type\": \"object\"\n},\"keep_alive\":\"10m\","
                   "\"options\":{\"num_ctx\":8192,\"num_predict\":256,"
                   "\"temperature\":0.8,\"seed\":0}}");
}

static void a_keep_alive_without_a_unit_is_sent_as_a_number(void **state)
{
    struct llm_request forever = plain;

    (void)state;
    forever.message_count = 0;
    forever.keep_alive = "-1";
    assert_written(&forever, "{\"model\":\"llama3.2\",\"messages\":[],\"stream\":true,"
                             "\"keep_alive\":-1,\"options\":{\"num_ctx\":8192,"
                             "\"num_predict\":256,\"temperature\":0.8}}");
}

static void a_request_that_does_not_fit_is_told_so(void **state)
{
    struct buf body;

    (void)state;
    for (size_t most = 0; most < 200; most += 7) {
        buf_init(&body, most);
        assert_false(ollama_write_request(&plain, &body));
        buf_done(&body);
    }
}

/* ---- URLs ---- */

static void a_url_may_end_with_slashes_or_not(void **state)
{
    static const char *const urls[][2] = {
        {"http://h:11434", "http://h:11434/api/chat"},
        {"http://h:11434/", "http://h:11434/api/chat"},
        {"http://h/ollama//", "http://h/ollama/api/chat"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        char *joined = ollama_join(urls[i][0], "/api/chat");

        assert_string_equal(joined, urls[i][1]);
        free(joined);
    }
}

static void an_endpoint_tells_no_password(void **state)
{
    static const char *const urls[][2] = {
        {"http://h:1/", "http://h:1"},
        {"http://me:se@cret@h:1/x", "http://h:1/x"},
        {"http://h/a@b", "http://h/a@b"},
        {"h:1", "h:1"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        char *endpoint = ollama_endpoint(urls[i][0]);

        assert_string_equal(endpoint, urls[i][1]);
        free(endpoint);
    }
}

/* ---- answers that are no stream ---- */

static void only_json_and_json_lines_are_taken_for_a_reply(void **state)
{
    (void)state;
    assert_true(ollama_type_fits("application/x-ndjson"));
    assert_true(ollama_type_fits("Application/JSON; charset=utf-8"));
    assert_false(ollama_type_fits("text/html"));
    assert_false(ollama_type_fits("application/jsonp"));
    assert_false(ollama_type_fits("application/jso"));
    assert_false(ollama_type_fits(""));
}

static void each_status_has_its_meaning(void **state)
{
    static const struct {
        int status;
        enum llm_error error;
    } rows[] = {
        {404, LLM_ERROR_MODEL_NOT_FOUND},
        {429, LLM_ERROR_BUSY},
        {503, LLM_ERROR_BUSY},
        {500, LLM_ERROR_SERVER},
        {502, LLM_ERROR_SERVER},
        {400, LLM_ERROR_REQUEST},
        {401, LLM_ERROR_REQUEST},
        {403, LLM_ERROR_REQUEST},
        {204, LLM_ERROR_PROTOCOL},
        {302, LLM_ERROR_PROTOCOL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(ollama_status_error(rows[i].status), rows[i].error);
}

static void an_error_is_described_in_one_harmless_line(void **state)
{
    static const struct {
        const char *body;
        const char *described;
    } rows[] = {
        {"{\"error\":\"model 'x' not found\"}",
         "the server answered 500: model 'x' not found"},
        {"{\"error\":{\"message\":\"no key\"}}", "the server answered 500: no key"},
        {"{\"error\":\"a\\nb\\u001b[2J\"}",
         "the server answered 500: a<U+000A>b<U+001B>[2J"},
        {" <html>gateway</html>", "the server answered 500"},
        {"{\"error\":\"cut of", "the server answered 500"},
        {"{\"error\":7}", "the server answered 500"},
        {"[]", "the server answered 500"},
        {"404 page not found\n", "the server answered 500: 404 page not found"},
        {"", "the server answered 500"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err reason = {0};

        ollama_describe_error(500, str_of(rows[i].body), &reason);
        assert_string_equal(reason.msg, rows[i].described);
    }
}

static void a_long_error_is_cut(void **state)
{
    struct err reason = {0};
    char body[4001];

    (void)state;
    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    ollama_describe_error(500, str_of(body), &reason);
    assert_true(strlen(reason.msg) < 250);
    assert_non_null(strstr(reason.msg, "..."));
}

/* ---- models ---- */

static void the_names_of_models_are_read_in_order(void **state)
{
    char **names = NULL;
    size_t count = 0;
    struct err err = {0};

    (void)state;
    assert_true(ollama_read_models(
        str_of("{\"models\":[{\"name\":\"a:latest\",\"size\":7},{\"name\":\"b:3b\"}]}"),
        &names, &count, &err));
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "a:latest");
    assert_string_equal(names[1], "b:3b");
    free(names[0]);
    free(names[1]);
    free(names);
}

static void a_server_without_models_has_an_empty_list(void **state)
{
    static const char *const bodies[] = {"{\"models\":[]}", "{\"models\":null}"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char **names = NULL;
        size_t count = 7;

        assert_true(ollama_read_models(str_of(bodies[i]), &names, &count, NULL));
        assert_null(names);
        assert_int_equal(count, 0);
    }
}

static void a_list_of_another_form_is_refused_with_the_place(void **state)
{
    static const char *const rows[][2] = {
        {"{}", "/models: expected an array"},
        {"[]", "/models: expected an array"},
        {"{\"models\":{}}", "/models: expected an array"},
        {"{\"models\":[{\"name\":\"a\"},{\"name\":3}]}",
         "/models/1/name: expected a string"},
        {"{\"models\":[7]}", "/models/0/name: expected a string"},
        {"{\"models\":", "line 1, column "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char **names = NULL;
        size_t count = 7;
        struct err err = {0};

        assert_false(ollama_read_models(str_of(rows[i][0]), &names, &count, &err));
        assert_null(names);
        assert_int_equal(count, 7);
        assert_memory_equal(err.msg, rows[i][1], strlen(rows[i][1]));
    }
}

static void a_model_without_a_tag_means_the_latest(void **state)
{
    static const char *const names[] = {"llama3.2:latest", "qwen:7b",
                                        "h:5000/m:latest"};
    const struct llm_models models = {.ok = true, .names = names, .count = 3};

    (void)state;
    assert_true(llm_models_have(&models, "llama3.2"));
    assert_true(llm_models_have(&models, "llama3.2:latest"));
    assert_true(llm_models_have(&models, "qwen:7b"));
    assert_true(llm_models_have(&models, "h:5000/m"));
    assert_false(llm_models_have(&models, "qwen"));
    assert_false(llm_models_have(&models, "qwen:7"));
    assert_false(llm_models_have(&models, "llama3"));
    assert_false(llm_models_have(&models, "llama3.2:3b"));
    assert_false(llm_models_have(&models, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_written_in_a_fixed_order_of_keys),
        cmocka_unit_test(a_schema_a_seed_and_keep_alive_are_written_when_given),
        cmocka_unit_test(a_keep_alive_without_a_unit_is_sent_as_a_number),
        cmocka_unit_test(a_request_that_does_not_fit_is_told_so),
        cmocka_unit_test(a_url_may_end_with_slashes_or_not),
        cmocka_unit_test(an_endpoint_tells_no_password),
        cmocka_unit_test(only_json_and_json_lines_are_taken_for_a_reply),
        cmocka_unit_test(each_status_has_its_meaning),
        cmocka_unit_test(an_error_is_described_in_one_harmless_line),
        cmocka_unit_test(a_long_error_is_cut),
        cmocka_unit_test(the_names_of_models_are_read_in_order),
        cmocka_unit_test(a_server_without_models_has_an_empty_list),
        cmocka_unit_test(a_list_of_another_form_is_refused_with_the_place),
        cmocka_unit_test(a_model_without_a_tag_means_the_latest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
