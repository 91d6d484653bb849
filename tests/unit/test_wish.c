/* test_wish.c - what somebody wants of a conversation: through JSON and back, and from
 * the options.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "proto/config.h"
#include "proto/wish.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void same_text(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        assert_ptr_equal(a, b);
    else
        assert_string_equal(a, b);
}

static void same_wish(const struct wish *a, const struct wish *b)
{
    same_text(a->topic, b->topic);
    same_text(a->story_file, b->story_file);
    assert_int_equal(a->personas, b->personas);
    assert_int_equal(a->max_turns, b->max_turns);
    assert_int_equal(a->duration_ms, b->duration_ms);
    assert_int_equal(a->grace_ms, b->grace_ms);
    assert_int_equal(a->pass_on_failure, b->pass_on_failure);
    assert_int_equal(a->max_issues, b->max_issues);
    same_text(a->model.provider, b->model.provider);
    same_text(a->model.model, b->model.model);
    same_text(a->model.endpoint, b->model.endpoint);
    same_text(a->model.fallback, b->model.fallback);
    same_text(a->model.options, b->model.options);
    same_text(a->model.think, b->model.think);
    assert_int_equal(a->structured, b->structured);
    assert_int_equal(a->model.num_ctx, b->model.num_ctx);
    assert_int_equal(a->model.num_predict, b->model.num_predict);
    assert_int_equal(a->model.seed, b->model.seed);
    assert_int_equal(isnan(a->model.temperature) != 0,
                     isnan(b->model.temperature) != 0);
    if (!isnan(a->model.temperature))
        assert_true(fabs(a->model.temperature - b->model.temperature) < 1e-6);
    for (int i = 0; i <= SEATS_MAX; i++)
        same_text(a->models[i], b->models[i]);
}

static void expect_comes_back(const struct wish *wish)
{
    struct wish again;
    struct err err = {0};
    struct buf json;

    buf_init(&json, 1 << 20);
    assert_true(wish_format(wish, &json));
    if (!wish_parse(buf_str(&json), &again, &err))
        fail_msg("%s: %s", buf_text(&json), err.msg);
    same_wish(&again, wish);
    wish_done(&again);
    buf_done(&json);
}

static void a_wish_of_defaults_comes_back(void **state)
{
    struct wish wish;

    (void)state;
    wish_init(&wish);
    wish.max_turns = 1;
    expect_comes_back(&wish);
    wish_done(&wish);
}

static void a_wish_with_everything_comes_back(void **state)
{
    struct wish wish;

    (void)state;
    wish_init(&wish);
    wish.topic = x_strdup("quotes \" \\ and \xE2\x82\xAC\n");
    wish.story_file = x_strdup("{\"setting\":\"a \\\"b\\\"\"}");
    wish.personas = SEATS_MAX;
    wish.max_turns = 1000000;
    wish.duration_ms = INT64_C(30) * 86400000;
    wish.grace_ms = 0;
    wish.pass_on_failure = true;
    wish.max_issues = 100;
    wish.model.provider = x_strdup("echo");
    wish.model.model = x_strdup("llama3.2:3b");
    wish.model.endpoint = x_strdup("cloud");
    wish.model.fallback = x_strdup("local,spare:x");
    wish.model.options = x_strdup("{\"num_batch\":1,\"top_p\":0.5}");
    wish.model.think = x_strdup("max");
    wish.structured = true;
    wish.model.num_ctx = 4194304;
    wish.model.num_predict = 1;
    wish.model.temperature = 0.75;
    wish.model.seed = 2147483647;
    wish.models[1] = x_strdup("one");
    wish.models[SEATS_MAX] = x_strdup("last=x");
    expect_comes_back(&wish);
    assert_string_equal(wish_model(&wish, 1), "one");
    assert_string_equal(wish_model(&wish, 2), "llama3.2:3b");
    assert_string_equal(wish_model(&wish, SEATS_MAX), "last=x");
    assert_string_equal(wish_model(&wish, 0), "llama3.2:3b");
    assert_string_equal(wish_model(&wish, SEATS_MAX + 1), "llama3.2:3b");
    wish_done(&wish);
    assert_null(wish_model(&wish, 1));
}

static void a_short_document_gets_the_defaults(void **state)
{
    struct wish wish;
    struct wish defaults;
    struct err err = {0};

    (void)state;
    wish_init(&defaults);
    defaults.max_turns = 7;
    assert_true(wish_parse(str_of("{\"max_turns\":7,\"topic\":null,\"unknown\":[1]}"),
                           &wish, &err));
    same_wish(&wish, &defaults);
    wish_done(&wish);
}

static void documents_from_outside_are_looked_at(void **state)
{
    static const struct {
        const char *json, *message; /* how it begins; NULL: any */
    } bad[] = {
        {"", NULL},
        {"{", NULL},
        {"[]", "/: expected an object"},
        {"7", "/: expected an object"},
        {"null", "/: expected an object"},
        {"{}", "/: expected max_turns or duration_ms"},
        {"{\"max_turns\":null,\"duration_ms\":null}", "/: expected max_turns or"},
        {"{\"max_turns\":0}", "/max_turns: expected a whole number from 1 to 1000000"},
        {"{\"max_turns\":-1}", "/max_turns:"},
        {"{\"max_turns\":1000001}", "/max_turns:"},
        {"{\"max_turns\":7.5}", "/max_turns:"},
        {"{\"max_turns\":\"7\"}", "/max_turns:"},
        {"{\"max_turns\":99999999999999999999}", NULL},
        {"{\"max_turns\":7,\"personas\":1}",
         "/personas: expected a whole number from 2"},
        {"{\"max_turns\":7,\"personas\":17}", "/personas:"},
        {"{\"max_turns\":7,\"personas\":true}", "/personas:"},
        {"{\"duration_ms\":0}", "/duration_ms:"},
        {"{\"duration_ms\":9223372036854775807}", "/duration_ms:"},
        {"{\"max_turns\":7,\"grace_ms\":-1}", "/grace_ms:"},
        {"{\"max_turns\":7,\"max_issues\":0}", "/max_issues:"},
        {"{\"max_turns\":7,\"max_issues\":101}", "/max_issues:"},
        {"{\"max_turns\":7,\"num_ctx\":255}", "/num_ctx:"},
        {"{\"max_turns\":7,\"num_predict\":0}", "/num_predict:"},
        {"{\"max_turns\":7,\"seed\":2147483648}", "/seed:"},
        {"{\"max_turns\":7,\"structured\":\"yes\"}",
         "/structured: expected true or false"},
        {"{\"max_turns\":7,\"endpoint\":7}", "/endpoint:"},
        {"{\"max_turns\":7,\"think\":\"hard\"}", "/think:"},
        {"{\"max_turns\":7,\"options\":{\"top_pp\":1}}", "/options: top_pp: no such"},
        {"{\"max_turns\":7,\"options\":\"{}\"}", "/options:"},
        {"{\"max_turns\":7,\"models\":{\"0\":\"x\"}}", "/models: expected model names"},
        {"{\"max_turns\":7,\"models\":{\"17\":\"x\"}}", "/models:"},
        {"{\"max_turns\":7,\"models\":{\"a\":\"x\"}}", "/models:"},
        {"{\"max_turns\":7,\"models\":{\"2\":7}}", "/models:"},
        {"{\"max_turns\":7,\"models\":{\"2\":\"x\",\"2\":\"y\"}}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct wish wish;
        struct err err = {0};

        memset(&wish, 0x55, sizeof wish);
        if (wish_parse(str_of(bad[i].json), &wish, &err))
            fail_msg("%s", bad[i].json);
        assert_int_equal(err.code, ERR_FORMAT);
        assert_int_equal(wish.personas, 0x5555555555555555); /* untouched */
        if (bad[i].message != NULL && strstr(err.msg, bad[i].message) != err.msg)
            fail_msg("%s: %s", bad[i].json, err.msg);
    }
}

