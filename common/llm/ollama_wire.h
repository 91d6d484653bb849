/* ollama_wire.h - what is sent to an Ollama server, and its answers that are not a
 * stream: errors and the list of models. Pure: bytes <-> structs.
 */
#ifndef PARLEY_LLM_OLLAMA_WIRE_H
#define PARLEY_LLM_OLLAMA_WIRE_H

#include "base/buf.h"
#include "base/err.h"
#include "llm/llm.h"

/* Adds the JSON body of POST /api/chat. The same request gives the same bytes. A
 * keep_alive that is a whole number is sent as one (seconds), anything else as text: a
 * Go duration needs its unit. False when `into` is full. */
bool ollama_write_request(const struct llm_request *request, struct buf *into);
/* "<url><path>" without the slashes `url` may end with; the caller frees. */
char *ollama_join(const char *url, const char *path);
/* The URL as it may be shown and recorded: without user and password and without the
 * slashes it may end with; the caller frees. */
char *ollama_endpoint(const char *url);

/* Whether a response of that Content-Type may hold what /api/chat or /api/tags send. */
bool ollama_type_fits(const char *content_type);
/* What a status other than 200 means. */
enum llm_error ollama_status_error(int status);
/* One harmless line: the status and what the body, {"error": "..."} or plain text, says
 * of it. A page of HTML says nothing. */
void ollama_describe_error(int status, struct str body, struct err *ret_reason);

/* The names in the body of GET /api/tags, in its order. The caller frees each and the
 * list (NULL when there is none). */
MUST_USE bool ollama_read_models(struct str body, char ***ret_names, size_t *ret_count,
                                 struct err *err);

#endif
