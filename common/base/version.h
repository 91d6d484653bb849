/* version.h - what this build is: for --version, the log's first line and run.json. */
#ifndef PARLEY_VERSION_H
#define PARLEY_VERSION_H

#include "base/buf.h"

/* "v1.2-3-gabcdef" of git describe. */
const char *version_number(void);
/* A line for parley, one for the compiler and sanitizers, one a library that told
 * its version through version_add. */
void version_text(struct buf *into);
/* Called by programs at start with what they link: ("libcurl", "7.88.1"). Both texts
 * must live as long as the program. At most 8. */
void version_add(const char *library, const char *version);

#endif
