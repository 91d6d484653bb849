/* process.h - where a process runs, told in such a way that another one on the same
 * machine can see whether it is still there. Texts, as they stand in Redis. */
#ifndef PARLEY_PROCESS_H
#define PARLEY_PROCESS_H

#include <stdbool.h>

#include "base/str.h"

enum {
    PROCESS_HOST_SIZE = 65, /* Linux' names have at most 64 letters */
    PROCESS_PID_SIZE = 24,
    PROCESS_SPACE_SIZE = 96
};

struct process_place {
    char host[PROCESS_HOST_SIZE];
    char pid[PROCESS_PID_SIZE];
    /* "<boot id>:<inode of the pid namespace>": within one such space a pid means one
     * process. Empty where /proc does not tell. */
    char space[PROCESS_SPACE_SIZE];
};

/* Ours. */
void process_here(struct process_place *ret_place);
/* True only when it is certain: the same host and space as `here`, and no process has
 * that pid there. A pid that another process has got meanwhile counts as alive. */
bool process_is_gone(const struct process_place *here, struct str host, struct str pid,
                     struct str space);

#endif
