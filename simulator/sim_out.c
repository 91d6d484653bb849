/* sim_out.c - see sim_out.h.
 *
 * Flow over the server: sim_out_begin -> sim_out_write ... -> sim_out_end -> serve_*
 * Flow over the socket: sim_out_begin -> head -> sim_out_write -> shape (what becomes
 *       of the piece) -> put_body (up to the limit) -> put_frames -> raw
 *       -> the limit: cut, reset or stall [-> on_resume] -> sim_out_end
 */
#include "simulator/sim_out.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "net/loop.h"
#include "net/serve.h"
#include "simulator/gzip.h"
#include "simulator/raw.h"
#include "simulator/sim_head.h"

#define HELD_MAX  ((size_t)256 * 1024 * 1024)
#define FRAME_MAX ((size_t)130 * 1024 * 1024)
enum {
    DEFAULT_TOKENS = 3, /* before a fault in the middle */
    GARBAGE_BYTES = 2048,
    TRICKLE_MS = 1000,
    LONG_LINE_BYTES = 1 << 20
};

struct sim_out {
    struct serve_request *http; /* borrowed, as fault and rng */
    const struct fault *fault;
    struct rng *rng;
    struct loop *loop;
    struct raw *raw; /* NULL: over the server */
    struct buf headers;
    struct buf frame;
    struct buf held;         /* body that a fault keeps back */
    struct loop_timer timer; /* until a stall is over */
    int64_t limit;           /* bytes of the body before the fault; -1: none */
    size_t put;              /* bytes of the body on their way */
    size_t tokens;
    size_t lines; /* held */
    int status;
    int64_t first_byte_us;
    bool chunked;
    bool stalled;
    bool met; /* the fault has happened, and will not again */
    bool over;
    bool cut;
};

/* ---- life ---- */

static void on_resume(struct loop_timer *timer, void *owner);

struct sim_out *sim_out_new(struct loop *loop, struct serve_request *http,
                            const struct fault *fault, struct rng *rng)
{
    struct sim_out *out = x_calloc(1, sizeof(*out));

    out->loop = loop;
    out->http = http;
    out->fault = fault;
    out->rng = rng;
    out->limit = -1;
    buf_init(&out->headers, FRAME_MAX);
    buf_init(&out->frame, FRAME_MAX);
    buf_init(&out->held, HELD_MAX);
    loop_timer_init(&out->timer, loop, on_resume, out);
    return out;
}

void sim_out_free(struct sim_out *out)
{
    if (out == NULL)
        return;
    loop_timer_stop(&out->timer);
    raw_free(out->raw);
    buf_done(&out->headers);
    buf_done(&out->frame);
    buf_done(&out->held);
    free(out);
}

struct sim_out_figures sim_out_count(const struct sim_out *out)
{
    return (struct sim_out_figures){
        .status = out->status,
        .bytes = out->raw ? raw_body_bytes(out->raw) : out->put,
        .first_byte_us = out->first_byte_us,
        .cut = out->cut,
        .sent = out->raw && raw_is_over(out->raw),
    };
}

/* ---- frames: what stands around the body's bytes ---- */

static bool is_garbage(const struct sim_out *out, const char *how)
{
    return out->fault->kind == FAULT_GARBAGE && fault_is(out->fault, how);
}

static size_t step_of(const struct sim_out *out)
{
    if (out->fault->kind == FAULT_TRICKLE)
        return 1;
    if (out->fault->kind == FAULT_SPLIT)
        return (size_t)fault_or(out->fault->bytes, 1);
    return SIZE_MAX;
}

static void put_frame(struct sim_out *out, struct str bytes)
{
    struct buf *frame = &out->frame;

    buf_clear(frame);
    if (out->chunked)
        (void)buf_printf(frame,
                         is_garbage(out, "chunk_sizes") ? "size %zx\r\n" : "%zx\r\n",
                         bytes.len); /* FRAME_MAX is more than any piece */
    (void)buf_add_str(frame, bytes);
    if (out->chunked)
        (void)buf_add_text(frame, "\r\n");
    raw_put(out->raw, buf_str(frame), bytes.len);
}

static void put_frames(struct sim_out *out, struct str bytes)
{
    size_t step = step_of(out);

    if (bytes.len > 0 && out->first_byte_us == 0)
        out->first_byte_us = clock_wall_us();
    out->put += bytes.len;
    while (bytes.len > 0) {
        size_t len = bytes.len < step ? bytes.len : step;

        put_frame(out, str_make(bytes.at, len));
        bytes = str_make(bytes.at + len, bytes.len - len);
    }
}

/* ---- the end ---- */

static void end_raw(struct sim_out *out, bool framed, enum raw_end how)
{
    if (out->over)
        return;
    if (framed && out->chunked)
        raw_put(out->raw, str_of("0\r\n\r\n"), 0);
    out->over = true;
    raw_end(out->raw, how);
}

