/* test_seat_model.c - how a seat's model is called: read from casts, wishes and story
 * files, written, copied.
 */
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

static bool read_model(const char *json, struct seat_model *model, struct err *err)
{
    struct json_place root;
    json_t *document = NULL;
    bool ok;

    assert_true(json_read(str_of(json), &document, err));
    root = json_root(document);
    ok = seat_model_read(&root, model, err);
    json_decref(document);
    return ok;
}

static void expect_written(const struct seat_model *model, const char *wanted)
{
    struct buf json;

    buf_init(&json, 10000);
    assert_true(seat_model_write(&json, model));
    assert_string_equal(buf_text(&json), wanted);
    buf_done(&json);
}

static void what_is_unknown_is_null(void **state)
{
    struct seat_model model;

    (void)state;
    seat_model_init(&model);
    expect_written(&model,
                   "\"provider\":null,\"endpoint\":null,\"model\":null,"
                   "\"fallback\":null,\"think\":null,\"options\":{\"num_ctx\":null,"
                   "\"num_predict\":null,\"temperature\":null,\"seed\":null}");
    seat_model_done(&model);
}

#define ALL                                                                           \
    "\"provider\":\"openai\",\"endpoint\":\"cloud\",\"model\":\"m:1\","               \
    "\"fallback\":\"local,spare:x\",\"think\":\"low\",\"options\":{\"num_ctx\":4096," \
    "\"num_predict\":100,\"temperature\":0.5,\"seed\":7,\"top_k\":3,\"use_mmap\":"    \
    "true}"

static void what_was_written_comes_back_and_a_copy_stands_alone(void **state)
{
    struct seat_model model;
    struct seat_model other;
    struct err err = {0};

    (void)state;
    seat_model_init(&model);
    assert_true(read_model("{" ALL "}", &model, &err));
    assert_string_equal(model.options, "{\"top_k\":3,\"use_mmap\":true}");
    seat_model_copy(&other, &model);
    seat_model_done(&model);
    assert_null(model.endpoint);
    assert_int_equal(model.num_ctx, -1);
    expect_written(&other, ALL);
    seat_model_done(&other);
}

static void what_is_not_there_or_null_leaves_what_is(void **state)
{
    struct seat_model model;
    struct err err = {0};

    (void)state;
    seat_model_init(&model);
    assert_true(read_model("{" ALL "}", &model, &err));
    assert_true(read_model("{}", &model, &err));
    assert_true(read_model("{\"model\":null,\"fallback\":null,\"think\":null,"
                           "\"options\":{\"num_ctx\":null},\"temperature\":null}",
                           &model, &err));
    assert_true(read_model("{\"options\":null}", &model, &err));
    expect_written(&model, ALL);
    assert_true(read_model("{\"model\":\"n\",\"options\":{\"seed\":8}}", &model, &err));
    assert_string_equal(model.model, "n");
    assert_int_equal(model.seed, 8);
    assert_int_equal(model.num_ctx, 4096);
    seat_model_done(&model);
}

