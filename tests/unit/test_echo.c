/* test_echo.c - the provider without a model: what it answers, when, and once. */
#include "llm/echo.h"
#include "llm/llm.h"
#include "test_http_rig.h"

/* ---- the answer ---- */

static struct str text(const char *at)
{
    return str_of(at);
}

static void assert_answer(const struct llm_message *messages, size_t count,
                          const char *expected)
{
    struct buf answer;

    buf_init(&answer, 1024);
    assert_true(echo_compose(messages, count, &answer));
    assert_string_equal(buf_text(&answer), expected);
    buf_done(&answer);
}

static void the_answer_quotes_topic_count_and_last_words(void **state)
{
    const struct llm_message messages[] = {
        {"system", text("You are Ada.\nTopic: the price  of tea\nBe brief.")},
        {"user", text("Go on.")},
        {"assistant", text("one two three four five six seven eight\nnine ten. ")},
    };

    (void)state;
    assert_answer(messages, 3,
                  "[echo] about \"the price of tea\", after 2 messages, to "
                  "\"three four five six seven eight nine ten.\"");
    assert_answer(messages, 2,
                  "[echo] about \"the price of tea\", after 1 message, to \"Go on.\"");
    assert_answer(messages, 1,
                  "[echo] about \"the price of tea\", after 0 messages, to \"\"");
}

static void without_a_topic_the_first_line_is_quoted(void **state)
{
    const struct llm_message messages[] = {
        {"system", text("\nYou are Ada, and Topic: is not at the start.\nBe brief.")},
    };

    (void)state;
    assert_answer(messages, 1,
                  "[echo] about \"You are Ada, and Topic: is not at the start.\", "
                  "after 0 messages, to \"\"");
    assert_answer(messages, 0, "[echo] about \"\", after 0 messages, to \"\"");
}

static void quotes_and_broken_characters_inside_do_no_harm(void **state)
{
    const struct llm_message messages[] = {
        {"system", text("Topic: \"tea\"")},
        {"user", text("caf\xC3\xA9 \xFF")},
    };

    (void)state;
    assert_answer(messages, 2,
                  "[echo] about \"'tea'\", after 1 message, to "
                  "\"caf\xC3\xA9 \xEF\xBF\xBD\"");
}

static void a_word_without_an_end_is_cut_between_characters(void **state)
{
    char word[1999]; /* "x" and then characters of two bytes: at odd places */
    const struct llm_message message = {"user", {word, sizeof word}};
    struct buf answer;

    (void)state;
    word[0] = 'x';
    for (size_t at = 1; at < sizeof word; at++)
        word[at] = at % 2 == 1 ? '\xC3' : '\xA9';
    buf_init(&answer, 1024);
    assert_true(echo_compose(&message, 1, &answer));
    assert_true(answer.len > 150 && answer.len < 250);
    assert_null(strstr(buf_text(&answer), "\xEF\xBF\xBD"));
    buf_done(&answer);
}

/* ---- the call ---- */

static struct rig rig;
static struct llm *llm;

struct seen {
    struct llm_call *call;
    struct buf said;
    unsigned deltas;
    unsigned results;
    unsigned turns;          /* of the loop so far */
    unsigned turn_of_delta;  /* when the last one came */
    unsigned turn_of_result; /* when it came */
    bool cancel_in_delta;
    bool in_delta;
    bool result_inside_delta;
    struct llm_result result; /* its texts are copied below */
    char *text;
    char *reason;
    char *model;
};

static int set_up(void **state)
{
    (void)state;
    rig_init(&rig);
    llm = llm_new(rig.loop, NULL); /* echo needs no HTTP */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    llm_free(llm);
    rig_done(&rig);
    return 0;
}

static void on_delta(void *owner, struct str delta)
{
    struct seen *seen = owner;

    seen->deltas++;
    seen->turn_of_delta = seen->turns;
    buf_add_str(&seen->said, delta);
    seen->in_delta = true;
    if (seen->cancel_in_delta)
        llm_cancel(seen->call);
    seen->in_delta = false;
}

