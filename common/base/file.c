/* file.c - see file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static bool slurp_fd(int fd, const char *path, struct buf *into, struct err *err)
{
    char piece[65536];
    ssize_t got;

    while ((got = read(fd, piece, sizeof piece)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(err, errno, "%s", path);
        if (!buf_add(into, piece, (size_t)got))
            return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", path,
                           into->max);
    }
    return true;
}

bool file_slurp(const char *path, struct buf *into, struct err *err)
{
    int fd;
    bool ok;

    if (strcmp(path, "-") == 0)
        return slurp_fd(STDIN_FILENO, "standard input", into, err);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "%s", path);
    ok = slurp_fd(fd, path, into, err);
    (void)close(fd); /* only read */
    return ok;
}

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.at, bytes.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes = str_make(bytes.at + put, bytes.len - (size_t)put);
    }
    return true;
}

bool file_is_stream(const char *path)
{
    struct stat found;

    return strncmp(path, "/dev/", strlen("/dev/")) == 0
           || (stat(path, &found) == 0 && !S_ISREG(found.st_mode)
               && !S_ISDIR(found.st_mode));
}

int file_mode(void)
{
    mode_t mask = umask(0); /* it cannot be asked for otherwise */

    (void)umask(mask); /* never fails */
    return (int)(0644 & ~mask);
}

static bool write_stream(const char *path, struct str bytes, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write_all(fd, bytes);

    if (!ok)
        err_sys(err, errno, "%s", path);
    if (fd >= 0 && close(fd) != 0 && ok)
        ok = err_sys(err, errno, "%s", path);
    return ok;
}

static bool write_beside(const char *path, struct str bytes, struct err *err)
{
    char *beside = x_printf("%s.XXXXXX", path);
    int fd = mkstemp(beside);
    bool ok = fd >= 0 && write_all(fd, bytes) && fchmod(fd, (mode_t)file_mode()) == 0
              && fsync(fd) == 0;

    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    ok = ok && rename(beside, path) == 0;
    if (!ok) {
        err_sys(err, errno, "%s", path);
        (void)unlink(beside); /* may not be there */
    }
    free(beside);
    return ok;
}

bool file_write(const char *path, struct str bytes, struct err *err)
{
    return file_is_stream(path) ? write_stream(path, bytes, err)
                                : write_beside(path, bytes, err);
}

bool file_make_folder(const char *path, int mode, struct err *err)
{
    char *copy = x_strdup(path);
    size_t len = strlen(copy);
    struct stat found;
    int failed = 0; /* the errno of the first folder that could not be made */
    bool ok;

    while (len > 1 && copy[len - 1] == '/')
        copy[--len] = '\0'; /* else the folder itself would get 0755 in the loop */
    for (char *slash = len == 0 ? NULL : strchr(copy + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST && failed == 0)
            failed = errno; /* it matters only if the last one fails too */
        *slash = '/';
    }
    ok = mkdir(copy, (mode_t)mode) == 0 || errno == EEXIST;
    if (!ok)
        err_sys(err, failed != 0 ? failed : errno, "folder %s", path);
    else if (stat(copy, &found) != 0 || !S_ISDIR(found.st_mode))
        ok = err_set(err, ERR_SYSTEM, "%s is there and is not a folder", path);
    free(copy);
    return ok;
}

static bool remove_inside(const char *path, struct err *err);

static bool remove_one(const char *path, struct err *err)
{
    struct stat found;

    if (lstat(path, &found) != 0)
        return errno == ENOENT || err_sys(err, errno, "%s", path);
    if (S_ISDIR(found.st_mode) && !remove_inside(path, err))
        return false;
    if (remove(path) != 0 && errno != ENOENT)
        return err_sys(err, errno, "%s", path);
    return true;
}

static bool remove_inside(const char *path, struct err *err)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool ok = true;

    if (folder == NULL)
        return err_sys(err, errno, "%s", path);
    /* cppcheck-suppress readdirCalled ; one thread */
    while (ok && (entry = readdir(folder)) != NULL) {
        char *child;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        child = path_join(path, entry->d_name);
        ok = remove_one(child, err);
        free(child);
    }
    (void)closedir(folder); /* only read */
    return ok;
}

bool file_remove_tree(const char *path, struct err *err)
{
    return remove_one(path, err);
}

bool file_exists(const char *path)
{
    struct stat found;

    return stat(path, &found) == 0;
}

char *path_join(const char *folder, const char *name)
{
    size_t len = strlen(folder);
    bool slash = len > 0 && folder[len - 1] == '/';

    return x_printf("%s%s%s", folder, slash ? "" : "/", name);
}
