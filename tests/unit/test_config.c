/* test_config.c - flags, environment and the config file brought together. */
#include "test_config_rig.h"

static void without_anything_the_defaults_hold(void **state)
{
    (void)state;
    expect_go(FOR_RUN, NULL, NULL);
    assert_int_equal(loaded.values.personas, 2);
    assert_int_equal(loaded.values.max_turns, 50);
    assert_int_equal(loaded.values.duration_ms, 300000);
    assert_string_equal(loaded.values.provider, "ollama");
    assert_string_equal(loaded.values.ollama_url, "http://127.0.0.1:11434");
    assert_string_equal(config_model(&loaded.values, 1), "llama3.2");
    assert_int_equal(loaded.values.seed, OPT_NONE);
    assert_null(config_redis_url(&loaded));
    assert_int_equal(loaded.rest, 0);
    config_done(&loaded);
}

static void a_file_gives_values_of_every_kind(void **state)
{
    static const char file[] =
        "{\"redis\":{\"host\":\"db\",\"port\":6380,\"db\":3},"
        "\"conversation\":{\"topic\":\"T\",\"duration_seconds\":90.5,"
        "\"max_turns\":7.0,\"grace_seconds\":0},"
        "\"model\":{\"name\":\"all\",\"temperature\":1,\"seed\":null,"
        "\"seats\":{\"2\":\"two\",\"16\":\"last\"}},"
        "\"simulator\":{\"reply_tokens\":\"3..9\"},"
        "\"logging\":{\"level\":\"WARN\"}}";
    char *url;

    (void)state;
    expect_go(FOR_RUN, file, NULL);
    assert_string_equal(loaded.values.topic, "T");
    assert_int_equal(loaded.values.duration_ms, 90500);
    assert_int_equal(loaded.values.max_turns, 7);
    assert_int_equal(loaded.values.grace_ms, 0);
    assert_true(loaded.values.temperature >= 1 && loaded.values.temperature <= 1);
    assert_int_equal(loaded.values.seed, OPT_NONE);
    assert_int_equal(loaded.values.reply_tokens.low, 3);
    assert_int_equal(loaded.values.reply_tokens.high, 9);
    assert_string_equal(config_model(&loaded.values, 1), "all");
    assert_string_equal(config_model(&loaded.values, 2), "two");
    assert_string_equal(config_model(&loaded.values, 16), "last");
    assert_string_equal(config_model(&loaded.values, 17), "all");
    assert_string_equal(config_model(&loaded.values, 0), "all");
    assert_string_equal(loaded.set.file, path);
    url = config_redis_url(&loaded);
    assert_string_equal(url, "redis://db:6380/3");
    free(url);
    config_done(&loaded);
}

#define KNOWN_SECTIONS                                                           \
    ": there are endpoints, tiers, conversation, model, router, hybrid, redis, " \
    "fleet, live, "                                                              \
    "run, simulator, logging"

