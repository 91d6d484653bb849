/* sim_answer.c - see sim_answer.h. */
#include "simulator/sim_answer.h"

#include "base/log.h"
#include "base/utf8.h"
#include "net/serve.h"
#include "simulator/sim_call.h"
#include "simulator/sim_wire.h"

#define JSON "application/json; charset=utf-8"

void sim_answer_json(struct serve_request *http, int status, const struct buf *body)
{
    serve_reply(http, status, JSON, buf_str(body));
}

struct sim_request sim_answer_form(const struct sim_world *world,
                                   const struct serve_request *http)
{
    struct sim_request request = {.endpoint = sim_endpoint_of(serve_path(http))};

    if (!sim_call_flavor(world, http, &request.flavor))
        request.flavor = world->flavor;
    return request;
}

void sim_answer_error(const struct sim_world *world, struct serve_request *http,
                      int status, const char *text)
{
    struct sim_request request = sim_answer_form(world, http);
    struct buf answer = {0};

    log_debug("simulator", "refused path=%s status=%d why=%s",
              log_safe(str_of(serve_path(http))), status, log_safe(str_of(text)));
    if (status == 404) /* a path that is not there is told by sim_lost.h */
        request.refused_code = "model_not_found";
    buf_init(&answer, SIM_ANSWER_MAX_BYTES);
    sim_wire_of(&request)->error(&request, status, text, &answer);
    sim_answer_json(http, status, &answer);
    buf_done(&answer);
}
