/* document.c - see document.h. */
#include "proto/document.h"

#include <string.h>

#include "proto/thought.h"

struct str document_in(struct str said)
{
    const char *start;

    said = str_trim(said);
    start = said.len == 0 ? NULL : memchr(said.at, DOCUMENT_START, said.len);
    if (start == NULL)
        return said;
    said = str_make(start, said.len - (size_t)(start - said.at));
    if (said.len > 3 && memcmp(said.at + said.len - 3, "```", 3) == 0)
        said = str_trim(str_make(said.at, said.len - 3));
    return said;
}

struct str document_of(struct str reply, struct buf *scratch)
{
    struct thought thought;
    enum thought_answer answer;

    buf_clear(scratch);
    thought_init(&thought);
    thought_begin(&thought, DOCUMENT_START);
    (void)thought_feed(&thought, reply); /* else nothing is found */
    do {
        answer = thought_next(&thought, true, scratch);
        if (answer == THOUGHT_ANEW)
            buf_clear(scratch);
    } while (answer != THOUGHT_ALL);
    thought_done(&thought);
    return document_in(buf_str(scratch));
}
