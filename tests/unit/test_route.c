/* test_route.c - where a call may go and what a failure means: plans, names in Redis,
 * the table of failures, pauses, copies, costs.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "llm/provider.h"
#include "llm/route_copy.h"
#include "llm/route_plan.h"
#include "llm/route_policy.h"
#include "llm/router.h"
#include "proto/config.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

/* ---- plans ---- */

#define TEXT(literal) ((char[]){literal})

static char ollama[] = "ollama";
static char openai[] = "openai";
static char simulator[] = "simulator";
static char echo[] = "echo";
static char small[] = "small";
static char big[] = "big";
static char *small_only[] = {small};
static char *big_and_small[] = {big, small};

/* The config's three, then the built-in ones. */
static struct endpoint all[] = {
    {.name = "any", .provider = openai, .url = TEXT("http://any")},
    {.name = "one",
     .provider = ollama,
     .url = TEXT("http://one"),
     .models = small_only,
     .model_count = 1},
    {.name = "cloud",
     .provider = openai,
     .url = TEXT("http://cloud"),
     .models = big_and_small,
     .model_count = 2,
     .tier = TIER_CLOUD},
    {.name = "ollama", .provider = ollama, .built_in = true},
    {.name = "openai", .provider = openai, .built_in = true},
    {.name = "simulator", .provider = simulator, .built_in = true},
    {.name = "echo", .provider = echo, .built_in = true},
};

struct plan_row {
    const char *why;
    char *options_provider; /* of config; NULL: ollama */
    char *options_model;    /* NULL: small */
    char *options_fallback;
    struct seat_model asks; /* the seat */
    size_t own;             /* of the config's endpoints, the last ones */
    const char *plan;       /* "group:endpoint/model", or "" and the reason below */
    const char *reason;
};

static const char *plan_text(const struct route_plan *plan, char room[256])
{
    size_t len = 0;

    room[0] = '\0';
    for (size_t i = 0; i < plan->count; i++) {
        const struct route_candidate *item = &plan->items[i];

        fmt_into(room + len, 256 - len, "%s%lld:%s/%s", i > 0 ? " " : "",
                 (long long)item->group, item->endpoint->name, item->model);
        len = strlen(room);
    }
    return room;
}

static void check_plan(const struct plan_row *row)
{
    /* The built-in ones stand right behind the config's. */
    const struct endpoint_list list = {
        .items = &all[3 - row->own], .count = 4 + row->own, .own = row->own};
    const struct config config = {
        .provider = row->options_provider != NULL ? row->options_provider : ollama,
        .models = {row->options_model != NULL ? row->options_model : small},
        .fallback = row->options_fallback};
    const struct route_wish wish = {.config = &config,
                                    .endpoints = &list,
                                    .strategy = ROUTE_FIRST,
                                    .model = &row->asks,
                                    .conversation = "k3v9q2m4x7ab",
                                    .seat = 1};
    struct route_plan plan = {.count = 0};
    struct err err = {0};
    char room[256];
    bool ok = route_plan_make(&wish, &plan, &err);

    if (strcmp(plan_text(&plan, room), row->plan) != 0)
        fail_msg("%s: [%s] %s", row->why, room, err.msg);
    if (!ok && (row->reason == NULL || strstr(err.msg, row->reason) == NULL))
        fail_msg("%s: %s", row->why, err.msg);
    assert_true(ok == (plan.count > 0));
    route_plan_done(&plan);
}

