/* socket_folder.h - where the socket of a run's private Redis lies: a folder of its own
 * with a short path, for only this user.
 *
 * A run that is killed leaves an empty one; the next run removes those.
 */
#ifndef PARLEY_SOCKET_FOLDER_H
#define PARLEY_SOCKET_FOLDER_H

#include "base/err.h"

/* In XDG_RUNTIME_DIR, or in /tmp; caller frees. */
MUST_USE bool socket_folder_make(char **ret_path, struct err *err);

#endif
