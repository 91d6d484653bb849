/* test_streams.c - streams as the servers send them (tests/unit/streams), whole and cut
 * at every byte: the same words, the same result; read the quick way and the long way.
 */

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "llm/ollama.h"
#include "llm/openai.h"
#include "llm/reader.h"

#define OWL    "\xF0\x9F\xA6\x89"
#define TALK   "Good evening caf\xC3\xA9 " OWL ".\n\"Tea\"?"
#define BEGUN  "Good evening caf\xC3\xA9 "
#define JSON   "{\"message\":\"Good caf\xC3\xA9 \\\"" OWL "\\\"\\n\",\"sentiment\":0.5}"
#define BROKEN "the server broke off: "
#define CUT    "the reply ended before its end marker"

struct row {
    const char *file;
    enum llm_error error;
    const char *text; /* also of a reply that fails: what was said before */
    const char *thinking;
    const char *finish_reason; /* NULL: none */
    const char *reason;
    int64_t prompt_tokens; /* 0 here: not told */
    int64_t prompt_cached_tokens;
    int64_t tokens_generated;
    int64_t prompt_ns;
    int64_t generation_ns;
    int64_t retry_after_ms;
};
static const struct row rows[] = {
    {"ollama.ndjson", 0, TALK, "", "stop", "", 31, 24, 9, 80000000, 700000000, 0},
    {"ollama_thinking.ndjson", 0, TALK, "Hm. Tea.", "stop", "", 31, 0, 9, 80000000,
     700000000, 0},
    {"ollama_escapes.ndjson", 0, "<b> & " OWL " \"\\\n", "", "length", "", 0, 0, 0, 0,
     0, 0},
    {"ollama_error.ndjson", LLM_ERROR_STREAM, "Good", "", NULL,
     BROKEN "an error was encountered while running the model: unexpected EOF", 0, 0, 0,
     0, 0, 0},
    {"ollama_cut.ndjson", LLM_ERROR_TRUNCATED, "Good evening", "", NULL, CUT, 0, 0, 0,
     0, 0, 0},
    {"openai.sse", 0, TALK, "", "stop", "", 31, 24, 9, 0, 0, 0},
    {"openai_refusal.sse", LLM_ERROR_EMPTY, "", "", "stop",
     "the model refused: I cannot say that.", 0, 0, 0, 0, 0, 0},
    {"openai_error.sse", LLM_ERROR_STREAM, "Good", "", NULL,
     BROKEN "The server had an error while processing your request", 0, 0, 0, 0, 0, 0},
    {"ollama_v1.sse", 0, TALK, "Hm. Tea.", "stop", "", 31, 0, 9, 0, 0, 0},
    {"ollama_v1_lost_error.sse", LLM_ERROR_TRUNCATED, "Good", "", NULL, CUT, 0, 0, 0, 0,
     0, 0},
    {"llama_cpp.sse", 0, TALK, "Hm. Tea.", "stop", "", 31, 24, 9, 80000000, 700500000,
     0},
    {"llama_cpp_old.sse", 0, TALK, "", "stop", "", 31, 24, 9, 80000000, 700500000, 0},
    {"llama_cpp_timings_only.sse", 0, TALK, "", "length", "", 31, 24, 9, 80000000,
     700500000, 0},
    {"llama_cpp_error_field.sse", LLM_ERROR_STREAM, "Good", "", NULL,
     BROKEN "context shift is disabled", 0, 0, 0, 0, 0, 0},
    {"vllm.sse", 0, TALK, "Hm. Tea.", "stop", "", 31, 24, 9, 0, 0, 0},
    {"vllm_continuous_usage.sse", 0, TALK, "", "stop", "", 31, 0, 9, 0, 0, 0},
    {"vllm_error.sse", LLM_ERROR_STREAM, "Good", "", NULL,
     BROKEN "EngineCore encountered an issue.", 0, 0, 0, 0, 0, 0},
    {"vllm_error_old.sse", LLM_ERROR_STREAM, "Good", "", NULL, BROKEN "Engine is dead",
     0, 0, 0, 0, 0, 0},
    {"sglang.sse", 0, TALK, "", "stop", "", 31, 0, 9, 0, 0, 0},
    {"sglang_error.sse", LLM_ERROR_STREAM, "Good", "", NULL,
     BROKEN "The request is aborted.", 0, 0, 0, 0, 0, 0},
    {"lm_studio.sse", 0, TALK, "", "stop", "", 31, 0, 9, 0, 0, 0},
    {"lm_studio_error.sse", LLM_ERROR_STREAM, "Good", "", NULL,
     BROKEN "The model has crashed without additional information. (Exit code: 6)", 0,
     0, 0, 0, 0, 0},
    {"openrouter.sse", 0, TALK, "", "stop", "", 31, 24, 9, 0, 0, 0},
    {"openrouter_error.sse", LLM_ERROR_STREAM, "Good", "", NULL,
     BROKEN "Provider disconnected unexpectedly", 0, 0, 0, 0, 0, 0},
    {"openrouter_rate_limit.sse", LLM_ERROR_STREAM, "", "", NULL,
     BROKEN "Rate limited upstream", 0, 0, 0, 0, 0, 3000},
    {"ollama_structured.ndjson", 0, JSON, "", "stop", "", 31, 0, 9, 80000000, 700000000,
     0},
    {"ollama_thinking_length.ndjson", 0, BEGUN, "Hm. Tea.", "length", "", 31, 0, 9,
     80000000, 700000000, 0},
    {"openai_structured.sse", 0, JSON, "", "stop", "", 31, 24, 9, 0, 0, 0},
    {"openai_length.sse", 0, BEGUN, "", "length", "", 31, 24, 9, 0, 0, 0},
    {"ollama_v1_structured.sse", 0, JSON, "", "stop", "", 31, 0, 9, 0, 0, 0},
    {"ollama_v1_thinking_length.sse", 0, BEGUN, "Hm. Tea.", "length", "", 31, 0, 9, 0,
     0, 0},
    {"llama_cpp_structured.sse", 0, JSON, "", "stop", "", 31, 24, 9, 80000000,
     700500000, 0},
    {"llama_cpp_thinking_length.sse", 0, BEGUN, "Hm. Tea.", "length", "", 31, 24, 9,
     80000000, 700500000, 0},
    {"llama_cpp_error.sse", LLM_ERROR_CONTEXT, "Good", "", NULL,
     BROKEN "Context size has been exceeded.", 0, 0, 0, 0, 0, 0},
    {"vllm_structured.sse", 0, JSON, "", "stop", "", 31, 24, 9, 0, 0, 0},
    {"vllm_thinking_length.sse", 0, BEGUN, "Hm. Tea.", "length", "", 31, 24, 9, 0, 0,
     0},
    {"sglang_structured.sse", 0, JSON, "", "stop", "", 31, 0, 9, 0, 0, 0},
    {"sglang_thinking_length.sse", 0, BEGUN, "Hm. Tea.", "length", "", 31, 0, 9, 0, 0,
     0},
    {"lm_studio_structured.sse", 0, JSON, "", "stop", "", 31, 0, 9, 0, 0, 0},
    {"lm_studio_thinking_length.sse", 0, BEGUN, "Hm. Tea.", "length", "", 31, 0, 9, 0,
     0, 0},
    {"openrouter_structured.sse", 0, JSON, "", "stop", "", 31, 24, 9, 0, 0, 0},
    {"openrouter_thinking_length.sse", 0, BEGUN, "Hm. Tea.", "length", "", 31, 24, 9, 0,
     0, 0},
    {"sse_forms.sse", 0, TALK, "", "stop", "", 0, 0, 0, 0, 0, 0},
    {"only_finish.sse", 0, TALK, "", "stop", "", 0, 0, 0, 0, 0, 0},
    {"only_done.sse", 0, TALK, "", NULL, "", 0, 0, 0, 0, 0, 0},
    {"no_end.sse", LLM_ERROR_TRUNCATED, TALK, "", NULL, CUT, 0, 0, 0, 0, 0, 0},
    {"after_end.sse", 0, TALK, "", "stop", "", 31, 0, 9, 0, 0, 0},
    {"whole.json", 0, TALK, "", "stop", "", 31, 0, 9, 0, 0, 0},
    {"whole_error.json", LLM_ERROR_STREAM, "", "", NULL,
     BROKEN "Unexpected endpoint or method. (POST /chat/completions)", 0, 0, 0, 0, 0,
     0},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* ---- reading ---- */

struct heard {
    struct reader reader;
    struct buf said; /* what came at each step, '|' behind; empty steps leave nothing */
    size_t said_bytes;
};

static bool on_step(void *owner)
{
    struct heard *heard = owner;
    struct str text = buf_str(&heard->reader.reply.text);

    if (text.len > heard->said_bytes) {
        buf_add(&heard->said, text.at + heard->said_bytes,
                text.len - heard->said_bytes);
        buf_add_char(&heard->said, '|');
    }
    heard->said_bytes = text.len;
    return true;
}

static const struct dialect *dialect_of(const char *file)
{
    return strstr(file, ".ndjson") != NULL ? ollama_dialect() : openai_dialect();
}

/* Feeds the bytes in pieces: up to `cut`, then steps of `step` (0: all the rest). */
static void hear(struct heard *heard, const char *file, struct str bytes, size_t cut,
                 size_t step)
{
    size_t len = cut;

    *heard = (struct heard){0};
    buf_init(&heard->said, 100000);
    reader_init(&heard->reader, dialect_of(file), 10000, on_step, heard);
    while (bytes.len > 0) {
        len = len > bytes.len ? bytes.len : len;
        /* A copy of its own, so that a look behind its end is seen by the sanitizer. */
        char *piece = x_memdup(bytes.at, len);
        bool more = reader_feed(&heard->reader, str_make(piece, len));

        free(piece);
        if (!more)
            break;
        bytes = str_make(bytes.at + len, bytes.len - len);
        len = step > 0 ? step : bytes.len;
    }
    reader_end(&heard->reader, "");
}

static void heard_done(struct heard *heard)
{
    reader_done(&heard->reader);
    buf_done(&heard->said);
}

static struct str slurp(const char *file)
{
    char path[200];
    struct buf bytes;
    struct err err = {0};
    struct str text;

    fmt_into(path, sizeof path, "tests/unit/streams/%s", file);
    buf_init(&bytes, 100000);
    if (!file_slurp(path, &bytes, &err))
        fail_msg("%s", err.msg);
    text.len = bytes.len;
    text.at = buf_take(&bytes);
    return text;
}

/* ---- what must come out ---- */

static int64_t known(int64_t count)
{
    return count == 0 ? -1 : count;
}

static void assert_row(const struct row *row, const struct heard *heard)
{
    const struct reply *reply = &heard->reader.reply;

    assert_string_equal(reply->reason.msg, row->reason);
    assert_int_equal(reply->error, row->error);
    assert_string_equal(buf_text(&reply->text), row->text);
    assert_string_equal(buf_text(&reply->thinking), row->thinking);
    assert_string_equal(reply->finish_reason == NULL ? "-" : reply->finish_reason,
                        row->finish_reason == NULL ? "-" : row->finish_reason);
    assert_int_equal(reply->prompt_tokens, known(row->prompt_tokens));
    assert_int_equal(reply->prompt_cached_tokens, known(row->prompt_cached_tokens));
    assert_int_equal(reply->tokens_generated, known(row->tokens_generated));
    assert_int_equal(reply->prompt_ns, known(row->prompt_ns));
    assert_int_equal(reply->generation_ns, known(row->generation_ns));
    assert_int_equal(reply->retry_after_ms, known(row->retry_after_ms));
}

static void assert_same(const struct heard *a, const struct heard *b)
{
    const struct reply *one = &a->reader.reply;
    const struct reply *other = &b->reader.reply;

    assert_string_equal(buf_text(&a->said), buf_text(&b->said));
    assert_int_equal(one->pieces, other->pieces);
    assert_int_equal(one->thoughts, other->thoughts);
    assert_int_equal(one->steps, other->steps);
    assert_int_equal(one->done, other->done);
    assert_string_equal(one->model == NULL ? "-" : one->model,
                        other->model == NULL ? "-" : other->model);
}

static void each_server_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct str bytes = slurp(rows[i].file);
        struct heard heard;

        print_message("%s\n", rows[i].file);
        hear(&heard, rows[i].file, bytes, bytes.len, 0);
        assert_row(&rows[i], &heard);
        heard_done(&heard);
        free((char *)(uintptr_t)bytes.at);
    }
}

