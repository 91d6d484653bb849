/* sim_control.c - see sim_control.h. */
#include "simulator/sim_control.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/serve.h"
#include "proto/json_write.h"

#define JSON             "application/json; charset=utf-8"
#define ANSWER_MAX_BYTES ((size_t)64 << 20)

static void reply(struct serve_request *http, int status, struct buf *answer)
{
    (void)buf_add_char(answer, '\n'); /* the buffer has room for any list */
    serve_reply(http, status, JSON, buf_str(answer));
}

static void show_faults(struct sim_world *world, struct serve_request *http,
                        struct buf *answer)
{
    faults_write(&world->faults, clock_mono_us(), answer);
    reply(http, 200, answer);
}

static void set_faults(struct sim_world *world, struct serve_request *http,
                       struct buf *answer)
{
    struct faults faults = {0};
    struct err err = {0};

    if (!faults_add(&faults, serve_body(http), clock_mono_us(), &err)) {
        (void)buf_add_text(answer, "{\"error\":");
        (void)json_write_text(answer, err.msg);
        (void)buf_add_char(answer, '}');
        reply(http, 400, answer);
        return;
    }
    faults_done(&world->faults);
    world->faults = faults;
    log_warn("simulator", "faults were set, as was asked: rules=%zu", faults.count);
    show_faults(world, http, answer);
}

static void drop_faults(struct sim_world *world, struct serve_request *http,
                        struct buf *answer)
{
    faults_done(&world->faults);
    log_info("simulator", "faults were taken away");
    show_faults(world, http, answer);
}

static void show_state(struct sim_world *world, struct serve_request *http,
                       struct buf *answer)
{
    (void)buf_printf(answer, "{\"in_flight\":%zu,\"calls\":%llu,\"clients_gone\":%llu}",
                     world->in_flight, (unsigned long long)world->calls,
                     (unsigned long long)world->clients_gone);
    reply(http, 200, answer);
}

static const struct {
    const char *method;
    const char *path;
    void (*answer)(struct sim_world *world, struct serve_request *http,
                   struct buf *answer);
} routes[] = {
    {"GET", SIM_CONTROL "faults", show_faults},
    {"POST", SIM_CONTROL "faults", set_faults},
    {"DELETE", SIM_CONTROL "faults", drop_faults},
    {"GET", SIM_CONTROL "state", show_state},
};

void sim_control_answer(struct sim_world *world, struct serve_request *http)
{
    struct buf answer = {0};

    buf_init(&answer, ANSWER_MAX_BYTES);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(routes[i].path, serve_path(http)) == 0
            && strcmp(routes[i].method, serve_method(http)) == 0) {
            routes[i].answer(world, http, &answer);
            buf_done(&answer);
            return;
        }
    (void)buf_add_text(&answer, "{\"error\":\"no such control request\"}");
    reply(http, 404, &answer);
    buf_done(&answer);
}
