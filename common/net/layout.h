/* layout.h - the version of the keys' layout, in K:meta. Every program checks it at its
 * start and leaves when it is another: it would misread what it finds.
 */
#ifndef PARLEY_LAYOUT_H
#define PARLEY_LAYOUT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "net/redis_value.h"
#include "proto/keys.h"

struct loop;
struct redis;
struct redis_answer;

/* For short-lived programs: asks and waits. ERR_USAGE when it is another. */
MUST_USE bool layout_check(struct loop *loop, struct redis *redis,
                           const struct keys *keys, struct err *err);
/* For long-running ones: the answer goes to on_answer, to be judged by layout_fits. */
bool layout_ask(struct redis *redis, const struct keys *keys,
                void (*on_answer)(void *owner, const struct redis_answer *answer),
                void *owner);
/* False when the reply names another version; no version yet is fine. */
bool layout_fits(const struct redis_answer *answer, struct err *err);

#endif