/* The fault of this kind has its time. */
static void meet(struct sim_out *out)
{
    const struct fault *fault = out->fault;

    out->met = true;
    out->limit = -1;
    if (fault->kind == FAULT_STALL) {
        out->stalled = true;
        if (fault->delay_ms >= 0)
            loop_timer_start(&out->timer, fault->delay_ms);
        return;
    }
    out->cut = true;
    end_raw(out, fault->clean, fault->kind == FAULT_RESET ? RAW_RST : RAW_FIN);
}

/* Puts the bytes up to the limit; the rest is held, for a stall that ends. */
static void put_body(struct sim_out *out, struct str bytes)
{
    if (out->stalled) {
        (void)buf_add_str(&out->held, bytes);
        return;
    }
    if (out->limit >= 0 && (int64_t)(out->put + bytes.len) >= out->limit) {
        size_t room = (size_t)out->limit - out->put;

        put_frames(out, str_make(bytes.at, room));
        bytes = str_make(bytes.at + room, bytes.len - room);
        meet(out);
        if (out->over)
            return;
        put_body(out, bytes);
        return;
    }
    put_frames(out, bytes);
}

static void on_resume(struct loop_timer *timer, void *owner)
{
    struct sim_out *out = owner;

    (void)timer;
    out->stalled = false;
    put_frames(out, buf_str(&out->held));
    buf_clear(&out->held);
    if (!out->chunked)
        end_raw(out, false, RAW_FIN);
}

/* ---- what becomes of a piece ---- */

static bool cuts_short(enum fault_kind kind)
{
    return kind == FAULT_CUT || kind == FAULT_RESET || kind == FAULT_STALL;
}

/* Whether the fault comes now, before this piece. */
static bool is_due(const struct sim_out *out, enum sim_piece piece)
{
    const struct fault *fault = out->fault;

    if (!cuts_short(fault->kind) || out->met || fault->after_bytes >= 0)
        return false;
    if (fault->kind == FAULT_CUT && fault->after_tokens < 0)
        return piece == SIM_PIECE_END;
    return piece != SIM_PIECE_OTHER
           && (int64_t)out->tokens >= fault_or(fault->after_tokens, DEFAULT_TOKENS);
}

static struct str without_line_end(struct str bytes)
{
    while (bytes.len > 0 && bytes.at[bytes.len - 1] == '\n')
        bytes.len--;
    return bytes;
}

/* A line of so many bytes: blanks before its end, which JSON allows. */
static void put_long(struct sim_out *out, struct str bytes)
{
    struct str line = without_line_end(bytes);
    size_t wanted = (size_t)fault_or(out->fault->bytes, LONG_LINE_BYTES);
    struct buf blown = {0};

    buf_init(&blown, FRAME_MAX);
    (void)buf_add_str(&blown, line);
    while (blown.len < wanted && buf_add_char(&blown, ' '))
        ;
    (void)buf_add(&blown, bytes.at + line.len, bytes.len - line.len);
    put_body(out, buf_str(&blown));
    buf_done(&blown);
}

static void put_held(struct sim_out *out)
{
    struct buf packed = {0};

    buf_init(&packed, FRAME_MAX);
    if (is_garbage(out, "gzip"))
        gzip_pack(buf_str(&out->held), &packed);
    else
        (void)buf_add_str(&packed, buf_str(&out->held));
    buf_clear(&out->held);
    out->lines = 0;
    put_body(out, buf_str(&packed));
    buf_done(&packed);
}

static void shape(struct sim_out *out, struct str bytes, enum sim_piece piece)
{
    const struct fault *fault = out->fault;

    if (fault->kind == FAULT_NO_NEWLINE && piece == SIM_PIECE_END) {
        put_body(out, without_line_end(bytes));
    } else if (fault->kind == FAULT_LONG_LINE && piece == SIM_PIECE_TOKEN
               && !out->met) {
        out->met = true;
        put_long(out, bytes);
    } else if (fault->kind == FAULT_CLUMP || is_garbage(out, "gzip")) {
        (void)buf_add_str(&out->held, bytes); /* what is over the bound is lost */
        if (fault->lines > 0 && ++out->lines >= (size_t)fault->lines)
            put_held(out);
    } else {
        put_body(out, bytes);
    }
}

/* ---- the answer ---- */

static bool wants_socket(const struct fault *fault)
{
    switch (fault->kind) {
    case FAULT_STALL:
    case FAULT_CUT:
    case FAULT_RESET:
    case FAULT_TRICKLE:
    case FAULT_SPLIT:
    case FAULT_CLUMP:
    case FAULT_LONG_LINE:
    case FAULT_NO_NEWLINE:
    case FAULT_GARBAGE:
        return true;
    default:
        return false;
    }
}

static void put_random(struct sim_out *out)
{
    int64_t count = fault_or(out->fault->bytes, GARBAGE_BYTES);
    struct buf bytes = {0};

    buf_init(&bytes, FRAME_MAX);
    while (count-- > 0)
        (void)buf_add_char(&bytes, (char)(rng_next(out->rng) & 0xFF));
    put_frames(out, buf_str(&bytes));
    buf_done(&bytes);
}

