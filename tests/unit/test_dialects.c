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
#include <string.h>

#include "llm/llm.h"
#include "llm/ollama.h"
#include "llm/openai.h"
#include "llm/param.h"
#include "llm/reader.h"
#include "proto/schema.h"

#define MESSAGES                                                             \
    "\"messages\":[{\"role\":\"system\",\"content\":\"You are \\\"Ada\\\"."  \
    "\\nTopic: tea\"},{\"role\":\"user\",\"content\":\"caf\xC3\xA9 \xEF\xBF" \
    "\xBD\"}]"

#define LOADED "{\"model\":\"llama3.2\",\"messages\":[]"
#define STREAM ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"
#define OPENAI_ITSELF                                                     \
    LOADED ",\"stream\":true,\"stream_options\":{\"include_usage\":true," \
           "\"include_obfuscation\":false}"

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
    request.options = "{\"top_k\":40,\"frequency_penalty\":0.5,\"repeat_penalty\":1.1}";
    assert_written(openai_dialect(), &request,
                   OPENAI_ITSELF ",\"max_completion_tokens\":256,\"temperature\":0.8,"
                                 "\"frequency_penalty\":0.5}");
    request.num_predict = -1; /* no limit asked for */
    assert_written(openai_dialect(), &request,
                   OPENAI_ITSELF ",\"temperature\":0.8,\"frequency_penalty\":0.5}");
}

static void openai_is_known_by_its_host(void **state)
{
    static const struct {
        const char *url;
        bool is;
    } rows[] = {
        {"https://api.openai.com/v1", true},
        {"https://api.openai.com", true},
        {"https://api.openai.com:443/v1", true},
        {"https://eu.api.openai.com/v1", true},
        {"https://api.openai.com.example/v1", false},
        {"https://notapi.openai.com/v1", false},
        {"https://host/api.openai.com", false},
        {"http://api.openai.com/v1", false}, /* someone's stand-in */
        {"https://openrouter.ai/api/v1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct llm_request request = plain;
        struct buf body;

        print_message("%s\n", rows[i].url);
        request.url = rows[i].url;
        buf_init(&body, 4096);
        assert_true(openai_dialect()->write(&request, &body));
        assert_int_equal(strstr(buf_text(&body), "include_obfuscation") != NULL,
                         rows[i].is);
        assert_int_equal(strstr(buf_text(&body), "\"max_tokens\"") == NULL, rows[i].is);
        buf_done(&body);
    }
}

/* ---- what a model does not take ---- */

#define BIT(param) (1U << (param))

/* Each may go, and the rest stays; what is left is told as such. */
static void what_a_model_does_not_take_is_left_out(void **state)
{
    static const struct {
        unsigned without;
        const char *body;
    } rows[] = {
        {BIT(PARAM_TEMPERATURE) | BIT(PARAM_SEED) | BIT(PARAM_STOP),
         LOADED STREAM ",\"max_tokens\":256,\"reasoning_effort\":\"low\",\"top_p\":0.9,"
                       "\"top_k\":40}"},
        {BIT(PARAM_TOP_P) | BIT(PARAM_TOP_K) | BIT(PARAM_THINK) | BIT(PARAM_STOP),
         LOADED STREAM ",\"max_tokens\":256,\"temperature\":0.8,\"seed\":0}"},
        {BIT(PARAM_STREAM_OPTIONS) | BIT(PARAM_STOP),
         LOADED ",\"stream\":true,\"max_tokens\":256,\"temperature\":0.8,\"seed\":0,"
                "\"reasoning_effort\":\"low\",\"top_p\":0.9,\"top_k\":40}"},
        {BIT(PARAM_STREAM) | BIT(PARAM_STOP),
         LOADED ",\"max_tokens\":256,\"temperature\":0.8,\"seed\":0,"
                "\"reasoning_effort\":\"low\",\"top_p\":0.9,\"top_k\":40}"},
        {BIT(PARAM_MAX_TOKENS) | BIT(PARAM_STOP),
         LOADED STREAM ",\"max_completion_tokens\":256,\"temperature\":0.8,\"seed\":0,"
                       "\"reasoning_effort\":\"low\",\"top_p\":0.9,\"top_k\":40}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct llm_request request = full();
        unsigned before;

        request.message_count = 0;
        request.schema = NULL;
        before = openai_dialect()->params(&request);
        request.without = rows[i].without;
        assert_written(openai_dialect(), &request, rows[i].body);
        assert_int_equal(openai_dialect()->params(&request) & rows[i].without, 0);
        assert_int_equal(rows[i].without & ~before, 0);
    }
}

static void the_two_names_of_the_limit_take_turns_once(void **state)
{
    struct llm_request request = plain;
    const unsigned both = BIT(PARAM_MAX_TOKENS) | BIT(PARAM_MAX_COMPLETION_TOKENS);

    (void)state;
    assert_int_equal(openai_dialect()->params(&request) & both, BIT(PARAM_MAX_TOKENS));
    request.without = BIT(PARAM_MAX_TOKENS); /* then it is not sent without a limit */
    assert_int_equal(openai_dialect()->params(&request) & both, 0);
    request = plain;
    request.url = "https://api.openai.com/v1";
    assert_int_equal(openai_dialect()->params(&request) & both,
                     BIT(PARAM_MAX_COMPLETION_TOKENS));
    request.without = BIT(PARAM_MAX_COMPLETION_TOKENS);
    request.message_count = 0;
    assert_written(openai_dialect(), &request,
                   OPENAI_ITSELF ",\"max_tokens\":256,\"temperature\":0.8}");
}

static void only_what_is_sent_may_go(void **state)
{
    struct llm_request request = plain;

    (void)state;
    assert_int_equal(openai_dialect()->params(&request),
                     BIT(PARAM_TEMPERATURE) | BIT(PARAM_MAX_TOKENS) | BIT(PARAM_STREAM)
                         | BIT(PARAM_STREAM_OPTIONS));
    request.think = "true"; /* no word on this wire */
    assert_int_equal(openai_dialect()->params(&request) & BIT(PARAM_THINK), 0);
    assert_int_equal(ollama_dialect()->params(&request), BIT(PARAM_THINK));
    request.without = BIT(PARAM_THINK);
    assert_int_equal(ollama_dialect()->params(&request), 0);
    request.message_count = 0;
    assert_written(ollama_dialect(), &request,
                   "{\"model\":\"llama3.2\",\"messages\":[],\"stream\":true,"
                   "\"options\":{\"num_ctx\":8192,\"num_predict\":256,"
                   "\"temperature\":0.8}}");
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
        cmocka_unit_test(openai_is_known_by_its_host),
        cmocka_unit_test(what_a_model_does_not_take_is_left_out),
        cmocka_unit_test(the_two_names_of_the_limit_take_turns_once),
        cmocka_unit_test(only_what_is_sent_may_go),
        cmocka_unit_test(thinking_is_an_effort),
        cmocka_unit_test(a_request_that_does_not_fit_is_told_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
