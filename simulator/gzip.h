/* gzip.h - a file in gzip's form (RFC 1952), for a body that nobody asked to have
 * packed. Pure. It is valid, and no smaller: each byte is a literal in the fixed code.
 */
#ifndef PARLEY_GZIP_H
#define PARLEY_GZIP_H

#include "base/buf.h"
#include "base/str.h"

void gzip_pack(struct str bytes, struct buf *into);

#endif