/* ---- from the options ---- */

static struct config_loaded loaded;

/* --simulate is for `parley run`, which takes all that `parley start` takes. */
static void load(const char *const *words)
{
    static const struct config_use use = {FOR_RUN, "parley run", "", ""};
    char *argv[16] = {NULL};
    struct err err = {0};
    int argc = 0;

    for (; words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc]; /* they are only moved */
    if (config_load(&use, argc, argv, &loaded, &err) != CONFIG_GO)
        fail_msg("%s", err.msg);
}

static struct wish wish_of(const char *const *words, bool all, int64_t number,
                           int64_t seed)
{
    struct wish wish;
    struct err err = {0};

    load(words);
    if (!wish_from_config(&loaded, all, &wish, &err))
        fail_msg("%s", err.msg);
    wish_set_number(&wish, &loaded.values, number, seed);
    config_done(&loaded);
    return wish;
}

static void only_what_was_given_is_wished(void **state)
{
    static const char *const few[] = {"--turns=7", "--temperature=0.5", NULL};
    struct wish wish = wish_of(few, false, 1, -1);

    (void)state;
    assert_int_equal(wish.max_turns, 7);
    assert_int_equal(wish.duration_ms, -1);
    assert_int_equal(wish.personas, 2);
    assert_int_equal(wish.grace_ms, 10000);
    assert_int_equal(wish.max_issues, 3);
    assert_false(wish.pass_on_failure);
    assert_non_null(wish.topic); /* nobody said: one was chosen */
    assert_null(wish.model.provider);
    assert_null(wish.model.model);
    assert_int_equal(wish.model.num_ctx, -1);
    assert_int_equal(wish.model.seed, -1);
    assert_true(fabs(wish.model.temperature - 0.5) < 1e-9);
    expect_comes_back(&wish);
    wish_done(&wish);
}

