/* test_request.c - what a request takes from a seat, an endpoint and the options. */
#include <math.h>

#include "llm/request.h"
#include "proto/config.h"
#include "proto/endpoint.h"
#include "proto/seat_model.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static char keep_alive[] = "10m";
static char top_k[] = "{\"top_k\":3}";
static char quiet[] = "false";
static const struct config config = {
    .num_ctx = 4096,
    .num_predict = 200,
    .temperature = 0.7,
    .keep_alive = keep_alive,
    .options = top_k,
    .think = quiet,
    .connect_ms = 100,
    .first_token_ms = 200,
    .between_tokens_ms = 300,
    .total_ms = OPT_NONE,
};

static void what_a_seat_leaves_open_is_the_options(void **state)
{
    struct seat_model seat;
    struct llm_request request;

    (void)state;
    seat_model_init(&seat);
    request = request_of_seat(&config, &seat, 7);
    assert_int_equal(request.num_ctx, 4096);
    assert_int_equal(request.num_predict, 200);
    assert_true(request.temperature > 0.69 && request.temperature < 0.71);
    assert_int_equal(request.seed, -1);
    assert_string_equal(request.keep_alive, "10m");
    assert_string_equal(request.options, "{\"top_k\":3}");
    assert_string_equal(request.think, "false");
}

static void what_a_seat_says_goes_before_the_options(void **state)
{
    char options[] = "{\"num_gpu\":1}";
    char think[] = "high";
    const struct seat_model seat = {.options = options,
                                    .think = think,
                                    .num_ctx = 1024,
                                    .num_predict = 50,
                                    .temperature = 0,
                                    .seed = 40};
    struct llm_request request = request_of_seat(&config, &seat, 2);

    (void)state;
    assert_int_equal(request.num_ctx, 1024);
    assert_int_equal(request.num_predict, 50);
    assert_true(request.temperature < 0.01);
    assert_int_equal(request.seed, 42);
    assert_string_equal(request.options, options);
    assert_string_equal(request.think, think);
}

static void clocks_are_the_endpoints_then_the_options_then_the_clients(void **state)
{
    const struct endpoint endpoint = {
        .clocks = {.connect_ms = -1, .first_token_ms = 9, .total_ms = -1}};
    struct llm_request request = {.total_ms = 5};

    (void)state;
    request_set_clocks(&request, &config, &endpoint);
    assert_int_equal(request.connect_ms, 100);
    assert_int_equal(request.first_token_ms, 9);
    assert_int_equal(request.between_tokens_ms, 300);
    assert_int_equal(request.total_ms, 0);
}

static void a_tiers_clocks_go_between_the_endpoints_and_the_options(void **state)
{
    struct config tiered = config;
    const struct endpoint endpoint = {.tier = TIER_CLOUD,
                                      .clocks = {.first_token_ms = 9}};
    const struct endpoint other = {.tier = TIER_LOCAL};
    struct llm_request request = {0};

    (void)state;
    tiered.endpoints.tiers[TIER_CLOUD] = (struct endpoint_clocks){
        .connect_ms = 1, .first_token_ms = 2, .between_tokens_ms = 3, .total_ms = 4};
    request_set_clocks(&request, &tiered, &endpoint);
    assert_int_equal(request.connect_ms, 1);
    assert_int_equal(request.first_token_ms, 9);
    assert_int_equal(request.between_tokens_ms, 3);
    assert_int_equal(request.total_ms, 4);
    request_set_clocks(&request, &tiered, &other);
    assert_int_equal(request.connect_ms, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_seat_leaves_open_is_the_options),
        cmocka_unit_test(what_a_seat_says_goes_before_the_options),
        cmocka_unit_test(clocks_are_the_endpoints_then_the_options_then_the_clients),
        cmocka_unit_test(a_tiers_clocks_go_between_the_endpoints_and_the_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
