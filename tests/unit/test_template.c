/* test_template.c - prompt templates: names filled in, braces, lines that vanish. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "proto/template.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct template_value values[] = {
    {"name", {"Ada", 3}},       {"line", {"one\n", 4}},
    {"empty", {"", 0}},         {"braces", {"{name} {{ {", 11}},
    {"lines", {"one\ntwo", 7}}, {"nul", {"a\0b", 3}},
};

static bool fill(const char *text, struct buf *into, struct err *err)
{
    return template_fill(str_of(text), values, COUNT(values), into, err);
}

static void placeholders_become_their_values(void **state)
{
    static const struct {
        const char *text, *filled;
    } cases[] = {
        {"", ""},
        {"no braces", "no braces"},
        {"{name}", "Ada"},
        {"I am {name}, {name}!", "I am Ada, Ada!"},
        {"{name}{name}", "AdaAda"},
        {"{{name}", "{name}"},
        {"{{{name}}", "{Ada}"},
        {"{{{{", "{{"},
        {"}", "}"},
        {"a}b", "a}b"},
        {"{braces}", "{name} {{ {"}, /* values are not looked into */
        {"{lines}.", "one\ntwo."},
        /* A line of one empty placeholder goes with its line end. */
        {"a\n{empty}\nb", "a\nb"},
        {"{empty}\nb", "b"},
        {"{empty}\n{empty}\nb", "b"},
        {"a\n{empty}\n\nb", "a\n\nb"},
        {"a\n{empty}", "a\n"},
        {"{empty}", ""},
        /* What else is on the line stays. */
        {"a\n {empty}\nb", "a\n \nb"},
        {"a\n{empty} \nb", "a\n \nb"},
        {"a\n{empty}{empty}\nb", "a\n\nb"},
        {"a {empty}\nb", "a \nb"},
        {"{line}{empty}\nb", "one\n\nb"},
        {"a\n{name}\nb", "a\nAda\nb"},
        {"\n{lines}\n{empty}\n", "\none\ntwo\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf filled;
        struct err err = {0};

        buf_init(&filled, 1000);
        if (!fill(cases[i].text, &filled, &err))
            fail_msg("'%s': %s", cases[i].text, err.msg);
        assert_string_equal(buf_text(&filled), cases[i].filled);
        buf_done(&filled);
    }
}

static void a_value_may_hold_any_bytes(void **state)
{
    struct buf filled;
    struct err err = {0};

    (void)state;
    buf_init(&filled, 1000);
    assert_true(fill("<{nul}>", &filled, &err));
    assert_int_equal(filled.len, 5);
    assert_memory_equal(filled.at, "<a\0b>", 5);
    buf_done(&filled);
}

static void filling_adds_behind_what_is_there(void **state)
{
    struct buf filled;
    struct err err = {0};

    (void)state;
    buf_init(&filled, 1000);
    buf_add_text(&filled, "before ");
    assert_true(fill("{empty}\n{name}", &filled, &err)); /* lines are the template's */
    assert_string_equal(buf_text(&filled), "before Ada");
    buf_done(&filled);
}

static void mistakes_in_a_template_are_told(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{nmae}", "unknown placeholder {nmae}"},
        {"{Name}", "unknown placeholder {Name}"},
        {"{ name }", "unknown placeholder { name }"},
        {"{}", "unknown placeholder {}"},
        {"{a\nb\x1B}", "unknown placeholder {a<U+000A>b<U+001B>}"},
        {"{\"a\": {\"b\": 1}}", "unknown placeholder {\"a\": {\"b\": 1}"},
        {"{name", "a { without its } (write {{ for a brace)"},
        {"name {", "a { without its } (write {{ for a brace)"},
        {"{{{", "a { without its } (write {{ for a brace)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf filled;
        struct err err = {0};

        buf_init(&filled, 1000);
        assert_false(fill(cases[i].text, &filled, &err));
        assert_int_equal(err.code, ERR_FORMAT);
        assert_string_equal(err.msg, cases[i].message);
        buf_done(&filled);
    }
}

static void a_text_over_the_maximum_is_refused(void **state)
{
    static const char *const texts[] = {"abcd {name}", "abcdefgh", "{lines}{{{{"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct buf filled;
        struct err err = {0};

        buf_init(&filled, 7);
        assert_false(fill(texts[i], &filled, &err));
        assert_int_equal(err.code, ERR_LIMIT);
        assert_string_equal(err.msg, "prompt larger than 7 bytes");
        buf_done(&filled);
    }
}

static void a_folders_template_goes_before_the_built_in_one(void **state)
{
    static const char name[] = "worker/prompts/opening.txt";
    char folder[] = "/tmp/parley-test-template-XXXXXX";
    struct err err = {0};
    char *built_in = NULL;
    char *text = NULL;
    char *path;

    (void)state;
    assert_non_null(mkdtemp(folder));
    path = path_join(folder, "opening.txt");
    assert_true(template_load(NULL, name, &built_in, &err));
    assert_true(strlen(built_in) > 10);
    assert_true(template_load(folder, name, &text, &err)); /* it has no such file */
    assert_string_equal(text, built_in);
    free(text);
    assert_true(file_write(path, str_of("mine"), &err));
    assert_true(template_load(folder, name, &text, &err));
    assert_string_equal(text, "mine");
    free(text);
    free(built_in);
    assert_true(file_remove_tree(folder, &err));
    free(path);
}

static void a_template_that_cannot_be_read_is_named(void **state)
{
    char folder[] = "/tmp/parley-test-template-XXXXXX";
    struct err err = {0};
    char *text = folder;
    char *path;

    (void)state;
    assert_non_null(mkdtemp(folder));
    path = path_join(folder, "opening.txt");
    assert_true(file_make_folder(path, 0755, &err)); /* a folder of that name */
    assert_false(template_load(folder, "worker/prompts/opening.txt", &text, &err));
    assert_non_null(strstr(err.msg, path));
    assert_ptr_equal(text, folder);
    assert_true(file_remove_tree(folder, &err));
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders_become_their_values),
        cmocka_unit_test(a_value_may_hold_any_bytes),
        cmocka_unit_test(filling_adds_behind_what_is_there),
        cmocka_unit_test(mistakes_in_a_template_are_told),
        cmocka_unit_test(a_text_over_the_maximum_is_refused),
        cmocka_unit_test(a_folders_template_goes_before_the_built_in_one),
        cmocka_unit_test(a_template_that_cannot_be_read_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
