/* test_models.c - what a server is asked besides: its models, its places for calls, to
 * load a model. The list of Ollama's models: test_llm.c.
 */
#include "llm/models.h"
#include "test_llm_peer.h"

#define JSON_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

/* ---- models and places ---- */

struct answer {
    unsigned count;
    bool ok;
    enum llm_error error;
    size_t models;
    bool has;
    int64_t slots;
    char reason[512];
};

static bool is_answered(void *owner)
{
    return ((struct answer *)owner)->count > 0;
}

static void on_models(void *owner, const struct llm_models *models)
{
    struct answer *answer = owner;

    answer->count++;
    answer->ok = models->ok;
    answer->error = models->error;
    answer->models = models->count;
    answer->has = llm_models_have(models, "gpt-4o-mini");
    fmt_into(answer->reason, sizeof answer->reason, "%s", models->reason);
}

static void on_slots(void *owner, int64_t slots)
{
    struct answer *answer = owner;

    answer->count++;
    answer->slots = slots;
}

static void the_models_are_listed_with_the_key(void **state)
{
    struct llm_server asked = {LLM_OPENAI, url, "sk-1"};
    struct answer answer = {0};

    (void)state;
    fmt_into(url, sizeof url, "http://127.0.0.1:%d/v1", server.port);
    will_say(JSON_HEAD "{\"object\":\"list\",\"data\":[{\"id\":\"gpt-4o-mini\"},"
                       "{\"id\":\"gpt-4o\"}]}");
    llm_list_models(llm, &asked, 5000, on_models, &answer);
    assert_int_equal(answer.count, 0);
    rig_wait(&rig, is_answered, &answer);
    assert_string_equal(answer.reason, "");
    assert_true(answer.ok);
    assert_int_equal(answer.models, 2);
    assert_true(answer.has);
    assert_memory_equal(buf_text(&play.request), "GET /v1/models HTTP/1.1\r\n", 25);
    assert_non_null(
        strstr(buf_text(&play.request), "\r\nAuthorization: Bearer sk-1\r\n"));
}

static void a_list_that_cannot_be_had_is_told_with_advice(void **state)
{
    static const struct {
        const char *answer;
        enum llm_error error;
        const char *reason;
    } rows[] = {
        {"HTTP/1.1 401 No\r\n\r\n{\"error\":{\"message\":\"Bad key\"}}", LLM_ERROR_AUTH,
         "the server answered 401: Bad key (no key was sent)"},
        {"HTTP/1.1 404 No\r\n\r\n404 page not found", LLM_ERROR_REQUEST,
         "/models: no such path (404): is the path right (\xE2\x80\xA6/v1)?"},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", LLM_ERROR_PROTOCOL,
         " answers with an HTML page, not the OpenAI API: is the path right "
         "(\xE2\x80\xA6/v1)?"},
        {JSON_HEAD "{\"models\":[]}", LLM_ERROR_PROTOCOL,
         "the list of models: /data: expected an array, found none"},
        {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
         "Content-Length: 100\r\n\r\n{\"data\":[",
         LLM_ERROR_TRUNCATED, "in mid-answer"},
    };
    const struct llm_server asked = {LLM_OPENAI, url, NULL};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer answer = {0};

        will_say(rows[i].answer);
        llm_list_models(llm, &asked, 5000, on_models, &answer);
        rig_wait(&rig, is_answered, &answer);
        assert_false(answer.ok);
        assert_int_equal(answer.error, rows[i].error);
        print_message("%s\n", answer.reason);
        assert_non_null(strstr(answer.reason, rows[i].reason));
    }
}

