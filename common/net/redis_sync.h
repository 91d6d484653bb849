/* redis_sync.h - ask Redis and wait, for short-lived commands (`parley list`).
 *
 * Runs the loop until the answer is there. Never used by a long-running program.
 */
#ifndef PARLEY_REDIS_SYNC_H
#define PARLEY_REDIS_SYNC_H

#include "net/redis.h"

/* Connects within timeout_ms, trying again until then unless the server refuses us, or
 * fails with ERR_REDIS: "<url>: <reason>". The caller owns *ret_redis. A loop_stop by
 * others (a signal) ends the wait: "interrupted". */
MUST_USE bool redis_sync_connect(struct loop *loop, const struct redis_target *target,
                                 int64_t timeout_ms, struct redis **ret_redis,
                                 struct err *err);
/* Sends the call's words and runs the loop until it is answered; `on_answer` and
 * `owner` of the call are used for the reply. False on REDIS_LOST, REDIS_REFUSED or a
 * passed timeout (0: 5 s), with the reason; without an answer on_answer is not called.
 */
MUST_USE bool redis_sync_call(struct loop *loop, struct redis *redis,
                              const struct redis_call *call, struct err *err);

#endif
