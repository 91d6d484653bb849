/* test_json_pick.c - what the picker takes, and that it takes nothing a parser would
 * refuse or read otherwise. */

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "proto/json_pick.h"
#include "proto/schema.h"

enum { SLOT_NAME, SLOT_TEXT, SLOT_COUNT };

static const struct json_pick_key inner_keys[] = {
    {.name = "text", .kind = PICK_TEXT, .slot = SLOT_TEXT},
    {.name = "role", .kind = PICK_IGNORE},
    {.name = "none", .kind = PICK_NULL},
};
static const struct json_pick_form inner = {inner_keys, 3};
static const struct json_pick_key keys[] = {
    {.name = "name", .kind = PICK_TEXT, .slot = SLOT_NAME},
    {.name = "id", .kind = PICK_IGNORE},
    {.name = "item", .kind = PICK_OBJECT, .form = &inner},
    {.name = "items", .kind = PICK_ONLY_ITEM, .form = &inner},
    {.name = "done", .kind = PICK_NOT_TRUE},
};
static const struct json_pick_form form = {keys, 5};

/* Each document in memory of its own, so that a look behind its end is seen. */
static bool pick(struct str json, char **ret_name, char **ret_text)
{
    char *copy = x_malloc(json.len > 0 ? json.len : 1);
    struct json_pick_text slots[SLOT_COUNT] = {0};
    char **const rets[] = {ret_name, ret_text};
    bool ok;

    memcpy(copy, json.at, json.len);
    ok = json_pick(str_make(copy, json.len), &form, slots);
    for (size_t i = 0; ok && i < SLOT_COUNT; i++) {
        struct buf text;

        buf_init(&text, 1000);
        if (slots[i].raw.at == NULL)
            buf_add_text(&text, "-");
        else if (!slots[i].escaped)
            buf_add_str(&text, slots[i].raw);
        else if (!json_pick_unescape(slots[i].raw, &text)) {
            buf_clear(&text);
            buf_add_text(&text, "?");
        }
        *rets[i] = buf_take(&text);
    }
    free(copy);
    return ok;
}

