/* sim_lost.c - see sim_lost.h. */
#include "simulator/sim_lost.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "net/serve.h"
#include "simulator/flavor.h"
#include "simulator/sim_answer.h"
#include "simulator/sim_chat.h"
#include "simulator/sim_head.h"
#include "simulator/sim_wire.h"

#define JSON "application/json; charset=utf-8"
#define HTML "text/html; charset=utf-8"
#define TEXT "text/plain; charset=utf-8"
enum { OK = 200, NOT_FOUND = 404, PATH_MAX_TOLD = 200 };

/* In the form of the server's other errors. */
static void say(const struct flavor *flavor, struct serve_request *http, int status,
                const char *before, bool with_path)
{
    struct sim_request form = {.endpoint = SIM_COMPLETIONS, .flavor = flavor};
    char *text = with_path ? x_printf("%s (%s %.*s)", before, serve_method(http),
                                      PATH_MAX_TOLD, serve_path(http))
                           : x_strdup(before);
    struct buf answer = {0};

    buf_init(&answer, SIM_ANSWER_MAX_BYTES);
    sim_wire_of(&form)->error(&form, NOT_FOUND, text, &answer);
    sim_answer_json(http, status, &answer);
    buf_done(&answer);
    free(text);
}

static bool is(const struct flavor *flavor, const char *name)
{
    return strcmp(flavor->name, name) == 0;
}

void sim_lost_answer(const struct flavor *flavor, struct serve_request *http)
{
    if (is(flavor, "openai"))
        say(flavor, http, NOT_FOUND, "Invalid URL", true);
    else if (is(flavor, "lmstudio"))
        say(flavor, http, OK, "Unexpected endpoint or method.", true);
    else if (is(flavor, "llamacpp"))
        say(flavor, http, NOT_FOUND, "File Not Found", false);
    else if (is(flavor, "vllm") || is(flavor, "sglang"))
        serve_reply(http, NOT_FOUND, JSON, str_of("{\"detail\":\"Not Found\"}"));
    else if (is(flavor, "openrouter"))
        serve_reply(http, NOT_FOUND, HTML, str_of(SIM_HTML));
    else
        serve_reply(http, NOT_FOUND, TEXT, str_of("404 page not found"));
}
