/* test_cast.c - seats, story files and what models reply when asked for a story. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/cast.h"
#include "proto/schema.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define ADA                                                                \
    "{\"name\":\"Ada\",\"role\":\"keeper\",\"traits\":[\"dry\",\"slow\"]," \
    "\"goal\":\"stay\",\"style\":\"short\"}"
#define TOM                                                           \
    "{\"name\":\"Tom\",\"role\":\"engineer\",\"traits\":[\"eager\"]," \
    "\"goal\":\"go\",\"style\":\"long\"}"
#define STORY                                                      \
    "\"setting\":\"an island\",\"characters\":[{\"name\":\"Ada\"," \
    "\"description\":\"keeps the lamp\"}],\"initial_situation\":\"a storm\""

static const char good_story[] = "{" STORY "}";
static const char good_personas[] = "{\"personas\":[" ADA "," TOM "]}";
static const char good_file[] = "{" STORY ",\"personas\":[" ADA "," TOM "]}";

/* `text` with one piece replaced; the caller frees. */
static char *changed(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);

    assert_non_null(at);
    return x_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void obeys(const char *schema, struct str json)
{
    struct err err = {0};
    json_t *document = NULL;

    if (!json_read(json, &document, &err)
        || !schema_check(schema_get(schema), document, &err))
        fail_msg("%s: %.*s", err.msg, (int)json.len, json.at);
    json_decref(document);
}

static void is_ada(const struct persona *persona)
{
    assert_string_equal(persona->name, "Ada");
    assert_string_equal(persona->role, "keeper");
    assert_int_equal(persona->trait_count, 2);
    assert_string_equal(persona->traits[0], "dry");
    assert_string_equal(persona->traits[1], "slow");
    assert_string_equal(persona->goal, "stay");
    assert_string_equal(persona->style, "short");
}

static void is_island(const struct story *story)
{
    assert_string_equal(story->setting, "an island");
    assert_int_equal(story->character_count, 1);
    assert_string_equal(story->characters[0].name, "Ada");
    assert_string_equal(story->characters[0].description, "keeps the lamp");
    assert_string_equal(story->initial_situation, "a storm");
}

static void a_story_file_fills_the_story_and_the_seats(void **state)
{
    struct cast cast = {0};
    struct err err = {0};

    (void)state;
    assert_true(cast_parse_story_file(str_of(good_file), &cast, &err));
    is_island(&cast.story);
    assert_int_equal(cast.seat_count, 2);
    is_ada(&cast.seats[0].persona);
    assert_string_equal(cast.seats[1].persona.name, "Tom");
    for (int i = 0; i < 2; i++) {
        assert_string_equal(cast.seats[i].driver, "model");
        assert_int_equal(cast.seats[i].lane, i + 1);
        assert_null(cast.seats[i].model.model);
        assert_null(cast.seats[i].model.provider);
        assert_int_equal(cast.seats[i].model.num_ctx, -1);
        assert_int_equal(cast.seats[i].model.num_predict, -1);
        assert_int_equal(cast.seats[i].model.seed, -1);
        assert_true(isnan(cast.seats[i].model.temperature));
    }
    cast_done(&cast);
    assert_int_equal(cast.seat_count, 0);
    cast_done(&cast);
}

