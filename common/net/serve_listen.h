/* serve_listen.h - the listening socket of a server: TCP or Unix. Used by serve.c. */
#ifndef PARLEY_SERVE_LISTEN_H
#define PARLEY_SERVE_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct serve_listen {
    int fd;       /* -1: given away or closed */
    int port;     /* the port bound, 0 for a Unix socket */
    char *path;   /* owned; the socket's file, NULL for TCP */
    dev_t device; /* which file that was, so that a successor's is not removed */
    ino_t inode;
};

/* "127.0.0.1:11434", "localhost:0", "[::1]:0", "unix:/path". ERR_USAGE when the text is
 * none of these, ERR_SYSTEM "<text>: <reason>" when the address cannot be had. A Unix
 * socket is for its owner alone (mode 0600); a file nobody listens behind is replaced.
 */
MUST_USE bool serve_listen_open(const char *text, struct serve_listen *ret_listen,
                                struct err *err);
/* Closes what is still open and removes the socket's file. */
void serve_listen_done(struct serve_listen *listening);

#endif
