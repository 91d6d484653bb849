/* test_endpoint.c - the model servers of the config file: what is read, what is refused
 * and how, what is found.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/config.h"
#include "proto/schema.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static struct endpoint_list list;
static struct err err;

static int set_up(void **state)
{
    (void)state;
    list = (struct endpoint_list){0};
    err = (struct err){0};
    unsetenv("OPENAI_API_KEY");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    endpoints_done(&list);
    return 0;
}

static bool parse(const char *json)
{
    json_t *section = NULL;
    bool ok;

    assert_true(json_read(str_of(json), &section, &err));
    ok = endpoints_parse(section, &list, &err);
    json_decref(section);
    return ok;
}

static const struct endpoint *found(const char *name)
{
    const struct endpoint *endpoint = endpoint_find(&list, str_of(name));

    if (endpoint == NULL)
        fail_msg("%s is not there", name);
    return endpoint;
}

static bool same(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

static void every_member_is_read(void **state)
{
    static const char json[] =
        "{\"cloud\":{\"provider\":\"openai\",\"url\":\"https://host/api/v1/\","
        "\"key_env\":\"SOME_KEY\",\"models\":[\"a\",\"b\"],\"tier\":\"local\","
        "\"window\":7,\"connect_seconds\":0.25,\"first_token_seconds\":20,"
        "\"between_tokens_seconds\":10,\"total_seconds\":86400,"
        "\"price\":{\"prompt\":0.15,\"cached\":0,\"generated\":0.6}}}";
    const struct endpoint *cloud;

    (void)state;
    assert_true(parse(json));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.own, 1);
    cloud = found("cloud");
    assert_string_equal(cloud->provider, "openai");
    assert_string_equal(cloud->url, "https://host/api/v1");
    assert_string_equal(cloud->key_env, "SOME_KEY");
    assert_null(cloud->key_file);
    assert_int_equal(cloud->model_count, 2);
    assert_string_equal(cloud->models[1], "b");
    assert_int_equal(cloud->tier, TIER_LOCAL);
    assert_int_equal(cloud->window, 7);
    assert_int_equal(cloud->clocks.connect_ms, 250);
    assert_int_equal(cloud->clocks.first_token_ms, 20000);
    assert_int_equal(cloud->clocks.between_tokens_ms, 10000);
    assert_int_equal(cloud->clocks.total_ms, 86400000);
    assert_true(same(cloud->prompt_price, 0.15));
    assert_true(same(cloud->cached_price, 0));
    assert_true(same(cloud->generated_price, 0.6));
    assert_false(cloud->built_in);
}

static void what_is_left_out_follows_from_provider_and_host(void **state)
{
    static const struct {
        const char *members;
        enum endpoint_tier tier;
        int64_t window;
    } cases[] = {
        {"\"provider\":\"ollama\",\"url\":\"https://ollama.com\"", TIER_LOCAL, 1},
        {"\"provider\":\"simulator\",\"url\":\"host:1\"", TIER_LOCAL, WINDOW_NONE},
        {"\"provider\":\"echo\"", TIER_LOCAL, WINDOW_NONE},
        {"\"provider\":\"openai\",\"url\":\"https://api.openai.com/v1\"", TIER_CLOUD,
         WINDOW_NONE},
        {"\"provider\":\"openai\",\"url\":\"http://127.0.0.1:8080/v1\"", TIER_LOCAL,
         WINDOW_ASK},
        {"\"provider\":\"openai\",\"url\":\"http://gpu-box:8000/v1\"", TIER_LOCAL,
         WINDOW_ASK},
        {"\"provider\":\"openai\",\"url\":\"http://10.0.0.9/v1\",\"tier\":\"cloud\"",
         TIER_CLOUD, WINDOW_NONE},
        {"\"provider\":\"openai\",\"url\":\"http://10.0.0.9/v1\",\"window\":\"none\"",
         TIER_LOCAL, WINDOW_NONE},
        {"\"provider\":\"ollama\",\"url\":\"h\",\"window\":null", TIER_LOCAL,
         WINDOW_NONE},
        {"\"provider\":\"openai\",\"url\":\"https://h.com/v1\",\"window\":\"ask\"",
         TIER_CLOUD, WINDOW_ASK},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *json = x_printf("{\"e\":{%s}}", cases[i].members);

        if (!parse(json))
            fail_msg("%s: %s", json, err.msg);
        if (found("e")->tier != cases[i].tier || found("e")->window != cases[i].window)
            fail_msg("%s: tier %s, window %lld", json,
                     endpoint_tier_name(found("e")->tier),
                     (long long)found("e")->window);
        assert_true(isnan(found("e")->prompt_price));
        assert_int_equal(found("e")->clocks.connect_ms, 0);
        endpoints_done(&list);
        free(json);
    }
}

#define OPENAI "\"provider\":\"openai\",\"url\":\"https://h/v1\""
static const struct {
    const char *section, *complaint;
} bad[] = {
    {"7", "endpoints is a number, not an object"},
    {"{\"a\":null}", "endpoints.a is null, not an object"},
    {"{\"\":{}}",
     "endpoints: '' is not a name: a letter, then letters, digits, - and _, "
     "at most 32"},
    {"{\"1a\":{}}", "endpoints: '1a' is not a name: a letter, then letters, digits, - "
                    "and _, at most 32"},
    {"{\"a:b\":{}}", "endpoints: 'a:b' is not a name: a letter, then letters, digits, "
                     "- and _, at most 32"},
    {"{\"abcdefghijklmnopqrstuvwxyzabcdefg\":{}}",
     "endpoints: 'abcdefghijklmnopqrstuvwxyzabcdefg' is not a name: a letter, then "
     "letters, digits, - and _, at most 32"},
    {"{\"a\":{\"url\":\"https://h/v1\"}}",
     "endpoints.a.provider is missing: one of ollama, openai, simulator, echo"},
    {"{\"a\":{\"provider\":\"abacus\"}}",
     "endpoints.a.provider: 'abacus' is not one of ollama, openai, simulator, echo"},
    {"{\"a\":{\"provider\":7}}",
     "endpoints.a.provider: 7 is not one of ollama, openai, simulator, echo"},
    {"{\"a\":{\"provider\":\"openai\"}}", "endpoints.a.url is missing"},
    {"{\"a\":{\"provider\":\"echo\",\"url\":\"http://h\"}}",
     "endpoints.a.url: echo has none"},
    {"{\"a\":{\"provider\":\"openai\",\"url\":\"host/v1\"}}",
     "endpoints.a.url: 'host/v1' is not a URL like https://host/v1, without user and "
     "password: http:// or https:// is missing before it"},
    {"{\"a\":{\"provider\":\"openai\",\"url\":\"https://me:secret@h/v1\"}}",
     "endpoints.a.url: '...@...' is not a URL like https://host/v1, without user and "
     "password"},
    {"{\"a\":{\"provider\":\"ollama\",\"url\":\"ftp://h\"}}",
     "endpoints.a.url: 'ftp://h' is not a URL like http://host:11434: it begins "
     "neither with http:// nor with https://"},
    {"{\"a\":{\"provider\":\"ollama\",\"url\":\"http://::1:11434\"}}",
     "endpoints.a.url: 'http://::1:11434' is not a URL like http://host:11434: an IPv6 "
     "address stands in brackets, as in http://[::1]:11434"},
    {"{\"a\":{\"provider\":\"openai\",\"url\":\"http://h:99999/v1\"}}",
     "endpoints.a.url: 'http://h:99999/v1' is not a URL like https://host/v1, without "
     "user and password: its port is a number from 1 to 65535"},
    {"{\"a\":{\"provider\":\"openai\",\"url\":\"http:///v1\"}}",
     "endpoints.a.url: 'http:///v1' is not a URL like https://host/v1, without user "
     "and password: its host is missing"},
    {"{\"a\":{\"provider\":\"ollama\",\"url\":\"http://h:1/a b\"}}",
     "endpoints.a.url: 'http://h:1/a b' is not a URL like http://host:11434: a blank, "
     "a "
     "query or a character stands in it that no address has"},
    {"{\"a\":{\"provider\":\"ollama\",\"url\":[]}}",
     "endpoints.a.url is an array, not a URL"},
    {"{\"a\":{" OPENAI ",\"key\":\"sk-secret\"}}",
     "endpoints.a.key: keys come from the environment or a file: key_env, key_file"},
    {"{\"a\":{" OPENAI ",\"key_env\":\"sk-secret\"}}",
     "endpoints.a.key_env is not the name of a variable"},
    {"{\"a\":{" OPENAI ",\"key_env\":\"9A\"}}",
     "endpoints.a.key_env is not the name of a variable"},
    {"{\"a\":{" OPENAI ",\"key_file\":7}}",
     "endpoints.a.key_file is not the path of a file"},
    {"{\"a\":{" OPENAI ",\"key_env\":\"A\",\"key_file\":\"b\"}}",
     "endpoints.a: key_env and key_file are both given"},
    {"{\"a\":{" OPENAI ",\"tier\":\"space\"}}",
     "endpoints.a.tier: 'space' is not local or cloud"},
    {"{\"a\":{" OPENAI ",\"teir\":\"local\"}}",
     "endpoints.a.teir: unknown key, did you mean tier?"},
    {"{\"a\":{" OPENAI ",\"bogus\\u001b[2J\":1}}",
     "endpoints.a.bogus<U+001B>[2J: unknown key"},
    {"{\"a\":{" OPENAI ",\"window\":0}}",
     "endpoints.a.window: 0 is not a whole number from 1 to 100000, none or ask"},
    {"{\"a\":{" OPENAI ",\"window\":1.5}}",
     "endpoints.a.window: 1.5 is not a whole number from 1 to 100000, none or ask"},
    {"{\"a\":{" OPENAI ",\"window\":\"8\"}}",
     "endpoints.a.window: '8' is not a whole number from 1 to 100000, none or ask"},
    {"{\"a\":{" OPENAI ",\"models\":\"m\"}}",
     "endpoints.a.models: 'm' is not a list of model names"},
    {"{\"a\":{" OPENAI ",\"models\":[]}}",
     "endpoints.a.models is an array, not a list of 1 to 256 model names"},
    {"{\"a\":{" OPENAI ",\"models\":[\"m\",7]}}",
     "endpoints.a.models: 7 is not the name of a model"},
    {"{\"a\":{" OPENAI ",\"connect_seconds\":0.05}}",
     "endpoints.a.connect_seconds: 0.05 is not a number of seconds from 0.1 to 3600"},
    {"{\"a\":{" OPENAI ",\"total_seconds\":\"5m\"}}",
     "endpoints.a.total_seconds: '5m' is not a number of seconds from 0.1 to 86400"},
    {"{\"a\":{" OPENAI ",\"price\":1}}",
     "endpoints.a.price: 1 is not an object: prompt, cached, generated"},
    {"{\"a\":{" OPENAI ",\"price\":{\"prompt\":-1}}}",
     "endpoints.a.price.prompt: -1 is not a price per million tokens, from 0 on"},
    {"{\"a\":{" OPENAI ",\"price\":{\"promt\":1}}}",
     "endpoints.a.price.promt: unknown key, did you mean price.prompt?"},
};

static void what_is_wrong_is_named_with_its_key_and_what_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (parse(bad[i].section))
            fail_msg("%s was taken", bad[i].section);
        assert_int_equal(err.code, ERR_USAGE);
        assert_string_equal(err.msg, bad[i].complaint);
        endpoints_done(&list);
    }
}

static void there_are_28_at_most_beside_the_built_in_ones(void **state)
{
    struct config config = {.ollama_url = (char[]){"http://h:1"},
                            .openai_url = (char[]){"https://h/v1"}};
    struct buf json;

    (void)state;
    buf_init(&json, 10000);
    for (int i = 0; i < 28; i++)
        buf_printf(&json, "%s\"e%d\":{\"provider\":\"echo\"}", i == 0 ? "{" : ",", i);
    buf_add_char(&json, '}');
    assert_true(parse(buf_text(&json)));
    endpoints_add_built_in(&list, &config);
    assert_int_equal(list.count, ENDPOINTS_MAX);
    assert_int_equal(list.own, 28);
    assert_false(parse("{\"more\":{\"provider\":\"echo\"}}"));
    assert_non_null(strstr(err.msg, "at most 28"));
    buf_done(&json);
}

static void the_built_in_ones_stand_behind_and_give_way(void **state)
{
    struct config config = {.ollama_url = (char[]){"http://h:11434"},
                            .openai_url = (char[]){"http://127.0.0.1:1234/v1"}};

    (void)state;
    assert_true(parse("{\"openai\":{\"provider\":\"ollama\",\"url\":\"http://x\"}}"));
    endpoints_add_built_in(&list, &config);
    assert_int_equal(list.count, 4);
    assert_int_equal(list.own, 1);
    assert_string_equal(found("openai")->provider, "ollama");
    assert_string_equal(list.items[1].name, "ollama");
    assert_string_equal(found("ollama")->url, "http://h:11434");
    assert_int_equal(found("ollama")->window, 1);
    assert_true(found("ollama")->built_in);
    assert_string_equal(found("simulator")->url, "http://h:11434");
    assert_int_equal(found("simulator")->window, WINDOW_NONE);
    assert_string_equal(found("echo")->url, "");
}

/* The address OpenAI's key goes to on its own is OpenAI's; another's has to be asked
 * for by setting the variable. */
