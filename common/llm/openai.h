/* openai.h - the dialect of OpenAI's chat completions, as OpenAI and the servers that
 * copy it speak it: POST <url>/chat/completions, answered by server-sent events. What
 * each server does differently stands in docs/model_servers.md.
 */
#ifndef PARLEY_LLM_OPENAI_H
#define PARLEY_LLM_OPENAI_H

#include <stdbool.h>

struct dialect;
struct model_option;

const struct dialect *openai_dialect(void);
/* Whether that option is sent to the server at that URL; what is not is left out. */
bool openai_takes(const char *url, const struct model_option *option);

#endif