static void people_may_write_it_their_way(void **state)
{
    struct seat_model model;
    struct err err = {0};

    (void)state;
    seat_model_init(&model);
    assert_true(read_model("{\"fallback\":[\"local\",\"cloud:x\"],\"think\":false,"
                           "\"num_ctx\":512,\"num_predict\":9,\"temperature\":1}",
                           &model, &err));
    assert_string_equal(model.fallback, "local,cloud:x");
    assert_string_equal(model.think, "false");
    assert_int_equal(model.num_ctx, 512);
    assert_int_equal(model.num_predict, 9);
    assert_true(model.temperature >= 1 && model.temperature <= 1);
    assert_true(read_model("{\"fallback\":[],\"think\":true}", &model, &err));
    assert_null(model.fallback);
    assert_string_equal(model.think, "true");
    seat_model_done(&model);
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
    static const struct {
        const char *json, *complaint;
    } bad[] = {
        {"{\"endpoint\":7}", "/endpoint: expected a string or null, found 7"},
        {"{\"fallback\":7}", "/fallback: expected a string or null, found 7"},
        {"{\"fallback\":[\"a\",\"\"]}",
         "/fallback/1: expected ENDPOINT or ENDPOINT:MODEL, found \"\""},
        {"{\"fallback\":[\"a,b\"]}",
         "/fallback/0: expected ENDPOINT or ENDPOINT:MODEL, found \"a,b\""},
        {"{\"fallback\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}",
         "/fallback: expected at most 16 endpoints, found an array of 17"},
        {"{\"think\":\"hard\"}",
         "/think: expected true, false, low, medium, high or max, found \"hard\""},
        {"{\"think\":1}",
         "/think: expected true, false, low, medium, high or max, found 1"},
        {"{\"options\":[]}",
         "/options: expected an object with options, found an array of 0"},
        {"{\"options\":{\"top_pp\":1}}",
         "/options: top_pp: no such option, did you mean top_p?"},
        {"{\"options\":{\"top_p\":7}}",
         "/options: top_p: 7 is not a number from 0 to 1"},
        {"{\"options\":{\"num_ctx\":0}}",
         "/options/num_ctx: expected a whole number of at least 1 or null, found 0"},
        {"{\"num_predict\":\"9\"}",
         "/num_predict: expected a whole number of at least 1 or null, found \"9\""},
        {"{\"temperature\":-1}",
         "/temperature: expected a number of at least 0 or null, found -1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct seat_model model;
        struct err err = {0};

        seat_model_init(&model);
        if (read_model(bad[i].json, &model, &err))
            fail_msg("%s was taken", bad[i].json);
        assert_int_equal(err.code, ERR_FORMAT);
        assert_string_equal(err.msg, bad[i].complaint);
        seat_model_done(&model);
    }
}

#define STORY "\"setting\":\"s\",\"characters\":[],\"initial_situation\":\"i\""
#define WHO   "\"role\":\"r\",\"traits\":[],\"goal\":\"g\",\"style\":\"s\""

static void a_story_file_says_how_its_personas_are_asked(void **state)
{
    static const char file[] =
        "{" STORY ",\"personas\":[{\"name\":\"A\"," WHO
        ",\"endpoint\":\"cloud\",\"model\":\"m\",\"fallback\":[\"local\"],"
        "\"think\":true,\"num_ctx\":2048,\"options\":{\"top_p\":0.9,"
        "\"temperature\":0.25},\"spotlight\":true,\"structured\":true,"
        "\"fallback_reply\":\"Wait.\"},{\"name\":\"B\"," WHO "}]}";
    struct cast cast = {0};
    struct err err = {0};
    const struct seat *a;

    (void)state;
    if (!cast_parse_story_file(str_of(file), &cast, &err))
        fail_msg("%s", err.msg);
    a = &cast.seats[0];
    assert_string_equal(a->model.endpoint, "cloud");
    assert_string_equal(a->model.model, "m");
    assert_string_equal(a->model.fallback, "local");
    assert_string_equal(a->model.think, "true");
    assert_string_equal(a->model.options, "{\"top_p\":0.9}");
    assert_int_equal(a->model.num_ctx, 2048);
    assert_true(a->model.temperature >= 0.25 && a->model.temperature <= 0.25);
    assert_true(a->spotlight && a->structured);
    assert_string_equal(a->fallback_reply, "Wait.");
    assert_null(cast.seats[1].model.endpoint);
    assert_null(cast.seats[1].fallback_reply);
    assert_false(cast.seats[1].spotlight || cast.seats[1].structured);
    assert_true(isnan(cast.seats[1].model.temperature));
    cast_done(&cast);
}

static void a_slip_in_a_story_file_is_told_with_the_nearest_key(void **state)
{
    static const struct {
        const char *members, *complaint;
    } bad[] = {
        {"\"options\":{\"top_pp\":1}",
         "/personas/0/options/top_pp: expected no such key (top_p?), found 1"},
        {"\"spotligth\":true",
         "/personas/0/spotligth: expected no such key (spotlight?), found true"},
        {"\"num_ctx\":10", "/personas/0/num_ctx: expected at least 256, found 10"},
        {"\"fallback\":[\"a,b\"]",
         "/personas/0/fallback/0: expected ENDPOINT or ENDPOINT:MODEL, found \"a,b\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *file = x_printf("{" STORY ",\"personas\":[{\"name\":\"A\"," WHO
                              ",%s},{\"name\":\"B\"," WHO "}]}",
                              bad[i].members);
        struct cast cast = {0};
        struct err err = {0};

        assert_false(cast_parse_story_file(str_of(file), &cast, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_string_equal(err.msg, bad[i].complaint);
        free(file);
    }
}

static void a_seat_keeps_its_marks(void **state)
{
    struct seat seat;
    struct seat back;
    struct err err = {0};
    struct buf json;

    (void)state;
    seat_init(&seat);
    seat.persona = (struct persona){.name = x_strdup("A"),
                                    .role = x_strdup("r"),
                                    .goal = x_strdup("g"),
                                    .style = x_strdup("s")};
    seat.lane = 3;
    seat.spotlight = true;
    seat.structured = true;
    seat.fallback_reply = x_strdup("Wait \"a\" moment.");
    buf_init(&json, 10000);
    assert_true(seat_format(&seat, &json));
    if (!seat_parse(buf_str(&json), &back, &err))
        fail_msg("%s", err.msg);
    assert_true(back.spotlight && back.structured);
    assert_string_equal(back.fallback_reply, seat.fallback_reply);
    seat_done(&back);
    seat.spotlight = seat.structured = false;
    buf_clear(&json);
    assert_true(seat_format(&seat, &json));
    assert_true(seat_parse(buf_str(&json), &back, &err));
    assert_false(back.spotlight || back.structured);
    seat_done(&back);
    seat_done(&seat);
    buf_done(&json);
}

/* Casts written before there were endpoints. */
static void an_older_seat_is_read(void **state)
{
    static const char json[] =
        "{\"persona\":{\"name\":\"A\"," WHO "},\"driver\":\"model\",\"lane\":1,"
        "\"provider\":\"ollama\",\"model\":\"m\",\"options\":{\"num_ctx\":512,"
        "\"num_predict\":null,\"temperature\":null,\"seed\":null}}";
    struct seat seat;
    struct err err = {0};

    (void)state;
    assert_true(seat_parse(str_of(json), &seat, &err));
    assert_string_equal(seat.model.model, "m");
    assert_int_equal(seat.model.num_ctx, 512);
    assert_int_equal(seat.model.num_predict, -1);
    assert_null(seat.model.endpoint);
    assert_null(seat.model.options);
    assert_false(seat.spotlight);
    seat_done(&seat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_unknown_is_null),
        cmocka_unit_test(what_was_written_comes_back_and_a_copy_stands_alone),
        cmocka_unit_test(what_is_not_there_or_null_leaves_what_is),
        cmocka_unit_test(people_may_write_it_their_way),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(a_story_file_says_how_its_personas_are_asked),
        cmocka_unit_test(a_slip_in_a_story_file_is_told_with_the_nearest_key),
        cmocka_unit_test(a_seat_keeps_its_marks),
        cmocka_unit_test(an_older_seat_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