static void a_cut_at_every_byte_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct str bytes = slurp(rows[i].file);
        struct heard whole;

        print_message("%s\n", rows[i].file);
        hear(&whole, rows[i].file, bytes, bytes.len, 0);
        for (size_t cut = 1; cut < bytes.len; cut++) {
            struct heard parts;

            hear(&parts, rows[i].file, bytes, cut, 0);
            assert_row(&rows[i], &parts);
            assert_same(&whole, &parts);
            heard_done(&parts);
        }
        for (size_t step = 1; step < 4; step++) {
            struct heard parts;

            hear(&parts, rows[i].file, bytes, step, step);
            assert_row(&rows[i], &parts);
            assert_same(&whole, &parts);
            heard_done(&parts);
        }
        heard_done(&whole);
        free((char *)(uintptr_t)bytes.at);
    }
}

/* A stream that ends at any byte before its end marker is never taken for whole, and
 * what was said is a beginning of what would have been. */
static void an_end_at_any_byte_is_no_reply_until_the_end_came(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct str bytes = slurp(rows[i].file);
        bool was_done = false;

        for (size_t len = 0; len < bytes.len; len++) {
            struct heard heard;
            const struct reply *reply = &heard.reader.reply;

            hear(&heard, rows[i].file, str_make(bytes.at, len), len, 0);
            assert_memory_equal(buf_text(&reply->text), rows[i].text, reply->text.len);
            if (!was_done && reply->error != LLM_ERROR_TRUNCATED) {
                /* Only a failure or the model's last word ends it. */
                assert_true(reply->error == rows[i].error);
                assert_string_equal(buf_text(&reply->text), rows[i].text);
                was_done = true;
            } else if (was_done) {
                assert_int_equal(reply->error, rows[i].error);
            }
            heard_done(&heard);
        }
        free((char *)(uintptr_t)bytes.at);
    }
}

