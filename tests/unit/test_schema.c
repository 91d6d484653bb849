/* test_schema.c - our validator judges as the schemas say, and names the place. The
 * examples under schemas/ are judged by python's jsonschema in tests/flow too.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/utf8.h"
#include "proto/schema.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static json_t *read_json(const char *text)
{
    struct err err = {0};
    json_t *document = NULL;

    if (!json_read(str_of(text), &document, &err))
        fail_msg("%s: %s", text, err.msg);
    return document;
}

/* What is wrong with the document, NULL if nothing; the caller frees. */
static char *complaint(const char *schema_text, const char *document_text)
{
    json_t *schema = read_json(schema_text);
    json_t *document = read_json(document_text);
    struct err err = {0};
    char *result = NULL;

    if (!schema_check(schema, document, &err)) {
        assert_int_equal(err.code, ERR_FORMAT);
        result = x_strdup(err.msg);
    }
    json_decref(schema);
    json_decref(document);
    return result;
}

static const struct {
    const char *schema;
    const char *document;
    const char *complaint; /* NULL: none */
} cases[] = {
    {"{}", "null", NULL},
    {"{\"type\":\"string\"}", "7", "/: expected a string, found 7"},
    {"{\"type\":\"integer\"}", "7.0", NULL},
    {"{\"type\":\"integer\"}", "7.5", "/: expected a whole number, found 7.5"},
    {"{\"type\":\"number\"}", "true", "/: expected a number, found true"},
    {"{\"type\":\"boolean\"}", "0", "/: expected true or false, found 0"},
    {"{\"type\":[\"array\",\"null\"]}", "{}",
     "/: expected an array or null, found an object"},
    {"{\"type\":[\"array\",\"null\"]}", "null", NULL},
    {"{\"const\":1}", "1.0", NULL},
    {"{\"const\":1}", "true", "/: expected 1, found true"},
    {"{\"enum\":[\"a\",null]}", "null", NULL},
    {"{\"enum\":[\"a\",null]}", "\"b\"", "/: expected one of \"a\", null, found \"b\""},
    {"{\"required\":[\"a\"]}", "{}", "/: expected a key \"a\", found none"},
    {"{\"required\":[\"a\"]}", "[]", NULL},
    {"{\"items\":{\"required\":[\"a\"]}}", "[{\"a\":1},{}]",
     "/1: expected a key \"a\", found none"},
    {"{\"properties\":{\"a\":{\"items\":{\"type\":\"null\"}}}}", "{\"a\":[null,[1,2]]}",
     "/a/1: expected null, found an array of 2"},
    {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1,\"b\":2}",
     "/b: expected no such key, found 2"},
    {"{\"additionalProperties\":true}", "{\"b\":2}", NULL},
    {"{\"properties\":{\"model\":{}},\"additionalProperties\":false}", "{\"modle\":2}",
     "/modle: expected no such key (model?), found 2"},
    {"{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"null\"}}",
     "{\"a\":1,\"b\":null,\"c\":2}", "/c: expected null, found 2"},
    {"{\"additionalProperties\":{\"type\":\"null\"}}", "{\"b\":null}", NULL},
    {"{\"additionalProperties\":{\"type\":\"null\"}}", "[1]", NULL},
    {"{\"minItems\":1}", "[]", "/: expected at least 1 items, found an array of 0"},
    {"{\"maxItems\":1}", "[1,2]", "/: expected at most 1 items, found an array of 2"},
    {"{\"maxItems\":1}", "[1]", NULL},
    {"{\"minItems\":1}", "\"\"", NULL},
    {"{\"uniqueItems\":true}", "[1,2,1.0]",
     "/2: expected an item that differs from item 0, found 1"},
    {"{\"uniqueItems\":true}", "[1,\"1\",true,[1],[2]]", NULL},
    {"{\"minLength\":2}", "\"\xC3\xA4\"",
     "/: expected at least 2 characters, found \"\xC3\xA4\""},
    {"{\"maxLength\":2}", "\"\xF0\x9F\x98\x80\xC3\xA4\"", NULL},
    {"{\"maxLength\":2}", "\"abc\"", "/: expected at most 2 characters, found \"abc\""},
    {"{\"minimum\":0}", "-0.5", "/: expected at least 0, found -0.5"},
    {"{\"maximum\":16}", "17", "/: expected at most 16, found 17"},
    {"{\"minimum\":1,\"maximum\":1}", "1", NULL},
    {"{\"format\":\"date-time\"}", "\"2026-01-31T10:30:00Z\"", NULL},
    {"{\"format\":\"date-time\"}", "\"today\"",
     "/: expected a time like 2026-01-31T10:30:00.123456Z, found \"today\""},
    {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"null\"}}}", "1",
     "/: expected null, found 1"},
    {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", "\"\"", NULL},
    {"{\"oneOf\":[{\"minimum\":1},{\"maximum\":3}]}", "2",
     "/: expected one form, not 2 at once, found 2"},
    {"{\"oneOf\":[{\"minimum\":1},{\"maximum\":3}]}", "0", NULL},
    {"{\"properties\":{\"~/\":{\"type\":\"null\"}}}", "{\"~/\":1}",
     "/~0~1: expected null, found 1"},
};

