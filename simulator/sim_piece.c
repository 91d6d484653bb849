/* sim_piece.c - see sim_piece.h. */
#include "simulator/sim_piece.h"

#include <string.h>

#include "base/utf8.h"

static bool is_odd(const struct fault *fault, const char *how)
{
    return fault->kind == FAULT_ODD && fault_is(fault, how);
}

void sim_piece_open(const struct sim_wire *wire, const struct fault *fault,
                    const struct sim_request *request, struct buf *into)
{
    struct sim_figures early = {.counted = true, .prompt_tokens = 1};

    if (is_odd(fault, "bom"))
        (void)buf_add_text(into, "\xEF\xBB\xBF"); /* a full buffer tells */
    wire->open(request, into);
    if (is_odd(fault, "two_roles"))
        wire->open(request, into);
    if (is_odd(fault, "empty_choices"))
        wire->blank(request, into);
    if (is_odd(fault, "usage"))
        wire->close(request, &early, SIM_END_USAGE, into);
}

void sim_piece_close(const struct sim_wire *wire, const struct fault *fault,
                     const struct sim_request *request,
                     const struct sim_figures *figures, struct buf *into)
{
    int parts = SIM_END_ALL;

    if (is_odd(fault, "no_done"))
        parts = SIM_END_REASON | SIM_END_USAGE;
    else if (is_odd(fault, "only_done"))
        parts = SIM_END_MARK;
    wire->close(request, figures, parts, into);
    if (is_odd(fault, "done_twice"))
        wire->close(request, figures, parts, into);
    if (is_odd(fault, "text_after_done"))
        wire->token(request, &(struct sim_bit){.text = str_of(" And more.")}, into);
}

/* ---- dress ---- */

static void add_return_each(struct str from, struct buf *into)
{
    for (size_t i = 0; i < from.len; i++) {
        if (from.at[i] == '\n')
            (void)buf_add_char(into, '\r');
        (void)buf_add_char(into, from.at[i]);
    }
}

/* Each character beyond ASCII stands inside a JSON string. */
static void add_escaped(struct str from, struct buf *into)
{
    while (from.len > 0) {
        uint32_t point = 0;
        unsigned len = utf8_decode(from, &point);

        if (len <= 1)
            (void)buf_add_char(into, from.at[0]);
        else if (point < 0x10000)
            (void)buf_printf(into, "\\u%04x", (unsigned)point);
        else
            (void)buf_printf(into, "\\u%04x\\u%04x",
                             (unsigned)(0xD800 + ((point - 0x10000) >> 10)),
                             (unsigned)(0xDC00 + ((point - 0x10000) & 0x3FF)));
        len = len == 0 ? 1 : len;
        from = str_make(from.at + len, from.len - len);
    }
}

static void add_fields(const struct sim_request *request, struct str from,
                       struct buf *into)
{
    static const char data[] = "data: ";
    bool events = strcmp(sim_wire_of(request)->type, "text/event-stream") == 0;

    if (events)
        (void)buf_add_text(into, "event: message\nid: 7\nretry: 100\nunknown: x\n");
    if (events && str_starts(from, data)) {
        (void)buf_add_text(into, "data:"); /* the blank behind it is optional */
        from = str_make(from.at + strlen(data), from.len - strlen(data));
    }
    (void)buf_add_str(into, from);
}

void sim_piece_dress(const struct fault *fault, const struct sim_request *request,
                     enum sim_piece piece, struct buf *line)
{
    struct buf dressed = {0};

    if (!fault->escapes && !is_odd(fault, "crlf") && !is_odd(fault, "fields"))
        return;
    buf_init(&dressed, line->max);
    if (is_odd(fault, "crlf"))
        add_return_each(buf_str(line), &dressed);
    else if (is_odd(fault, "fields") && piece == SIM_PIECE_TOKEN)
        add_fields(request, buf_str(line), &dressed);
    else
        add_escaped(buf_str(line), &dressed);
    buf_clear(line);
    (void)buf_add_str(line, buf_str(&dressed)); /* the same bound */
    buf_done(&dressed);
}
