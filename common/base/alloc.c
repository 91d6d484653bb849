/* alloc.c - see alloc.h. */
#include "base/alloc.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void x_exhausted(const char *what)
{
    /* Without stdio, which may want memory; and nothing can be done about a failure. */
    if (write(STDERR_FILENO, what, strlen(what)) >= 0)
        (void)!write(STDERR_FILENO, "\n", 1);
    _exit(EXIT_EXHAUSTED);
}

static void *must_have(void *at)
{
    if (at == NULL)
        x_exhausted("out of memory");
    return at;
}

void *x_malloc(size_t bytes)
{
    return must_have(malloc(bytes == 0 ? 1 : bytes));
}

void *x_calloc(size_t count, size_t bytes)
{
    return must_have(calloc(count == 0 ? 1 : count, bytes == 0 ? 1 : bytes));
}

void *x_realloc(void *old, size_t bytes)
{
    return must_have(realloc(old, bytes == 0 ? 1 : bytes));
}

char *x_memdup(const void *at, size_t len)
{
    char *copy = x_malloc(len + 1);

    if (len > 0)
        memcpy(copy, at, len);
    copy[len] = '\0';
    return copy;
}

char *x_strdup(const char *text)
{
    return x_memdup(text, strlen(text));
}

char *x_vprintf(const char *format, va_list args)
{
    va_list again;
    char *text;
    int len;

    assert(format != NULL);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    assert(len >= 0);
    text = x_malloc((size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, format, again); /* measured above */
    va_end(again);
    return text;
}

char *x_printf(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = x_vprintf(format, args);
    va_end(args);
    return text;
}