/* Files that stop the start; the message behind "<path>: ". */
static const struct {
    const char *file, *message;
} bad_files[] = {
    {"{\"bogus\":{\"a\":1}}", "unknown section bogus" KNOWN_SECTIONS},
    {"{\"bogus\":{}}", "unknown section bogus" KNOWN_SECTIONS},
    {"{\"\":{}}", "unknown section " KNOWN_SECTIONS},
    {"{\"model\":{\"nmae\":\"x\"}}", "unknown key model.nmae, did you mean name?"},
    {"{\"hybrid\":{\"openning\":true}}",
     "unknown key hybrid.openning, did you mean opening?"},
    {"{\"run\":{\"zebra\":1}}", "unknown key run.zebra"},
    {"{\"model\":{\"\":1}}", "unknown key model."},
    {"{\"model\":{\"a\\u001b[2J\":1}}", "unknown key model.a<U+001B>[2J"},
    {"{\"conversation\":{\"turns\":5}}", "unknown key conversation.turns"},
    {"{\"model\":7}", "model is a number, not an object"},
    {"{\"model\":null}", "model is null, not an object"},
    {"[]", NULL},
    {"7", NULL},
    {"{\"conversation\":{\"max_turns\":0}}",
     "conversation.max_turns: '0' is not a whole number from 1 to 1000000, or none"},
    {"{\"conversation\":{\"max_turns\":1000001}}",
     "conversation.max_turns: '1000001' is not a whole number from 1 to 1000000, or "
     "none"},
    {"{\"conversation\":{\"max_turns\":\"50\"}}",
     "conversation.max_turns: '50' is a string, not a whole number from 1 to 1000000, "
     "or "
     "none"},
    {"{\"conversation\":{\"max_turns\":7.5}}",
     "conversation.max_turns is a number, not a whole number from 1 to 1000000, or "
     "none"},
    {"{\"conversation\":{\"personas\":null}}",
     "conversation.personas is null, not a whole number from 2 to 16"},
    {"{\"conversation\":{\"personas\":true}}",
     "conversation.personas is true, not a whole number from 2 to 16"},
    {"{\"conversation\":{\"personas\":[2]}}",
     "conversation.personas is an array, not a whole number from 2 to 16"},
    {"{\"conversation\":{\"duration_seconds\":\"5m\"}}",
     "conversation.duration_seconds: '5m' is a string, not a duration like 90, 20s, "
     "5m, 1h30m or 7d, from 1s to 720h, or none"},
    {"{\"conversation\":{\"duration_seconds\":0.5}}",
     "conversation.duration_seconds: '0.5' is not a duration like 90, 20s, 5m, "
     "1h30m or 7d, from 1s to 720h, or none"},
    {"{\"conversation\":{\"grace_seconds\":-1}}",
     "conversation.grace_seconds: '-1' is not a duration like 90, 20s, 5m, "
     "1h30m or 7d, from 0s to 1h"},
    {"{\"model\":{\"temperature\":\"hot\"}}",
     "model.temperature: 'hot' is a string, not a number from 0 to 5"},
    {"{\"model\":{\"temperature\":5.5}}",
     "model.temperature: '5.5' is not a number from 0 to 5"},
    {"{\"model\":{\"provider\":\"abacus\"}}",
     "model.provider: 'abacus' is not one of ollama|openai|simulator|echo"},
    {"{\"model\":{\"name\":7}}",
     "model.name is a number, not NAME or SEAT=NAME with a seat from 1 to 16"},
    {"{\"conversation\":{\"topic\":{}}}",
     "conversation.topic is an object, not a text"},
    {"{\"model\":{\"seats\":[]}}", "model.seats is an array, not an object"},
    {"{\"model\":{\"seats\":{\"0\":\"x\"}}}",
     "model.seats: '0' is not a seat from 1 to 16"},
    {"{\"model\":{\"seats\":{\"17\":\"x\"}}}",
     "model.seats: '17' is not a seat from 1 to 16"},
    {"{\"model\":{\"seats\":{\"02\":\"x\"}}}",
     "model.seats: '02' is not a seat from 1 to 16"},
    {"{\"model\":{\"seats\":{\"ada\":\"x\"}}}",
     "model.seats: 'ada' is not a seat from 1 to 16"},
    {"{\"model\":{\"seats\":{\"2\":7}}}",
     "model.seats.2 is a number, not the name of a model"},
    {"{\"model\":{\"seats\":{\"2\":\"\"}}}",
     "model.seats.2 is empty, not the name of a model"},
    {"{\"model\":{\"name\":\"x\"},\"model\":{}}", NULL}, /* a key twice */
    {"{\"model\":{\"name\":\"x\"}", NULL},
    {"", NULL},
};

static void a_bad_file_stops_the_start_and_names_key_value_and_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_files); i++) {
        size_t len = strlen(path);

        if (load(FOR_RUN, bad_files[i].file, NULL) != CONFIG_BAD)
            fail_msg("%s was taken", bad_files[i].file);
        assert_int_equal(err.code, ERR_USAGE);
        if (strncmp(err.msg, path, len) != 0)
            fail_msg("%s", err.msg);
        if (bad_files[i].message != NULL)
            assert_string_equal(err.msg + len + 2, bad_files[i].message);
        config_done(&loaded);
    }
}

