/* test_llm.c - an Ollama call over a real connection: what goes well, what is
 * cancelled, and the list of models. How it fails: test_llm_failures.c.
 */
#include "llm/models.h"
#include "test_llm_peer.h"

#define OWL "\xF0\x9F\xA6\x89"
static const char good[] = HEAD SAY("Good ") SAY("caf\xC3\xA9 ") SAY(OWL "!") END;

/* ---- a good reply ---- */

static void assert_good(const struct seen *seen)
{
    assert_string_equal(seen->reason, "");
    assert_int_equal(seen->result.outcome, LLM_DONE);
    assert_int_equal(seen->result.error, LLM_ERROR_NONE);
    assert_string_equal(seen->text, "Good caf\xC3\xA9 " OWL "!");
    assert_string_equal(buf_text(&seen->said), seen->text);
    assert_int_equal(seen->deltas, 3);
    assert_int_equal(seen->result.deltas, 3);
    assert_string_equal(seen->model, "m:1b");
    assert_string_equal(seen->finish_reason, "stop");
    assert_int_equal(seen->result.prompt_tokens, 26);
    assert_int_equal(seen->result.prompt_cached_tokens, -1);
    assert_int_equal(seen->result.tokens_generated, 3);
    assert_int_equal(seen->result.load_ns, 11);
    assert_int_equal(seen->result.prompt_ns, 22);
    assert_int_equal(seen->result.generation_ns, 33);
    assert_int_equal(seen->result.total_ns, 66);
    assert_int_equal(seen->result.http_status, 200);
    assert_true(seen->result.first_token_us > 0);
    assert_true(seen->result.connect_us >= 0);
    assert_true(seen->result.connect_us <= seen->result.first_token_us);
    assert_true(seen->result.duration_us >= seen->result.first_token_us);
}

static void a_good_reply_is_told_with_its_counts(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(good);
    run(&seen, request);
    assert_good(&seen);
    assert_string_equal(seen.result.provider, "ollama");
    assert_string_equal(seen.endpoint, url); /* nobody has named it */
    assert_string_equal(seen.thinking, "");
    seen_done(&seen);
}

static void a_reply_cut_at_any_byte_is_the_same(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < sizeof good - 1; cut++) {
        struct seen seen = {0};

        will_say(good);
        script.cut = cut;
        run(&seen, request);
        assert_good(&seen);
        seen_done(&seen);
    }
}

static void a_reply_in_single_bytes_is_the_same(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(good);
    script.cut = script.step = 1;
    run(&seen, request);
    assert_good(&seen);
    seen_done(&seen);
}

static void a_chunked_reply_is_the_same(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
             "Transfer-Encoding: chunked\r\n\r\n"
             "2\r\n{}\r\n"
             "1\r\n\n\r\n"
             "1e\r\n{\"message\":{\"content\":\"Hi.\"}}\n\r\n"
             "e\r\n{\"done\":true}\n\r\n"
             "0\r\n\r\n");
    script.end = SCRIPT_STAY;
    run(&seen, request);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_string_equal(seen.text, "Hi.");
    assert_string_equal(seen.model, "asked"); /* the server did not name it */
    assert_string_equal(seen.finish_reason, "");
    seen_done(&seen);
}

static void a_single_json_object_without_a_line_end_is_a_reply(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
             "{\"message\":{\"content\":\"Hi.\"},\"done\":true}");
    run(&seen, request);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_string_equal(seen.text, "Hi.");
    assert_string_equal(buf_text(&seen.said), "Hi.");
    seen_done(&seen);
}

static void a_character_cut_between_lines_is_told_when_whole(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(HEAD SAY("a\xF0\x9F") SAY("\xA6") SAY("\x89z\xC3") END);
    run(&seen, request);
    assert_string_equal(seen.text, "a" OWL "z\xEF\xBF\xBD");
    assert_string_equal(buf_text(&seen.said), seen.text);
    assert_int_equal(seen.result.deltas, 3);
    seen_done(&seen);
}

static void thoughts_are_told_apart_and_never_as_deltas(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(HEAD "{\"message\":{\"content\":\"\",\"thinking\":\"Hm.\"}}\n" SAY("Tea.")
                 END);
    run(&seen, request);
    assert_string_equal(seen.text, "Tea.");
    assert_string_equal(seen.thinking, "Hm.");
    assert_string_equal(buf_text(&seen.said), "Tea.");
    assert_int_equal(seen.result.deltas, 1);
    seen_done(&seen);
}

