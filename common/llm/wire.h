/* wire.h - what the dialects write and read alike: URLs, messages, options, types,
 * lists of models. Pure: bytes <-> structs.
 */
#ifndef PARLEY_LLM_WIRE_H
#define PARLEY_LLM_WIRE_H

#include "base/buf.h"
#include "base/err.h"
#include "llm/llm.h"

struct model_option;

/* "<url><path>" without the slashes `url` may end with; the caller frees. */
char *wire_join(const char *url, const char *path);
/* The URL as it may be shown and recorded: without user and password and without the
 * slashes it may end with; the caller frees. */
char *wire_shown(const char *url);
/* The URL without that path at its end, if it stands there ("http://h/v1", "/v1" ->
 * "http://h"); the caller frees. */
char *wire_root(const char *url, const char *path);
/* "<name><value>" for a header, NULL without a value; the caller frees. */
char *wire_header(const char *name, const char *value);
/* Takes the key out of a text that a server may have put it into, whole or cut off at
 * the end. Keys too short to be a secret stay: they may be words. NULL: no key. */
void wire_hide_key(char *text, const char *key);
/* Whether a Content-Type is that media type, parameters and case aside. */
bool wire_type_is(const char *content_type, const char *media_type);

/* These add to a JSON object behind its first member; false when `into` is full. */
bool wire_write_messages(const struct llm_request *request, struct buf *into);
bool wire_write_temperature(const struct llm_request *request, struct buf *into);
bool wire_write_seed(const struct llm_request *request, struct buf *into);
/* ,"stop":[...] when the request has stops. */
bool wire_write_stops(const struct llm_request *request, struct buf *into);
/* The request's further options, each under the name that name_of gives it; NULL leaves
 * it out. */
bool wire_write_options(const struct llm_request *request,
                        const char *(*name_of)(const struct llm_request *request,
                                               const struct model_option *option),
                        struct buf *into);
/* Of what these write, the bits of param.h. */
unsigned wire_params(const struct llm_request *request);

/* The names in a list of models, in its order: {"<list>": [{"<name>": "..."}, ...]}.
 * The caller frees each and the list (NULL when there is none). */
MUST_USE bool wire_read_models(struct str body, const char *list, const char *name,
                               char ***ret_names, size_t *ret_count, struct err *err);

#endif
