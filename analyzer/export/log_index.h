/* log_index.h - which lines of a log belong together, by where they stand in the file.
 *
 * The conversations of a run interleave in its log; most exports want one after the
 * other. One pass remembers 16 bytes a line and a few dozen a conversation, and the
 * lines are read again when they are asked for: a million turns take 16 MiB, however
 * long they are. Over INDEX_MAX_LINES lines it says so and stops.
 *
 * Flow: index_build -> index_count -> index_each, conversation after conversation
 */
#ifndef PARLEY_LOG_INDEX_H
#define PARLEY_LOG_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct notes;
struct log_index;

enum { INDEX_MAX_LINES = 1 << 24 };

/* What the lines of a log are: how one is judged and whose it is. */
struct log_kind {
    /* True when the line is to be kept, then *ret_id is its conversation's id (valid
     * until the next call). False with an error set: the line is broken; with none:
     * it is of no interest. */
    bool (*judge)(void *owner, struct str line, struct str *ret_id, struct err *err);
    void *owner;
};

/* Reads the file once. Lines that are broken are noted with file and number.
 * *ret_index is owned by the caller (index_free) and keeps the file open. */
MUST_USE bool index_build(const char *path, const struct log_kind *kind,
                          struct notes *notes, struct log_index **ret_index,
                          struct err *err);
void index_free(struct log_index *index); /* NULL is fine */
/* Conversations, in the order in which their first lines stand in the file. */
size_t index_count(const struct log_index *index);
const char *index_id(const struct log_index *index, size_t conversation);
/* The number of the conversation with that id; false when there is none. */
bool index_find(const struct log_index *index, struct str id, size_t *ret_conversation);
/* The lines of one conversation, in their order. on_line returns false, with its own
 * error set, to stop. ERR_SYSTEM when the file cannot be read any more. */
MUST_USE bool index_each(struct log_index *index, size_t conversation,
                         bool (*on_line)(void *owner, struct str line, struct err *err),
                         void *owner, struct err *err);

#endif
