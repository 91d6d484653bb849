/* test_config_endpoints.c - model servers, options of models and rules of the router as
 * they come in by flags, variables and the file, and what is told of them.
 */
#include "proto/schema.h"
#include "test_config_rig.h"

static const char two[] =
    "{\"endpoints\":{\"box\":{\"provider\":\"ollama\","
    "\"url\":\"http://me:secret@box\",\"window\":2},"
    "\"cloud\":{\"provider\":\"openai\",\"url\":\"https://h/v1\","
    "\"key_env\":\"SOME_KEY\",\"total_seconds\":60,\"price\":{\"prompt\":0.5}}},"
    "\"model\":{\"options\":{\"top_p\":0.5},\"think\":true},"
    "\"tiers\":{\"local\":{\"first_token_seconds\":1.5,\"total_seconds\":20}},"
    "\"router\":{\"strategy\":\"hybrid\",\"give_up_seconds\":30},"
    "\"hybrid\":{\"opening\":true,\"seats\":\"1,3\",\"latency_seconds\":2.5}}";

static void the_file_gives_endpoints_and_rules(void **state)
{
    const struct config *config = &loaded.values;

    (void)state;
    expect_go(FOR_RUN, two, NULL);
    assert_int_equal(config->endpoints.own, 2);
    assert_int_equal(config->endpoints.count, 6);
    assert_string_equal(config->endpoints.items[0].name, "box");
    assert_string_equal(config->endpoints.items[5].name, "echo");
    assert_int_equal(config->endpoints.tiers[TIER_LOCAL].first_token_ms, 1500);
    assert_int_equal(config->endpoints.tiers[TIER_LOCAL].total_ms, 20000);
    assert_int_equal(config->endpoints.tiers[TIER_LOCAL].connect_ms, 0);
    assert_int_equal(config->endpoints.tiers[TIER_CLOUD].total_ms, 0);
    assert_string_equal(config->options, "{\"top_p\":0.5}");
    assert_string_equal(config->think, "true");
    assert_string_equal(config->strategy, "hybrid");
    assert_int_equal(config->give_up_ms, 30000);
    assert_true(config->hybrid_opening);
    assert_false(config->hybrid_closing);
    assert_string_equal(config->hybrid_seats, "1,3");
    assert_int_equal(config->hybrid_latency_ms, 2500);
    config_done(&loaded);
}

static void a_flag_that_the_file_sets_may_be_taken_back(void **state)
{
    static const char *const words[] = {"--hybrid-opening=false", "--think=low", NULL};

    (void)state;
    expect_go(FOR_RUN, two, words);
    assert_false(loaded.values.hybrid_opening);
    assert_string_equal(loaded.values.think, "low");
    config_done(&loaded);
}

static void without_a_file_there_are_the_built_in_ones(void **state)
{
    const struct endpoint_list *list = &loaded.values.endpoints;

    (void)state;
    setenv("OPENAI_BASE_URL", "http://localhost:1234/v1/", 1);
    expect_go(FOR_RUN, NULL, NULL);
    assert_int_equal(list->own, 0);
    assert_int_equal(list->count, 4);
    assert_string_equal(endpoint_find(list, str_of("openai"))->url,
                        "http://localhost:1234/v1");
    assert_int_equal(loaded.values.hybrid_latency_ms, OPT_NONE);
    assert_int_equal(loaded.values.give_up_ms, OPT_NONE);
    assert_null(loaded.warnings);
    config_done(&loaded);
}

