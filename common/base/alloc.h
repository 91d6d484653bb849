/* alloc.h - memory with one policy: when there is none left, the process ends.
 *
 * A worker without memory cannot do anything useful; its lease runs out and another
 * takes the turn. So nobody checks for NULL, and no half-done state survives: the end
 * is at once, with a line on stderr and a status of its own, and what is true stands in
 * Redis. The libraries that let themselves be told take their memory from here as well.
 */
#ifndef PARLEY_ALLOC_H
#define PARLEY_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"

/* The status of a process that the system gave no memory (or nothing else it cannot be
 * without): EX_OSERR of sysexits.h. Who supervises may start it again. */
enum { EXIT_EXHAUSTED = 71 };

/* Ends the process so: "<what>\n" to stderr. Nothing is flushed, nobody is told. */
_Noreturn void x_exhausted(const char *what);

/* All return memory owned by the caller, to be given to free(). */
void *x_malloc(size_t bytes);
void *x_calloc(size_t count, size_t bytes);
void *x_realloc(void *old, size_t bytes);
char *x_strdup(const char *text);
/* Exactly `len` bytes of `at` (which may hold NULs) with a NUL behind. */
char *x_memdup(const void *at, size_t len);
char *x_printf(const char *format, ...) PRINTF_LIKE(1, 2);
char *x_vprintf(const char *format, va_list args) PRINTF_LIKE(1, 0);

#endif
