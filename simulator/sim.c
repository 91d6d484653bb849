/* sim.c - see sim.h. The shell: loop, signals, one line to stdout.
 *
 * Flow: sim_run -> sim_server_new -> "listening on ..." -> loop_run -> on_signal
 *       -> the end: what is being said is cut off
 */
#include "simulator/sim.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "net/loop.h"
#include "simulator/sim_server.h"

static void on_signal(struct loop_signal *signal, int number, void *owner)
{
    (void)signal;
    log_info("simulator", "ends signal=%d", number);
    loop_stop(owner);
}

static bool announce(const struct sim_server *server, struct err *err)
{
    char *url = sim_server_url(server);
    bool ok = printf("listening on %s\n", url) > 0 && fflush(stdout) == 0;

    free(url);
    return ok || err_set(err, ERR_SYSTEM, "cannot write to stdout");
}

bool sim_run(const struct sim_options *options, struct err *err)
{
    struct loop *loop = loop_new();
    struct sim_server *server = NULL;
    struct loop_signal terminate = {0};
    struct loop_signal interrupt = {0};
    bool ok = false;

    loop_signal_start(&terminate, loop, SIGTERM, on_signal, loop);
    loop_signal_start(&interrupt, loop, SIGINT, on_signal, loop);
    if (!sim_server_new(loop, options, &server, err) || !announce(server, err))
        goto out;
    loop_run(loop);
    ok = true;
out:
    sim_server_free(server);
    loop_signal_stop(&terminate);
    loop_signal_stop(&interrupt);
    loop_free(loop);
    return ok;
}
