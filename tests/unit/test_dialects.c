/* test_dialects.c - the bytes of a request in each of the two dialects. */

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <jansson.h>

#include "llm/llm.h"
#include "llm/ollama.h"
#include "llm/openai.h"
#include "llm/reader.h"
#include "proto/schema.h"

#define MESSAGES                                                             \
    "\"messages\":[{\"role\":\"system\",\"content\":\"You are \\\"Ada\\\"."  \
    "\\nTopic: tea\"},{\"role\":\"user\",\"content\":\"caf\xC3\xA9 \xEF\xBF" \
    "\xBD\"}]"

static const struct llm_message messages[] = {
    {"system", {"You are \"Ada\".\nTopic: tea", 25}},
    {"user", {"caf\xC3\xA9 \xFF", 7}},
};
static const char *const stops[] = {"\nBert:", "\n\"C\":"};
static const struct llm_request plain = {
    .url = "http://h:1",
    .model = "llama3.2",
    .messages = messages,
    .message_count = 2,
    .num_ctx = 8192,
    .num_predict = 256,
    .temperature = 0.8,
    .seed = -1,
};

static struct llm_request full(void)
{
    struct llm_request request = plain;

    request.schema = "{\n \"type\": \"object\"\n}\n";
    request.seed = 0;
    request.keep_alive = "10m";
    request.think = "low";
    request.stops = stops;
    request.stop_count = 2;
    request.options = "{\"top_p\":0.9,\"top_k\":40,\"num_gpu\":1,\"use_mmap\":false,"
                      "\"num_ctx\":1,\"temperature\":2}";
    return request;
}

static void assert_written(const struct dialect *dialect,
                           const struct llm_request *request, const char *expected)
{
    struct buf body;
    json_t *document = NULL;

    buf_init(&body, 4096);
    assert_true(dialect->write(request, &body));
    assert_string_equal(buf_text(&body), expected);
    assert_true(json_read(buf_str(&body), &document, NULL)); /* no key twice */
    json_decref(document);
    buf_done(&body);
}

/* ---- Ollama ---- */

static void ollama_is_always_told_the_window_and_the_length(void **state)
{
    (void)state;
    assert_written(ollama_dialect(), &plain,
                   "{\"model\":\"llama3.2\"," MESSAGES
                   ",\"stream\":true,\"options\":{\"num_ctx\":8192,\"num_predict\":256,"
                   "\"temperature\":0.8}}");
}

static void ollama_gets_everything_it_knows(void **state)
{
    const struct llm_request request = full();

    (void)state;
    assert_written(
        ollama_dialect(), &request,
        "{\"model\":\"llama3.2\"," MESSAGES ",\"stream\":true,"
        "\"format\":{\n \"type\": \"object\"\n},\"think\":\"low\","
        "\"keep_alive\":\"10m\",\"options\":{\"num_ctx\":8192,\"num_predict\":256,"
        "\"temperature\":0.8,\"seed\":0,\"stop\":[\"\\nBert:\",\"\\n\\\"C\\\":\"],"
        "\"top_p\":0.9,\"top_k\":40,\"num_gpu\":1,\"use_mmap\":false}}");
}

static void a_request_without_messages_loads_the_model(void **state)
{
    struct llm_request forever = plain;

    (void)state;
    forever.message_count = 0;
    forever.keep_alive = "-1"; /* no Go duration: sent as a number */
    assert_written(ollama_dialect(), &forever,
                   "{\"model\":\"llama3.2\",\"messages\":[],\"stream\":true,"
                   "\"keep_alive\":-1,\"options\":{\"num_ctx\":8192,"
                   "\"num_predict\":256,\"temperature\":0.8}}");
}