static const struct {
    const char *words[3], *variable, *value, *file, *complaint;
} bad[] = {
    {.words = {"--openai=host/v1"},
     .complaint = "--openai: 'host/v1' is not a URL like https://host/v1, without "
                  "user and password: http:// or https:// is missing before it"},
    {.words = {"--openai="},
     .complaint = "--openai: '' is not a URL like https://host/v1, without user and "
                  "password"},
    {.words = {"--ollama="},
     .complaint = "--ollama: '' is not a URL like http://host:11434"},
    {.variable = "OPENAI_BASE_URL",
     .value = "https://me:secret@h",
     .complaint = "OPENAI_BASE_URL: '...@...' is not a URL like https://host/v1, "
                  "without user and password"},
    {.words = {"--options={\"top_pp\":1}"},
     .complaint = "--options: top_pp: no such option, did you mean top_p?"},
    {.words = {"--options=top_p"},
     .complaint = "--options: line 1, column 3: invalid token near 'top'"},
    {.variable = "PARLEY_OPTIONS",
     .value = "[]",
     .complaint = "PARLEY_OPTIONS: an array, not an object with options"},
    {.file = "{\"model\":{\"options\":{\"num_ctx\":1}}}",
     .complaint = "FILE: model.options: num_ctx has a place of its own, beside "
                  "options"},
    {.file = "{\"model\":{\"options\":7}}",
     .complaint = "FILE: model.options is a number, not an object"},
    {.words = {"--hybrid-seats=1,17"},
     .complaint = "--hybrid-seats: '1,17' is not a list of seats from 1 to 16, "
                  "comma between"},
    {.words = {"--hybrid-seats=1,,2"},
     .complaint = "--hybrid-seats: '1,,2' is not a list of seats from 1 to 16, "
                  "comma between"},
    {.file = "{\"hybrid\":{\"seats\":\"1,x\"}}",
     .complaint = "FILE: hybrid.seats: '1,x' is not a list of seats from 1 to 16, "
                  "comma between"},
    {.words = {"--think=hard"},
     .complaint = "--think: 'hard' is not one of true|false|low|medium|high|max"},
    {.file = "{\"model\":{\"think\":1}}",
     .complaint = "FILE: model.think is a number, not one of "
                  "true|false|low|medium|high|max"},
    {.file = "{\"model\":{\"provider\":true}}",
     .complaint = "FILE: model.provider is true, not one of "
                  "ollama|openai|simulator|echo"},
    {.file = "{\"tiers\":{\"cloud\":{\"window\":2}}}",
     .complaint = "FILE: tiers.cloud.window: unknown key"},
    {.file = "{\"tiers\":{\"cloud\":{\"conect_seconds\":2}}}",
     .complaint = "FILE: tiers.cloud.conect_seconds: unknown key, did you mean "
                  "connect_seconds?"},
    {.file = "{\"tiers\":{\"local\":{\"total_seconds\":0}}}",
     .complaint = "FILE: tiers.local.total_seconds: 0 is not a number of seconds from "
                  "0.1 to 86400"},
    {.file = "{\"tiers\":{\"middle\":{}}}",
     .complaint = "FILE: tiers: 'middle' is not local or cloud"},
    {.file = "{\"tiers\":{\"local\":2}}",
     .complaint = "FILE: tiers.local is a number, not an object"},
    {.file = "{\"tiers\":[]}", .complaint = "FILE: tiers is an array, not an object"},
    {.file = "{\"endpoints\":{\"a\":{\"provider\":\"openai\"}}}",
     .complaint = "FILE: endpoints.a.url is missing"},
    {.file = "{\"endpoints\":[]}",
     .complaint = "FILE: endpoints is an array, not an object"},
};

static void what_is_wrong_is_told_with_where_it_stands(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *wanted = bad[i].complaint;
        char *with_path = NULL;

        if (strncmp(wanted, "FILE", 4) == 0)
            with_path = x_printf("%s%s", path, wanted + 4);
        if (bad[i].variable != NULL)
            setenv(bad[i].variable, bad[i].value, 1);
        assert_int_equal(load(FOR_RUN, bad[i].file, bad[i].words), CONFIG_BAD);
        assert_int_equal(err.code, ERR_USAGE);
        assert_string_equal(err.msg, with_path == NULL ? wanted : with_path);
        if (bad[i].variable != NULL)
            unsetenv(bad[i].variable);
        free(with_path);
        config_done(&loaded);
    }
}

static void what_is_not_wise_is_warned_of(void **state)
{
    (void)state;
    setenv("PARLEY_TURNSS", "7", 1);
    setenv("PARLEY_BUILD", "not an option, and not meant as one", 1);
    expect_go(FOR_RUN,
              "{\"endpoints\":{\"open\":{\"provider\":\"openai\","
              "\"url\":\"http://models.example.com/v1\",\"key_env\":\"K\"}}}",
              NULL);
    assert_string_equal(loaded.warnings,
                        "the variable PARLEY_TURNSS names no option, did you mean "
                        "PARLEY_TURNS?\n"
                        "the key of endpoint open goes over the net unencrypted: its "
                        "url should begin with https://\n");
    config_done(&loaded);
}