static void a_server_may_tell_its_places(void **state)
{
    static const struct {
        enum llm_provider provider;
        const char *answer;
        int64_t slots;
        unsigned asked;
    } rows[] = {
        {LLM_OPENAI, JSON_HEAD "{\"total_slots\":4,\"model_path\":\"m\"}", 4, 1},
        {LLM_OPENAI, JSON_HEAD "{\"total_slots\":0}", 0, 1},
        {LLM_OPENAI, JSON_HEAD "{\"total_slots\":-4}", 0, 1},
        {LLM_OPENAI, JSON_HEAD "{\"total_slots\":1000001}", 0, 1},
        {LLM_OPENAI, JSON_HEAD "{\"total_slots\":\"4\"}", 0, 1},
        {LLM_OPENAI, JSON_HEAD "{}", 0, 1},
        {LLM_OPENAI, JSON_HEAD "{", 0, 1},
        {LLM_OPENAI, "HTTP/1.1 404 No\r\n\r\nno", 0, 1},
        {LLM_OPENAI, "HTTP/1.1 503 No\r\n\r\nLoading model", -1, 1},
        {LLM_OPENAI, "", -1, 1},
        {LLM_OLLAMA, JSON_HEAD "{\"total_slots\":4}", 0, 0},
    };

    (void)state;
    fmt_into(url, sizeof url, "http://127.0.0.1:%d/v1/", server.port);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct llm_server asked = {rows[i].provider, url, "sk-1"};
        struct answer answer = {0};

        server.requests = 0;
        will_say(rows[i].answer);
        llm_ask_slots(llm, &asked, 5000, on_slots, &answer);
        assert_int_equal(answer.count, 0);
        rig_wait(&rig, is_answered, &answer);
        assert_int_equal(answer.slots, rows[i].slots);
        assert_int_equal(server.requests, rows[i].asked);
        if (rows[i].asked > 0)
            assert_memory_equal(buf_text(&play.request), "GET /props HTTP/1.1\r\n", 21);
    }
}

/* ---- warming up ---- */

static void a_model_is_loaded_without_a_word(void **state)
{
    struct llm_request what = request;
    struct seen seen = {0};

    (void)state;
    what.keep_alive = "10m";
    what.schema = "{}";
    will_say(HEAD "{\"model\":\"m:1b\",\"message\":{\"content\":\"\"},\"done\":true,"
                  "\"done_reason\":\"load\"}\n");
    llm_warm(llm, &what, on_result, &seen);
    assert_int_equal(seen.results, 0);
    rig_wait(&rig, is_over, &seen);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_string_equal(seen.reason, "");
    assert_string_equal(seen.text, "");
    assert_string_equal(seen.finish_reason, "load");
    assert_non_null(strstr(buf_text(&play.request), "\"messages\":[],\"stream\":true,"
                                                    "\"keep_alive\":\"10m\","
                                                    "\"options\":{\"num_ctx\":8192,"));
    seen_done(&seen);
}

static void a_model_that_cannot_be_loaded_is_told(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say("HTTP/1.1 404 No\r\n\r\n{\"error\":\"model 'asked' not found\"}");
    llm_warm(llm, &request, on_result, &seen);
    rig_wait(&rig, is_over, &seen);
    assert_failed(&seen, LLM_ERROR_MODEL_NOT_FOUND,
                  "the server answered 404: model 'asked' not found");
    seen_done(&seen);
}

static void who_loads_nothing_is_warm_at_once(void **state)
{
    static const enum llm_provider providers[] = {LLM_OPENAI, LLM_ECHO};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct llm_request what = request;
        struct seen seen = {0};

        what.provider = providers[i];
        llm_warm(llm, &what, on_result, &seen);
        assert_int_equal(seen.results, 0);
        rig_wait(&rig, is_over, &seen);
        assert_int_equal(seen.result.outcome, LLM_DONE);
        assert_string_equal(seen.text, "");
        seen_done(&seen);
    }
    assert_int_equal(server.accepted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LLM_TEST(the_models_are_listed_with_the_key),
        LLM_TEST(a_list_that_cannot_be_had_is_told_with_advice),
        LLM_TEST(a_server_may_tell_its_places),
        LLM_TEST(a_model_is_loaded_without_a_word),
        LLM_TEST(a_model_that_cannot_be_loaded_is_told),
        LLM_TEST(who_loads_nothing_is_warm_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
