/* overlong.h - whether a server complains that a prompt does not fit its window, and
 * how large it says that is. Servers of OpenAI's API cannot be told a window, so this
 * is how theirs is learned. Pure.
 *
 * Known by `code` context_length_exceeded (OpenAI, OpenRouter), by `type`
 * exceed_context_size_error (llama.cpp, which gives `n_ctx` beside it), and by words:
 * "maximum context length is 4096 tokens" (vLLM, OpenRouter), "the model's context
 * length (4096 tokens)" (SGLang), "context length of only 4096 tokens" (LM Studio),
 * "longer than the context length currently available" (Ollama).
 */
#ifndef PARLEY_LLM_OVERLONG_H
#define PARLEY_LLM_OVERLONG_H

#include <stdbool.h>
#include <stdint.h>

struct complaint;

/* *ret_window: tokens, -1 when it is not told; untouched when the answer is false. */
bool overlong_says(const struct complaint *complaint, int64_t *ret_window);

#endif