static void run_json_tells_endpoints_without_secrets(void **state)
{
    static const char *const words[] = {"--ollama=http://me:secret@h", NULL};
    json_t *document = NULL;
    const json_t *config;
    const json_t *sources;
    struct buf text;

    (void)state;
    setenv("SOME_KEY", "secret-key", 1);
    expect_go(FOR_RUN, two, words);
    buf_init(&text, 1 << 20);
    buf_add_text(&text, "{\"a\":0");
    config_to_json(&loaded, FOR_RUN, &text);
    assert_true(buf_add_char(&text, '}'));
    assert_null(strstr(buf_text(&text), "secret"));
    assert_true(json_read(buf_str(&text), &document, &err));
    config = json_object_get(document, "config");
    sources = json_object_get(document, "sources");
    assert_string_equal(json_string_value(json_object_get(config, "endpoints.box.url")),
                        "http://box:11434");
    assert_string_equal(
        json_string_value(json_object_get(config, "endpoints.cloud.key_env")),
        "SOME_KEY");
    assert_string_equal(
        json_string_value(json_object_get(config, "endpoints.cloud.price.prompt")),
        "0.5");
    assert_string_equal(
        json_string_value(json_object_get(sources, "endpoints.cloud.price.prompt")),
        "file");
    assert_string_equal(
        json_string_value(json_object_get(config, "tiers.local.first_token_seconds")),
        "1.5s");
    assert_null(json_object_get(config, "tiers.cloud.first_token_seconds"));
    assert_null(json_object_get(config, "endpoints.cloud.key_file"));
    assert_null(json_object_get(config, "endpoints.ollama.url")); /* follows */
    assert_string_equal(json_string_value(json_object_get(config, "model.ollama_url")),
                        "http://h:11434");
    assert_int_equal(json_object_size(config), json_object_size(sources));
    json_decref(document);
    buf_done(&text);
    config_done(&loaded);
}

static void show_config_shows_endpoints_and_where_they_are_from(void **state)
{
    static const char *const words[] = {"--show-config", NULL};
    char *text = printed(FOR_RUN, two, words);
    char *line = x_printf("endpoints.cloud.total_seconds  1m                       "
                          "(config file %s)\n",
                          path);

    (void)state;
    if (strstr(text, line) == NULL)
        fail_msg("%s", text);
    assert_null(strstr(text, "secret"));
    assert_non_null(strstr(text, "endpoints.box.window           2 "));
    assert_non_null(strstr(text, "endpoints.openai.tier          cloud   "
                                 "                 (built in)\n"));
    assert_non_null(strstr(text, "tiers.local.total_seconds      20s "));
    assert_null(strstr(text, "endpoints.box.key_env"));
    free(line);
    free(text);
}

static void help_stays_within_80_columns_and_has_headings(void **state)
{
    static const char *const words[] = {"--help", NULL};
    char *text = printed(FOR_RUN, NULL, words);
    struct str rest = str_of(text);

    (void)state;
    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);

        if (line.len > 80)
            fail_msg("%zu letters: %.*s", line.len, (int)line.len, line.at);
    }
    assert_non_null(strstr(text, "\nThe model:\n  --provider NAME"));
    assert_non_null(strstr(text, "\nRedis:\n"));
    assert_null(strstr(text, "(null)"));
    free(text);
}

#define TEST(name) cmocka_unit_test_setup(name, clear_environment)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_gives_endpoints_and_rules),
        TEST(a_flag_that_the_file_sets_may_be_taken_back),
        TEST(without_a_file_there_are_the_built_in_ones),
        TEST(what_is_wrong_is_told_with_where_it_stands),
        TEST(what_is_not_wise_is_warned_of),
        TEST(run_json_tells_endpoints_without_secrets),
        TEST(show_config_shows_endpoints_and_where_they_are_from),
        TEST(help_stays_within_80_columns_and_has_headings),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