static void what_follows_the_end_marker_is_ignored(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(HEAD SAY("Tea.") END SAY("more") "{\"error\":\"late\"}\n<html>");
    script.cut = strlen(HEAD SAY("Tea.") END) + 5;
    script.step = 30; /* in pieces of their own as well */
    run(&seen, request);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_string_equal(seen.text, "Tea.");
    seen_done(&seen);
}

static void a_server_that_keeps_the_connection_does_not_keep_the_result(void **state)
{
    int64_t started_at_us = clock_mono_us();
    struct seen seen = {0};

    (void)state;
    will_say(HEAD SAY("Tea.") END);
    script.end = SCRIPT_STAY;
    run(&seen, request);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    /* The reply was over at its end marker, not when we lost patience. */
    assert_true(seen.result.duration_us + 900000 < clock_mono_us() - started_at_us);
    rig_wait(&rig, peer_is_gone, NULL);
    seen_done(&seen);
}

static void the_request_goes_to_api_chat_with_its_turn(void **state)
{
    struct llm_request named = request;
    struct seen seen = {0};

    (void)state;
    fmt_into(url, sizeof url, "http://127.0.0.1:%d/", server.port);
    named.call_id = "k3v9q2m4x7ab:7";
    will_say(good);
    run(&seen, named);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_memory_equal(buf_text(&play.request), "POST /api/chat HTTP/1.1\r\n", 25);
    assert_non_null(
        strstr(buf_text(&play.request), "\r\nContent-Type: application/json\r\n"));
    assert_non_null(
        strstr(buf_text(&play.request), "\r\nX-Parley-Turn: k3v9q2m4x7ab:7\r\n"));
    assert_non_null(strstr(
        buf_text(&play.request),
        "\r\n\r\n{\"model\":\"asked\",\"messages\":[{\"role\":\"system\",\"content\":"
        "\"Topic: tea\"},{\"role\":\"user\",\"content\":\"Begin.\"}],\"stream\":true,"
        "\"options\":{\"num_ctx\":8192,\"num_predict\":100,\"temperature\":0.5}}"));
    seen_done(&seen);
}

/* ---- the clock of the first token ---- */

static void the_first_token_is_measured_at_the_first_text(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(HEAD "{}\n" SAY("Tea.") END);
    script.cut = strlen(HEAD "{}\n");
    script.between_ms = 60;
    run(&seen, request);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_true(seen.result.first_token_us >= 60000);
    seen_done(&seen);
}

static void the_clock_between_tokens_begins_anew_at_each(void **state)
{
    struct llm_request quick = request;
    struct seen seen = {0};

    (void)state;
    will_say(HEAD SAY("aaaa") SAY("bbbb") SAY("cccc") SAY("dddd") "{\"done\":true}\n");
    script.cut = strlen(HEAD);
    script.step = strlen(SAY("aaaa"));
    script.between_ms = 150;
    quick.between_tokens_ms = 500; /* five times 150 is more */
    run(&seen, quick);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_true(seen.result.duration_us > 500000);
    seen_done(&seen);
}

/* A stopped process or a sleeping laptop: the timer is over, and the words are there.
 */
static void after_a_pause_of_our_own_words_count_before_clocks(void **state)
{
    struct llm_request quick = request;
    struct seen seen = {0};
    int64_t until_ms;

    (void)state;
    will_say(HEAD SAY("Tea"));
    script.end = SCRIPT_STAY;
    quick.between_tokens_ms = 60;
    start(&seen, quick);
    rig_wait(&rig, has_delta, &seen);
    raw_say(server.connections, SAY("?") "{\"done\":true}\n");
    raw_close(server.connections);
    for (until_ms = clock_mono_ms() + 90; clock_mono_ms() < until_ms;)
        continue;
    rig_wait(&rig, is_over, &seen);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_string_equal(seen.text, "Tea?");
    seen_done(&seen);
}

/* ---- cancelled, dropped ---- */

static void assert_cancelled(const struct seen *seen)
{
    assert_int_equal(seen->results, 1);
    assert_int_equal(seen->result.outcome, LLM_CANCELLED);
    assert_int_equal(seen->result.error, LLM_ERROR_NONE);
    assert_string_equal(seen->text, "");
    assert_string_equal(seen->reason, "");
}

