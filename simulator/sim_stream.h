/* sim_stream.h - says replies at the speed of a model: a time until the first token,
 * then token after token, each a chunk of its own; so many at once, the others wait in
 * the order of their arrival.
 *
 * A slot remembers the last prompt it had: of the free ones that with the longest
 * common start is taken, and what is common counts as cached.
 */
#ifndef PARLEY_SIM_STREAM_H
#define PARLEY_SIM_STREAM_H

#include <stdint.h>

#include "simulator/sim.h"
#include "simulator/sim_chat.h"
#include "simulator/sim_reply.h"

struct loop;
struct serve_request;
struct sim_stream;
struct sim_speech; /* one reply being said */

/* Borrows all of them. Never NULL. */
struct sim_stream *sim_stream_new(struct loop *loop, const struct sim_options *options);
/* All speeches must be over. NULL is fine. */
void sim_stream_free(struct sim_stream *stream);

/* Takes what request and reply own. arrived_us (monotonic): when the request came. */
struct sim_speech *sim_stream_start_take(struct sim_stream *stream,
                                         struct serve_request *http,
                                         struct sim_request *request,
                                         struct sim_reply *reply, int64_t arrived_us);
/* The request is over, said to its end or not: frees the speech, and at once its slot
 * for the next that waits. */
void sim_speech_free(struct sim_speech *speech);

#endif
