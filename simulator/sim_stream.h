/* sim_stream.h - says replies at the speed of a model: a time until the first token,
 * then token after token, each a chunk of its own; so many at once (slots.h), the
 * others wait in the order of their arrival. Faults of time and of words happen here,
 * those of bytes in sim_out.
 */
#ifndef PARLEY_SIM_STREAM_H
#define PARLEY_SIM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simulator/fault.h"
#include "simulator/sim.h"
#include "simulator/sim_chat.h"
#include "simulator/sim_out.h"
#include "simulator/sim_reply.h"

struct loop;
struct sim_stream;
struct sim_speech; /* one reply being said */

/* Borrows all of them. Never NULL. */
struct sim_stream *sim_stream_new(struct loop *loop, const struct sim_options *options);
/* All speeches must be over. NULL is fine. */
void sim_stream_free(struct sim_stream *stream);

struct sim_ask {
    struct sim_out *out; /* borrowed, as the fault */
    const struct fault *fault;
    int64_t arrived_us; /* monotonic: when the request came */
};
/* Takes what request and reply own. */
struct sim_speech *sim_stream_start_take(struct sim_stream *stream,
                                         const struct sim_ask *ask,
                                         struct sim_request *request,
                                         struct sim_reply *reply);
size_t sim_speech_tokens(const struct sim_speech *speech); /* said so far */
enum sim_load sim_speech_load(const struct sim_speech *speech);
bool sim_speech_refused(const struct sim_speech *speech);
/* The request is over, said to its end or not: frees the speech, and at once its slot
 * for the next that waits. */
void sim_speech_free(struct sim_speech *speech);

#endif
