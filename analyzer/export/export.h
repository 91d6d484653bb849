/* export.h - the conversations of a log in another form: a projection, nothing added.
 *
 * jsonl and csv go line by line in the log's order; the others go conversation by
 * conversation (log_index.h). What is left out is counted.
 */
#ifndef PARLEY_EXPORT_H
#define PARLEY_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/export/chat.h"
#include "analyzer/export/sink.h"
#include "base/err.h"

struct notes;

enum export_format {
    EXPORT_JSONL,
    EXPORT_SHAREGPT,
    EXPORT_MESSAGES,
    EXPORT_MARKDOWN,
    EXPORT_HTML,
    EXPORT_CSV,
    EXPORT_TEXT,
    EXPORT_FORMAT_COUNT
};
const char *export_format_name(enum export_format format);
/* False for an unknown word. */
bool export_format_parse(const char *word, enum export_format *ret_format);

struct export_job {
    enum export_format format;
    int64_t perspective; /* a seat from 1; 0: all */
    bool names;
    const char *transcript;    /* file */
    const char *calls;         /* file with the thinking; NULL: it is left out */
    const char *const *wanted; /* ids of conversations; none: all */
    size_t wanted_count;
    const struct chat_prompts *prompts;
    /* The topic of a conversation, or NULL; borrowed until the next call. */
    const char *(*topic_of)(void *owner, const char *conversation);
    void *topic_owner;
};
struct export_counts {
    int64_t conversations;
    int64_t records; /* messages, sharegpt: records; jsonl, csv: lines; else turns */
    int64_t failed;  /* left out */
    int64_t empty;
    int64_t without_system; /* records whose story and personas the log has not */
    int64_t silent;         /* views of seats that never said anything */
};

/* ERR_SYSTEM, ERR_LIMIT as index_build and sink_write. */
MUST_USE bool export_run(const struct export_job *job, struct sink *sink,
                         struct notes *notes, struct export_counts *ret_counts,
                         struct err *err);

#endif