static void a_bad_story_file_names_the_place(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *complaint;
    } bad[] = {
        {"\"Tom\"", "null", "/personas/1/name: expected a string, found null"},
        {"\"Tom\"", "\"Ada\"",
         "/personas/1/name: expected a name that no other persona has, found \"Ada\""},
        {"\"Tom\"", "\" aDA\\n\"",
         "/personas/1/name: expected a name that no other persona has, found "
         "\" aDA<U+000A>\""},
        {"\"Tom\"", "\"\"",
         "/personas/1/name: expected at least 1 characters, found \"\""},
        {"\"Tom\"", "\" \\t\"",
         "/personas/1/name: expected a name, found \" <U+0009>\""},
        {"\"Tom\"", "\"To\\u001bm\"",
         "/personas/1/name: expected a name without control or invisible characters, "
         "found \"To<U+001B>m\""},
        {"\"Tom\"", "\"To\\nm\"",
         "/personas/1/name: expected a name without control or invisible characters, "
         "found \"To<U+000A>m\""},
        {"\"an island\"", "\" \"",
         "/setting: expected a text that is not blank, found \" \""},
        {"\"a storm\"", "\"\"",
         "/initial_situation: expected a text that is not blank, found \"\""},
        {"\"a storm\"", "\"a storm\",\"mood\":1",
         "/mood: expected no such key, found 1"},
        {"," TOM, "", "/personas: expected at least 2 items, found an array of 1"},
        {"\"a storm\",", "\"a storm\",\n  ,",
         "line 2, column 3: string or '}' expected near ','"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *file = changed(good_file, bad[i].from, bad[i].to);
        struct cast cast = {.version = 99};
        struct err err = {0};

        assert_false(cast_parse_story_file(str_of(file), &cast, &err));
        assert_string_equal(err.msg, bad[i].complaint);
        assert_int_equal(err.code, ERR_USAGE);
        assert_int_equal(cast.version, 99);
        assert_null(cast.seats);
        assert_false(cast_parse_story_file(str_of(file), &cast, NULL));
        free(file);
    }
}

static void names_lose_the_blanks_around_them(void **state)
{
    char *file = changed(good_file, "\"Tom\"", "\" Tom de Vries \"");
    struct cast cast = {0};
    struct err err = {0};

    (void)state;
    assert_true(cast_parse_story_file(str_of(file), &cast, &err));
    assert_string_equal(cast.seats[1].persona.name, "Tom de Vries");
    cast_done(&cast);
    free(file);
}

static const char *const wraps[][2] = {
    {"", ""},
    {" \n\t", "\r\n "},
    {"```json\n", "\n```"},
    {"\n```\n", "```  \n"},
    {"```JSON\r\n", "\r\n```\n"},
    {"```json\n", ""},
    {"", "```"},
    {"Sure! Here it is:\n", ""},
    {"<think>Say {\"setting\": ...}?</think>\n", ""},
    {"Say {\"setting\": \"a\"}? Well.\n</think>```\n", "\n```"},
};

static void a_reply_may_be_thought_about_announced_and_fenced(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wraps / sizeof *wraps; i++) {
        char *reply = x_printf("%s%s%s", wraps[i][0], good_story, wraps[i][1]);
        struct story story = {0};
        struct err err = {0};

        assert_true(story_parse(str_of(reply), &story, &err));
        is_island(&story);
        story_done(&story);
        free(reply);
    }
}

