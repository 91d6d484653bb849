/* err.h - how functions tell what went wrong.
 *
 * Three kinds of trouble are kept apart: mistakes of ours end in assert, lack of
 * memory ends the process (alloc.h), and the world's faults travel up as a false
 * result with a struct err filled in. Callers switch on `code`, people read `msg`.
 */
#ifndef PARLEY_ERR_H
#define PARLEY_ERR_H

#include <stdbool.h>

#define MUST_USE          __attribute__((warn_unused_result))
#define PRINTF_LIKE(a, b) __attribute__((format(printf, a, b)))

enum err_code {
    ERR_NONE,    /* nothing happened */
    ERR_USAGE,   /* a flag, a config value or a given file is wrong */
    ERR_REDIS,   /* Redis cannot be reached */
    ERR_DENIED,  /* Redis is there and refuses us for good: a person must act */
    ERR_MODEL,   /* no model server, or it lacks the model */
    ERR_FORMAT,  /* bytes from outside do not have the form they must have */
    ERR_LIMIT,   /* something grew over its stated bound */
    ERR_TIMEOUT, /* a deadline passed */
    ERR_SYSTEM,  /* the operating system said no */
    ERR_CODE_COUNT
};

/* Filled in by the function that failed; starts as {0}. The message is one line
 * without a full stop, cut to fit. */
struct err {
    enum err_code code;
    char msg[512];
};

const char *err_code_name(enum err_code code);

/* Both return false, so that a caller can write `return err_set(...)`. `err` may be
 * NULL: then the reason is not wanted. */
bool err_set(struct err *err, enum err_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* As err_set with ": <strerror(errnum)>" behind the text and ERR_SYSTEM as the code. */
bool err_sys(struct err *err, int errnum, const char *format, ...) PRINTF_LIKE(3, 4);
/* Puts "<text>: " before the message that is there. */
bool err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* The exit status of design: 2 usage, 3 Redis, 4 model server, else 1. */
int err_exit_status(const struct err *err);

#endif
