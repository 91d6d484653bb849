/* sim_server.h - the routes of the simulator. */
#ifndef PARLEY_SIM_SERVER_H
#define PARLEY_SIM_SERVER_H

#include "base/err.h"
#include "simulator/sim.h"

struct loop;
struct sim_server;

/* Listens from now on; borrows loop and options. The caller owns *ret_server. */
MUST_USE bool sim_server_new(struct loop *loop, const struct sim_options *options,
                             struct sim_server **ret_server, struct err *err);
/* Cuts what is still being answered. NULL is fine. */
void sim_server_free(struct sim_server *server);
/* "http://127.0.0.1:11434", with the port that is bound; "unix:/path". Owned by the
 * caller. */
char *sim_server_url(const struct sim_server *server);

#endif
