/* test_sim_chat.c - requests to the simulator: what is read, what is refused and how.
 */
#include <string.h>

#include "simulator/sim_chat.h"
#include "simulator/sim_reply.h"
#include "simulator/tokens.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct sim_models models;

static int set_up(void **state)
{
    (void)state;
    sim_models_init(&models, "house-model, other:7b");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_models_done(&models);
    return 0;
}

static void names_go_with_and_without_the_latest_tag(void **state)
{
    (void)state;
    assert_non_null(sim_models_find(&models, str_of("llama3.2")));
    assert_ptr_equal(sim_models_find(&models, str_of("llama3.2")),
                     sim_models_find(&models, str_of("llama3.2:latest")));
    assert_non_null(sim_models_find(&models, str_of("house-model:latest")));
    assert_non_null(sim_models_find(&models, str_of("other:7b")));
    assert_null(sim_models_find(&models, str_of("other")));
    assert_null(sim_models_find(&models, str_of("")));
}

static const struct {
    enum sim_endpoint endpoint;
    const char *body;
    int status;
    const char *text;
} refused[] = {
    {SIM_CHAT, "", 400, "missing request body"},
    {SIM_CHAT, " \n", 400, "missing request body"},
    {SIM_CHAT, "{\"model\":", 400, "unexpected EOF"},
    {SIM_CHAT, "nonsense", 400, "invalid JSON: line 1"},
    {SIM_CHAT, "[]", 400,
     "json: cannot unmarshal array into Go value of type "
     "api.ChatRequest"},
    {SIM_CHAT, "{}", 400, "model is required"},
    {SIM_GENERATE, "{}", 404, "model '' not found"},
    {SIM_CHAT, "{\"model\":\"nope\"}", 404, "model 'nope' not found"},
    {SIM_CHAT, "{\"model\":7}", 400,
     "json: cannot unmarshal number into Go struct field ChatRequest.model of type "
     "string"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"stream\":\"yes\"}", 400,
     "json: cannot unmarshal string into Go struct field ChatRequest.stream of "
     "type "
     "bool"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"messages\":{}}", 400,
     "json: cannot unmarshal object into Go struct field ChatRequest.messages of "
     "type []api.Message"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"messages\":[{\"content\":[]}]}", 400,
     "json: cannot unmarshal array into Go struct field "
     "ChatRequest.messages.content "
     "of type string"},
    {SIM_GENERATE, "{\"model\":\"tiny\",\"prompt\":1}", 400,
     "json: cannot unmarshal number into Go struct field GenerateRequest.prompt of "
     "type string"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"think\":true}", 400,
     "\"tiny\" does not support thinking"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"think\":\"very\"}", 400,
     "invalid think value: \"very\""},
    {SIM_CHAT, "{\"model\":\"tiny\",\"tools\":[{}]}", 400,
     "registry.ollama.ai/library/tiny:latest does not support tools"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"keep_alive\":\"10\"}", 400,
     "time: missing unit in duration \"10\""},
    {SIM_CHAT, "{\"model\":\"tiny\",\"keep_alive\":\"soon\"}", 400,
     "time: invalid duration \"soon\""},
    {SIM_CHAT, "{\"model\":\"tiny\",\"options\":[]}", 400, "json: cannot unmarshal"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"options\":{\"stop\":\"x\"}}", 500,
     "option \"stop\" must be of type array"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"options\":{\"stop\":[1]}}", 500,
     "option \"stop\" must be of an array of strings"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"options\":{\"num_predict\":\"x\"}}", 500,
     "option \"num_predict\" must be of type integer"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"options\":{\"temperature\":\"hot\"}}", 500,
     "option \"temperature\" must be of type float32"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"options\":{\"use_mmap\":1}}", 500,
     "option \"use_mmap\" must be of type boolean"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"keep_alive\":\"-1\"}", 400,
     "time: missing unit in duration \"-1\""},
    {SIM_CHAT, "{\"model\":\"tiny\",\"keep_alive\":true}", 400,
     "Unsupported type: 'bool'"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"think\":1}", 400,
     "think must be a boolean or string"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"top_logprobs\":21}", 400,
     "top_logprobs must be between 0 and 20"},
    {SIM_CHAT, "{\"model\":\"tiny\",\"shift\":\"no\"}", 400,
     "json: cannot unmarshal string into Go struct field ChatRequest.shift of type "
     "bool"},
    {SIM_CHAT,
     "{\"model\":\"tiny\",\"format\":\"xml\",\"messages\":[{\"content\":\"x\"}]}", 500,
     "invalid format: \"\\\"xml\\\"\"; expected \"json\" or a valid JSON Schema "
     "object"},
};

