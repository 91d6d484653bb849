/* openai.h - the dialect of OpenAI's chat completions, as OpenAI and the servers that
 * copy it speak it: POST <url>/chat/completions, answered by server-sent events. What
 * each server does differently stands in docs/model_servers.md.
 */
#ifndef PARLEY_LLM_OPENAI_H
#define PARLEY_LLM_OPENAI_H

struct dialect;

const struct dialect *openai_dialect(void);

#endif
