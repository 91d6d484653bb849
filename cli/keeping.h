/* keeping.h - what a Redis keeps when it dies, by its own settings, and in words.
 *
 * The words claim what Redis documents of appendonly, appendfsync and maxmemory-policy
 * (redis.io "Redis persistence"), of a disk that keeps what it says it has written.
 */
#ifndef PARLEY_KEEPING_H
#define PARLEY_KEEPING_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct loop;
struct redis;

struct keeping {
    bool known; /* false: the server does not tell (CONFIG GET is refused) */
    char appendonly[8];
    char appendfsync[16];
    char policy[24]; /* maxmemory-policy */
};
/* False when Redis did not answer; that it refuses is no failure. */
MUST_USE bool keeping_read(struct loop *loop, struct redis *redis,
                           struct keeping *ret_keeping, struct err *err);
/* One line without an end: what survives. */
void keeping_words(const struct keeping *keeping, struct buf *into);
/* What is dangerous of it, a line each without an end; NULL behind the last. */
enum { KEEPING_WARNINGS = 3 };
void keeping_warnings(const struct keeping *keeping,
                      const char *ret_lines[KEEPING_WARNINGS]);
/* An object, or null. */
void keeping_json(const struct keeping *keeping, struct buf *into);

#endif
