/* process.c - see process.h. */
#include "base/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

enum { BOOT_MAX_BYTES = 64, PID_MAX_VALUE = 1 << 30 };

/* Pids are numbered anew at each boot and in each namespace (a container has its own).
 */
static void tell_space(char ret_space[PROCESS_SPACE_SIZE])
{
    struct stat space;
    struct err ignored;
    struct buf boot;

    ret_space[0] = '\0';
    buf_init(&boot, BOOT_MAX_BYTES);
    if (file_slurp("/proc/sys/kernel/random/boot_id", &boot, &ignored)
        && stat("/proc/self/ns/pid", &space) == 0)
        fmt_into(ret_space, PROCESS_SPACE_SIZE, "%.*s:%llu",
                 (int)strcspn(buf_text(&boot), "\n"), buf_text(&boot),
                 (unsigned long long)space.st_ino);
    buf_done(&boot);
}

void process_here(struct process_place *ret_place)
{
    memset(ret_place, 0, sizeof *ret_place);
    (void)gethostname(ret_place->host, PROCESS_HOST_SIZE - 1); /* empty when it fails */
    fmt_into(ret_place->pid, PROCESS_PID_SIZE, "%ld", (long)getpid());
    tell_space(ret_place->space);
}

bool process_is_gone(const struct process_place *here, struct str host, struct str pid,
                     struct str space)
{
    int64_t number;

    /* 0 and 1 would ask for other things than one process of ours. */
    return here->host[0] != '\0' && here->space[0] != '\0' && str_is(host, here->host)
           && str_is(space, here->space) && str_to_i64(pid, 2, PID_MAX_VALUE, &number)
           && kill((pid_t)number, 0) != 0 && errno == ESRCH;
}
