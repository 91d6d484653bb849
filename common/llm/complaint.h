/* complaint.h - what a server's JSON says when something is wrong, in each of the forms
 * that servers write: {"error": "text"}, {"error": {"message", "code", "type", ...}},
 * {"object": "error", "message"} (vLLM), {"detail"} (FastAPI). Pure.
 */
#ifndef PARLEY_LLM_COMPLAINT_H
#define PARLEY_LLM_COMPLAINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct complaint {
    struct str text;        /* a view into the document; empty: it gives none */
    struct str code;        /* "model_not_found"; empty unless it is a text */
    struct str type;        /* "exceed_context_size_error"; likewise */
    struct str param;       /* the request's member that is meant; empty: not told */
    int64_t window;         /* llama.cpp's `n_ctx`, tokens; -1: it does not say */
    int64_t retry_after_ms; /* -1: it does not say */
};
/* False when the document complains of nothing. `loose`: it is known to be a complaint,
 * so a bare message or detail counts. */
bool complaint_read(const json_t *document, bool loose,
                    struct complaint *ret_complaint);

#endif
