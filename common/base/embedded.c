/* embedded.c - see embedded.h. */
#include "base/embedded.h"

#include <assert.h>
#include <string.h>

const struct embedded_file *embedded_find(const char *name)
{
    for (size_t i = 0; i < embedded_count; i++)
        if (strcmp(embedded_files[i].name, name) == 0)
            return &embedded_files[i];
    assert(!"no such embedded file");
    return NULL;
}
