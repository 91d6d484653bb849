/* notes.c - see notes.h. */
#include "analyzer/notes.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { NOTES_MAX_BYTES = 64 * 1024 };

void notes_init(struct notes *notes)
{
    *notes = (struct notes){.count = 0};
    buf_init(&notes->text, NOTES_MAX_BYTES);
}

void notes_done(struct notes *notes)
{
    buf_done(&notes->text);
}

void notes_add(struct notes *notes, const char *format, ...)
{
    va_list args;
    char *line;

    if (notes->count++ >= NOTES_SHOWN)
        return;
    va_start(args, format);
    line = x_vprintf(format, args);
    va_end(args);
    (void)buf_printf(&notes->text, "%s\n", line); /* over its maximum: left out */
    free(line);
}

const char *notes_text(struct notes *notes)
{
    size_t more = notes->count > NOTES_SHOWN ? notes->count - NOTES_SHOWN : 0;

    if (more > 0) {
        (void)buf_printf(&notes->text, "... and %zu more like these\n", more);
        notes->count = NOTES_SHOWN;
    }
    return buf_text(&notes->text);
}