static void bad_requests_are_refused_with_the_servers_words(void **state)
{

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct sim_request request = {0};
        struct sim_refusal refusal = {0};

        assert_false(sim_request_parse(refused[i].endpoint, str_of(refused[i].body),
                                       &models, &request, &refusal));
        assert_int_equal(refusal.status, refused[i].status);
        if (strncmp(refusal.text, refused[i].text, strlen(refused[i].text)) != 0)
            fail_msg("%s: %s", refused[i].body, refusal.text);
    }
}

static struct sim_request parse(enum sim_endpoint endpoint, const char *body)
{
    struct sim_request request = {0};
    struct sim_refusal refusal = {0};

    if (!sim_request_parse(endpoint, str_of(body), &models, &request, &refusal))
        fail_msg("%s", refusal.text);
    return request;
}

static void what_is_not_given_has_the_servers_defaults(void **state)
{
    struct sim_request request = parse(SIM_CHAT, "{\"model\":\"tiny\",\"format\":null,"
                                                 "\"options\":{},\"unknown\":1}");

    (void)state;
    assert_true(request.empty);
    assert_true(request.stream);
    assert_null(request.schema);
    assert_false(request.json);
    assert_int_equal(request.num_ctx, 4096);
    assert_int_equal(request.num_predict, -1);
    assert_int_equal(request.seed, -1);
    assert_true(request.keep_alive_ms == SIM_KEEP_UNSAID);
    sim_request_done(&request);
}

static void what_is_given_is_read(void **state)
{
    struct sim_request request = parse(
        SIM_CHAT,
        "{\"model\":\"tiny\",\"stream\":false,\"keep_alive\":-1,\"format\":{},"
        "\"messages\":[{\"role\":\"System\",\"content\":\"a\"},{\"role\":\"wizard\"},"
        "{\"role\":\"assistant\",\"content\":null}],"
        "\"options\":{\"num_ctx\":99,\"num_predict\":5,\"seed\":0,\"stop\":[\"x\"]}}");

    (void)state;
    assert_false(request.empty);
    assert_false(request.stream);
    assert_non_null(request.schema);
    assert_true(request.keep_alive_ms < 0);
    assert_int_equal(request.prompt.count, 3);
    assert_string_equal(request.prompt.messages[0].role, "system");
    assert_string_equal(request.prompt.messages[1].role, "user");
    assert_int_equal(request.num_ctx, 99);
    assert_int_equal(request.num_predict, 5);
    assert_int_equal(request.seed, 0);
    assert_int_equal(json_array_size(request.stops), 1);
    sim_request_done(&request);
    request =
        parse(SIM_GENERATE, "{\"model\":\"tiny\",\"system\":\"s\",\"prompt\":\"p\","
                            "\"keep_alive\":\"1m30s\",\"format\":\"json\"}");
    assert_int_equal(request.prompt.count, 2);
    assert_int_equal(request.keep_alive_ms, 90000);
    assert_true(request.json);
    sim_request_done(&request);
}

static void a_window_is_never_larger_than_the_models_own(void **state)
{
    struct sim_request request =
        parse(SIM_CHAT, "{\"model\":\"tiny\",\"options\":{\"num_ctx\":100000}}");

    (void)state;
    assert_int_equal(request.num_ctx, 4096);
    assert_int_equal(request.runner.num_ctx, 100000);
    sim_request_done(&request);
    request = parse(SIM_CHAT, "{\"model\":\"tiny\",\"options\":{\"num_ctx\":1}}");
    assert_int_equal(request.num_ctx, 4);
    sim_request_done(&request);
}

