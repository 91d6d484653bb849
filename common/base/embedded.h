/* embedded.h - files of the source tree that travel inside the programs: Lua scripts,
 * prompt templates, JSON schemas. Made at build time by tools/embed.
 */
#ifndef PARLEY_EMBEDDED_H
#define PARLEY_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* as in the source tree: "common/scripts/route.lua" */
    const char *at;   /* NUL behind */
    size_t len;
    const char *sha1; /* 40 hex digits */
};
extern const struct embedded_file embedded_files[];
extern const size_t embedded_count;

/* Never NULL: a name that is not there is a mistake of ours. */
const struct embedded_file *embedded_find(const char *name);

#endif
