/* source_folder.h - reads a run's folder, or a transcript file alone.
 *
 * transcript.jsonl must be there. calls.jsonl and events.jsonl may be missing: what
 * they would tell is unknown then. A line that cannot be used is passed over and noted
 * with file and number; so is a last line that a crash cut off.
 */
#ifndef PARLEY_SOURCE_FOLDER_H
#define PARLEY_SOURCE_FOLDER_H

#include <stdbool.h>

#include "base/err.h"

struct lines;
struct notes;
struct run_info;
struct tally;

/* `path`: a folder or a file. Fails when it, or a folder's transcript, cannot be read:
 * ERR_USAGE naming it. */
MUST_USE bool source_folder_read(const char *path, struct tally *tally,
                                 struct notes *notes, struct err *err);
/* The same for one that still grows, step by step: each reads what is new. Starts as
 * {.path = ...}; the path must live as long. */
struct source_growing {
    const char *path;
    struct growing_file {
        char *path;          /* owned; NULL: there is no such stream */
        struct lines *lines; /* owned; NULL: it is not there yet */
    } files[3];              /* transcript, calls, events */
};
/* `last`: nothing will follow, an unfinished line is told. Fails as source_folder_read,
 * and with ERR_FORMAT when a file was replaced by another meanwhile. */
MUST_USE bool source_growing_read(struct source_growing *growing, struct tally *tally,
                                  bool last, struct notes *notes, struct err *err);
void source_growing_done(struct source_growing *growing);
/* Whether the run of that folder goes on: run.json has no end and its process is there.
 * A log alone grows as long as somebody watches. */
bool source_growing_lives(const struct source_growing *growing);
/* Reads the folder's run.json. False when there is none or it is of no use; the latter
 * is noted. *ret_info is owned by the caller (run_info_done), untouched on false. */
bool source_folder_run(const char *path, struct notes *notes,
                       struct run_info *ret_info);

#endif
