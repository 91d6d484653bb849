/* runs.c - see runs.h. */
#include "base/runs.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

char *runs_folder(void)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    if (state != NULL && *state == '/')
        return path_join(state, "parley/runs");
    if (home != NULL && *home != '\0')
        return path_join(home, ".local/state/parley/runs");
    return NULL;
}

char *runs_find(const char *word)
{
    bool none = word == NULL || *word == '\0';
    char *folder;
    char *run;

    if (!none && file_exists(word))
        return x_strdup(word);
    folder = none || strchr(word, '/') == NULL ? runs_folder() : NULL;
    if (folder == NULL)
        return NULL;
    run = path_join(folder, none ? "latest" : word);
    free(folder);
    if (file_exists(run))
        return run;
    free(run);
    return NULL;
}