static void cancelling_closes_the_connection(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(HEAD SAY("Tea"));
    script.end = SCRIPT_STAY;
    start(&seen, request);
    rig_wait(&rig, has_delta, &seen);
    llm_cancel(seen.call);
    llm_cancel(seen.call);
    assert_int_equal(seen.results, 0);
    rig_wait(&rig, is_over, &seen);
    assert_cancelled(&seen);
    rig_wait(&rig, peer_is_gone, NULL);
    seen_done(&seen);
}

static void cancelling_inside_a_delta_stops_the_deltas(void **state)
{
    struct seen seen = {.cancel_in_delta = true};

    (void)state;
    will_say(HEAD SAY("Tea") SAY(" is") SAY(" ready.") END);
    start(&seen, request);
    rig_wait(&rig, is_over, &seen);
    rig_idle(&rig, 50); /* a second result would come now */
    assert_cancelled(&seen);
    assert_int_equal(seen.deltas, 1);
    seen_done(&seen);
}

static void cancelling_at_once_asks_nothing(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(good);
    start(&seen, request);
    llm_cancel(seen.call);
    rig_wait(&rig, is_over, &seen);
    assert_cancelled(&seen);
    rig_idle(&rig, 50);
    assert_int_equal(server.requests, 0);
    seen_done(&seen);
}

static void cancelling_after_the_end_marker_still_cancels(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(HEAD "{\"message\":{\"content\":\"Tea.\"},\"done\":true}\n");
    script.end = SCRIPT_STAY;
    seen.cancel_in_delta = true;
    start(&seen, request);
    rig_wait(&rig, is_over, &seen);
    assert_cancelled(&seen);
    seen_done(&seen);
}

static const struct llm_server asked = {.provider = LLM_OLLAMA, .url = url};

static bool server_was_asked(void *owner)
{
    (void)owner;
    return server.requests == 2;
}

static void on_no_models(void *owner, const struct llm_models *models)
{
    (void)owner;
    (void)models;
    fail_msg("an answer after llm_free");
}

static void freeing_drops_running_calls_without_a_word(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(HEAD SAY("Tea"));
    script.end = SCRIPT_STAY;
    start(&seen, request);
    llm_list_models(llm, &asked, 5000, on_no_models, NULL);
    rig_wait(&rig, server_was_asked, NULL);
    rig_wait(&rig, has_delta, &seen);
    llm_free(llm);
    llm = NULL;
    rig_wait(&rig, peer_is_gone, NULL);
    rig_idle(&rig, 20);
    assert_int_equal(seen.results, 0);
    seen_done(&seen);
}

static void a_dropped_call_closes_its_connection_without_a_word(void **state)
{
    struct seen dropped = {0};
    struct seen kept = {0};

    (void)state;
    will_say(HEAD SAY("Tea"));
    script.end = SCRIPT_STAY;
    start(&dropped, request);
    rig_wait(&rig, has_delta, &dropped);
    llm_drop(dropped.call);
    rig_wait(&rig, peer_is_gone, NULL);
    will_say(good);
    run(&kept, request); /* the others go on */
    assert_good(&kept);
    assert_int_equal(dropped.results, 0);
    seen_done(&dropped);
    seen_done(&kept);
}

static void say_good_at_once(struct raw *raw)
{
    raw_say(raw, good);
    raw_close(raw);
}

static void many_calls_run_side_by_side(void **state)
{
    enum { CALLS = 50 };
    struct seen seen[CALLS] = {0};

    (void)state;
    server.on_whole = say_good_at_once;
    for (size_t i = 0; i < CALLS; i++) {
        seen[i].cancel_in_delta = i % 7 == 3;
        start(&seen[i], request);
    }
    for (size_t i = 0; i < CALLS; i++)
        rig_wait(&rig, is_over, &seen[i]);
    for (size_t i = 0; i < CALLS; i++) {
        if (i % 7 == 3)
            assert_cancelled(&seen[i]);
        else
            assert_good(&seen[i]);
        seen_done(&seen[i]);
    }
}

/* ---- models ---- */

struct listing {
    unsigned answers;
    bool ok;
    enum llm_error error;
    size_t count;
    bool has_llama;
    char reason[512];
};