static void openai_has_its_key_from_the_environment(void **state)
{
    static const struct {
        const char *url, *key;
        bool has_key;
    } cases[] = {
        {"https://api.openai.com/v1", NULL, true},
        {"https://api.openai.com.evil.net/v1", NULL, false},
        {"http://127.0.0.1:1234/v1", NULL, false},
        {"http://127.0.0.1:1234/v1", "", false},
        {"http://127.0.0.1:1234/v1", "sk-1", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config config = {.ollama_url = (char[]){"http://h:1"},
                                .openai_url = (char *)(uintptr_t)cases[i].url};

        unsetenv("OPENAI_API_KEY");
        if (cases[i].key != NULL)
            setenv("OPENAI_API_KEY", cases[i].key, 1);
        endpoints_add_built_in(&list, &config);
        if ((found("openai")->key_env != NULL) != cases[i].has_key)
            fail_msg("%s", cases[i].url);
        endpoints_done(&list);
    }
}

static void a_model_may_name_its_endpoint(void **state)
{
    static const struct {
        const char *text, *endpoint, *model;
    } cases[] = {
        {"cloud:gpt-4o-mini", "cloud", "gpt-4o-mini"},
        {"cloud:a:b", "cloud", "a:b"},
        {"cloud", "cloud", "first"},
        {"cloud:", "cloud", "first"},
        {"bare", "bare", NULL},
        {"llama3.2:3b", NULL, "llama3.2:3b"},
        {"clouds:x", NULL, "clouds:x"},
        {"", NULL, ""},
    };

    (void)state;
    assert_true(parse("{\"cloud\":{" OPENAI ",\"models\":[\"first\",\"second\"]},"
                      "\"bare\":{\"provider\":\"echo\"}}"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *model = "untouched";
        const struct endpoint *endpoint =
            endpoint_of_model(&list, cases[i].text, &model);

        if ((endpoint == NULL) != (cases[i].endpoint == NULL)
            || (model == NULL) != (cases[i].model == NULL))
            fail_msg("%s", cases[i].text);
        if (endpoint != NULL)
            assert_string_equal(endpoint->name, cases[i].endpoint);
        if (model != NULL)
            assert_string_equal(model, cases[i].model);
    }
}

static void an_endpoint_serves_what_it_lists_or_everything(void **state)
{
    (void)state;
    assert_true(parse("{\"a\":{" OPENAI ",\"models\":[\"x\",\"y:latest\",\"z:7b\"]},"
                      "\"b\":{\"provider\":\"echo\"}}"));
    assert_true(endpoint_serves(found("a"), "x"));
    assert_true(endpoint_serves(found("a"), "x:latest"));
    assert_true(endpoint_serves(found("a"), "y"));
    assert_true(endpoint_serves(found("a"), "z:7b"));
    assert_false(endpoint_serves(found("a"), "z"));
    assert_false(endpoint_serves(found("a"), "x:7b"));
    assert_true(endpoint_serves(found("b"), "whatever"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_member_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_out_follows_from_provider_and_host,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_wrong_is_named_with_its_key_and_what_is_allowed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_are_28_at_most_beside_the_built_in_ones,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_built_in_ones_stand_behind_and_give_way,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(openai_has_its_key_from_the_environment, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_model_may_name_its_endpoint, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_endpoint_serves_what_it_lists_or_everything,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