static void on_result(void *owner, const struct llm_result *result)
{
    struct seen *seen = owner;

    seen->results++;
    seen->result_inside_delta = seen->in_delta;
    seen->turn_of_result = seen->turns;
    seen->result = *result;
    seen->text = x_memdup(result->text.at, result->text.len);
    seen->reason = x_strdup(result->reason);
    seen->model = x_strdup(result->model);
    llm_cancel(seen->call); /* too late: without effect */
}

static bool is_over(void *owner)
{
    struct seen *seen = owner;

    seen->turns++;
    return seen->results > 0;
}

static void seen_done(struct seen *seen)
{
    buf_done(&seen->said);
    free(seen->text);
    free(seen->reason);
    free(seen->model);
}

static const struct llm_message prompt[] = {
    {"system", {"Topic: tea", 10}},
    {"user", {"Begin.", 6}},
};
static const struct llm_request request = {
    .provider = LLM_ECHO, .messages = prompt, .message_count = 2, .seed = -1};

static void start(struct seen *seen, const struct llm_request *what)
{
    const struct llm_handlers handlers = {
        .on_delta = on_delta, .on_result = on_result, .owner = seen};

    buf_init(&seen->said, 4096);
    seen->call = llm_start(llm, what, &handlers);
    assert_int_equal(seen->deltas + seen->results, 0); /* never before it returned */
}

static void echo_answers_in_one_piece_and_counts_nothing(void **state)
{
    struct seen seen = {0};

    (void)state;
    start(&seen, &request);
    rig_wait(&rig, is_over, &seen);
    assert_int_equal(seen.deltas, 1);
    assert_int_equal(seen.results, 1);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_int_equal(seen.result.error, LLM_ERROR_NONE);
    assert_string_equal(seen.text,
                        "[echo] about \"tea\", after 1 message, to \"Begin.\"");
    assert_string_equal(buf_text(&seen.said), seen.text);
    assert_string_equal(seen.result.provider, "echo");
    assert_string_equal(seen.model, "echo");
    assert_string_equal(seen.result.finish_reason, "stop");
    assert_int_equal(seen.result.deltas, 1);
    assert_int_equal(seen.result.prompt_tokens, -1);
    assert_int_equal(seen.result.tokens_generated, -1);
    assert_int_equal(seen.result.generation_ns, -1);
    assert_true(seen.result.first_token_us >= 0);
    assert_true(seen.result.duration_us >= seen.result.first_token_us);
    seen_done(&seen);
}

static void echo_bears_the_model_name_it_is_given(void **state)
{
    struct llm_request named = request;
    struct seen seen = {0};

    (void)state;
    named.model = "parrot";
    start(&seen, &named);
    rig_wait(&rig, is_over, &seen);
    assert_string_equal(seen.model, "parrot");
    seen_done(&seen);
}

static void echo_cannot_fill_a_schema(void **state)
{
    struct llm_request structured = request;
    struct seen seen = {0};

    (void)state;
    structured.schema = "{}";
    start(&seen, &structured);
    rig_wait(&rig, is_over, &seen);
    assert_int_equal(seen.result.outcome, LLM_FAILED);
    assert_int_equal(seen.result.error, LLM_ERROR_REQUEST);
    assert_string_equal(seen.reason, "echo has no model to fill a schema");
    assert_string_equal(seen.text, "");
    assert_int_equal(seen.deltas, 0);
    assert_int_equal(seen.result.first_token_us, -1);
    seen_done(&seen);
}

static void echo_keeps_to_the_largest_reply_allowed(void **state)
{
    struct llm_request small = request;
    struct seen seen = {0};

    (void)state;
    small.max_reply_bytes = 10;
    start(&seen, &small);
    rig_wait(&rig, is_over, &seen);
    assert_int_equal(seen.result.outcome, LLM_FAILED);
    assert_int_equal(seen.result.error, LLM_ERROR_TOO_LARGE);
    seen_done(&seen);
}

