/* test_endpoint_key.c - keys of model servers: where they come from, and that they go
 * nowhere they may be read.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "proto/endpoint.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static char folder[] = "/tmp/parley-test-key-XXXXXX";
static char *path;
static struct err err;

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    path = path_join(folder, "key");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    free(path);
    return file_remove_tree(folder, &err) ? 0 : -1;
}

static void without_a_source_there_is_no_key(void **state)
{
    const struct endpoint endpoint = {.name = "e"};
    char *key = path;

    (void)state;
    assert_true(endpoint_key(&endpoint, &key, &err));
    assert_null(key);
}

static void a_variable_holds_it(void **state)
{
    const struct endpoint endpoint = {.name = "e", .key_env = (char[]){"TEST_KEY"}};
    static const struct {
        const char *value, *complaint;
    } bad[] = {
        {NULL, "the key of endpoint e: the variable TEST_KEY is not set"},
        {"", "the key of endpoint e: the variable TEST_KEY is empty"},
        {" \n", "the key of endpoint e: TEST_KEY holds no key"},
        {"sk-1\r\nHost: evil", "the key of endpoint e: TEST_KEY: a key is one word of "
                               "visible ASCII letters"},
        {"sk 1", "the key of endpoint e: TEST_KEY: a key is one word of visible ASCII "
                 "letters"},
        {"sk-\xC3\xA4", "the key of endpoint e: TEST_KEY: a key is one word of visible "
                        "ASCII letters"},
        {"\"sk-1\"",
         "the key of endpoint e: TEST_KEY: the key stands in quotes: leave them off"},
        {"Bearer sk-1", "the key of endpoint e: TEST_KEY: the key begins with "
                        "\"Bearer\": leave that off"},
        {"OPENAI_API_KEY=sk-1",
         "the key of endpoint e: TEST_KEY: the key stands behind "
         "NAME=: leave that off"},
        {"\xEF\xBB\xBFsk-1", "the key of endpoint e: TEST_KEY: the key begins with a "
                             "byte order mark"},
    };
    char *key = NULL;

    (void)state;
    setenv("TEST_KEY", "c2stMQ==", 1); /* padding is no NAME= */
    assert_true(endpoint_key(&endpoint, &key, &err));
    free(key);
    setenv("TEST_KEY", " sk-123 \n", 1);
    assert_true(endpoint_key(&endpoint, &key, &err));
    assert_string_equal(key, "sk-123");
    free(key);
    for (size_t i = 0; i < COUNT(bad); i++) {
        unsetenv("TEST_KEY");
        if (bad[i].value != NULL)
            setenv("TEST_KEY", bad[i].value, 1);
        key = path;
        assert_false(endpoint_key(&endpoint, &key, &err));
        assert_ptr_equal(key, path);
        assert_int_equal(err.code, ERR_USAGE);
        assert_string_equal(err.msg, bad[i].complaint);
    }
}

static void the_first_line_of_a_file_holds_it(void **state)
{
    const struct endpoint endpoint = {.name = "e", .key_file = path};
    char *key = NULL;

    (void)state;
    assert_false(endpoint_key(&endpoint, &key, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, path));
    assert_non_null(strstr(err.msg, "No such file"));
    assert_true(file_write(path, str_of("sk-file\r\nnot the key\n"), &err));
    assert_true(endpoint_key(&endpoint, &key, &err));
    assert_string_equal(key, "sk-file");
    free(key);
    assert_true(file_write(path, str_of("\nsk-2\n"), &err));
    assert_false(endpoint_key(&endpoint, &key, &err));
    assert_non_null(strstr(err.msg, "the first line of"));
    assert_true(file_write(path, str_of("\n \n"), &err));
    assert_false(endpoint_key(&endpoint, &key, &err));
    assert_non_null(strstr(err.msg, "holds no key"));
}

static void a_file_below_the_home_is_found(void **state)
{
    const struct endpoint endpoint = {.name = "e", .key_file = (char[]){"~/key"}};
    char *key = NULL;

    (void)state;
    setenv("HOME", folder, 1);
    assert_true(file_write(path, str_of("sk-home\n"), &err));
    assert_true(endpoint_key(&endpoint, &key, &err));
    assert_string_equal(key, "sk-home");
    free(key);
}

/* All that is told of an endpoint, a line a member. */
static char *told(const struct endpoint *endpoint)
{
    struct buf all;
    struct buf value;
    const char *member;

    buf_init(&all, 10000);
    buf_init(&value, 10000);
    for (size_t i = 0; (member = endpoint_member(endpoint, i, &value)) != NULL; i++) {
        buf_printf(&all, "%s=%s\n", member, buf_text(&value));
        buf_clear(&value);
    }
    buf_done(&value);
    return buf_take(&all);
}

static void what_is_told_has_no_password(void **state)
{
    char *models[] = {(char[]){"a"}, (char[]){"b"}};
    const struct endpoint endpoint = {.name = "e",
                                      .provider = (char[]){"ollama"},
                                      .url = (char[]){"https://me:pw@host/x"},
                                      .key_env = (char[]){"TEST_KEY"},
                                      .models = models,
                                      .model_count = 2,
                                      .tier = TIER_CLOUD,
                                      .window = WINDOW_ASK,
                                      .clocks.connect_ms = 1500,
                                      .prompt_price = 0.15,
                                      .cached_price = (double)NAN,
                                      .generated_price = 2};
    char *text;

    (void)state;
    setenv("TEST_KEY", "sk-123", 1);
    text = told(&endpoint);
    assert_string_equal(text, "provider=ollama\nurl=https://host/x\nkey_env=TEST_KEY\n"
                              "key_file=\nmodels=a,b\ntier=cloud\nwindow=ask\n"
                              "connect_seconds=1.5s\nfirst_token_seconds=\n"
                              "between_tokens_seconds=\ntotal_seconds=\n"
                              "price.prompt=0.15\nprice.cached=\nprice.generated=2\n");
    free(text);
}

static void a_key_sent_in_the_clear_is_warned_of(void **state)
{
    static const struct {
        const char *url;
        bool has_key, warned;
    } cases[] = {
        {"http://models.example.com/v1", true, true},
        {"http://models.example.com/v1", false, false},
        {"https://models.example.com/v1", true, false},
        {"http://127.0.0.1:1234/v1", true, false},
        {"http://192.168.0.3/v1", true, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct endpoint endpoint = {.name = "e",
                                    .url = (char *)(uintptr_t)cases[i].url};
        struct endpoint_list list = {.items = &endpoint, .count = 1};
        struct buf text;

        if (cases[i].has_key)
            endpoint.key_file = path;
        buf_init(&text, 1000);
        endpoints_warn(&list, &text);
        if ((text.len > 0) != cases[i].warned)
            fail_msg("%s: %s", cases[i].url, buf_text(&text));
        buf_done(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_source_there_is_no_key),
        cmocka_unit_test(a_variable_holds_it),
        cmocka_unit_test(the_first_line_of_a_file_holds_it),
        cmocka_unit_test(a_file_below_the_home_is_found),
        cmocka_unit_test(what_is_told_has_no_password),
        cmocka_unit_test(a_key_sent_in_the_clear_is_warned_of),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
