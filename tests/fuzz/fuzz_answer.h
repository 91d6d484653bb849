/* fuzz_answer.h - what must hold for any answer of a model server that is no reply: a
 * byte for its status, then the body, which is taken for its headers as well.
 *
 * Rules: it is a failure with one harmless line; a parameter is named exactly where
 * that is the failure, was sent, and may go; a wait is known or -1.
 */
#ifndef PARLEY_FUZZ_ANSWER_H
#define PARLEY_FUZZ_ANSWER_H

#include "fuzz_reader.h"
#include "llm/verdict.h"
#include "net/http.h"

FUZZ void fuzz_judge(const struct dialect *dialect, int status, struct str body,
                     const char *header)
{
    const unsigned sent = 0x5554; /* some of them */
    const struct verdict_ask ask = {.dialect = dialect,
                                    .type_fits = dialect->type_fits,
                                    .url = "http://h/v1",
                                    .path = dialect->chat_path,
                                    .model = "m",
                                    .sent = sent,
                                    .now_us = 1000000};
    const struct http_result http = {.outcome = HTTP_DONE,
                                     .status = status,
                                     .content_type = header,
                                     .retry_after = header,
                                     .retry_after_ms = "",
                                     .location = header,
                                     .reason = ""};
    struct verdict verdict;

    verdict_of(&ask, &http, body, &verdict);
    assert(status == 200 || verdict.error != LLM_ERROR_NONE);
    assert((verdict.error == LLM_ERROR_NONE) == (verdict.reason.msg[0] == '\0'));
    fuzz_assert_harmless(verdict.reason.msg);
    assert((verdict.error == LLM_ERROR_UNSUPPORTED) == (verdict.param != PARAM_NONE));
    assert(verdict.param == PARAM_NONE || (sent & 1U << verdict.param) != 0);
    assert(verdict.retry_after_ms >= -1);
}

FUZZ void fuzz_answer(struct str bytes)
{
    static const int statuses[] = {200, 204, 301, 304, 400, 401, 402, 403, 404,
                                   408, 413, 422, 429, 499, 500, 503, 529, 999};
    size_t choice = bytes.len == 0 ? 0 : (unsigned char)bytes.at[0];
    int status = statuses[choice % (sizeof statuses / sizeof *statuses)];
    struct str body = bytes.len == 0 ? bytes : str_make(bytes.at + 1, bytes.len - 1);
    char *copy = x_memdup(body.at, body.len); /* ends where it ends */
    char *header = x_printf("%.*s", (int)body.len, body.at);

    fuzz_judge(ollama_dialect(), status, str_make(copy, body.len), header);
    fuzz_judge(openai_dialect(), status, str_make(copy, body.len), header);
    free(header);
    free(copy);
}

#endif