static void thinking_is_a_word_or_a_level(void **state)
{
    static const char *const rows[][2] = {
        {"true", "\"think\":true,"},
        {"false", "\"think\":false,"},
        {"high", "\"think\":\"high\","},
        {"max", "\"think\":\"max\","},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct llm_request request = plain;
        char expected[400];

        request.message_count = 0;
        request.think = rows[i][0];
        fmt_into(expected, sizeof expected,
                 "{\"model\":\"llama3.2\",\"messages\":[],\"stream\":true,%s"
                 "\"options\":{\"num_ctx\":8192,\"num_predict\":256,"
                 "\"temperature\":0.8}}",
                 rows[i][1]);
        assert_written(ollama_dialect(), &request, expected);
    }
}

/* ---- the OpenAI API ---- */

static void openai_is_asked_for_the_counts_and_no_window(void **state)
{
    (void)state;
    assert_written(openai_dialect(), &plain,
                   "{\"model\":\"llama3.2\"," MESSAGES
                   ",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                   "\"max_tokens\":256,\"temperature\":0.8}");
}

static void openai_gets_everything_it_knows(void **state)
{
    const struct llm_request request = full();

    (void)state;
    assert_written(
        openai_dialect(), &request,
        "{\"model\":\"llama3.2\"," MESSAGES
        ",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
        "\"max_tokens\":256,\"temperature\":0.8,\"seed\":0,"
        "\"stop\":[\"\\nBert:\",\"\\n\\\"C\\\":\"],\"reasoning_effort\":\"low\","
        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
        "\"reply\",\"strict\":true,\"schema\":{\n \"type\": \"object\"\n}}},"
        "\"top_p\":0.9,\"top_k\":40}");
}

static void openai_itself_is_spared_what_others_added(void **state)
{
    struct llm_request request = plain;

    (void)state;
    request.url = "https://api.openai.com/v1";
    request.message_count = 0;
    request.num_predict = -1; /* no limit asked for */
    request.options = "{\"top_k\":40,\"frequency_penalty\":0.5,\"repeat_penalty\":1.1}";
    assert_written(openai_dialect(), &request,
                   "{\"model\":\"llama3.2\",\"messages\":[],\"stream\":true,"
                   "\"stream_options\":{\"include_usage\":true},\"temperature\":0.8,"
                   "\"frequency_penalty\":0.5}");
}

static void thinking_is_an_effort(void **state)
{
    static const char *const rows[][2] = {
        {"true", ""},
        {"false", ",\"reasoning_effort\":\"none\""},
        {"medium", ",\"reasoning_effort\":\"medium\""},
        {"max", ",\"reasoning_effort\":\"high\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct llm_request request = plain;
        char expected[400];

        request.message_count = 0;
        request.think = rows[i][0];
        fmt_into(expected, sizeof expected,
                 "{\"model\":\"llama3.2\",\"messages\":[],\"stream\":true,"
                 "\"stream_options\":{\"include_usage\":true},\"max_tokens\":256,"
                 "\"temperature\":0.8%s}",
                 rows[i][1]);
        assert_written(openai_dialect(), &request, expected);
    }
}

/* ---- both ---- */

static void a_request_that_does_not_fit_is_told_so(void **state)
{
    const struct dialect *const dialects[] = {ollama_dialect(), openai_dialect()};
    const struct llm_request request = full();

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct buf whole;

        buf_init(&whole, 4096);
        assert_true(dialects[i]->write(&request, &whole));
        for (size_t most = 0; most < whole.len; most++) {
            struct buf body;

            buf_init(&body, most);
            assert_false(dialects[i]->write(&request, &body));
            buf_done(&body);
        }
        buf_done(&whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ollama_is_always_told_the_window_and_the_length),
        cmocka_unit_test(ollama_gets_everything_it_knows),
        cmocka_unit_test(a_request_without_messages_loads_the_model),
        cmocka_unit_test(thinking_is_a_word_or_a_level),
        cmocka_unit_test(openai_is_asked_for_the_counts_and_no_window),
        cmocka_unit_test(openai_gets_everything_it_knows),
        cmocka_unit_test(openai_itself_is_spared_what_others_added),
        cmocka_unit_test(thinking_is_an_effort),
        cmocka_unit_test(a_request_that_does_not_fit_is_told_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
