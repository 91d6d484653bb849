/* sim_host.h - whom a server that listens on loopback only answers: requests whose Host
 * is this machine's, so that no web page can reach it by a name of its own (DNS
 * rebinding). As ollama/ollama, server/routes.go of 2026, but for the addresses of the
 * machine's own interfaces, which are not looked up.
 */
#ifndef PARLEY_SIM_HOST_H
#define PARLEY_SIM_HOST_H

#include <stdbool.h>

/* listen: as in net/serve.h; host: the header, or NULL. */
bool sim_host_fits(const char *listen, const char *host);

#endif