static void assert_cancelled(struct seen *seen)
{
    rig_wait(&rig, is_over, seen);
    rig_idle(&rig, 20); /* a second result would come now */
    assert_int_equal(seen->results, 1);
    assert_int_equal(seen->result.outcome, LLM_CANCELLED);
    assert_int_equal(seen->result.error, LLM_ERROR_NONE);
    assert_string_equal(seen->text, "");
    assert_string_equal(seen->reason, "");
}

static void echo_can_be_cancelled_before_it_speaks(void **state)
{
    struct seen seen = {0};

    (void)state;
    start(&seen, &request);
    llm_cancel(seen.call);
    llm_cancel(seen.call);
    assert_int_equal(seen.results, 0);
    assert_cancelled(&seen);
    assert_int_equal(seen.deltas, 0);
    seen_done(&seen);
}

static void echo_can_be_cancelled_while_it_speaks(void **state)
{
    struct seen seen = {.cancel_in_delta = true};

    (void)state;
    start(&seen, &request);
    assert_cancelled(&seen);
    assert_int_equal(seen.deltas, 1);
    assert_true(seen.turn_of_result >= seen.turn_of_delta);
    assert_false(seen.result_inside_delta);
    seen_done(&seen);
}

static void echo_that_is_dropped_says_nothing(void **state)
{
    struct seen seen = {0};

    (void)state;
    start(&seen, &request);
    llm_drop(seen.call);
    rig_idle(&rig, 20);
    assert_int_equal(seen.deltas + seen.results, 0);
    seen_done(&seen);
}

static void echo_that_is_freed_says_nothing(void **state)
{
    struct seen seen = {0};

    (void)state;
    start(&seen, &request);
    llm_free(llm);
    llm = NULL;
    rig_idle(&rig, 20);
    assert_int_equal(seen.deltas + seen.results, 0);
    seen_done(&seen);
}

/* ---- names ---- */

static void providers_have_names_that_are_read_back(void **state)
{
    enum llm_provider provider = LLM_PROVIDER_COUNT;

    (void)state;
    for (unsigned i = 0; i < LLM_PROVIDER_COUNT; i++) {
        assert_true(
            llm_provider_parse(llm_provider_name((enum llm_provider)i), &provider));
        assert_int_equal(provider, i);
    }
    assert_false(llm_provider_parse("Ollama", &provider));
    assert_false(llm_provider_parse("", &provider));
    assert_int_equal(provider, LLM_PROVIDER_COUNT - 1);
}

static void each_error_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LLM_ERROR_COUNT; i++) {
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(llm_error_name((enum llm_error)i),
                                    llm_error_name((enum llm_error)j));
    }
    assert_string_equal(llm_error_name(LLM_ERROR_MODEL_NOT_FOUND), "model_not_found");
}

#define ECHO_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_quotes_topic_count_and_last_words),
        cmocka_unit_test(without_a_topic_the_first_line_is_quoted),
        cmocka_unit_test(quotes_and_broken_characters_inside_do_no_harm),
        cmocka_unit_test(a_word_without_an_end_is_cut_between_characters),
        ECHO_TEST(echo_answers_in_one_piece_and_counts_nothing),
        ECHO_TEST(echo_bears_the_model_name_it_is_given),
        ECHO_TEST(echo_cannot_fill_a_schema),
        ECHO_TEST(echo_keeps_to_the_largest_reply_allowed),
        ECHO_TEST(echo_can_be_cancelled_before_it_speaks),
        ECHO_TEST(echo_can_be_cancelled_while_it_speaks),
        ECHO_TEST(echo_that_is_dropped_says_nothing),
        ECHO_TEST(echo_that_is_freed_says_nothing),
        cmocka_unit_test(providers_have_names_that_are_read_back),
        cmocka_unit_test(each_error_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
