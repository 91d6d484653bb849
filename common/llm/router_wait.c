/* router_wait.c - that a call waits because every server it may ask is down: told to
 * its owner and, once a minute at most for the whole process, to the log.
 *
 * A short trouble is not told: servers that are asked again within two seconds.
 *
 * Flow: call_down* -> call_up | the call's end
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "llm/router_call.h"

enum {
    PATIENCE_MS = 2000,
    TELL_EACH_MS = 10000,
    LOG_EACH_MS = 60000,
    NAMES_MAX_BYTES = 256
};

/* "local, cloud": those it may ask, the first choice first. */
static void add_names(const struct router_call *call, struct buf *into)
{
    for (size_t i = 0; i < call->sent_count; i++) {
        buf_add_text(into, i == 0 ? "" : ", ");
        buf_add_text(into, call->plan.items[call->sent[i]].endpoint->name);
    }
}

static int waiting_calls(const struct router *router)
{
    struct router_call *call = NULL;
    int count = 0;

    TAILQ_FOREACH(call, &router->calls, link)
    {
        count += call->down_since_ms > 0;
    }
    return count;
}

static void write_log(struct router *router, const char *names, const char *reason)
{
    int64_t now_ms = clock_mono_ms();

    if (router->down_logged_ms > 0 && now_ms - router->down_logged_ms < LOG_EACH_MS)
        return;
    router->down_logged_ms = now_ms;
    router->down_logged = true;
    log_warn("router",
             "no server is up that may be asked, all wait for one calls=%d servers=%s "
             "reason=%s",
             waiting_calls(router), names, log_safe(str_of(reason)));
}

void call_down(struct router_call *call, const char *reason)
{
    int64_t now_ms = clock_mono_ms();
    struct buf names;

    if (call->down_since_ms == 0)
        call->down_since_ms = now_ms;
    if (now_ms - call->down_since_ms < PATIENCE_MS
        || (call->down_told_ms > 0 && now_ms - call->down_told_ms < TELL_EACH_MS))
        return;
    call->down_told_ms = now_ms;
    buf_init(&names, NAMES_MAX_BYTES); /* 16 long names are cut */
    add_names(call, &names);
    write_log(call->router, buf_text(&names), reason);
    if (call->handlers.on_waiting != NULL)
        call->handlers.on_waiting(call->handlers.owner, buf_text(&names), reason);
    buf_done(&names);
}

void call_up(struct router_call *call)
{
    struct router *router = call->router;

    if (call->down_told_ms > 0 && router->down_logged) {
        log_info("router", "a server is up again endpoint=%s",
                 call->attempt.endpoint->name);
        router->down_logged = false;
    }
    call->down_since_ms = 0;
    call->down_told_ms = 0;
}