static void who_unloads_a_model_is_asked_for_nothing_else(void **state)
{
    struct sim_request request =
        parse(SIM_CHAT, "{\"model\":\"tiny\",\"keep_alive\":0,\"think\":true,"
                        "\"options\":{\"stop\":1},\"format\":7}");

    (void)state;
    assert_true(request.unload);
    sim_request_done(&request);
    request = parse(SIM_CHAT, "{\"model\":\"tiny\",\"format\":7}");
    assert_true(request.empty && !request.unload);
    sim_request_done(&request);
}

static const struct sim_options options = {
    .reply_min = 20, .reply_max = 60, .seed = 9, .parallel = 1};

static void reply(const char *extra, struct sim_reply *ret_reply)
{
    struct buf body;
    struct sim_request request = {0};

    buf_init(&body, 10000);
    buf_printf(&body, "{\"model\":\"tiny\",\"prompt\":\"Where is the boat?\"%s}",
               extra);
    request = parse(SIM_GENERATE, buf_text(&body));
    assert_true(
        sim_reply_make(&options, &(struct fault){0}, &request, ret_reply, NULL));
    sim_request_done(&request);
    buf_done(&body);
}

static void a_limit_cuts_and_a_stop_ends_before_it(void **state)
{
    struct sim_reply whole = {0};
    struct sim_reply part = {0};

    (void)state;
    reply("", &whole);
    assert_false(whole.cut);
    assert_in_range(whole.tokens, 20, 60);
    reply(",\"options\":{\"num_predict\":7}", &part);
    assert_true(part.cut);
    assert_int_equal(part.tokens, 7);
    assert_memory_equal(part.text.at, whole.text.at, part.text.len);
    sim_reply_done(&part);
    reply(",\"options\":{\"num_predict\":0}", &part);
    assert_true(part.cut);
    assert_int_equal(part.tokens, 0);
    sim_reply_done(&part);
    reply(",\"options\":{\"stop\":[\"\",\"never said\",\".\",\"?\"]}", &part);
    assert_false(part.cut);
    assert_int_equal(part.text.len, strcspn(whole.text.at, ".?"));
    assert_int_equal(part.tokens, tokens_count(buf_str(&part.text)));
    sim_reply_done(&part);
    sim_reply_done(&whole);
}

static void the_requests_seed_is_stronger_than_the_servers(void **state)
{
    struct sim_reply mine = {0};
    struct sim_reply same = {0};
    struct sim_reply theirs = {0};

    (void)state;
    reply("", &mine);
    reply(",\"options\":{\"seed\":9}", &same);
    reply(",\"options\":{\"seed\":10}", &theirs);
    assert_string_equal(buf_text(&mine.text), buf_text(&same.text));
    assert_string_not_equal(buf_text(&mine.text), buf_text(&theirs.text));
    sim_reply_done(&mine);
    sim_reply_done(&same);
    sim_reply_done(&theirs);
}

static void format_json_gives_an_object(void **state)
{
    struct sim_reply json = {0};
    json_t *document = NULL;

    (void)state;
    reply(",\"format\":\"json\"", &json);
    document = json_loads(buf_text(&json.text), 0, NULL);
    assert_true(json_is_string(json_object_get(document, "message")));
    json_decref(document);
    sim_reply_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_with_and_without_the_latest_tag),
        cmocka_unit_test(bad_requests_are_refused_with_the_servers_words),
        cmocka_unit_test(what_is_not_given_has_the_servers_defaults),
        cmocka_unit_test(what_is_given_is_read),
        cmocka_unit_test(a_window_is_never_larger_than_the_models_own),
        cmocka_unit_test(who_unloads_a_model_is_asked_for_nothing_else),
        cmocka_unit_test(a_limit_cuts_and_a_stop_ends_before_it),
        cmocka_unit_test(the_requests_seed_is_stronger_than_the_servers),
        cmocka_unit_test(format_json_gives_an_object),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
