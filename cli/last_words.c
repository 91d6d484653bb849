/* last_words.c - see last_words.h. */
#include "cli/last_words.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"

/* The last bytes of the file, but none before `from`; less than it holds only when it
 * is being written or cut this moment. */
static size_t read_end(const char *path, int64_t from, char bytes[LAST_WORDS_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat found;
    ssize_t got = 0;

    if (fd < 0)
        return 0;
    if (fstat(fd, &found) == 0) {
        if (found.st_size - from > LAST_WORDS_BYTES)
            from = found.st_size - LAST_WORDS_BYTES;
        got = pread(fd, bytes, LAST_WORDS_BYTES, from);
    }
    (void)close(fd); /* only read */
    return got > 0 ? (size_t)got : 0;
}

/* Where the last LAST_WORDS_LINES lines begin. */
static size_t find_begin(const char *bytes, size_t len)
{
    size_t lines = 0;

    while (len > 0) {
        if (bytes[len - 1] == '\n' && ++lines == LAST_WORDS_LINES)
            break;
        len--;
    }
    return len;
}

void last_words_add(const char *path, int64_t from, struct buf *into)
{
    char bytes[LAST_WORDS_BYTES];
    size_t len = read_end(path, from, bytes);
    size_t begin;
    struct str rest;

    while (len > 0 && bytes[len - 1] == '\n')
        len--;
    begin = find_begin(bytes, len);
    rest = str_make(bytes + begin, len - begin);
    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);

        buf_add_text(into, "  | ");
        utf8_harmless(line, false, into);
        buf_add_char(into, '\n');
    }
}
