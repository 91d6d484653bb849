/* alloc.h - memory with one policy: when there is none left, the process ends.
 *
 * A worker without memory cannot do anything useful; its lease runs out and another
 * takes the turn. So nobody checks for NULL, and no half-done state survives.
 */
#ifndef PARLEY_ALLOC_H
#define PARLEY_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"

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
