/* test_sim_fill.c - whatever the schema, what the simulator fills in is valid by it. */
#include <stdlib.h>
#include <string.h>

#include "proto/schema.h"
#include "simulator/fill.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { SEEDS = 60 };

static const char story_prompt[] =
    "Invent the scene of a conversation between 4 people.\n\nTopic: the last "
    "lighthouse\n\n"
    "Reply with one JSON document:\n- \"characters\": exactly 4 people\n";
static const char personas_prompt[] =
    "Here is the scene of a conversation.\n\nTopic: the last lighthouse\nCharacters:\n"
    "- Ada Quill: A lighthouse keeper who has not slept.\n"
    "- Bo Marlow, retired clockmaker\n\nReply with exactly 2.\n";

/* The document that is filled in; NULL when it is refused. The caller owns it. */
static json_t *fill(const json_t *schema, const char *text, uint64_t seed)
{
    struct sim_prompt prompt = {0};
    struct talk_ask ask = {&prompt, seed, 20, 60};
    struct err err = {0};
    struct buf json;
    json_t *document = NULL;

    buf_init(&json, 1 << 24);
    sim_prompt_add(&prompt, "user", str_of(text));
    if (fill_schema(schema, &ask, &json, &err)) {
        document =
            json_loads(buf_text(&json), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(document);
    } else {
        assert_int_equal(err.code, ERR_FORMAT);
    }
    buf_done(&json);
    sim_prompt_done(&prompt);
    return document;
}

static void assert_valid(const json_t *schema, const json_t *document)
{
    struct err err = {0};

    assert_non_null(document);
    if (!schema_check(schema, document, &err))
        fail_msg("%s in %s", err.msg, json_dumps(document, JSON_ENCODE_ANY));
}

static void assert_fills(const json_t *schema, const char *text)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        json_t *document = fill(schema, text, seed);

        assert_valid(schema, document);
        json_decref(document);
    }
}

static json_t *parse(const char *json)
{
    json_t *document = json_loads(json, JSON_DECODE_ANY, NULL);

    assert_non_null(document);
    return document;
}

static void every_keyword_of_the_subset_is_kept(void **state)
{
    static const char *const schemas[] = {
        "{}",
        "{\"type\": \"string\"}",
        "{\"type\": \"string\", \"minLength\": 40, \"maxLength\": 44}",
        "{\"type\": \"string\", \"maxLength\": 0}",
        "{\"type\": \"string\", \"minLength\": 1, \"maxLength\": 1}",
        "{\"type\": \"string\", \"minLength\": 5000}",
        "{\"type\": \"integer\"}",
        "{\"type\": \"integer\", \"minimum\": -3, \"maximum\": -3}",
        "{\"type\": \"integer\", \"minimum\": 2.5, \"maximum\": 3.5}",
        "{\"type\": \"integer\", \"minimum\": 1000000}",
        "{\"type\": \"integer\", \"maximum\": -1000000}",
        "{\"type\": \"number\", \"minimum\": -1, \"maximum\": 1}",
        "{\"type\": \"number\", \"minimum\": 0.001, \"maximum\": 0.002}",
        "{\"type\": \"boolean\"}",
        "{\"type\": \"null\"}",
        "{\"type\": [\"null\", \"integer\"], \"minimum\": 4}",
        "{\"type\": [\"array\", \"null\"], \"items\": {\"type\": \"boolean\"}}",
        "{\"const\": {\"a\": [1, \"x\", null]}}",
        "{\"enum\": [\"left\", 7, null]}",
        "{\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"minItems\": 5, "
        "\"maxItems\": 5, \"uniqueItems\": true}",
        "{\"type\": \"array\", \"items\": {\"enum\": [1, 2, 3]}, \"minItems\": 3, "
        "\"uniqueItems\": true, \"maxItems\": 3}",
        "{\"type\": \"array\", \"items\": {\"type\": \"integer\"}, \"maxItems\": 0}",
        "{\"type\": \"array\", \"minItems\": 30, \"items\": {\"type\": \"object\", "
        "\"properties\": {\"name\": {\"type\": \"string\"}}, \"required\": "
        "[\"name\"]}}",
        "{\"type\": \"object\", \"required\": [\"x\", \"y\"], \"properties\": "
        "{\"x\": {\"anyOf\": [{\"type\": \"null\"}, {\"type\": \"integer\"}]}}}",
        "{\"oneOf\": [{\"type\": \"integer\"}, {\"type\": \"string\"}]}",
        "{\"$ref\": \"#/$defs/tree\", \"$defs\": {\"tree\": {\"type\": \"object\", "
        "\"required\": [\"branches\"], \"properties\": {\"branches\": {\"type\": "
        "\"array\", \"items\": {\"$ref\": \"#/$defs/tree\"}}}}}}",
        "{\"type\": \"object\", \"properties\": {\"sentiment\": {\"type\": \"number\", "
        "\"minimum\": -1, \"maximum\": 1}, \"mood\": {\"type\": \"string\"}, \"age\": "
        "{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 120}}, \"required\": "
        "[\"sentiment\", \"mood\", \"age\"], \"additionalProperties\": false}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        json_t *schema = parse(schemas[i]);

        assert_fills(schema, "Tell me about old boats, please.");
        json_decref(schema);
    }
}