static void every_keyword_accepts_refuses_and_names_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = complaint(cases[i].schema, cases[i].document);

        if (got == NULL || cases[i].complaint == NULL)
            assert_ptr_equal(got, cases[i].complaint);
        else
            assert_string_equal(got, cases[i].complaint);
        free(got);
    }
}

static void of_several_forms_the_one_meant_complains(void **state)
{
    static const char schema[] =
        "{\"oneOf\":["
        "{\"properties\":{\"kind\":{\"const\":\"a\"},\"x\":{\"type\":\"null\"}}},"
        "{\"properties\":{\"kind\":{\"const\":\"b\"},\"x\":{\"type\":\"object\","
        "\"properties\":{\"y\":"
        "{\"type\":\"null\"}}}}}]}";
    char *got = complaint(schema, "{\"kind\":\"b\",\"x\":{\"y\":5}}");

    (void)state;
    assert_string_equal(got, "/x/y: expected null, found 5");
    free(got);
    got = complaint(schema, "{\"kind\":\"a\",\"x\":{\"y\":5}}");
    assert_string_equal(got, "/x: expected null, found an object");
    free(got);
    got = complaint(schema, "{\"kind\":\"b\",\"x\":5}");
    assert_string_equal(got, "/x: expected an object, found 5");
    free(got);
}

static void text_from_outside_is_shown_harmless_and_cut(void **state)
{
    struct buf document;
    char *got;

    (void)state;
    got = complaint("{\"type\":\"null\"}", "\"\\u001b[31m\\n\xE2\x80\xAE\"");
    assert_string_equal(got,
                        "/: expected null, found \"<U+001B>[31m<U+000A><U+202E>\"");
    free(got);
    got = complaint("{\"properties\":{},\"additionalProperties\":false}",
                    "{\"\\u001b]0;\":1}");
    assert_string_equal(got, "/<U+001B>]0;: expected no such key, found 1");
    free(got);

    buf_init(&document, 1 << 20);
    buf_add_text(&document, "{\"");
    for (int i = 0; i < 5000; i++)
        buf_add_text(&document, "\xC3\xA4");
    buf_add_text(&document, "\":\"");
    for (int i = 0; i < 5000; i++)
        buf_add_text(&document, "\xE2\x82\xAC");
    buf_add_text(&document, "\"}");
    got = complaint("{\"properties\":{},\"additionalProperties\":false}",
                    buf_text(&document));
    assert_true(strlen(got) < 400);
    assert_true(utf8_valid(str_of(got)));
    assert_non_null(strstr(got, "...: expected no such key, found \""));
    free(got);
    buf_done(&document);
}

