/* test_model_options.c - options of models: known names only, kinds and ranges, and who
 * may share a model.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/model_options.h"
#include "proto/schema.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void an_object_comes_back_with_its_names_in_order(void **state)
{
    char *options = NULL;
    struct err err = {0};

    (void)state;
    assert_true(model_options_parse(
        str_of(" { \"use_mmap\" : true, \"top_p\" : 0.5, \"top_k\" : 40.0 } "),
        &options, &err));
    assert_string_equal(options, "{\"top_k\":40.0,\"top_p\":0.5,\"use_mmap\":true}");
    free(options);
    options = (char[]){"x"};
    assert_true(model_options_parse(str_of("{}"), &options, &err));
    assert_null(options);
}

static void what_is_no_option_is_refused_with_what_helps(void **state)
{
    static const struct {
        const char *json, *complaint;
    } bad[] = {
        {"{\"top_pp\":0.5}", "top_pp: no such option, did you mean top_p?"},
        {"{\"num_threads\":2}",
         "num_threads: no such option, did you mean num_thread?"},
        {"{\"zzz\\u001b\":2}", "zzz<U+001B>: no such option"},
        {"{\"num_ctx\":4096}", "num_ctx has a place of its own, beside options"},
        {"{\"temperature\":1}", "temperature has a place of its own, beside options"},
        {"{\"num_predict\":1}", "num_predict has a place of its own, beside options"},
        {"{\"seed\":1}",
         "seed is no option here: the seed is the conversation's: --seed"},
        {"{\"stop\":[\"x\"]}", "stop is no option here: parley sets it: where another "
                               "persona would speak"},
        {"{\"max_tokens\":1}",
         "max_tokens is no option here: it is called num_predict"},
        {"{\"top_k\":1.5}", "top_k: 1.5 is not a whole number from 0 to 1000000"},
        {"{\"top_k\":-1}", "top_k: -1 is not a whole number from 0 to 1000000"},
        {"{\"top_k\":\"40\"}",
         "top_k is a string, not a whole number from 0 to 1000000"},
        {"{\"top_p\":1.01}", "top_p: 1.01 is not a number from 0 to 1"},
        {"{\"top_p\":null}", "top_p is null, not a number from 0 to 1"},
        {"{\"presence_penalty\":-2.5}",
         "presence_penalty: -2.5 is not a number from -2 to 2"},
        {"{\"use_mmap\":1}", "use_mmap: 1 is not true or false"},
        {"[]", "an array, not an object with options"},
        {"{\"top_p\":", "line 1, column 9: unexpected token near end of file"},
        {"{\"top_p\":1,\"top_p\":1}", "line 1, column 18: duplicate object key near "
                                      "'\"top_p\"'"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *options = NULL;
        struct err err = {0};

        if (model_options_parse(str_of(bad[i].json), &options, &err))
            fail_msg("%s was taken", bad[i].json);
        assert_null(options);
        assert_int_equal(err.code, ERR_FORMAT);
        assert_string_equal(err.msg, bad[i].complaint);
    }
}

static void an_option_is_found_by_its_name(void **state)
{
    const struct model_option *option;

    (void)state;
    for (size_t i = 0; (option = model_option(i)) != NULL; i++) {
        assert_ptr_equal(model_option_find(str_of(option->name)), option);
        assert_int_equal(option->openai == NULL, option->api == API_OLLAMA);
    }
    assert_null(model_option_find(str_of("top")));
    assert_int_equal(model_option_find(str_of("num_batch"))->api, API_OLLAMA);
    assert_int_equal(model_option_find(str_of("top_p"))->api, API_COMMON);
    assert_int_equal(model_option_find(str_of("min_p"))->api, API_OTHERS);
}

static void who_shares_a_model_agrees_on_its_runner(void **state)
{
    static const struct {
        const char *a, *b;
        int64_t a_ctx, b_ctx;
        const char *complaint; /* behind "seat 1 and the story share the model m ";
                                  NULL: they agree */
    } cases[] = {
        {NULL, NULL, 8192, 8192, NULL},
        {"{\"top_p\":0.5}", NULL, 8192, 8192, NULL},
        {"{\"num_batch\":256}", "{\"num_batch\":256.0,\"top_k\":1}", 8192, 8192, NULL},
        {NULL, NULL, 8192, 4096, "but not its num_ctx (8192 and 4096)"},
        {"{\"num_batch\":256}", NULL, 1, 1,
         "but not its num_batch (256 and the default)"},
        {NULL, "{\"use_mmap\":false}", 1, 1,
         "but not its use_mmap (the default and false)"},
        {"{\"num_gpu\":1}", "{\"num_gpu\":2}", 1, 1, "but not its num_gpu (1 and 2)"},
        {"{\"main_gpu\":1}", "{\"main_gpu\":0}", 1, 1,
         "but not its main_gpu (1 and 0)"},
        {"{\"num_thread\":1}", "{\"num_thread\":0}", 1, 1,
         "but not its num_thread (1 and 0)"},
        {"{\"draft_num_predict\":1}", "{\"draft_num_predict\":0}", 1, 1,
         "but not its draft_num_predict (1 and 0)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct runner_use a = {"seat 1", "m", cases[i].a, cases[i].a_ctx};
        const struct runner_use b = {"the story", "m", cases[i].b, cases[i].b_ctx};
        struct err err = {0};
        bool agree = model_options_agree(&a, &b, &err);

        if (agree != (cases[i].complaint == NULL))
            fail_msg("case %zu: %s", i, err.msg);
        if (!agree) {
            char wanted[200];

            fmt_into(wanted, sizeof wanted,
                     "seat 1 and the story share the model m %s: the server would load "
                     "it anew at every turn",
                     cases[i].complaint);
            assert_string_equal(err.msg, wanted);
            assert_int_equal(err.code, ERR_USAGE);
        }
    }
}

static void a_schema_for_a_model_is_without_what_servers_refuse(void **state)
{
    const char *text = schema_for_model("reply");
    json_t *schema = NULL;
    struct err err = {0};

    (void)state;
    assert_ptr_equal(schema_for_model("reply"), text);
    assert_true(json_read(str_of(text), &schema, &err));
    assert_null(json_object_get(schema, "$schema"));
    assert_null(json_object_get(schema, "$id"));
    assert_non_null(json_object_get(schema_get("reply"), "$id"));
    assert_int_equal(json_object_size(schema),
                     json_object_size(schema_get("reply")) - 2);
    json_decref(schema);
}

/* Strict modes want all keys required, none beside them, and the words first, so that
 * they can be shown while the rest is still to come. */
static void the_schema_of_replies_is_strict_and_begins_with_the_message(void **state)
{
    const json_t *schema = schema_get("reply");
    const json_t *properties = json_object_get(schema, "properties");

    (void)state;
    assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
    assert_int_equal(json_array_size(json_object_get(schema, "required")),
                     json_object_size(properties));
    assert_string_equal(
        json_object_iter_key(json_object_iter((json_t *)(uintptr_t)properties)),
        "message");
    assert_non_null(strstr(schema_for_model("reply"), "\"properties\":{\"message\":"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_comes_back_with_its_names_in_order),
        cmocka_unit_test(what_is_no_option_is_refused_with_what_helps),
        cmocka_unit_test(an_option_is_found_by_its_name),
        cmocka_unit_test(who_shares_a_model_agrees_on_its_runner),
        cmocka_unit_test(a_schema_for_a_model_is_without_what_servers_refuse),
        cmocka_unit_test(the_schema_of_replies_is_strict_and_begins_with_the_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