static void a_run_names_all_so_that_its_parts_agree(void **state)
{
    static const char *const words[] = {"--turns=7", "--model=2=two", "--model=16=last",
                                        "--on-failure=pass", NULL};
    struct wish wish = wish_of(words, true, 1, 5);

    (void)state;
    assert_string_equal(wish.model.provider, "ollama");
    assert_string_equal(wish.model.model, "llama3.2");
    assert_string_equal(wish.models[2], "two");
    assert_string_equal(wish.models[16], "last");
    assert_int_equal(wish.model.num_ctx, 8192);
    assert_int_equal(wish.model.num_predict, 400);
    assert_int_equal(wish.model.seed, 5);
    assert_true(wish.pass_on_failure);
    expect_comes_back(&wish);
    wish_done(&wish);
}

static void a_run_names_what_its_models_are_asked_with(void **state)
{
    static const char *const words[] = {"--turns=7",
                                        "--model=cloud:x",
                                        "--fallback=local,cloud:y",
                                        "--think=low",
                                        "--options={\"top_k\": 5}",
                                        "--structured",
                                        "--model=2=box:z",
                                        NULL};
    struct wish wish = wish_of(words, true, 1, 5);

    (void)state;
    assert_string_equal(wish.model.model, "cloud:x");
    assert_string_equal(wish.models[2], "box:z");
    assert_string_equal(wish.model.fallback, "local,cloud:y");
    assert_string_equal(wish.model.think, "low");
    assert_string_equal(wish.model.options, "{\"top_k\":5}");
    assert_true(wish.structured);
    expect_comes_back(&wish);
    wish_done(&wish);
}

static void with_a_simulator_nobody_else_is_asked(void **state)
{
    static const char *const words[] = {
        "--simulate",        "--model=openai:x",  "--model=2=cloud:y",
        "--model=3=openai:", "--fallback=openai", NULL};
    static const char *const api[] = {"--simulate", "--provider=openai", NULL};
    struct wish wish = wish_of(words, true, 1, -1);

    (void)state;
    assert_string_equal(wish.model.provider, "simulator");
    assert_string_equal(wish.model.model, "x");
    assert_string_equal(wish.models[2], "cloud:y"); /* there is no such endpoint */
    assert_null(wish.models[3]);
    assert_null(wish.model.fallback);
    wish_done(&wish);
    wish = wish_of(api, true, 1, -1);
    assert_string_equal(wish.model.provider, "openai");
    assert_string_equal(wish.model.model, "llama3.2");
    wish_done(&wish);
}

static void a_dry_run_asks_echo_whatever_models_are_named(void **state)
{
    static const char *const words[] = {"--dry-run", "--model=x", "--model=2=y", NULL};
    struct wish wish = wish_of(words, true, 1, -1);

    (void)state;
    assert_string_equal(wish.model.provider, "echo");
    assert_null(wish.model.model);
    assert_null(wish.models[2]);
    wish_done(&wish);
}

