/* sim_head.h - the head of an answer over the bare socket, with what may be wrong in
 * it. Pure. For sim_out.c.
 */
#ifndef PARLEY_SIM_HEAD_H
#define PARLEY_SIM_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* What a proxy or a login page puts in the place of an answer. */
#define SIM_HTML                                               \
    "<!DOCTYPE html>\n<html><head><title>Error</title></head>" \
    "<body><h1>Something went wrong</h1><p>Please try again "  \
    "later.</p></body></html>\n"

struct sim_head {
    int status;
    const char *type;
    struct str headers; /* whole lines */
    int64_t length;     /* of the body; below 0: in chunks */
    bool warns; /* that the connection will be closed: who breaks down does not */
    bool gzip;  /* the body is packed */
    bool huge;  /* 100 headers of 8 KB */
};
void sim_head_write(const struct sim_head *head, struct buf *into);

#endif
