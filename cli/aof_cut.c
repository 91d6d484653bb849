/* aof_cut.c - see aof_cut.h.
 *
 * It says "This will shrink the AOF <name> from 118 bytes, with 63 bytes, to 55 bytes"
 * and, when it has, "Successfully truncated AOF <name>".
 */
#include "cli/aof_cut.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t aof_cut_bytes(const char *log_path, int64_t from)
{
    static const char before[] = " bytes, with ";
    char text[AOF_CUT_LOOK_BYTES + 1];
    int fd = open(log_path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, from);
    const char *at;

    if (fd >= 0)
        (void)close(fd); /* only read */
    if (got <= 0)
        return 0;
    text[got] = '\0';
    at = strstr(text, "This will shrink the AOF ");
    if (at == NULL || strstr(at, "Successfully truncated AOF ") == NULL)
        return 0;
    at = strstr(at, before);
    return at == NULL ? 0 : strtoll(at + strlen(before), NULL, 10);
}