static void each_conversation_gets_its_number_and_a_seed_of_its_own(void **state)
{
    static const char *const words[] = {"--topic=part {i} of {i}, {x} {", NULL};
    struct wish first = wish_of(words, false, 1, 2147483647);
    struct wish second = wish_of(words, false, 2, 2147483647);
    struct wish last = wish_of(words, false, 100000, 0);

    (void)state;
    assert_string_equal(first.topic, "part 1 of 1, {x} {");
    assert_string_equal(last.topic, "part 100000 of 100000, {x} {");
    assert_int_equal(first.model.seed, 2147483647); /* the one that was asked for */
    assert_in_range(second.model.seed, 0, 2147483647);
    assert_in_range(last.model.seed, 0, 2147483647);
    assert_int_not_equal(first.model.seed, second.model.seed);
    expect_comes_back(&second);
    wish_done(&first);
    wish_done(&second);
    wish_done(&last);
}

static void the_longest_topic_of_numbers_fits(void **state)
{
    char topic[8 + TOPIC_MAX_BYTES + 1] = "--topic=";
    const char *words[] = {topic, NULL};
    struct wish wish;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i + 3 <= TOPIC_MAX_BYTES; i += 3)
        memcpy(topic + 8 + i, "{i}", 4);
    wish = wish_of(words, false, 100000, -1);
    assert_int_equal(strlen(wish.topic), TOPIC_MAX_BYTES / 3 * 6);
    expect_comes_back(&wish);
    wish_done(&wish);

    memset(topic + 8, 'x', TOPIC_MAX_BYTES);
    load(words);
    assert_true(wish_from_config(&loaded, false, &wish, &err));
    wish_done(&wish);
    free(loaded.values.topic);
    loaded.values.topic = x_printf("%sx", topic + 8);
    assert_false(wish_from_config(&loaded, false, &wish, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "--topic"));
    config_done(&loaded);
}

static void a_conversation_without_an_end_is_refused(void **state)
{
    static const char *const words[] = {"--turns=none", "--duration=none", NULL};
    struct wish wish;
    struct err err = {0};

    (void)state;
    load(words);
    assert_false(wish_from_config(&loaded, true, &wish, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "never end"));
    config_done(&loaded);
}

static void a_story_file_is_checked_and_travels_whole(void **state)
{
    static const char story[] =
        "{\"setting\":\"s\",\"characters\":[],\"initial_situation\":\"i\",\"personas\":"
        "["
        "{\"name\":\"A\",\"role\":\"r\",\"goal\":\"g\",\"style\":\"s\",\"traits\":[]},"
        "{\"name\":\"B\",\"role\":\"r\",\"goal\":\"g\",\"style\":\"s\",\"traits\":[]},"
        "{\"name\":\"C\",\"role\":\"r\",\"goal\":\"g\",\"style\":\"s\",\"traits\":[]}]"
        "}";
    char path[] = "/tmp/parley-test-wish-XXXXXX";
    char *flag = NULL;
    struct wish wish;
    struct err err = {0};
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    flag = x_printf("--story=%s", path);
    {
        const char *words[] = {flag, "--personas=9", NULL};

        assert_true(file_write(path, str_of(story), &err));
        wish = wish_of(words, false, 1, -1);
        assert_string_equal(wish.story_file, story);
        assert_int_equal(wish.personas, 3); /* the file's, not the flag's */
        expect_comes_back(&wish);
        wish_done(&wish);

        assert_true(file_write(path, str_of("{\"setting\":7}"), &err));
        load(words);
        assert_false(wish_from_config(&loaded, false, &wish, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.msg, path));
        config_done(&loaded);
    }
    assert_true(file_remove_tree(path, &err));
    free(flag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wish_of_defaults_comes_back),
        cmocka_unit_test(a_wish_with_everything_comes_back),
        cmocka_unit_test(a_short_document_gets_the_defaults),
        cmocka_unit_test(documents_from_outside_are_looked_at),
        cmocka_unit_test(only_what_was_given_is_wished),
        cmocka_unit_test(a_run_names_all_so_that_its_parts_agree),
        cmocka_unit_test(a_run_names_what_its_models_are_asked_with),
        cmocka_unit_test(with_a_simulator_nobody_else_is_asked),
        cmocka_unit_test(a_dry_run_asks_echo_whatever_models_are_named),
        cmocka_unit_test(each_conversation_gets_its_number_and_a_seed_of_its_own),
        cmocka_unit_test(the_longest_topic_of_numbers_fits),
        cmocka_unit_test(a_conversation_without_an_end_is_refused),
        cmocka_unit_test(a_story_file_is_checked_and_travels_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
