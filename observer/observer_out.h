/* observer_out.h - standard output that never blocks the loop.
 *
 * Bytes wait in a buffer until the descriptor takes them; it is not made non-blocking,
 * since a terminal's flags are shared with the shell behind it: instead it is asked
 * whether it has room, and gets no more at once than a pipe takes then without
 * blocking.
 */
#ifndef PARLEY_OBSERVER_OUT_H
#define PARLEY_OBSERVER_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/loop.h"

struct observer_out {
    struct loop_io io;
    struct buf waiting; /* add to it, then observer_out_flush */
    size_t sent;        /* of that; taken out now and then, not for each piece */
    int fd;
    bool broken; /* the reader is gone */
    /* Something was written, or the reader went away. */
    void (*on_change)(void *owner);
    void *owner;
};

void observer_out_init(struct observer_out *out, struct loop *loop, int fd,
                       void (*on_change)(void *owner), void *owner);
void observer_out_done(struct observer_out *out);
/* Writes what can be written now and sees to the rest. */
void observer_out_flush(struct observer_out *out);
bool observer_out_is_empty(const struct observer_out *out);
/* So much waits that no more should be read. */
bool observer_out_is_full(const struct observer_out *out);
/* The end: writes what is left, waiting for a slow reader at most so long. */
void observer_out_finish(struct observer_out *out, int64_t limit_ms);

#endif