static void each_wish_has_its_plan(void **state)
{
    const struct plan_row rows[] = {
        {"no endpoints in the config: the provider's own", .plan = "0:ollama/small"},
        {"another provider of the options", .options_provider = openai,
         .plan = "0:openai/small"},
        {"the seat's provider", .asks = {.provider = openai, .model = big}, .own = 3,
         .plan = "0:openai/big"},
        {"all that serve it", .own = 3,
         .plan = "0:any/small 0:one/small 0:cloud/small"},
        {"only some serve it", .own = 2, .asks = {.model = big}, .plan = "0:cloud/big"},
        {"the seat's endpoint", .own = 3,
         .asks = {.endpoint = TEXT("cloud"), .model = small}, .plan = "0:cloud/small"},
        {"the seat's endpoint alone: its first model", .own = 3,
         .asks = {.endpoint = TEXT("cloud")}, .plan = "0:cloud/big"},
        {"an endpoint without a list: the options' model", .own = 3,
         .asks = {.endpoint = TEXT("any")}, .plan = "0:any/small"},
        {"an endpoint before the model", .own = 3,
         .asks = {.model = TEXT("cloud:x:7b")}, .plan = "0:cloud/x:7b"},
        {"a colon of the model's own", .asks = {.model = TEXT("llama3.2:3b")},
         .plan = "0:ollama/llama3.2:3b"},
        {"an endpoint in the options' model", .own = 3, .options_model = TEXT("cloud:"),
         .plan = "0:cloud/big"},
        {"an endpoint nobody knows", .own = 3, .asks = {.endpoint = TEXT("moon\x1b")},
         .plan = "", .reason = "there is no endpoint moon<U+001B>"},
        {"a model nobody serves", .own = 2, .asks = {.model = TEXT("x")}, .plan = "",
         .reason = "serves the model x"},
        {"no model anywhere", .own = 3, .asks = {.endpoint = TEXT("any")},
         .options_model = TEXT("cloud:big"), .plan = "",
         .reason = "endpoint any lists no model"},
        {"a provider nobody knows", .asks = {.provider = TEXT("moon")}, .plan = "",
         .reason = "there is no provider moon"},
        {"a fallback order", .own = 3,
         .asks = {.endpoint = TEXT("one"), .fallback = TEXT("cloud:big, cloud,,any")},
         .plan = "0:one/small 2:cloud/big 3:cloud/small 4:any/small"},
        {"a name with its colon there asks for the same model", .own = 3,
         .asks = {.endpoint = TEXT("one"), .fallback = TEXT("cloud:")},
         .plan = "0:one/small 2:cloud/small"},
        {"a bare model in it", .own = 3,
         .asks = {.endpoint = TEXT("one"), .fallback = TEXT("big")},
         .plan = "0:one/small 2:cloud/big"},
        {"what is there already is not there twice", .own = 2,
         .asks = {.fallback = TEXT("one,cloud:small")},
         .plan = "0:one/small 0:cloud/small"},
        {"the options' fallback", .own = 3, .options_fallback = TEXT("cloud:big"),
         .asks = {.endpoint = TEXT("one")}, .plan = "0:one/small 2:cloud/big"},
        {"echo: nothing else, whatever is named", .own = 3,
         .asks = {.provider = echo, .endpoint = TEXT("cloud"), .fallback = TEXT("one")},
         .plan = "0:echo/echo"},
        {"echo of the options", .own = 3, .options_provider = echo,
         .options_fallback = TEXT("one"), .asks = {.model = TEXT("cloud:big")},
         .plan = "0:echo/echo"},
        {"the simulator: the name before the colon is not asked", .own = 3,
         .asks = {.provider = simulator, .model = TEXT("cloud:big")},
         .plan = "0:simulator/big"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_plan(&rows[i]);
}

/* ---- the order of a plan ---- */

static void make_plan(enum route_strategy strategy, const char *conversation,
                      struct route_plan *ret_plan)
{
    const struct endpoint_list list = {.items = all, .count = 7, .own = 3};
    const struct config config = {.provider = ollama, .models = {big}};
    const struct route_wish wish = {.config = &config,
                                    .endpoints = &list,
                                    .strategy = strategy,
                                    .conversation = conversation,
                                    .seat = 1};

    assert_true(route_plan_make(&wish, ret_plan, NULL));
}

static void favourites_are_even_and_the_others_stay_when_one_goes(void **state)
{
    enum { CONVERSATIONS = 300 };
    int favourites[3] = {0};

    (void)state;
    for (int i = 0; i < CONVERSATIONS; i++) {
        struct route_plan plan;
        char name[16];

        fmt_into(name, sizeof name, "talk-%d", i);
        make_plan(ROUTE_HYBRID, name, &plan);
        assert_int_equal(plan.count, 3);
        favourites[plan.items[0].endpoint - all]++;
        route_plan_done(&plan);
    }
    for (size_t i = 0; i < 3; i++)
        assert_in_range(favourites[i], 60, 140);
}

static void a_hybrid_fleet_asks_each_for_what_it_has(void **state)
{
    struct route_plan plan;

    (void)state;
    make_plan(ROUTE_HYBRID, "a", &plan);
    for (size_t i = 0; i < plan.count; i++)
        assert_string_equal(plan.items[i].model,
                            plan.items[i].endpoint == &all[1] ? "small" : "big");
    assert_true(route_plan_has_tiers(&plan));
    route_plan_set_tier(&plan, TIER_CLOUD, true);
    assert_ptr_equal(plan.items[0].endpoint, &all[2]);
    assert_int_equal(plan.items[1].group, 1);
    assert_false(plan.items[1].excluded);
    route_plan_set_tier(&plan, TIER_CLOUD, false);
    assert_true(plan.items[1].excluded && plan.items[2].excluded);
    route_plan_set_tier(&plan, TIER_CLOUD, true);
    assert_true(plan.items[1].excluded && plan.items[2].excluded); /* for good */
    route_plan_done(&plan);
}

static void what_failed_comes_behind_all_others(void **state)
{
    struct route_plan plan;

    (void)state;
    make_plan(ROUTE_HYBRID, "a", &plan);
    route_plan_set_tier(&plan, TIER_CLOUD, true);
    plan.items[0].failed = true;
    route_plan_sort(&plan);
    assert_ptr_equal(plan.items[2].endpoint, &all[2]);
    plan.items[0].failed = plan.items[1].failed = true;
    route_plan_sort(&plan);
    assert_ptr_equal(plan.items[0].endpoint, &all[2]);
    route_plan_done(&plan);
}

/* ---- names in Redis ---- */

static const char *id_of(const char *url, const char *key_env)
{
    static char ids[4][ENDPOINT_ID_SIZE];
    static size_t next;
    char url_room[400];
    char key_room[64];
    struct endpoint endpoint = {.provider = ollama, .url = url_room};
    char *id = ids[next++ % 4];

    fmt_into(url_room, sizeof url_room, "%s", url);
    fmt_into(key_room, sizeof key_room, "%s", key_env == NULL ? "" : key_env);
    endpoint.key_env = key_env == NULL ? NULL : key_room;
    route_endpoint_id(&endpoint, id);
    return id;
}

static void an_endpoint_is_named_by_its_url_without_secrets(void **state)
{
    char url[300] = "http://host/";

    (void)state;
    assert_string_equal(id_of("http://host:11434", NULL), "http://host:11434");
    assert_string_equal(id_of("https://u:p@s@host/v1", NULL), "https://host/v1");
    assert_string_equal(id_of("https://host/v1@2", NULL), "https://host/v1@2");
    assert_string_equal(id_of("", NULL), "ollama");
    assert_string_not_equal(id_of("http://h", "KEY_A"), id_of("http://h", "KEY_B"));
    assert_null(strstr(id_of("http://h", "KEY_A"), "KEY_A"));
    memset(url + strlen(url), 'x', 250);
    assert_true(strlen(id_of(url, "KEY_A")) < ENDPOINT_ID_SIZE);
    url[200] = 'y';
    assert_string_not_equal(id_of(url, NULL), id_of("http://host/xxx", NULL));
    {
        char other[300];

        memcpy(other, url, sizeof other);
        other[201] = 'y';
        assert_string_not_equal(id_of(url, NULL), id_of(other, NULL));
    }
}

/* ---- failures ---- */

static void each_failure_leads_where_the_table_says(void **state)
{
    static const struct {
        enum llm_error error;
        const char *verdict;
        const char *next; /* of a first failure: up, its server down, no other; and
                             where the caller can make its prompt shorter */
    } rows[] = {
        {LLM_ERROR_REFUSED, "bad", "RARR"},
        {LLM_ERROR_MODEL_NOT_FOUND, "ok", "WWEE"},
        {LLM_ERROR_AUTH, "auth", "WWEE"},
        {LLM_ERROR_BUSY, "bad", "RARR"},
        {LLM_ERROR_SERVER, "bad", "RARR"},
        {LLM_ERROR_REQUEST, "ok", "EEEE"},
        {LLM_ERROR_UNSUPPORTED, "ok", "OOOO"},
        {LLM_ERROR_CONTEXT, "ok", "WWES"},
        {LLM_ERROR_REDIRECT, "ok", "WWEE"},
        {LLM_ERROR_STREAM, "bad", "RARR"},
        {LLM_ERROR_TRUNCATED, "bad", "RARR"},
        {LLM_ERROR_PROTOCOL, "bad", "RARR"},
        {LLM_ERROR_TIMEOUT, "bad", "RARR"},
        {LLM_ERROR_EMPTY, "ok", "PPPP"},
        {LLM_ERROR_TOO_LARGE, "ok", "WWEE"},
    };
    static const char letters[ROUTE_NEXT_COUNT + 1] = "ERAWPOS";
    static const struct route_tries tries[] = {
        {.most = 3, .others = true},
        {.most = 3, .others = true, .down = true},
        {.most = 3},
        {.most = 3, .fits = true},
    };

    (void)state;
    assert_int_equal(sizeof rows / sizeof *rows, LLM_ERROR_COUNT - 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct llm_result result = {.outcome = LLM_FAILED,
                                          .error = rows[i].error};

        assert_string_equal(route_verdict(&result), rows[i].verdict);
        for (size_t j = 0; j < sizeof tries / sizeof *tries; j++)
            if (letters[route_next(rows[i].error, &tries[j])] != rows[i].next[j])
                fail_msg("%s, case %zu", llm_error_name(rows[i].error), j);
    }
}

static void attempts_are_counted_but_for_those_of_a_server_that_is_down(void **state)
{
    struct route_tries tries = {.used = 2, .most = 3, .others = true};

    (void)state;
    assert_int_equal(route_next(LLM_ERROR_BUSY, &tries), ROUTE_END);
    assert_int_equal(route_next(LLM_ERROR_AUTH, &tries), ROUTE_END);
    tries.down = true;
    assert_int_equal(route_next(LLM_ERROR_BUSY, &tries), ROUTE_AGAIN);
    tries = (struct route_tries){.used = 1, .most = 3, .repeats = 1};
    assert_int_equal(route_next(LLM_ERROR_EMPTY, &tries), ROUTE_END);
    assert_int_equal(route_next(LLM_ERROR_UNSUPPORTED, &tries), ROUTE_WITHOUT);
    tries.used = 2;
    assert_int_equal(route_next(LLM_ERROR_UNSUPPORTED, &tries), ROUTE_END);
    assert_string_equal(route_verdict(&(struct llm_result){.outcome = LLM_CANCELLED}),
                        "none");
}

static void a_pause_has_full_jitter(void **state)
{
    static const int64_t most[] = {250, 500, 1000, 2000, 4000, 8000, 8000, 8000};
    struct rng rng;

    (void)state;
    rng_init(&rng, 7);
    for (int64_t used = 1; used <= 8; used++) {
        int64_t least_seen = INT64_MAX;
        int64_t most_seen = 0;

        for (int i = 0; i < 2000; i++) {
            int64_t ms = route_pause_ms(&rng, used);

            assert_in_range(ms, 0, most[used - 1]);
            least_seen = ms < least_seen ? ms : least_seen;
            most_seen = ms > most_seen ? ms : most_seen;
        }
        assert_true(least_seen < most[used - 1] / 50);
        assert_true(most_seen > most[used - 1] * 49 / 50);
    }
}

/* ---- copies and costs ---- */

static void a_copy_stands_alone(void **state)
{
    char *text = x_strdup("hello");
    const char *stops[] = {"A:", "B:"};
    struct llm_message messages[] = {{"system", str_of("")}, {"user", str_of(text)}};
    const struct llm_request request = {.messages = messages,
                                        .message_count = 2,
                                        .schema = "{}",
                                        .think = "low",
                                        .stops = stops,
                                        .stop_count = 2,
                                        .url = "http://h",
                                        .seed = 5};
    struct llm_request *copy = route_copy(&request);

    (void)state;
    memset(text, 'x', 5);
    free(text);
    stops[0] = stops[1] = NULL;
    memset(messages, 0, sizeof messages);
    assert_string_equal(copy->messages[0].role, "system");
    assert_true(str_is(copy->messages[1].text, "hello"));
    assert_string_equal(copy->stops[1], "B:");
    assert_string_equal(copy->schema, "{}");
    assert_string_equal(copy->think, "low");
    assert_null(copy->options);
    assert_null(copy->url);
    assert_int_equal(copy->seed, 5);
    free(copy);
}

static void a_cost_is_told_only_where_prices_and_counts_are_known(void **state)
{
    static const struct {
        double prompt, cached, generated; /* prices */
        int64_t prompt_tokens, cached_tokens, generated_tokens;
        double cost;
    } rows[] = {
        {2, NAN, 8, 1000, -1, 500, 0.006},    {2, 0.5, 8, 1000, 400, 500, 0.0054},
        {2, NAN, 8, 1000, 400, 500, 0.006},   {2, 0, 8, 1000, 1000, 0, 0},
        {2, 0.5, NAN, 1000, 400, -1, 0.0014}, {NAN, NAN, 8, -1, -1, 500, 0.004},
        {0, NAN, 0, 1000, -1, 500, 0},        {NAN, NAN, NAN, 1000, -1, 500, -1},
        {2, NAN, 8, -1, -1, 500, -1},         {2, NAN, 8, 1000, -1, -1, -1},
        {2, 1, NAN, 10, 4000, -1, 0.00001}, /* it cached no more than there was */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct endpoint endpoint = {.prompt_price = rows[i].prompt,
                                          .cached_price = rows[i].cached,
                                          .generated_price = rows[i].generated};
        struct llm_result result;

        llm_result_unknown(&result);
        result.prompt_tokens = rows[i].prompt_tokens;
        result.prompt_cached_tokens = rows[i].cached_tokens;
        result.tokens_generated = rows[i].generated_tokens;
        if (fabs(endpoint_cost(&endpoint, &result) - rows[i].cost) > 1e-12)
            fail_msg("row %zu: %f", i, endpoint_cost(&endpoint, &result));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wish_has_its_plan),
        cmocka_unit_test(favourites_are_even_and_the_others_stay_when_one_goes),
        cmocka_unit_test(a_hybrid_fleet_asks_each_for_what_it_has),
        cmocka_unit_test(what_failed_comes_behind_all_others),
        cmocka_unit_test(an_endpoint_is_named_by_its_url_without_secrets),
        cmocka_unit_test(each_failure_leads_where_the_table_says),
        cmocka_unit_test(attempts_are_counted_but_for_those_of_a_server_that_is_down),
        cmocka_unit_test(a_pause_has_full_jitter),
        cmocka_unit_test(a_copy_stands_alone),
        cmocka_unit_test(a_cost_is_told_only_where_prices_and_counts_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
