/* ollama.h - the dialect of Ollama's own API: POST <url>/api/chat, answered by lines of
 * JSON (docs/api.md of the Ollama project; docs/model_servers.md here).
 */
#ifndef PARLEY_LLM_OLLAMA_H
#define PARLEY_LLM_OLLAMA_H

struct dialect;

const struct dialect *ollama_dialect(void);

#endif
