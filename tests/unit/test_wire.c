/* test_wire.c - URLs, media types and lists of models. */

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
#include "llm/wire.h"

static void a_url_may_end_with_slashes_or_not(void **state)
{
    static const char *const urls[][2] = {
        {"http://h:11434", "http://h:11434/api/chat"},
        {"http://h:11434/", "http://h:11434/api/chat"},
        {"http://h/ollama//", "http://h/ollama/api/chat"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        char *joined = wire_join(urls[i][0], "/api/chat");

        assert_string_equal(joined, urls[i][1]);
        free(joined);
    }
}

static void a_shown_url_tells_no_password(void **state)
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
        char *shown = wire_shown(urls[i][0]);

        assert_string_equal(shown, urls[i][1]);
        free(shown);
    }
}

static void the_root_of_a_url_lacks_the_path_it_ends_with(void **state)
{
    static const char *const urls[][2] = {
        {"http://h:8080/v1", "http://h:8080"},
        {"http://h:8080/v1/", "http://h:8080"},
        {"http://h:8080", "http://h:8080"},
        {"http://h/api/v1", "http://h/api"},
        {"http://h/v1/more", "http://h/v1/more"},
        {"/v", "/v"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        char *root = wire_root(urls[i][0], "/v1");

        assert_string_equal(root, urls[i][1]);
        free(root);
    }
}

static void a_media_type_is_known_whatever_its_case_and_parameters(void **state)
{
    (void)state;
    assert_true(wire_type_is("application/json", "application/json"));
    assert_true(wire_type_is("Application/JSON; charset=utf-8", "application/json"));
    assert_true(wire_type_is(" text/event-stream ;x", "text/event-stream"));
    assert_false(wire_type_is("application/jsonp", "application/json"));
    assert_false(wire_type_is("application/jso", "application/json"));
    assert_false(wire_type_is("", "application/json"));
}

static void the_names_of_models_are_read_in_order(void **state)
{
    char **names = NULL;
    size_t count = 0;
    struct err err = {0};

    (void)state;
    assert_true(wire_read_models(
        str_of("{\"models\":[{\"name\":\"a:latest\",\"size\":7},{\"name\":\"b:3b\"}]}"),
        "models", "name", &names, &count, &err));
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "a:latest");
    assert_string_equal(names[1], "b:3b");
    free(names[0]);
    free(names[1]);
    free(names);
}

static void the_other_list_has_other_keys(void **state)
{
    static const char *const bodies[] = {
        "{\"object\":\"list\",\"data\":[{\"id\":\"gpt-4o-mini\",\"object\":"
        "\"model\",\"owned_by\":\"x\"}]}",
        "[{\"id\":\"gpt-4o-mini\"}]", /* some give no more than the array */
    };
    char **names = NULL;
    size_t count = 0;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_true(
            wire_read_models(str_of(bodies[i]), "data", "id", &names, &count, &err));
        assert_int_equal(count, 1);
        assert_string_equal(names[0], "gpt-4o-mini");
        free(names[0]);
        free(names);
    }
}

static void a_server_without_models_has_an_empty_list(void **state)
{
    static const char *const bodies[] = {"{\"models\":[]}", "{\"models\":null}"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char **names = NULL;
        size_t count = 7;

        assert_true(wire_read_models(str_of(bodies[i]), "models", "name", &names,
                                     &count, NULL));
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

        assert_false(wire_read_models(str_of(rows[i][0]), "models", "name", &names,
                                      &count, &err));
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
        cmocka_unit_test(a_url_may_end_with_slashes_or_not),
        cmocka_unit_test(a_shown_url_tells_no_password),
        cmocka_unit_test(the_root_of_a_url_lacks_the_path_it_ends_with),
        cmocka_unit_test(a_media_type_is_known_whatever_its_case_and_parameters),
        cmocka_unit_test(the_names_of_models_are_read_in_order),
        cmocka_unit_test(the_other_list_has_other_keys),
        cmocka_unit_test(a_server_without_models_has_an_empty_list),
        cmocka_unit_test(a_list_of_another_form_is_refused_with_the_place),
        cmocka_unit_test(a_model_without_a_tag_means_the_latest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
