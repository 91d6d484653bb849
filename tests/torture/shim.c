/* shim.c - a library to be preloaded that lets exactly one call of a program fail.
 *
 * It stands before malloc and before the system calls as our programs and their
 * libraries reach them through libc, counts what is called once main has begun, and
 * fails the Nth call of one kind. What libc does inside itself (stdio's write) does not
 * pass here. Never used outside of the tests.
 *
 * TORTURE_PAGE is a file of one struct page, mapped and shared: who began, how many
 * calls of each kind were made, and what was failed, so that the counts survive
 * whatever end the process takes. Only the first process that claims the page is
 * treated so.
 *
 * Flow: __libc_start_main -> begin -> main; each call -> hit -> the real one, or not
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* As the driver has them (torture.py, KINDS). */
enum kind {
    ALLOC, /* no memory */
    HARD,  /* the call fails for good: ENOSPC, EMFILE, ECONNRESET, ... */
    INTR,  /* EINTR, where POSIX allows it without a handler that says SA_RESTART */
    AGAIN, /* EAGAIN of a descriptor that does not block */
    SHORT, /* one byte of several is read or written */
    KIND_COUNT
};
struct page {
    uint64_t claimed;
    uint64_t kind; /* which one fails, KIND_COUNT: none */
    uint64_t at;   /* the how manieth, from 1 */
    uint64_t made[KIND_COUNT];
    uint64_t failed; /* 1 once it was done */
    char call[32];   /* its name */
};

static struct page *page; /* NULL: all calls are let through */

static bool hit(enum kind kind, const char *call)
{
    struct page *to = page;
    uint64_t number;

    if (to == NULL)
        return false;
    number = __atomic_add_fetch(&to->made[kind], 1, __ATOMIC_RELAXED);
    if ((uint64_t)kind != to->kind || number != to->at)
        return false;
    to->failed = 1;
    strncpy(to->call, call, sizeof to->call - 1);
    return true;
}

static bool fails(int errnum, const char *call)
{
    if (!hit(HARD, call))
        return false;
    errno = errnum;
    return true;
}

static bool interrupted(const char *call)
{
    if (!hit(INTR, call))
        return false;
    errno = EINTR;
    return true;
}

static bool would_block(int fd, const char *call)
{
    int flags = page == NULL ? -1 : fcntl(fd, F_GETFL);

    if (flags < 0 || (flags & O_NONBLOCK) == 0 || !hit(AGAIN, call))
        return false;
    errno = EAGAIN;
    return true;
}

/* S_IFSOCK, S_IFREG, ...; 0 for what is none of those: the kernel's counters and timers
 * (eventfd, timerfd) cannot fail in the ways below. */
static mode_t type_of(int fd)
{
    struct stat found;

    return fstat(fd, &found) == 0 ? found.st_mode & S_IFMT : 0;
}

/* The three ways in which moving bytes goes wrong. A pipe of ours that is full holds a
 * wake-up already: it is not told to wait. */
static bool bytes_fail(int fd, const char *call, int file_error, int socket_error)
{
    mode_t type = page == NULL ? 0 : type_of(fd);

    return type != 0
           && (fails(type == S_IFSOCK ? socket_error : file_error, call)
               || interrupted(call) || (type == S_IFSOCK && would_block(fd, call)));
}

static size_t shortened(int fd, size_t bytes, const char *call)
{
    return bytes > 1 && page != NULL && type_of(fd) != 0 && hit(SHORT, call) ? 1
                                                                             : bytes;
}

