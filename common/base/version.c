/* version.c - see version.h. */
#include "base/version.h"

#include <assert.h>

#include "gen/version.h"

enum { LIBRARIES_MAX = 8 };

static struct {
    const char *name;
    const char *version;
} libraries[LIBRARIES_MAX];
static size_t library_count;

const char *version_number(void)
{
    return PARLEY_VERSION;
}

void version_add(const char *library, const char *version)
{
    assert(library_count < LIBRARIES_MAX);
    libraries[library_count].name = library;
    libraries[library_count++].version = version;
}

void version_text(struct buf *into)
{
    buf_printf(into, "parley %s\n", PARLEY_VERSION);
#if defined(__SANITIZE_ADDRESS__)
    buf_printf(into, "compiler %s, address sanitizer\n", __VERSION__);
#else
    buf_printf(into, "compiler %s\n", __VERSION__);
#endif
    for (size_t i = 0; i < library_count; i++)
        buf_printf(into, "%s %s\n", libraries[i].name, libraries[i].version);
}