/* Takes the socket and sends the head; what needs no body is over then. */
static void begin_raw(struct sim_out *out, const struct sim_head *head)
{
    const struct fault *fault = out->fault;
    bool trickled = fault->kind == FAULT_TRICKLE && fault->head;

    out->raw = raw_new(out->loop, out->http);
    out->chunked = head->length < 0 && !is_garbage(out, "http09");
    if (fault->kind == FAULT_TRICKLE)
        raw_pace(out->raw, fault_or(fault->delay_ms, TRICKLE_MS));
    buf_clear(&out->frame);
    if (!is_garbage(out, "http09"))
        sim_head_write(head, &out->frame);
    for (size_t at = 0; at < out->frame.len;) {
        size_t len = trickled ? 1 : out->frame.len;

        raw_put(out->raw, str_make(out->frame.at + at, len), 0);
        at += len;
    }
    if (is_garbage(out, "bytes")) {
        put_random(out);
        out->cut = true;
        end_raw(out, true, RAW_FIN);
    } else if (is_garbage(out, "html")) {
        put_frames(out, str_of(SIM_HTML));
        out->cut = true;
        end_raw(out, true, RAW_FIN);
    } else if (out->limit == 0) {
        meet(out);
    }
}

static struct sim_head head_of(const struct sim_out *out, int status, const char *type)
{
    bool html = is_garbage(out, "html") || is_garbage(out, "type");

    return (struct sim_head){
        .status = status,
        .type = html ? "text/html; charset=utf-8" : type,
        .headers = buf_str(&out->headers),
        .length = -1,
        .warns = out->fault->kind != FAULT_RESET
                 && (out->fault->kind != FAULT_CUT || out->fault->clean),
        .gzip = is_garbage(out, "gzip"),
        .huge = is_garbage(out, "headers"),
    };
}

void sim_out_header(struct sim_out *out, const char *name, const char *value)
{
    if (wants_socket(out->fault))
        (void)buf_printf(&out->headers, "%s: %s\r\n", name, value);
    else
        serve_add_header(out->http, name, value);
}

void sim_out_begin(struct sim_out *out, int status, const char *type)
{
    struct sim_head head = head_of(out, status, type);

    out->status = status;
    if (!wants_socket(out->fault)) {
        serve_begin(out->http, status, type);
        return;
    }
    if (cuts_short(out->fault->kind))
        out->limit = out->fault->after_bytes;
    begin_raw(out, &head);
}

static bool write_served(struct sim_out *out, struct str bytes)
{
    if (!serve_write(out->http, bytes))
        return false;
    if (out->first_byte_us == 0)
        out->first_byte_us = clock_wall_us();
    out->put += bytes.len;
    return true;
}

bool sim_out_write(struct sim_out *out, struct str bytes, enum sim_piece piece)
{
    if (out->raw == NULL)
        return write_served(out, bytes);
    if (out->over)
        return true;
    if (out->stalled || raw_is_full(out->raw))
        return false;
    if (is_due(out, piece)) {
        meet(out);
        return !out->stalled;
    }
    shape(out, bytes, piece);
    out->tokens += piece == SIM_PIECE_TOKEN;
    return true;
}

void sim_out_end(struct sim_out *out)
{
    if (out->raw == NULL) {
        serve_end(out->http);
        return;
    }
    if (out->held.len > 0 && !out->stalled)
        put_held(out);
    end_raw(out, true, RAW_FIN);
}

/* ---- an answer of one piece ---- */

static void reply_raw(struct sim_out *out, struct sim_head *head, struct str body)
{
    struct buf packed = {0};

    buf_init(&packed, FRAME_MAX);
    if (head->gzip) {
        gzip_pack(body, &packed);
        body = buf_str(&packed);
    }
    if (!is_garbage(out, "chunk_sizes") && !is_garbage(out, "bytes")
        && !is_garbage(out, "html"))
        head->length = (int64_t)body.len;
    if (cuts_short(out->fault->kind))
        out->limit = fault_or(out->fault->after_bytes, (int64_t)(body.len / 2));
    begin_raw(out, head);
    if (!out->over)
        put_body(out, body);
    if (!out->stalled)
        end_raw(out, true, RAW_FIN);
    buf_done(&packed);
}

void sim_out_reply(struct sim_out *out, int status, const char *type, struct str body)
{
    struct sim_head head = head_of(out, status, type);

    out->status = status;
    if (wants_socket(out->fault)) {
        reply_raw(out, &head, body);
        return;
    }
    out->first_byte_us = clock_wall_us();
    out->put = body.len;
    serve_reply(out->http, status, type, body);
}

void sim_out_drop(struct sim_out *out)
{
    out->cut = true;
    serve_abort(out->http);
}

void sim_out_cut(struct sim_out *out)
{
    out->cut = true;
}
