/* test_call_record.c - the entry that a model call leaves in K:calls, in a Redis of the
 * test's own: what is known is there, what is not leaves no field.
 */
#include <math.h>

#include "base/buf.h"
#include "llm/call_record.h"
#include "llm/router.h"
#include "test_redis_rig.h"

static struct rig rig;
static struct keys keys;
static struct buf seen;

static int start_server(void **state)
{
    struct err err = {0};

    (void)state;
    rig_open(&rig);
    rig_server_start(&rig, "--loglevel", "warning");
    rig_connect_to(&rig, rig.url, (struct redis_options){0});
    rig_run(&rig, rig_is_ready);
    buf_init(&seen, 1 << 16);
    return keys_init(&keys, "parley", "0", &err) ? 0 : -1;
}

static int stop_server(void **state)
{
    (void)state;
    rig_close(&rig);
    buf_done(&seen);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    rig_ask(&rig, "FLUSHALL");
    rig_run(&rig, rig_is_answered);
    return 0;
}

/* "field=value field=value ..." of the one entry. */
static void on_entries(void *owner, const struct redis_answer *answer)
{
    const struct redis_value *entry;

    (void)owner;
    buf_clear(&seen);
    assert_int_equal(answer->outcome, REDIS_OK);
    assert_int_equal(answer->value->count, 1);
    entry = redis_item(redis_item(answer->value, 0), 1);
    for (size_t i = 0; i + 1 < entry->count; i += 2) {
        struct str field = redis_item_text(entry, i);
        struct str value = redis_item_text(entry, i + 1);

        buf_printf(&seen, "%s%.*s=%.*s", i == 0 ? "" : " ", (int)field.len, field.at,
                   (int)value.len, value.at);
    }
}

static void expect(const struct call_record *record, const struct llm_result *result,
                   const char *wanted)
{
    const struct str argv[] = {str_of("XRANGE"), str_of("parley:{0}:calls"),
                               str_of("-"), str_of("+")};
    struct redis_call call = {.argc = 4, .argv = argv, .on_answer = on_entries};

    assert_true(call_record_send(rig.redis, &keys, record, result));
    assert_true(redis_send(rig.redis, &call));
    rig_run(&rig, rig_is_answered);
    assert_string_equal(buf_text(&seen), wanted);
}

static const struct llm_result unknown = {.outcome = LLM_CANCELLED,
                                          .reason = "",
                                          .finish_reason = "",
                                          .provider = "ollama",
                                          .endpoint = "",
                                          .model = "",
                                          .retry_after_ms = -1,
                                          .prompt_tokens = -1,
                                          .prompt_cached_tokens = -1,
                                          .tokens_generated = -1,
                                          .first_token_us = -1,
                                          .longest_gap_us = -1,
                                          .load_ns = -1,
                                          .prompt_ns = -1,
                                          .generation_ns = -1};

static void what_is_not_known_leaves_no_field(void **state)
{
    const struct call_record record = {.conversation = "k3v9q2m4x7ab",
                                       .call = "c1",
                                       .worker = "manager-1",
                                       .turn = -1,
                                       .issue = -1,
                                       .delivery = -1,
                                       .seat = -1,
                                       .began_us = 1000000};

    (void)state;
    expect(&record, &unknown,
           "conversation=k3v9q2m4x7ab call=c1 provider=ollama"
           " started_at=1970-01-01T00:00:01.000000Z"
           " ended_at=1970-01-01T00:00:01.000000Z duration_ms=0.000"
           " outcome=cancelled worker=manager-1");
}