static void bad_json_is_refused_with_line_and_column(void **state)
{
    static const struct {
        const char *text;
        const char *start;
    } bad[] = {
        {"", "line 1, column 1: "},
        {"{\n  \"a\": 1,\n  \"a\": 2\n}", "line 3, column 5: duplicate object key"},
        {"{\"a\":1} x", "line 1, column 9: end of file expected"},
        {"[1,]", "line 1, column 4: "},
        {"[\"\\u0000\"]", "line 1, column "},
        {"[\"\xFF\"]", "line 1, column "},
        {"[\"\\ud800\"]", "line 1, column "},
        {"[NaN]", "line 1, column "},
        {"[1e999]", "line 1, column "},
        {"[123456789012345678901234567890]", "line 1, column "},
        {"\"\x1B[2J", "line 1, column "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        json_t *document = NULL;

        assert_false(json_read(str_of(bad[i].text), &document, &err));
        assert_null(document);
        assert_int_equal(err.code, ERR_FORMAT);
        if (strncmp(err.msg, bad[i].start, strlen(bad[i].start)) != 0)
            fail_msg("%s: %s", bad[i].text, err.msg);
        assert_null(strchr(err.msg, '\x1B'));
    }
}

static void endless_nesting_is_refused(void **state)
{
    static char deep[1 << 20];
    struct err err = {0};
    json_t *document = NULL;

    (void)state;
    memset(deep, '[', sizeof deep);
    assert_false(json_read(str_make(deep, sizeof deep), &document, &err));
    assert_int_equal(err.code, ERR_FORMAT);

    memset(deep, ']', 2000);
    memset(deep, '[', 1000);
    assert_true(json_read(str_make(deep, 2000), &document, &err));
    {
        json_t *schema = read_json("{\"$ref\":\"#/$defs/list\",\"$defs\":{\"list\":"
                                   "{\"items\":{\"$ref\":\"#/$defs/list\"}}}}");

        assert_false(schema_check(schema, document, &err));
        assert_non_null(strstr(err.msg, "levels"));
        json_decref(schema);
    }
    json_decref(document);
}

static void judge(const char *schema, const char *folder, const char *file)
{
    char *path = path_join(folder, file);
    bool is_valid = strncmp(file, "valid-", 6) == 0;
    struct buf text;
    struct err err = {0};
    json_t *document = NULL;
    bool ok;

    buf_init(&text, 1 << 20);
    assert_true(file_slurp(path, &text, &err));
    assert_true(json_read(buf_str(&text), &document, &err));
    ok = schema_check(schema_get(schema), document, &err);
    if (ok != is_valid)
        fail_msg("%s: %s", path, ok ? "not refused" : err.msg);
    json_decref(document);
    buf_done(&text);
    free(path);
}

/* Judges all examples of a schema and returns how many. */
static int judge_all(const char *schema)
{
    char *folder = path_join("schemas/examples", schema);
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int count = 0;

    if (dir == NULL) {
        fail_msg("%s: run me in the source tree's root", folder);
        return 0;
    }
    /* cppcheck-suppress readdirCalled ; one thread */
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        judge(schema, folder, entry->d_name);
        count++;
    }
    (void)closedir(dir); /* only read */
    free(folder);
    return count;
}

static void every_example_is_judged_as_its_name_says(void **state)
{
    static const char *const names[] = {
        "dialog_message", "story", "personas", "story_file", "seat",
        "call",           "event", "run",      "analysis",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(judge_all(names[i]) >= 6);
    assert_ptr_equal(schema_get("story"), schema_get("story"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_keyword_accepts_refuses_and_names_the_place),
        cmocka_unit_test(of_several_forms_the_one_meant_complains),
        cmocka_unit_test(text_from_outside_is_shown_harmless_and_cut),
        cmocka_unit_test(bad_json_is_refused_with_line_and_column),
        cmocka_unit_test(endless_nesting_is_refused),
        cmocka_unit_test(every_example_is_judged_as_its_name_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