static void anything_else_around_a_reply_is_refused(void **state)
{
    static const char *const bad[][2] = {
        {"", "\nI hope you like it."}, {"Sure {smiles}! ", ""}, {"```", "``` ```"},
        {"", "<think>So?</think>"},    {"<think>", ""},         {"[", "]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *reply = x_printf("%s%s%s", bad[i][0], good_story, bad[i][1]);
        struct story story = {0};
        struct err err = {0};

        assert_false(story_parse(str_of(reply), &story, &err));
        assert_int_equal(err.code, ERR_FORMAT);
        assert_null(story.setting);
        free(reply);
    }
    for (size_t len = 0; len < 8; len++)
        assert_false(story_parse(str_make("``````\n`", len), &(struct story){0}, NULL));
}

static void a_story_needs_its_characters_and_its_words(void **state)
{
    char *reply = changed(good_story, "an island", " \\n");
    struct story story = {0};
    struct err err = {0};

    (void)state;
    assert_false(story_parse(str_of(reply), &story, &err));
    assert_string_equal(
        err.msg, "/setting: expected a text that is not blank, found \" <U+000A>\"");
    free(reply);
    assert_false(story_parse(
        str_of("{\"setting\":\"a\",\"characters\":[],\"initial_situation\":\"b\"}"),
        &story, &err));
    assert_string_equal(err.msg,
                        "/characters: expected at least 1 items, found an array of 0");
}

static void as_many_personas_as_seats_are_wanted(void **state)
{
    struct cast cast = {0};
    struct err err = {0};

    (void)state;
    assert_false(personas_parse(str_of(good_personas), 3, &cast, &err));
    assert_string_equal(err.msg,
                        "/personas: expected exactly 3 personas, found an array of 2");
    assert_int_equal(err.code, ERR_FORMAT);
    assert_null(cast.seats);
    assert_true(personas_parse(str_of(good_personas), 2, &cast, &err));
    assert_int_equal(cast.seat_count, 2);
    is_ada(&cast.seats[0].persona);
    assert_int_equal(cast.seats[1].lane, 2);
    cast_done(&cast);
}

static void a_name_from_a_model_has_at_most_80_letters(void **state)
{
    char letters[2 * 81 + 1] = "";
    struct cast cast = {0};
    struct err err = {0};
    char *reply;

    (void)state;
    for (int i = 0; i < 80; i++)
        memcpy(letters + 2 * i, "\xC3\xA4", 3);
    reply = changed(good_personas, "Tom", letters);
    assert_true(personas_parse(str_of(reply), 2, &cast, &err));
    free(reply);
    memcpy(letters + 2 * 80, "\xC3\xA4", 3);
    reply = changed(good_personas, "Tom", letters);
    assert_false(personas_parse(str_of(reply), 2, &cast, &err));
    assert_non_null(strstr(err.msg, "at most 80"));
    cast_done(&cast);
    free(reply);
}

static void seats_that_are_there_keep_their_models(void **state)
{
    char *twice = changed(good_personas, "Tom", "ADA");
    struct cast cast = {0};
    struct err err = {0};

    (void)state;
    assert_true(personas_parse(str_of(good_personas), 2, &cast, &err));
    cast.seats[1].model.model = x_strdup("llama3.2:3b");
    cast.seats[1].lane = 7;
    assert_false(personas_parse(str_of(twice), 2, &cast, &err));
    assert_string_equal(cast.seats[1].persona.name, "Tom");
    free(twice);
    twice = changed(good_personas, "Tom", "Eve");
    assert_true(personas_parse(str_of(twice), 2, &cast, &err));
    assert_string_equal(cast.seats[1].persona.name, "Eve");
    assert_string_equal(cast.seats[1].model.model, "llama3.2:3b");
    assert_int_equal(cast.seats[1].lane, 7);
    cast_done(&cast);
    free(twice);
}

static void same_seat(const struct seat *a, const struct seat *b)
{
    struct buf x;
    struct buf y;

    buf_init(&x, 10000);
    buf_init(&y, 10000);
    assert_true(seat_format(a, &x));
    assert_true(seat_format(b, &y));
    assert_string_equal(buf_text(&x), buf_text(&y));
    buf_done(&x);
    buf_done(&y);
}

static void a_seat_comes_back_as_it_was_written(void **state)
{
    struct cast cast = {0};
    struct err err = {0};
    struct seat *seat;
    struct seat back;
    struct buf json;

    (void)state;
    assert_true(cast_parse_story_file(str_of(good_file), &cast, &err));
    seat = &cast.seats[0];
    buf_init(&json, 10000);
    assert_true(seat_format(seat, &json));
    obeys("seat", buf_str(&json));
    assert_true(seat_parse(buf_str(&json), &back, &err));
    same_seat(seat, &back);
    assert_null(back.model.provider);
    assert_true(isnan(back.model.temperature));
    seat_done(&back);

    free(seat->persona.style);
    seat->persona.style = x_strdup("\x1B[31m \"\\ \xC3\xA4");
    seat->lane = 16;
    seat->model = (struct seat_model){.provider = x_strdup("ollama"),
                                      .model = x_strdup("llama3.2:3b"),
                                      .num_ctx = 8192,
                                      .num_predict = 256,
                                      .temperature = 0.8,
                                      .seed = INT64_MAX};
    buf_clear(&json);
    assert_true(seat_format(seat, &json));
    obeys("seat", buf_str(&json));
    assert_true(seat_parse(buf_str(&json), &back, &err));
    same_seat(seat, &back);
    assert_string_equal(back.persona.style, seat->persona.style);
    assert_string_equal(back.driver, "model");
    assert_int_equal(back.lane, 16);
    assert_string_equal(back.model.provider, "ollama");
    assert_int_equal(back.model.num_ctx, 8192);
    assert_int_equal(back.model.num_predict, 256);
    assert_true(back.model.temperature >= 0.8 && back.model.temperature <= 0.8);
    assert_true(back.model.seed == INT64_MAX);
    seat_done(&back);
    buf_done(&json);
    cast_done(&cast);
}

static void a_bad_seat_names_the_place(void **state)
{
    static const char good[] = "{\"persona\":" ADA ",\"driver\":\"model\",\"lane\":1,"
                               "\"provider\":null,\"model\":null,\"new\":1,"
                               "\"options\":{\"num_ctx\":null,\"top_k\":3}}";
    static const struct {
        const char *from;
        const char *to;
        const char *complaint;
    } bad[] = {
        {"\"lane\":1", "\"lane\":0",
         "/lane: expected a whole number of at least 1 or null, found 0"},
        {"\"lane\":1", "\"lane\":null",
         "/lane: expected the number of a lane, found null"},
        {"\"driver\":\"model\",", "", "/driver: expected a string, found none"},
        {"\"model\":null", "\"model\":1", "/model: expected a string or null, found 1"},
        {"\"num_ctx\":null", "\"num_ctx\":\"8k\"",
         "/options/num_ctx: expected a whole number of at least 1 or null, found "
         "\"8k\""},
        {"\"num_ctx\":null", "\"temperature\":-1",
         "/options/temperature: expected a number of at least 0 or null, found -1"},
        {ADA, "7", "/persona/name: expected a string, found none"},
        {"\"dry\"", "{}", "/persona/traits/0: expected a string, found an object"},
        {"[\"dry\",\"slow\"]", "\"dry\"",
         "/persona/traits: expected an array of strings, found \"dry\""},
    };
    struct seat seat;
    struct err err = {0};

    (void)state;
    assert_true(seat_parse(str_of(good), &seat, &err));
    seat_done(&seat);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *json = changed(good, bad[i].from, bad[i].to);

        assert_false(seat_parse(str_of(json), &seat, &err));
        assert_string_equal(err.msg, bad[i].complaint);
        free(json);
    }
}

