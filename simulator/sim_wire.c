/* sim_wire.c - see sim_wire.h: which API, and what any of them may be made to say. */
#include "simulator/sim_wire.h"

#include "proto/json_write.h"

const struct sim_wire *sim_wire_of(const struct sim_request *request)
{
    return request->endpoint == SIM_COMPLETIONS ? &wire_openai : &wire_ollama;
}

void sim_wire_broken_sse(const struct fault *fault, const char *text, struct buf *into)
{
    bool vllm = fault_is(fault, "vllm");
    bool field = fault_is(fault, "field");

    (void)buf_add_text(into, field ? "error: " : "data: "); /* a full buffer tells */
    (void)buf_add_text(into, vllm    ? "{\"object\":\"error\",\"message\":"
                             : field ? "{\"code\":500,\"message\":"
                                     : "{\"error\":{\"message\":");
    (void)json_write_text(into, text);
    (void)buf_add_text(into, vllm ? ",\"type\":\"InternalServerError\",\"param\":null,"
                                    "\"code\":500}\n\ndata: [DONE]\n\n"
                             : field ? ",\"type\":\"server_error\"}\n\ndata: [DONE]\n\n"
                                     : ",\"type\":\"server_error\"}}\n\n");
}