/* The real function, looked up once. */
#define NEXT(name)                 \
    static __typeof__(name) *next; \
                                   \
    if (next == NULL)              \
    next = (__typeof__(name) *)(uintptr_t)dlsym(RTLD_NEXT, #name)

static void begin(void)
{
    const char *path = getenv("TORTURE_PAGE");
    struct page *found;
    int fd;

    if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
        return;
    found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (found != MAP_FAILED
        && __atomic_exchange_n(&found->claimed, 1, __ATOMIC_SEQ_CST) == 0)
        page = found;
}

static int (*program_main)(int argc, char **argv, char **environment);

static int main_after_begin(int argc, char **argv, char **environment)
{
    begin();
    return program_main(argc, argv, environment);
}

typedef int main_function(int argc, char **argv, char **environment);
int __libc_start_main(main_function *wanted, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*linker_fini)(void), void *stack_end);
/* glibc chose its parameters. */
/* NOLINTNEXTLINE(readability-function-size) */
int __libc_start_main(main_function *wanted, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*linker_fini)(void), void *stack_end)
{
    NEXT(__libc_start_main);
    program_main = wanted;
    return next(main_after_begin, argc, argv, init, fini, linker_fini, stack_end);
}

/* ---- memory ---- */

void *malloc(size_t bytes)
{
    NEXT(malloc);
    if (hit(ALLOC, "malloc")) {
        errno = ENOMEM;
        return NULL;
    }
    return next(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    NEXT(calloc);
    if (hit(ALLOC, "calloc")) {
        errno = ENOMEM;
        return NULL;
    }
    return next(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
    NEXT(realloc);
    if (bytes > 0 && hit(ALLOC, "realloc")) {
        errno = ENOMEM;
        return NULL;
    }
    return next(old, bytes);
}

/* ---- bytes in and out ---- */

ssize_t read(int fd, void *to, size_t bytes)
{
    NEXT(read);
    if (bytes_fail(fd, "read", EIO, ECONNRESET))
        return -1;
    return next(fd, to, shortened(fd, bytes, "read"));
}

ssize_t recv(int fd, void *to, size_t bytes, int flags)
{
    NEXT(recv);
    if (bytes_fail(fd, "recv", EIO, ECONNRESET))
        return -1;
    return next(fd, to, shortened(fd, bytes, "recv"), flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    NEXT(recvmsg);
    if (bytes_fail(fd, "recvmsg", EIO, ECONNRESET))
        return -1;
    return next(fd, message, flags);
}

ssize_t write(int fd, const void *from, size_t bytes)
{
    NEXT(write);
    if (bytes_fail(fd, "write", ENOSPC, EPIPE))
        return -1;
    return next(fd, from, shortened(fd, bytes, "write"));
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    NEXT(writev);
    if (bytes_fail(fd, "writev", ENOSPC, EPIPE))
        return -1;
    if (count > 0 && pieces[0].iov_len > 1 && hit(SHORT, "writev"))
        return next(fd, &(struct iovec){pieces[0].iov_base, 1}, 1);
    return next(fd, pieces, count);
}

ssize_t send(int fd, const void *from, size_t bytes, int flags)
{
    NEXT(send);
    if (bytes_fail(fd, "send", EIO, EPIPE))
        return -1;
    return next(fd, from, shortened(fd, bytes, "send"), flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    NEXT(sendmsg);
    if (bytes_fail(fd, "sendmsg", EIO, EPIPE))
        return -1;
    if (message->msg_iovlen > 0 && message->msg_iov[0].iov_len > 1
        && hit(SHORT, "sendmsg")) {
        struct iovec first = {message->msg_iov[0].iov_base, 1};
        struct msghdr less = *message;

        less.msg_iov = &first;
        less.msg_iovlen = 1;
        return next(fd, &less, flags);
    }
    return next(fd, message, flags);
}

/* ---- descriptors ---- */

#define MAKER(name, errnum, parameters, arguments)         \
    int name parameters                                    \
    {                                                      \
        NEXT(name);                                        \
        return fails(errnum, #name) ? -1 : next arguments; \
    }

MAKER(socket, EMFILE, (int domain, int type, int protocol), (domain, type, protocol))
MAKER(socketpair, EMFILE, (int domain, int type, int protocol, int pair[2]),
      (domain, type, protocol, pair))
MAKER(bind, EADDRINUSE, (int fd, const struct sockaddr *to, socklen_t len),
      (fd, to, len))
MAKER(listen, EADDRINUSE, (int fd, int count), (fd, count))
MAKER(pipe, EMFILE, (int ends[2]), (ends))
MAKER(pipe2, EMFILE, (int ends[2], int flags), (ends, flags))
MAKER(dup2, EMFILE, (int from, int to), (from, to))
MAKER(epoll_create1, EMFILE, (int flags), (flags))
MAKER(setsockopt, ENOPROTOOPT,
      (int fd, int level, int option, const void *value, socklen_t len),
      (fd, level, option, value, len))
MAKER(getsockopt, ENOBUFS, (int fd, int level, int option, void *value, socklen_t *len),
      (fd, level, option, value, len))
MAKER(fsync, EIO, (int fd), (fd))
MAKER(rename, ENOSPC, (const char *from, const char *to), (from, to))
MAKER(unlink, EACCES, (const char *path), (path))
MAKER(mkdir, ENOSPC, (const char *path, mode_t mode), (path, mode))
MAKER(symlink, ENOSPC, (const char *to, const char *path), (to, path))
MAKER(mkstemp, ENOSPC, (char *path), (path))
MAKER(fchmod, EPERM, (int fd, mode_t mode), (fd, mode))
MAKER(fork, EAGAIN, (void), ())

int eventfd(unsigned value, int flags);
MAKER(eventfd, EMFILE, (unsigned value, int flags), (value, flags))
int timerfd_create(int clock, int flags);
MAKER(timerfd_create, EMFILE, (int clock, int flags), (clock, flags))

/* Only a new watch can be refused (max_user_watches). */
int epoll_ctl(int fd, int how, int on, struct epoll_event *event)
{
    NEXT(epoll_ctl);
    if (how == EPOLL_CTL_ADD && fails(ENOSPC, "epoll_ctl"))
        return -1;
    return next(fd, how, on, event);
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
    NEXT(connect);
    if (fails(ECONNREFUSED, "connect"))
        return -1;
    return next(fd, to, len);
}

int accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
    NEXT(accept4);
    if (fails(EMFILE, "accept4") || interrupted("accept4")
        || would_block(fd, "accept4"))
        return -1;
    return next(fd, from, len, flags);
}

static bool open_fails(const char *path)
{
    return fails(EMFILE, strncmp(path, "/dev/", 5) == 0 ? "open /dev" : "open");
}

/* The mode is there when O_CREAT is. */
#define OPENER(name)                                              \
    int name(const char *path, int flags, ...)                    \
    {                                                             \
        va_list rest;                                             \
        mode_t mode;                                              \
                                                                  \
        NEXT(name);                                               \
        va_start(rest, flags);                                    \
        mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                             \
        return open_fails(path) ? -1 : next(path, flags, mode);   \
    }

OPENER(open)
OPENER(open64)

FILE *fopen(const char *path, const char *mode)
{
    NEXT(fopen);
    return fails(EMFILE, "fopen") ? NULL : next(path, mode);
}

DIR *opendir(const char *path)
{
    NEXT(opendir);
    return fails(EMFILE, "opendir") ? NULL : next(path);
}

/* ---- waiting ---- */

int epoll_wait(int fd, struct epoll_event *events, int count, int wait_ms)
{
    NEXT(epoll_wait);
    return interrupted("epoll_wait") ? -1 : next(fd, events, count, wait_ms);
}

int poll(struct pollfd *list, nfds_t count, int wait_ms)
{
    NEXT(poll);
    return interrupted("poll") ? -1 : next(list, count, wait_ms);
}

pid_t waitpid(pid_t pid, int *status, int flags)
{
    NEXT(waitpid);
    return interrupted("waitpid") ? -1 : next(pid, status, flags);
}

ssize_t getrandom(void *to, size_t bytes, unsigned flags);
ssize_t getrandom(void *to, size_t bytes, unsigned flags)
{
    NEXT(getrandom);
    return interrupted("getrandom") ? -1 : next(to, bytes, flags);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    NEXT(getaddrinfo);
    return fails(EAGAIN, "getaddrinfo") ? EAI_AGAIN : next(host, service, hints, list);
}
