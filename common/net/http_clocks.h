/* http_clocks.h - the four clocks of a call. Pure: the time is an argument. For http.c.
 *
 * connect and total run from the start; first byte from the start to the first byte of
 * the body (some servers send their headers at once and think afterwards); quiet from
 * each byte of the body to the next.
 */
#ifndef PARLEY_HTTP_CLOCKS_H
#define PARLEY_HTTP_CLOCKS_H

#include <stdint.h>

#include "base/err.h"
#include "net/http.h"

enum { HTTP_CONNECT_MS_DEFAULT = 5000 };

struct http_clocks {
    int64_t connect_us; /* how long each may run; 0: for ever */
    int64_t first_byte_us;
    int64_t quiet_us;
    int64_t total_us;
    int64_t started_at_us;
    int64_t connected_at_us; /* this and the following: 0 until it happens */
    int64_t answered_at_us;  /* the first byte of the response */
    int64_t last_byte_at_us; /* the latest byte of the body */
    int64_t ended_at_us;
};

void http_clocks_start(struct http_clocks *clocks, const struct http_request *request,
                       int64_t now_us);
/* The running clock that is over first and when; HTTP_CLOCK_NONE if there is none. */
enum http_clock http_clocks_next(const struct http_clocks *clocks, int64_t *ret_at_us);
/* "peer: no first byte within 200 ms". */
void http_clocks_tell(const struct http_clocks *clocks, enum http_clock clock,
                      const char *peer, struct err *ret_err);

#endif
