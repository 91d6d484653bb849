/* http_clocks.c - which of a call's clocks is over first.
 *
 * Nothing is kept but stamps, so a byte costs one store: the caller's timer looks again
 * when it fires.
 */
#include "net/http_clocks.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

struct deadline {
    enum http_clock clock;
    int64_t at_us;
};

void http_clocks_start(struct http_clocks *clocks, const struct http_request *request,
                       int64_t now_us)
{
    int64_t connect_ms =
        request->connect_ms > 0 ? request->connect_ms : HTTP_CONNECT_MS_DEFAULT;

    memset(clocks, 0, sizeof(*clocks));
    clocks->connect_us = connect_ms * 1000;
    clocks->first_byte_us = request->first_byte_ms * 1000;
    clocks->quiet_us = request->quiet_ms * 1000;
    clocks->total_us = request->total_ms * 1000;
    clocks->started_at_us = now_us;
}

static void consider(struct deadline *first, enum http_clock clock, int64_t from_us,
                     int64_t wait_us)
{
    if (wait_us <= 0 || from_us + wait_us >= first->at_us)
        return;
    first->clock = clock;
    first->at_us = from_us + wait_us;
}

enum http_clock http_clocks_next(const struct http_clocks *clocks, int64_t *ret_at_us)
{
    struct deadline first = {HTTP_CLOCK_NONE, INT64_MAX};
    int64_t start_us = clocks->started_at_us;

    if (!clocks->connected_at_us)
        consider(&first, HTTP_CLOCK_CONNECT, start_us, clocks->connect_us);
    if (clocks->last_byte_at_us)
        consider(&first, HTTP_CLOCK_QUIET, clocks->last_byte_at_us, clocks->quiet_us);
    else
        consider(&first, HTTP_CLOCK_FIRST_BYTE, start_us, clocks->first_byte_us);
    consider(&first, HTTP_CLOCK_TOTAL, start_us, clocks->total_us);
    if (first.clock != HTTP_CLOCK_NONE)
        *ret_at_us = first.at_us;
    return first.clock;
}

void http_clocks_tell(const struct http_clocks *clocks, enum http_clock clock,
                      const char *peer, struct err *ret_err)
{
    static const char *const texts[] = {
        [HTTP_CLOCK_CONNECT] = "no connection",
        [HTTP_CLOCK_FIRST_BYTE] = "no first byte",
        [HTTP_CLOCK_QUIET] = "no further byte",
        [HTTP_CLOCK_TOTAL] = "no end of the answer",
    };
    const int64_t waits_us[] = {
        [HTTP_CLOCK_CONNECT] = clocks->connect_us,
        [HTTP_CLOCK_FIRST_BYTE] = clocks->first_byte_us,
        [HTTP_CLOCK_QUIET] = clocks->quiet_us,
        [HTTP_CLOCK_TOTAL] = clocks->total_us,
    };

    assert(clock != HTTP_CLOCK_NONE);
    err_set(ret_err, ERR_TIMEOUT, "%s: %s within %" PRId64 " ms", peer, texts[clock],
            waits_us[clock] / 1000);
}
