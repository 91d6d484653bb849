/* file.h - whole files: read, write at once or not at all, folders, paths. */
#ifndef PARLEY_FILE_H
#define PARLEY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Adds the file's bytes to `into`; "-" is standard input. Fails over the buffer's
 * maximum. */
MUST_USE bool file_slurp(const char *path, struct buf *into, struct err *err);
/* Writes beside `path`, syncs and renames: readers see the old or the new file. What is
 * no file (file_is_stream) is written to. */
MUST_USE bool file_write(const char *path, struct str bytes, struct err *err);
/* A device, a pipe, or anything in /dev: a file that is renamed to its path would take
 * its place, so it must be opened and written to. */
bool file_is_stream(const char *path);
/* The mode of a file that is made: 0644 less the umask. */
int file_mode(void);
/* Makes the folder with `mode` (less the umask) and those above it with 0755; a folder
 * that is there is fine and stays as it is. */
MUST_USE bool file_make_folder(const char *path, int mode, struct err *err);
/* Removes a folder with all that is in it; links are not followed. What is not there is
 * fine. */
MUST_USE bool file_remove_tree(const char *path, struct err *err);
bool file_exists(const char *path);
/* "<folder>/<name>", owned by the caller. */
char *path_join(const char *folder, const char *name);

#endif
