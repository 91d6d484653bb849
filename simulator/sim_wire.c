/* sim_wire.c - see sim_wire.h. A full buffer shows to the caller as overflowed. */
#include "simulator/sim_wire.h"

#include "base/clock.h"
#include "proto/json_write.h"

static void add_head(const struct sim_request *request, struct str text,
                     int64_t wall_us, struct buf *into)
{
    char stamp[CLOCK_TEXT_SIZE] = "";
    bool chat = request->endpoint == SIM_CHAT;

    clock_format_us(wall_us, stamp);
    (void)buf_add_text(into, "{\"model\":");
    (void)json_write_text(into, request->model_name);
    (void)buf_printf(into, ",\"created_at\":\"%s\",%s", stamp,
                     chat ? "\"message\":{\"role\":\"assistant\",\"content\":"
                          : "\"response\":");
    (void)json_write_string(into, text);
    if (chat)
        (void)buf_add_char(into, '}');
}

void sim_wire_chunk(const struct sim_request *request, struct str text, int64_t wall_us,
                    struct buf *into)
{
    add_head(request, text, wall_us, into);
    (void)buf_add_text(into, ",\"done\":false}");
}

static void add_figure(const char *name, int64_t value, struct buf *into)
{
    if (value != 0)
        (void)buf_printf(into, ",\"%s\":%lld", name, (long long)value);
}

static void add_figures(const struct sim_figures *figures, struct buf *into)
{
    enum { NS_PER_US = 1000 };

    add_figure("total_duration", figures->total_us * NS_PER_US, into);
    add_figure("load_duration", figures->load_us * NS_PER_US, into);
    add_figure("prompt_eval_count", (int64_t)figures->prompt_tokens, into);
    (void)buf_printf(into, ",\"prompt_eval_cached_count\":%zu", figures->cached_tokens);
    add_figure("prompt_eval_duration", figures->prompt_us * NS_PER_US, into);
    add_figure("eval_count", (int64_t)figures->tokens, into);
    add_figure("eval_duration", figures->eval_us * NS_PER_US, into);
}

void sim_wire_end(const struct sim_request *request, struct str text, int64_t wall_us,
                  const struct sim_figures *figures, struct buf *into)
{
    add_head(request, text, wall_us, into);
    (void)buf_printf(into, ",\"done\":true,\"done_reason\":\"%s\"",
                     figures->done_reason);
    if (figures->counted)
        add_figures(figures, into);
    (void)buf_add_char(into, '}');
}

void sim_wire_error(const char *text, struct buf *into)
{
    (void)buf_add_text(into, "{\"error\":");
    (void)json_write_text(into, text);
    (void)buf_add_char(into, '}');
}