static void all_that_is_known_is_told(void **state)
{
    const struct endpoint endpoint = {.name = "cloud",
                                      .tier = TIER_CLOUD,
                                      .prompt_price = 2,
                                      .cached_price = NAN,
                                      .generated_price = 10};
    const struct router_attempt attempt = {.call_id = "c1~2",
                                           .number = 2,
                                           .endpoint = &endpoint,
                                           .model = "m",
                                           .route = "mark_seat",
                                           .wait_us = 1500,
                                           .probe = true};
    const struct call_record record = {.conversation = "k3v9q2m4x7ab",
                                       .call = "c1~2",
                                       .worker = "worker-1-1",
                                       .turn = 7,
                                       .issue = 1,
                                       .delivery = 2,
                                       .seat = 1,
                                       .num_ctx = 4096,
                                       .began_us = 1000000,
                                       .attempt = &attempt,
                                       .cleaned = "capped,trimmed",
                                       .context_truncated = true,
                                       .thinking = str_of("hm")};
    struct llm_result result = unknown;

    (void)state;
    result.outcome = LLM_DONE;
    result.model = "m-1";
    result.http_status = 200;
    result.finish_reason = "length";
    result.prompt_tokens = 1000;
    result.prompt_cached_tokens = 0;
    result.tokens_generated = 100;
    result.first_token_us = 2500;
    result.duration_us = 500000;
    result.deltas = 3;
    result.longest_gap_us = 7500;
    result.load_ns = 1500000;
    result.prompt_ns = 2000000;
    result.generation_ns = 450000000;
    expect(&record, &result,
           "conversation=k3v9q2m4x7ab turn=7 issue=1 delivery=2 call=c1~2 seat=1"
           " endpoint=cloud attempt=2 tier=cloud route=mark_seat"
           " endpoint_wait_ms=1.500 cost=0.003000 probe=1 provider=ollama model=m-1"
           " started_at=1970-01-01T00:00:01.000000Z"
           " ended_at=1970-01-01T00:00:01.500000Z duration_ms=500.000"
           " time_to_first_token_ms=2.500 tokens_generated=100 prompt_tokens=1000"
           " prompt_cached_tokens=0 chunks=3 longest_gap_ms=7.500 prefill_ms=2.000"
           " decode_ms=450.000 load_ms=1.500 finish_reason=length http_status=200"
           " outcome=done num_ctx=4096 cleaned=capped,trimmed context_truncated=1 "
           "thinking=hm"
           " worker=worker-1-1");
}

/* The price is one of a million tokens; what was cached is part of the prompt. */
static void a_cost_is_of_what_was_counted_and_never_guessed(void **state)
{
    static const struct {
        double prompt_price;
        double generated_price;
        double cached_price;
        int64_t prompt;
        int64_t cached;
        int64_t generated;
        double cost;
    } rows[] = {
        {2, 10, NAN, 1000, -1, 100, 0.003},    {2, 10, NAN, 1000, 400, 100, 0.003},
        {2, 10, 0.5, 1000, 400, 100, 0.0024},  {2, 10, 0.5, 1000, -1, 100, 0.003},
        {2, 10, 0.5, 1000, 9999, 100, 0.0015}, {2, NAN, 0, 1000, 400, -1, 0.0012},
        {NAN, 10, NAN, -1, -1, 100, 0.001},    {0, 0, NAN, 1000, 0, 100, 0},
        {2, 10, NAN, -1, -1, 100, -1},         {2, 10, NAN, 1000, -1, -1, -1},
        {NAN, NAN, NAN, 1000, 0, 100, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct endpoint endpoint = {.prompt_price = rows[i].prompt_price,
                                          .generated_price = rows[i].generated_price,
                                          .cached_price = rows[i].cached_price};
        struct llm_result result = unknown;

        result.prompt_tokens = rows[i].prompt;
        result.prompt_cached_tokens = rows[i].cached;
        result.tokens_generated = rows[i].generated;
        print_message("row %zu\n", i);
        assert_true(fabs(endpoint_cost(&endpoint, &result) - rows[i].cost) < 1e-9);
    }
}

static void a_call_that_was_spoiled_by_its_caller_has_failed(void **state)
{
    const struct call_record record = {.conversation = "k3v9q2m4x7ab",
                                       .call = "c1",
                                       .worker = "w",
                                       .turn = -1,
                                       .issue = -1,
                                       .delivery = -1,
                                       .seat = -1,
                                       .error = "structure"};
    struct llm_result result = unknown;

    (void)state;
    result.outcome = LLM_DONE;
    expect(&record, &result,
           "conversation=k3v9q2m4x7ab call=c1 provider=ollama"
           " started_at=1970-01-01T00:00:00.000000Z"
           " ended_at=1970-01-01T00:00:00.000000Z duration_ms=0.000"
           " outcome=failed error=structure worker=w");
    set_up(state);
    result.outcome = LLM_FAILED; /* its own failure has the last word */
    result.error = LLM_ERROR_BUSY;
    expect(&record, &result,
           "conversation=k3v9q2m4x7ab call=c1 provider=ollama"
           " started_at=1970-01-01T00:00:00.000000Z"
           " ended_at=1970-01-01T00:00:00.000000Z duration_ms=0.000"
           " outcome=failed error=busy worker=w");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_known_leaves_no_field),
        TEST(all_that_is_known_is_told),
        TEST(a_cost_is_of_what_was_counted_and_never_guessed),
        TEST(a_call_that_was_spoiled_by_its_caller_has_failed),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
