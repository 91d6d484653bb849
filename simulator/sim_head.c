/* sim_head.c - see sim_head.h. */
#include "simulator/sim_head.h"

enum { HUGE_HEADERS = 100, HUGE_BYTES = 8192 };

static void add_huge(struct buf *into)
{
    for (int i = 0; i < HUGE_HEADERS; i++) {
        (void)buf_printf(into, "X-Filler-%d: ", i); /* a full buffer tells */
        for (int k = 0; k < HUGE_BYTES; k++)
            (void)buf_add_char(into, 'x');
        (void)buf_add_text(into, "\r\n");
    }
}

void sim_head_write(const struct sim_head *head, struct buf *into)
{
    /* The words behind a status mean nothing, and may be missing. */
    (void)buf_printf(into, "HTTP/1.1 %d %s\r\n", head->status,
                     head->status == 200 ? "OK" : "");
    (void)buf_printf(into, "Content-Type: %s\r\n", head->type);
    if (head->warns)
        (void)buf_add_text(into, "Connection: close\r\n");
    (void)buf_add_str(into, head->headers);
    if (head->gzip)
        (void)buf_add_text(into, "Content-Encoding: gzip\r\n");
    if (head->huge)
        add_huge(into);
    if (head->length < 0)
        (void)buf_add_text(into, "Transfer-Encoding: chunked\r\n\r\n");
    else
        (void)buf_printf(into, "Content-Length: %lld\r\n\r\n", (long long)head->length);
}