static void a_bad_value_in_the_file_stops_the_start_also_under_a_flag(void **state)
{
    static const char *const words[] = {"--turns=5", NULL};

    (void)state;
    assert_int_equal(load(FOR_RUN, "{\"conversation\":{\"max_turns\":0}}", words),
                     CONFIG_BAD);
    config_done(&loaded);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    static const char *const words[] = {"--config", "/nowhere/a.json", NULL};

    (void)state;
    assert_int_equal(load(FOR_RUN, NULL, words), CONFIG_BAD);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "--config: /nowhere/a.json"));
    config_done(&loaded);
}

static void flags_win_over_the_environment_and_that_over_the_file(void **state)
{
    static const char file[] =
        "{\"conversation\":{\"personas\":3,\"topic\":\"file\",\"conversations\":3}}";
    static const char *const words[] = {"--personas", "5", "word", NULL};

    (void)state;
    setenv("PARLEY_PERSONAS", "4", 1);
    setenv("PARLEY_TOPIC", "environment", 1);
    expect_go(FOR_RUN, file, words);
    assert_int_equal(loaded.values.personas, 5);
    assert_string_equal(loaded.values.topic, "environment");
    assert_int_equal(loaded.values.conversations, 3);
    assert_int_equal(loaded.rest, 1);
    config_done(&loaded);
}

static void the_file_may_be_named_by_the_environment(void **state)
{
    (void)state;
    setenv("PARLEY_CONFIG", path, 1);
    assert_true(file_write(path, str_of("{\"conversation\":{\"personas\":3}}"), &err));
    expect_go(FOR_RUN, NULL, NULL);
    assert_int_equal(loaded.values.personas, 3);
    config_done(&loaded);
}

static void one_limit_alone_takes_the_other_away(void **state)
{
    static const struct {
        const char *words[3], *file;
        int64_t turns, duration_ms;
    } cases[] = {
        {{NULL}, NULL, 50, 300000},
        {{"--turns=7"}, NULL, 7, OPT_NONE},
        {{"--duration=1m"}, NULL, OPT_NONE, 60000},
        {{"--turns=7", "--duration=1m"}, NULL, 7, 60000},
        {{"--turns=none"}, NULL, OPT_NONE, 300000},
        {{"--duration=none"}, NULL, 50, OPT_NONE},
        {{"--turns=none", "--duration=none"}, NULL, OPT_NONE, OPT_NONE},
        {{"--turns=7", "--duration=none"}, NULL, 7, OPT_NONE},
        {{NULL}, "{\"conversation\":{\"max_turns\":7}}", 7, OPT_NONE},
        {{NULL}, "{\"conversation\":{\"duration_seconds\":60}}", OPT_NONE, 60000},
        {{"--turns=7"}, "{\"conversation\":{\"duration_seconds\":60}}", 7, 60000},
        {{NULL}, "{\"conversation\":{\"max_turns\":\"none\"}}", OPT_NONE, 300000},
        {{NULL}, "{\"conversation\":{\"max_turns\":null}}", OPT_NONE, 300000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        expect_go(FOR_RUN, cases[i].file, cases[i].words);
        if (loaded.values.max_turns != cases[i].turns
            || loaded.values.duration_ms != cases[i].duration_ms)
            fail_msg("case %zu", i);
        config_done(&loaded);
    }
}

static void an_observer_is_not_told_by_the_files_part_for_run(void **state)
{
    static const char *const words[] = {"--mode=json", NULL};

    (void)state;
    expect_go(FOR_OBSERVE, "{\"run\":{\"observe\":\"none\"}}", words);
    assert_string_equal(loaded.values.mode, "json");
    config_done(&loaded);
}

static void the_model_server_comes_in_one_form(void **state)
{
    (void)state;
    setenv("OLLAMA_HOST", "0.0.0.0:99", 1);
    expect_go(FOR_WORKER, NULL, NULL);
    assert_string_equal(loaded.values.ollama_url, "http://127.0.0.1:99");
    config_done(&loaded);
    setenv("OLLAMA_HOST", "ftp://a\x1B", 1);
    assert_int_equal(load(FOR_WORKER, NULL, NULL), CONFIG_BAD);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "ftp://a<U+001B>"));
    config_done(&loaded);
}