static void copies_stand_alone(void **state)
{
    struct cast cast = {0};
    struct err err = {0};
    struct story story;
    struct persona persona;
    struct persona nobody;

    (void)state;
    assert_true(cast_parse_story_file(str_of(good_file), &cast, &err));
    story_copy(&story, &cast.story);
    persona_copy(&persona, &cast.seats[0].persona);
    persona_copy(&nobody, &(struct persona){0});
    cast_done(&cast);
    is_island(&story);
    is_ada(&persona);
    assert_null(nobody.name);
    story_done(&story);
    persona_done(&persona);
    persona_done(&nobody);
}

static void a_written_story_obeys_the_schema(void **state)
{
    struct story story = {0};
    struct err err = {0};
    struct buf json;

    (void)state;
    assert_true(story_parse(str_of(good_story), &story, &err));
    buf_init(&json, 1000);
    assert_true(story_format(&story, &json));
    assert_string_equal(buf_text(&json), good_story);
    obeys("story", buf_str(&json));
    buf_done(&json);
    buf_init(&json, 40);
    assert_false(story_format(&story, &json));
    buf_done(&json);
    story_done(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_story_file_fills_the_story_and_the_seats),
        cmocka_unit_test(a_bad_story_file_names_the_place),
        cmocka_unit_test(names_lose_the_blanks_around_them),
        cmocka_unit_test(a_reply_may_be_thought_about_announced_and_fenced),
        cmocka_unit_test(anything_else_around_a_reply_is_refused),
        cmocka_unit_test(a_story_needs_its_characters_and_its_words),
        cmocka_unit_test(as_many_personas_as_seats_are_wanted),
        cmocka_unit_test(a_name_from_a_model_has_at_most_80_letters),
        cmocka_unit_test(seats_that_are_there_keep_their_models),
        cmocka_unit_test(a_seat_comes_back_as_it_was_written),
        cmocka_unit_test(a_bad_seat_names_the_place),
        cmocka_unit_test(copies_stand_alone),
        cmocka_unit_test(a_written_story_obeys_the_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
