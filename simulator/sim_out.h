/* sim_out.h - the way of one answer to the wire: over the HTTP server as it should be,
 * or over the bare socket where a fault wants what no server would send. The same calls
 * make both; what the bytes mean is the caller's business.
 */
#ifndef PARLEY_SIM_OUT_H
#define PARLEY_SIM_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/str.h"
#include "simulator/fault.h"

struct loop;
struct serve_request;
struct sim_out;

enum sim_piece {
    SIM_PIECE_OTHER, /* says nothing */
    SIM_PIECE_TOKEN,
    SIM_PIECE_END /* the API's mark that all was said */
};

/* fault and rng are borrowed; the fault may be set until the answer begins. Never NULL.
 */
struct sim_out *sim_out_new(struct loop *loop, struct serve_request *http,
                            const struct fault *fault, struct rng *rng);
void sim_out_free(struct sim_out *out); /* from on_gone; NULL is fine */

/* As serve_add_header, serve_begin, serve_write, serve_end, serve_reply. */
void sim_out_header(struct sim_out *out, const char *name, const char *value);
void sim_out_begin(struct sim_out *out, int status, const char *type);
/* False: too much waits, or a fault holds it; the same once more, later. */
bool sim_out_write(struct sim_out *out, struct str bytes, enum sim_piece piece);
void sim_out_end(struct sim_out *out);
void sim_out_reply(struct sim_out *out, int status, const char *type, struct str body);
/* The caller cuts the answer short itself, for a fault. */
void sim_out_cut(struct sim_out *out);
/* Closes the connection without an answer: a fault. */
void sim_out_drop(struct sim_out *out);

struct sim_out_figures {
    int status; /* 0: no answer was begun */
    size_t bytes;
    int64_t first_byte_us; /* wall clock; 0: none */
    bool cut;              /* by a fault, before its end */
    bool sent;             /* by ourselves, over the bare socket, to its end */
};
struct sim_out_figures sim_out_count(const struct sim_out *out);

#endif
