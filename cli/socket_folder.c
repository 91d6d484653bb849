/* socket_folder.c - see socket_folder.h. */
#include "cli/socket_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"

enum {
    SOCKET_PATH_MAX = 100, /* sockaddr_un holds 108 */
    LETTERS = 6,           /* of mkdtemp */
    OLD_US = 60 * 1000000  /* a run that just begins has no socket in it yet */
};
static const char begin[] = "parley-";

static const char *base_folder(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");

    return runtime != NULL && strlen(runtime) < SOCKET_PATH_MAX / 2
                   && access(runtime, W_OK) == 0
               ? runtime
               : "/tmp";
}

static bool is_left(const char *path)
{
    struct stat facts;

    return lstat(path, &facts) == 0 && S_ISDIR(facts.st_mode)
           && facts.st_uid == geteuid()
           && clock_wall_us() - (int64_t)facts.st_mtime * 1000000 > OLD_US;
}

/* A socket that nobody listens at any more. */
static void remove_dead_socket(const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *path = path_join(folder, "redis.sock");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd >= 0 && strlen(path) < sizeof address.sun_path) {
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0
            && errno == ECONNREFUSED)
            (void)unlink(path); /* what stays keeps its folder */
    }
    if (fd >= 0)
        (void)close(fd);
    free(path);
}

/* Only empty ones go: a Redis that lives has its socket in its own. */
static void sweep(const char *base)
{
    DIR *folder = opendir(base);
    const struct dirent *entry;

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        char *path;

        if (!str_starts(str_of(entry->d_name), begin)
            || strlen(entry->d_name) != sizeof begin - 1 + LETTERS)
            continue;
        path = path_join(base, entry->d_name);
        if (is_left(path)) {
            remove_dead_socket(path);
            (void)rmdir(path); /* fails for one that is not empty: it is in use */
        }
        free(path);
    }
    (void)closedir(folder); /* only read */
}

bool socket_folder_make(char **ret_path, struct err *err)
{
    const char *base = base_folder();
    char *path = x_printf("%s/%sXXXXXX", base, begin);
    bool ok;

    sweep(base);
    ok = mkdtemp(path) != NULL || err_sys(err, errno, "%s", path);
    if (ok)
        *ret_path = path;
    else
        free(path);
    return ok;
}