/* A member nobody knows keeps a chunk from the quick way and changes nothing else. */
static struct str the_long_way(struct str bytes)
{
    static const char *const starts[] = {"data: {\"", "data:{\"", "data:  {\"",
                                         "\n{\""};
    struct buf into;

    buf_init(&into, 200000);
    if (bytes.len > 0 && bytes.at[0] == '{') {
        buf_add_text(&into, "{\"_\":[1],");
        bytes = str_make(bytes.at + 1, bytes.len - 1);
    }
    while (bytes.len > 0) {
        size_t used = 0;

        for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
            if (str_starts(bytes, starts[i]))
                used = strlen(starts[i]) - 1;
        }
        if (used > 0) {
            buf_add(&into, bytes.at, used);
            buf_add_text(&into, "\"_\":[1],");
        } else {
            used = 1;
            buf_add(&into, bytes.at, 1);
        }
        bytes = str_make(bytes.at + used, bytes.len - used);
    }
    bytes.len = into.len;
    bytes.at = buf_take(&into);
    return bytes;
}

static void the_quick_way_and_the_long_way_tell_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct str bytes = slurp(rows[i].file);
        struct str longer = the_long_way(bytes);
        struct heard quick;
        struct heard slow;

        print_message("%s\n", rows[i].file);
        assert_true(longer.len > bytes.len);
        hear(&quick, rows[i].file, bytes, bytes.len, 0);
        hear(&slow, rows[i].file, longer, longer.len, 0);
        assert_row(&rows[i], &slow);
        assert_same(&quick, &slow);
        heard_done(&quick);
        heard_done(&slow);
        free((char *)(uintptr_t)bytes.at);
        free((char *)(uintptr_t)longer.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_is_understood),
        cmocka_unit_test(a_cut_at_every_byte_changes_nothing),
        cmocka_unit_test(an_end_at_any_byte_is_no_reply_until_the_end_came),
        cmocka_unit_test(the_quick_way_and_the_long_way_tell_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
