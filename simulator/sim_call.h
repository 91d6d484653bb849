/* sim_call.h - one call of a model, from its request to its line in the ledger:
 * checked, given its fault, answered, and booked when it is over, however it ended.
 */
#ifndef PARLEY_SIM_CALL_H
#define PARLEY_SIM_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "simulator/fault.h"
#include "simulator/ledger.h"
#include "simulator/sim.h"
#include "simulator/sim_chat.h"
#include "simulator/sim_models.h"
#include "simulator/sim_stream.h"

struct flavor;
struct loop;
struct serve_request;
struct sim_call;

/* What all calls share; the server's (sim_server.c). */
struct sim_world {
    const struct sim_options *options;
    const struct flavor *flavor; /* of those that name none */
    struct loop *loop;
    struct sim_models models;
    struct sim_stream *stream;
    struct faults faults;
    struct ledger *ledger; /* NULL: none is kept */
    struct rng dice;       /* for the faults */
    uint64_t calls;        /* so far */
    size_t in_flight;
    uint64_t clients_gone; /* calls whose client went away first */
    bool closing;
};

/* Of a request, by its path and its header X-Sim-Flavor. False: there is no such one.
 */
MUST_USE bool sim_call_flavor(const struct sim_world *world,
                              const struct serve_request *http,
                              const struct flavor **ret_flavor);
/* Whether a key is wanted, and not the one that came. */
bool sim_call_lacks_key(const struct sim_world *world,
                        const struct serve_request *http);
/* How that is told, by the API of the path and its flavor. */
const char *sim_call_no_key(const struct sim_world *world,
                            const struct serve_request *http);
/* Answers now or later; ends with sim_call_gone. Never NULL. */
struct sim_call *sim_call_start(struct sim_world *world, struct serve_request *http);
/* The request is over (serve.h, on_gone): books it and frees. */
void sim_call_gone(struct sim_call *call, bool done);

#endif