static void on_models(void *owner, const struct llm_models *models)
{
    struct listing *listing = owner;

    listing->answers++;
    listing->ok = models->ok;
    listing->error = models->error;
    listing->count = models->count;
    listing->has_llama = llm_models_have(models, "llama3.2");
    fmt_into(listing->reason, sizeof listing->reason, "%s", models->reason);
}

static bool is_listed(void *owner)
{
    return ((struct listing *)owner)->answers > 0;
}

static void list(struct listing *listing, const char *answer, int64_t timeout_ms)
{
    *listing = (struct listing){0};
    will_say(answer);
    script.end = strstr(answer, "\r\n\r\n") == NULL ? SCRIPT_STAY : SCRIPT_CLOSE;
    llm_list_models(llm, &asked, timeout_ms, on_models, listing);
    assert_int_equal(listing->answers, 0);
    rig_wait(&rig, is_listed, listing);
    assert_int_equal(listing->answers, 1);
}

#define JSON_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

static void the_models_of_a_server_are_listed(void **state)
{
    struct listing listing;

    (void)state;
    list(&listing, JSON_HEAD "{\"models\":[{\"name\":\"llama3.2:latest\"}]}", 5000);
    assert_true(listing.ok);
    assert_string_equal(listing.reason, "");
    assert_int_equal(listing.count, 1);
    assert_true(listing.has_llama);
    assert_memory_equal(buf_text(&play.request), "GET /api/tags HTTP/1.1\r\n", 24);
}

static void a_list_that_cannot_be_had_is_told_with_the_reason(void **state)
{
    static const struct {
        const char *answer;
        enum llm_error error;
        const char *reason;
    } rows[] = {
        {"HTTP/1.1 500 No\r\n\r\n{\"error\":\"ill\"}", LLM_ERROR_SERVER,
         "the server answered 500: ill"},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", LLM_ERROR_PROTOCOL,
         "answers with an HTML page, not Ollama's API: is the URL right?"},
        {JSON_HEAD "{\"models\":[7]}", LLM_ERROR_PROTOCOL,
         "the list of models: /models/0/name: expected a string, found none"},
    };
    struct listing listing;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        list(&listing, rows[i].answer, 5000);
        assert_false(listing.ok);
        assert_int_equal(listing.count, 0);
        assert_int_equal(listing.error, rows[i].error);
        assert_non_null(strstr(listing.reason, rows[i].reason));
    }
    list(&listing, "HTTP/1.1 200 OK\r\n", 50);
    assert_int_equal(listing.error, LLM_ERROR_TIMEOUT);
    fmt_into(url, sizeof url, "http://127.0.0.1:1");
    list(&listing, "", 5000);
    assert_int_equal(listing.error, LLM_ERROR_REFUSED);
    assert_string_equal(listing.reason,
                        "cannot connect to 127.0.0.1 port 1: Connection refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LLM_TEST(a_good_reply_is_told_with_its_counts),
        LLM_TEST(a_reply_cut_at_any_byte_is_the_same),
        LLM_TEST(a_reply_in_single_bytes_is_the_same),
        LLM_TEST(a_chunked_reply_is_the_same),
        LLM_TEST(a_single_json_object_without_a_line_end_is_a_reply),
        LLM_TEST(a_character_cut_between_lines_is_told_when_whole),
        LLM_TEST(thoughts_are_told_apart_and_never_as_deltas),
        LLM_TEST(what_follows_the_end_marker_is_ignored),
        LLM_TEST(a_server_that_keeps_the_connection_does_not_keep_the_result),
        LLM_TEST(the_request_goes_to_api_chat_with_its_turn),
        LLM_TEST(the_first_token_is_measured_at_the_first_text),
        LLM_TEST(the_clock_between_tokens_begins_anew_at_each),
        LLM_TEST(after_a_pause_of_our_own_words_count_before_clocks),
        LLM_TEST(cancelling_closes_the_connection),
        LLM_TEST(cancelling_inside_a_delta_stops_the_deltas),
        LLM_TEST(cancelling_at_once_asks_nothing),
        LLM_TEST(cancelling_after_the_end_marker_still_cancels),
        LLM_TEST(freeing_drops_running_calls_without_a_word),
        LLM_TEST(a_dropped_call_closes_its_connection_without_a_word),
        LLM_TEST(many_calls_run_side_by_side),
        LLM_TEST(the_models_of_a_server_are_listed),
        LLM_TEST(a_list_that_cannot_be_had_is_told_with_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