static void the_storys_and_the_personas_schema_are_filled(void **state)
{
    (void)state;
    assert_fills(schema_get("story"), story_prompt);
    assert_fills(schema_get("personas"), personas_prompt);
    assert_fills(schema_get("story_file"), story_prompt);
}

/* Names in a list of objects, all different? */
static void assert_names_differ(const json_t *list)
{
    for (size_t a = 0; a < json_array_size(list); a++)
        for (size_t b = a + 1; b < json_array_size(list); b++)
            assert_string_not_equal(
                json_string_value(json_object_get(json_array_get(list, a), "name")),
                json_string_value(json_object_get(json_array_get(list, b), "name")));
}

static void a_story_has_as_many_people_as_the_prompt_says_and_the_topic(void **state)
{
    int topics = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        json_t *story = fill(schema_get("story"), story_prompt, seed);
        const json_t *people = json_object_get(story, "characters");
        char *text = json_dumps(story, 0);

        assert_int_equal(json_array_size(people), 4);
        assert_names_differ(people);
        topics += strstr(text, "the last lighthouse") != NULL;
        assert_null(strstr(text, "{topic}"));
        free(text);
        json_decref(story);
    }
    assert_in_range(topics, SEEDS / 2, SEEDS);
}

static void personas_keep_the_characters_of_the_prompt(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        json_t *document = fill(schema_get("personas"), personas_prompt, seed);
        const json_t *list = json_object_get(document, "personas");
        const json_t *ada = json_array_get(list, 0);
        const json_t *bo = json_array_get(list, 1);

        assert_int_equal(json_array_size(list), 2);
        assert_string_equal(json_string_value(json_object_get(ada, "name")),
                            "Ada Quill");
        assert_string_equal(json_string_value(json_object_get(ada, "role")),
                            "lighthouse keeper");
        assert_string_equal(json_string_value(json_object_get(bo, "name")),
                            "Bo Marlow");
        assert_string_equal(json_string_value(json_object_get(bo, "role")),
                            "retired clockmaker");
        json_decref(document);
    }
}

static void sixteen_personas_have_sixteen_names_beside_the_given_ones(void **state)
{
    json_t *schema =
        parse("{\"type\": \"array\", \"minItems\": 16, \"maxItems\": 16, "
              "\"items\": {\"type\": \"object\", \"properties\": {\"name\": "
              "{\"type\": \"string\"}}}}");

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        json_t *list = fill(schema, personas_prompt, seed);

        assert_int_equal(json_array_size(list), 16);
        assert_names_differ(list);
        json_decref(list);
    }
    json_decref(schema);
}

static void the_same_seed_gives_the_same_document(void **state)
{
    json_t *one = fill(schema_get("story"), story_prompt, 5);
    json_t *two = fill(schema_get("story"), story_prompt, 5);
    json_t *other = fill(schema_get("story"), story_prompt, 6);

    (void)state;
    assert_true(json_equal(one, two));
    assert_false(json_equal(one, other));
    json_decref(one);
    json_decref(two);
    json_decref(other);
}

static void what_has_no_instance_is_refused(void **state)
{
    static const char *const schemas[] = {
        "false",
        "{\"$ref\": \"#/nowhere\"}",
        "{\"$ref\": \"http://example.org/other\"}",
        "{\"$ref\": \"#/a\", \"a\": {\"$ref\": \"#/a\"}}",
        "{\"type\": \"strong\"}",
        "{\"type\": \"integer\", \"minimum\": 3, \"maximum\": 2}",
        "{\"type\": \"integer\", \"minimum\": 2.2, \"maximum\": 2.8}",
        "{\"type\": \"array\", \"minItems\": 2, \"maxItems\": 1}",
        "{\"type\": \"array\", \"minItems\": 99999999}",
        "{\"type\": \"string\", \"minLength\": 9, \"maxLength\": 2}",
        "{\"type\": \"array\", \"minItems\": 3, \"uniqueItems\": true, \"items\": "
        "{\"type\": \"boolean\"}}",
        "{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"type\": \"object\", "
        "\"required\": [\"a\"], \"properties\": {\"a\": {\"$ref\": \"#/$defs/a\"}}}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        json_t *schema = parse(schemas[i]);

        assert_null(fill(schema, "", 1));
        json_decref(schema);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_keyword_of_the_subset_is_kept),
        cmocka_unit_test(the_storys_and_the_personas_schema_are_filled),
        cmocka_unit_test(a_story_has_as_many_people_as_the_prompt_says_and_the_topic),
        cmocka_unit_test(personas_keep_the_characters_of_the_prompt),
        cmocka_unit_test(sixteen_personas_have_sixteen_names_beside_the_given_ones),
        cmocka_unit_test(the_same_seed_gives_the_same_document),
        cmocka_unit_test(what_has_no_instance_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
