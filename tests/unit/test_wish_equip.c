/* test_wish_equip.c - which model a seat asks, of what it says itself and what the wish
 * says.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/endpoint.h"
#include "proto/schema.h"
#include "proto/wish.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct endpoint_list endpoints;

static int read_endpoints(void **state)
{
    static const char section[] =
        "{\"cloud\":{\"provider\":\"openai\",\"url\":\"https://h/v1\","
        "\"models\":[\"gpt-4o-mini\",\"gpt-4o\"]},"
        "\"box\":{\"provider\":\"ollama\",\"url\":\"http://box\"}}";
    struct err err = {0};
    json_t *json = NULL;
    bool ok = json_read(str_of(section), &json, &err)
              && endpoints_parse(json, &endpoints, &err);

    (void)state;
    json_decref(json);
    return ok ? 0 : -1;
}

static int drop_endpoints(void **state)
{
    (void)state;
    endpoints_done(&endpoints);
    return 0;
}

static char *copy(const char *text)
{
    return text == NULL ? NULL : x_strdup(text);
}

struct asked {
    const char *provider, *endpoint, *model;
};

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const struct {
    struct asked wish;
    const char *seats; /* the wish's model for this seat */
    struct asked seat, wanted;
} who[] = {
    /* nobody says anything */
    {{0}, NULL, {0}, {0}},
    /* the wish alone */
    {{"ollama", NULL, "x"}, NULL, {0}, {"ollama", NULL, "x"}},
    {{"ollama", NULL, "x"}, "y", {0}, {"ollama", NULL, "y"}},
    {{"ollama", NULL, "x"}, "y:7b", {0}, {"ollama", NULL, "y:7b"}},
    {{"ollama", NULL, "x"}, "cloud:gpt-4o", {0}, {"openai", "cloud", "gpt-4o"}},
    {{"ollama", NULL, "x"}, "cloud", {0}, {"openai", "cloud", "gpt-4o-mini"}},
    {{"ollama", NULL, "x"}, "box:", {0}, {"ollama", "box", NULL}},
    {{NULL, "box", "x"}, NULL, {0}, {NULL, "box", "x"}},
    {{NULL, "box", "cloud:gpt-4o"}, NULL, {0}, {"openai", "cloud", "gpt-4o"}},
    /* the seat names its model */
    {{"ollama", NULL, "x"}, "y", {NULL, NULL, "z"}, {"ollama", NULL, "z"}},
    {{"ollama", NULL, "x"}, "y", {NULL, NULL, "box:z"}, {"ollama", "box", "z"}},
    {{NULL, "cloud", "x"}, NULL, {NULL, NULL, "z"}, {NULL, "cloud", "z"}},
    /* the seat names its endpoint: of the wish's models only one for it */
    {{"ollama", NULL, "x"},
     NULL,
     {NULL, "cloud", NULL},
     {NULL, "cloud", "gpt-4o-mini"}},
    {{"ollama", NULL, "gpt-4o"},
     NULL,
     {NULL, "cloud", NULL},
     {NULL, "cloud", "gpt-4o"}},
    {{"ollama", NULL, "x"}, NULL, {NULL, "box", NULL}, {NULL, "box", "x"}},
    {{"ollama", NULL, "cloud:gpt-4o"}, NULL, {NULL, "box", NULL}, {NULL, "box", NULL}},
    {{"ollama", NULL, "cloud:gpt-4o"},
     NULL,
     {NULL, "cloud", NULL},
     {NULL, "cloud", "gpt-4o"}},
    {{"ollama", NULL, "x"}, NULL, {NULL, "cloud", "box:z"}, {NULL, "cloud", "box:z"}},
    {{"ollama", NULL, "x"}, NULL, {NULL, "gone", NULL}, {NULL, "gone", "x"}},
    /* the seat names its provider */
    {{"ollama", "box", "x"}, NULL, {"echo", NULL, NULL}, {"echo", NULL, "x"}},
};

static void seats_ask_whom_they_name_else_whom_the_wish_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof who / sizeof *who; i++) {
        struct wish wish;
        struct seat seat;

        wish_init(&wish);
        seat_init(&seat);
        wish.model.provider = copy(who[i].wish.provider);
        wish.model.endpoint = copy(who[i].wish.endpoint);
        wish.model.model = copy(who[i].wish.model);
        wish.models[2] = copy(who[i].seats);
        seat.model.provider = copy(who[i].seat.provider);
        seat.model.endpoint = copy(who[i].seat.endpoint);
        seat.model.model = copy(who[i].seat.model);
        wish_equip(&wish, 2, &endpoints, &seat);
        if (!same(seat.model.provider, who[i].wanted.provider)
            || !same(seat.model.endpoint, who[i].wanted.endpoint)
            || !same(seat.model.model, who[i].wanted.model))
            fail_msg("case %zu: %s, %s, %s", i, seat.model.provider,
                     seat.model.endpoint, seat.model.model);
        seat_done(&seat);
        wish_done(&wish);
    }
}

static void what_a_seat_leaves_open_comes_from_the_wish(void **state)
{
    struct wish wish;
    struct seat open;
    struct seat own;

    (void)state;
    wish_init(&wish);
    wish.structured = true;
    wish.model = (struct seat_model){.fallback = x_strdup("box"),
                                     .options = x_strdup("{\"top_k\":1}"),
                                     .think = x_strdup("low"),
                                     .num_ctx = 4096,
                                     .num_predict = 100,
                                     .temperature = 0.5,
                                     .seed = 7};
    seat_init(&open);
    wish_equip(&wish, 1, &endpoints, &open);
    assert_string_equal(open.model.fallback, "box");
    assert_string_equal(open.model.options, "{\"top_k\":1}");
    assert_string_equal(open.model.think, "low");
    assert_int_equal(open.model.num_ctx, 4096);
    assert_int_equal(open.model.num_predict, 100);
    assert_true(fabs(open.model.temperature - 0.5) < 1e-12);
    assert_int_equal(open.model.seed, 7);
    assert_true(open.structured);

    seat_init(&own);
    own.model.fallback = x_strdup("cloud");
    own.model.options = x_strdup("{\"top_k\":2}");
    own.model.think = x_strdup("false");
    own.model.num_ctx = 8192;
    own.model.num_predict = 1;
    own.model.temperature = 0;
    own.model.seed = 3;
    own.structured = true;
    wish.structured = false;
    wish_equip(&wish, 1, &endpoints, &own);
    assert_string_equal(own.model.fallback, "cloud");
    assert_string_equal(own.model.options, "{\"top_k\":2}");
    assert_string_equal(own.model.think, "false");
    assert_int_equal(own.model.num_ctx, 8192);
    assert_int_equal(own.model.num_predict, 1);
    assert_true(own.model.temperature < 1e-12);
    assert_int_equal(own.model.seed, 7); /* the conversation's */
    assert_true(own.structured);
    seat_done(&open);
    seat_done(&own);
    wish_done(&wish);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seats_ask_whom_they_name_else_whom_the_wish_names),
        cmocka_unit_test(what_a_seat_leaves_open_comes_from_the_wish),
    };

    return cmocka_run_group_tests(tests, read_endpoints, drop_endpoints);
}