static void what_has_the_form_is_picked(void **state)
{
    static const char *const rows[][3] = {
        {"{}", "-", "-"},
        {" { } \n", "-", "-"},
        {"{\"name\":\"a\"}", "a", "-"},
        {"{\"name\":null}", "-", "-"},
        {"{\"name\":\"\"}", "", "-"},
        {"{\"name\":\"12345678\",\"id\":\"x\"}", "12345678", "-"},
        {"{\"name\":\"1234567\xC3\xA9"
         "9\xF0\x9F\xA6\x89\"}",
         "1234567\xC3\xA9"
         "9\xF0\x9F\xA6\x89",
         "-"},
        {"{\"id\":7,\"name\":\"a\"}", "a", "-"},
        {"{\"id\":-7}", "-", "-"},
        {"{\"id\":0}", "-", "-"},
        {"{\"id\":123456789012345}", "-", "-"},
        {"{\"id\":true,\"done\":false}", "-", "-"},
        {"{\"id\":false,\"done\":null}", "-", "-"},
        {"{\"item\":{\"text\":\"t\",\"role\":\"r\",\"none\":null},\"name\":\"a\"}", "a",
         "t"},
        {"{\"items\":[{\"text\":\"t\"}],\"name\":\"a\"}", "a", "t"},
        {"{ \"items\" : [ { \"text\" : \"t\" } ] , \"name\":\t\"a\"\r\n}", "a", "t"},
        {"{\"name\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t", "-"},
        {"{\"name\":\"\\u0041\\u00e9\\u20AC\\u003c\"}", "A\xC3\xA9\xE2\x82\xAC<", "-"},
        {"{\"name\":\"\\u0000\"}", "?", "-"},
        {"{\"name\":\"\\ud83e\\udd89\"}", "?", "-"},
        {"{\"name\":\"\\x\"}", "?", "-"},
        {"{\"name\":\"\\u00e\"}", "?", "-"},
        {"{\"name\":\"\\u00eg\"}", "?", "-"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *name = NULL;
        char *text = NULL;

        print_message("%s\n", rows[i][0]);
        assert_true(pick(str_of(rows[i][0]), &name, &text));
        assert_string_equal(name, rows[i][1]);
        assert_string_equal(text, rows[i][2]);
        free(name);
        free(text);
    }
}

static void what_has_another_form_is_left_to_the_parser(void **state)
{
    static const char *const rows[] = {
        "",
        "[]",
        "7",
        "null",
        "{",
        "{}{}",
        "{}x",
        "{\"name\":\"a\",}",
        "{,\"name\":\"a\"}",
        "{\"name\" \"a\"}",
        "{\"name\":\"a\" \"id\":1}",
        "{\"other\":1}",
        "{\"nam\":\"a\"}",
        "{\"names\":\"a\"}",
        "{\"n\\u0061me\":\"a\"}",
        "{\"name\":\"a\",\"name\":\"b\"}",
        "{\"item\":{\"text\":\"a\",\"text\":\"b\"}}",
        "{\"name\":7}",
        "{\"name\":\"a}",
        "{\"name\":\"a\\\"}",
        "{\"name\":\"a\nb\"}",
        "{\"name\":\"1234567\x01\"}",
        "{\"name\":\"a\xFF\"}",
        "{\"name\":\"\xC3\"}",
        "{\"name\":\"\xED\xA0\xBD\"}",
        "{\"id\":\"a\xFF\"}",
        "{\"id\":\"a\\n\"}", /* an escape in a text nobody reads */
        "{\"id\":01}",
        "{\"id\":-}",
        "{\"id\":1.5}",
        "{\"id\":1e5}",
        "{\"id\":1234567890123456}",
        "{\"id\":[]}",
        "{\"id\":{}}",
        "{\"id\":nul}",
        "{\"done\":true}",
        "{\"done\":0}",
        "{\"item\":null}",
        "{\"item\":[]}",
        "{\"item\":{\"none\":0}}",
        "{\"items\":[]}",
        "{\"items\":[{},{}]}",
        "{\"items\":[null]}",
        "{\"items\":[{}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *name = NULL;
        char *text = NULL;

        print_message("%s\n", rows[i]);
        assert_false(pick(str_of(rows[i]), &name, &text));
    }
}

static void a_document_cut_anywhere_is_refused(void **state)
{
    static const char json[] = "{\"id\":1,\"items\":[{\"text\":\"caf\xC3\xA9 \\n "
                               "twelve and more\",\"role\":null}],\"done\":false}";

    (void)state;
    for (size_t len = 0; len < sizeof json - 1; len++) {
        char *name = NULL;
        char *text = NULL;

        assert_false(pick(str_make(json, len), &name, &text));
    }
}

/* ---- against the parser ---- */

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "-" : text;
}

static void assert_as_parsed(struct str json)
{
    json_t *document = NULL;
    const json_t *item;
    char *name = NULL;
    char *text = NULL;

    if (!pick(json, &name, &text))
        return;
    /* An escape that only the unescaping refuses is told as "?". */
    if (strcmp(name, "?") != 0 && strcmp(text, "?") != 0) {
        assert_true(json_read(json, &document, NULL));
        item = json_object_get(document, "item");
        if (item == NULL)
            item = json_array_get(json_object_get(document, "items"), 0);
        assert_string_equal(name, text_in(document, "name"));
        assert_string_equal(text, text_in(item, "text"));
        json_decref(document);
    }
    free(name);
    free(text);
}

static void what_is_picked_is_what_the_parser_reads(void **state)
{
    static const char base[] =
        "{\"name\":\"a \\u00e9\\n\xC3\xA9\",\"id\":17,\"items\":[{\"text\":\"twelve or "
        "more \\\"x\\\"\",\"role\":null}],\"done\":false}";
    static const char odd[] = "\"\\{}[]:,0129-+.eEtrufalsn \n\x01\x7F\xC3\xA9\xFF";
    struct rng rng;

    (void)state;
    rng_init(&rng, 20260131);
    for (int i = 0; i < 200000; i++) {
        char json[sizeof base];
        size_t len = sizeof base - 1;

        memcpy(json, base, sizeof base);
        for (uint64_t changes = 1 + rng_below(&rng, 3); changes > 0; changes--)
            json[rng_below(&rng, len)] = odd[rng_below(&rng, sizeof odd - 1)];
        assert_as_parsed(str_make(json, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_the_form_is_picked),
        cmocka_unit_test(what_has_another_form_is_left_to_the_parser),
        cmocka_unit_test(a_document_cut_anywhere_is_refused),
        cmocka_unit_test(what_is_picked_is_what_the_parser_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