static void a_redis_url_wins_over_its_parts(void **state)
{
    static const char *const words[] = {"--redis-host=h", NULL};
    char *url;

    (void)state;
    expect_go(FOR_RUN, NULL, words);
    url = config_redis_url(&loaded);
    assert_string_equal(url, "redis://h:6379/0");
    free(url);
    config_done(&loaded);
    setenv("REDIS_URL", "unix:///run/r.sock", 1);
    expect_go(FOR_RUN, NULL, words);
    url = config_redis_url(&loaded);
    assert_string_equal(url, "unix:///run/r.sock");
    free(url);
    config_done(&loaded);
}

static void a_flag_of_another_command_is_unknown(void **state)
{
    static const char *const words[] = {"--topic=x", NULL};

    (void)state;
    assert_int_equal(load(FOR_OBSERVE, NULL, words), CONFIG_BAD);
    assert_non_null(strstr(err.msg, "unknown option --topic"));
    config_done(&loaded);
    expect_go(FOR_CHECK, NULL, words); /* check-config takes them all */
    assert_string_equal(loaded.values.topic, "x");
    config_done(&loaded);
}

static void help_version_and_show_config_print_and_are_over(void **state)
{
    static const struct {
        const char *words[3];
        const char *line;
    } cases[] = {
        {{"--help"}, "  --turns N "},
        {{"--help", "--show-config"}, "Usage: parley test [--turns N]\n"},
        {{"--version"}, "parley "},
        {{"--show-config"}, "conversation.max_turns         50 "},
        {{"--show-config", "--turns=7"}, "conversation.max_turns         7 "},
    };

    (void)state;
    setenv("PARLEY_CONFIG", "/nowhere", 1); /* nothing is read for help or version */
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text;

        if (i == 3)
            unsetenv("PARLEY_CONFIG");
        text = printed(FOR_RUN, NULL, cases[i].words);

        if (strstr(text, cases[i].line) == NULL)
            fail_msg("case %zu: %s", i, text);
        free(text);
    }
}

static void run_json_tells_values_and_sources_without_the_redis_url(void **state)
{
    static const char *const words[] = {"--redis=redis://:secret@h", "--turns=7",
                                        "--topic=a\"b", NULL};
    struct buf text;

    (void)state;
    setenv("PARLEY_PERSONAS", "3", 1);
    expect_go(FOR_RUN, "{\"conversation\":{\"conversations\":2}}", words);
    buf_init(&text, 1 << 20);
    assert_true(config_to_json(&loaded, FOR_RUN, &text));
    assert_null(strstr(buf_text(&text), "secret"));
    assert_non_null(strstr(buf_text(&text), ",\"config\":{\"conversation.topic\":"
                                            "\"a\\\"b\",\"conversation.story\":\"\","));
    assert_non_null(strstr(buf_text(&text), "\"conversation.max_turns\":\"7\""));
    assert_non_null(strstr(buf_text(&text), "\"conversation.max_turns\":\"flag\""));
    assert_non_null(
        strstr(buf_text(&text), "\"conversation.personas\":\"environment\""));
    assert_non_null(strstr(buf_text(&text), "\"conversation.conversations\":\"file\""));
    assert_non_null(strstr(buf_text(&text), "\"model.temperature\":\"default\""));
    buf_done(&text);
    config_done(&loaded);
}

#define TEST(name) cmocka_unit_test_setup(name, clear_environment)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_anything_the_defaults_hold),
        TEST(a_file_gives_values_of_every_kind),
        TEST(a_bad_file_stops_the_start_and_names_key_value_and_range),
        TEST(a_bad_value_in_the_file_stops_the_start_also_under_a_flag),
        TEST(a_file_that_is_not_there_is_named),
        TEST(flags_win_over_the_environment_and_that_over_the_file),
        TEST(the_file_may_be_named_by_the_environment),
        TEST(one_limit_alone_takes_the_other_away),
        TEST(an_observer_is_not_told_by_the_files_part_for_run),
        TEST(the_model_server_comes_in_one_form),
        TEST(a_redis_url_wins_over_its_parts),
        TEST(a_flag_of_another_command_is_unknown),
        TEST(help_version_and_show_config_print_and_are_over),
        TEST(run_json_tells_values_and_sources_without_the_redis_url),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
