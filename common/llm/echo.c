/* echo.c - answers at the next turn of the loop, in one piece, by a fixed rule.
 *
 * What it says proves which prompt it saw, so that a dry run shows whether story and
 * history reach the model. It counts no tokens, since there are none.
 *
 * Flow: echo_start (compose, wake at the next turn) -> on_wake -> on_delta -> on_result
 */
#include "llm/echo.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "llm/provider.h"

enum {
    TOPIC_WORDS = 12,
    LAST_WORDS = 8,
    QUOTE_BYTES_MAX = 160, /* also without a single blank in it */
    ANSWER_BYTES_MAX = 1024
};

struct echo_call {
    struct llm_call call;  /* first */
    struct loop_hook hook; /* answers at the end of this turn of the loop */
    struct buf text;
    enum llm_error error;
    const char *reason;
    int64_t first_token_us;
};

/* ---- the answer ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Splits off the first word; empty when there is none left. */
static struct str next_word(struct str *text)
{
    size_t len = 0;
    struct str word;

    *text = str_trim(*text);
    while (len < text->len && !is_blank(text->at[len]))
        len++;
    word = str_make(text->at, len);
    *text = str_make(text->at + len, text->len - len);
    return word;
}

/* Where the last `words` words begin. */
static struct str last_words(struct str text, size_t words)
{
    size_t at;

    text = str_trim(text);
    at = text.len;
    while (at > 0 && words > 0) {
        at--;
        if (at == 0 || (is_blank(text.at[at - 1]) && !is_blank(text.at[at])))
            words--;
    }
    return str_make(text.at + at, text.len - at);
}

/* Not longer than the maximum, and not ending in the middle of a character. */
static struct str cut(struct str text)
{
    size_t len = text.len < QUOTE_BYTES_MAX ? text.len : QUOTE_BYTES_MAX;

    while (len > 0 && len < text.len && ((unsigned char)text.at[len] & 0xC0) == 0x80)
        len--;
    return str_make(text.at, len);
}

/* In double quotes, so those inside become single ones. */
static bool quote(struct str text, size_t words, struct buf *into)
{
    struct str rest = cut(text);
    struct str word = next_word(&rest);
    size_t start;
    bool ok = buf_add_char(into, '"');

    start = into->len;
    for (; words > 0 && word.len > 0; words--) {
        ok = ok && (into->len == start || buf_add_char(into, ' '))
             && utf8_mend(word, into);
        word = next_word(&rest);
    }
    for (size_t i = start; i < into->len; i++) {
        if (into->at[i] == '"')
            into->at[i] = '\'';
    }
    return ok && buf_add_char(into, '"');
}

static struct str topic_of(struct str system)
{
    static const char mark[] = "Topic: ";
    struct str rest = system;

    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);

        if (str_starts(line, mark))
            return str_make(line.at + strlen(mark), line.len - strlen(mark));
    }
    system = str_trim(system);
    return str_cut(system, '\n', &rest);
}

bool echo_compose(const struct llm_message *messages, size_t count, struct buf *into)
{
    struct str system = str_of("");
    struct str last = str_of("");
    size_t spoken = 0;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(messages[i].role, "system") == 0) {
            system = messages[i].text;
        } else {
            last = messages[i].text;
            spoken++;
        }
    }
    return buf_add_text(into, "[echo] about ")
           && quote(topic_of(system), TOPIC_WORDS, into)
           && buf_printf(into, ", after %zu message%s, to ", spoken,
                         spoken == 1 ? "" : "s")
           && quote(last_words(last, LAST_WORDS), LAST_WORDS, into);
}

/* ---- the call ---- */

static void echo_tell(struct echo_call *echo)
{
    struct llm_result result;

    llm_result_init(&echo->call, &result);
    result.error = echo->error;
    result.reason = echo->reason;
    result.first_token_us = echo->first_token_us;
    if (echo->error == LLM_ERROR_NONE) {
        result.outcome = LLM_DONE;
        result.text = buf_str(&echo->text);
        result.finish_reason = "stop";
        result.deltas = 1;
    }
    llm_call_end(&echo->call, &result);
}

static void on_turn(struct loop_hook *hook, void *owner)
{
    struct echo_call *echo = owner;

    loop_hook_stop(hook);
    if (!echo->call.cancelled && echo->error == LLM_ERROR_NONE) {
        echo->first_token_us = clock_mono_us() - echo->call.started_us;
        llm_call_say(&echo->call, buf_str(&echo->text)); /* may cancel: told below */
        loop_hook_stop(hook);
    }
    echo_tell(echo);
}

static void echo_cancel(struct llm_call *call)
{
    struct echo_call *echo = (struct echo_call *)(void *)call;

    loop_hook_stop(&echo->hook);
    loop_hook_start(&echo->hook, call->llm->loop, on_turn, echo);
}

static void echo_free(struct llm_call *call)
{
    struct echo_call *echo = (struct echo_call *)(void *)call;

    loop_hook_stop(&echo->hook);
    buf_done(&echo->text);
    llm_call_done(call);
    free(echo);
}

struct llm_call *echo_start(struct llm *llm, const struct llm_request *request,
                            const struct llm_handlers *handlers)
{
    struct echo_call *echo = x_calloc(1, sizeof(*echo));
    size_t most = request->max_reply_bytes;

    llm_call_init(&echo->call, llm, request, handlers);
    echo->call.endpoint = x_strdup("echo");
    echo->call.model = x_strdup(request->model != NULL ? request->model : "echo");
    echo->call.cancel = echo_cancel;
    echo->call.free = echo_free;
    echo->reason = "";
    echo->first_token_us = -1;
    buf_init(&echo->text,
             most > 0 && most < ANSWER_BYTES_MAX ? most : ANSWER_BYTES_MAX);
    if (request->schema != NULL) {
        echo->error = LLM_ERROR_REQUEST;
        echo->reason = "echo has no model to fill a schema";
    } else if (!echo_compose(request->messages, request->message_count, &echo->text)) {
        echo->error = LLM_ERROR_TOO_LARGE;
        echo->reason = "the answer of echo is longer than a reply may be";
    }
    loop_hook_start(&echo->hook, llm->loop, on_turn, echo);
    return &echo->call;
}
