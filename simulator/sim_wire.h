/* sim_wire.h - the JSON of an answer: one line for each chunk, one for the end. Pure.
 *
 * As on the real server zero figures are left out, durations are whole nanoseconds, and
 * /api/chat has `message` where /api/generate has `response`.
 */
#ifndef PARLEY_SIM_WIRE_H
#define PARLEY_SIM_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "simulator/sim_chat.h"

struct sim_figures {
    const char *done_reason;
    bool counted; /* the counts and durations below are told */
    int64_t total_us;
    int64_t load_us;
    int64_t prompt_us;
    int64_t eval_us;
    size_t prompt_tokens;
    size_t cached_tokens;
    size_t tokens;
};

/* A piece of the answer, without a line end. */
void sim_wire_chunk(const struct sim_request *request, struct str text, int64_t wall_us,
                    struct buf *into);
/* The end: of a stream (text empty), or the whole answer. */
void sim_wire_end(const struct sim_request *request, struct str text, int64_t wall_us,
                  const struct sim_figures *figures, struct buf *into);
/* {"error":"..."} */
void sim_wire_error(const char *text, struct buf *into);

#endif
