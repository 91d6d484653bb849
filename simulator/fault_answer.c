/* fault_answer.c - see fault_answer.h. */
#include "simulator/fault_answer.h"

#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "simulator/sim_head.h"
#include "simulator/sim_wire.h"

#define JSON             "application/json; charset=utf-8"
#define HTML             "text/html; charset=utf-8"
#define TEXT             "text/plain; charset=utf-8"
#define ANSWER_MAX_BYTES ((size_t)64 << 20)
enum { DATE_S = 2, DATE_SIZE = 64, STATUS_REDIRECT = 307 };

/* The words with which real servers say it. */
static const char *text_of(int64_t status)
{
    static const struct {
        int64_t status;
        const char *text;
    } texts[] = {
        {400, "invalid message content type: array"},
        {401, "unauthorized"},
        {402, "insufficient credits"},
        {403, "forbidden"},
        {404, "model 'x' not found"},
        {408, "request timed out"},
        {413, "request body too large"},
        {429, "rate limit reached, please try again later"},
        {500, "an error was encountered while running the model: unexpected EOF"},
        {502, "bad gateway"},
        {503, "server busy, please try again.  maximum pending requests exceeded"},
        {504, "gateway timeout"},
        {529, "overloaded"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "something went wrong";
}

/* RFC 9110, 5.6.7; the process has no locale, so the names are English. */
static void date_text(char ret_text[DATE_SIZE])
{
    time_t when = (time_t)(clock_wall_us() / 1000000) + DATE_S;
    struct tm parts = {0};

    gmtime_r(&when, &parts);
    if (strftime(ret_text, DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &parts) == 0)
        ret_text[0] = '\0';
}

static void add_retry_after(const struct fault *fault, struct sim_out *out)
{
    char date[DATE_SIZE] = "";

    if (fault->retry_after == NULL)
        return;
    if (strcmp(fault->retry_after, "date") == 0)
        date_text(date);
    sim_out_header(out, "Retry-After", date[0] ? date : fault->retry_after);
}

static void answer_status(const struct fault *fault, const struct sim_request *request,
                          struct sim_out *out)
{
    const char *body = fault->body ? fault->body : "json";
    int status = (int)fault->status;
    struct buf answer = {0};

    buf_init(&answer, ANSWER_MAX_BYTES);
    if (strcmp(body, "json") == 0) {
        sim_wire_of(request)->error(request, status, text_of(status), &answer);
        sim_out_reply(out, status, JSON, buf_str(&answer));
    } else if (strcmp(body, "html") == 0) {
        sim_out_reply(out, status, HTML, str_of(SIM_HTML));
    } else if (strcmp(body, "text") == 0) {
        sim_out_reply(out, status, TEXT, str_of(text_of(status)));
    } else {
        sim_out_reply(out, status, body[0] == '{' ? JSON : TEXT, str_of(body));
    }
    buf_done(&answer);
}

void fault_answer(const struct fault *fault, const struct sim_request *request,
                  struct sim_out *out)
{
    sim_out_cut(out);
    add_retry_after(fault, out);
    if (fault->kind == FAULT_REDIRECT) {
        sim_out_header(out, "Location", fault->to);
        sim_out_reply(out, (int)fault_or(fault->status, STATUS_REDIRECT), TEXT,
                      str_of("moved"));
    } else {
        answer_status(fault, request, out);
    }
}
