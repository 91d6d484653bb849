/* begin.h - from a written story to the first request.
 *
 * A conversation begins when each lane of its cast has a live member, its models are
 * loaded (warm.h) and fewer than max_running run. What its story cost is recorded like
 * any other call.
 */
#ifndef PARLEY_BEGIN_H
#define PARLEY_BEGIN_H

#include "base/err.h"
#include "manager/roster.h"

struct llm_result;
struct manager;
struct router_attempt;

/* The desk is done: takes the cast (allocated with malloc). */
void begin_story_done(struct manager *manager, struct talk *talk,
                      struct cast *cast_take);
/* No story: the conversation ends as failed. */
void begin_story_failed(struct manager *manager, struct talk *talk,
                        const struct err *failure);
void begin_record_call(struct manager *manager, const struct talk *talk,
                       const struct router_attempt *attempt,
                       const struct llm_result *result);
/* Begins what may begin now; looks who is alive first when somebody waits. */
void begin_ready(struct manager *manager);

#endif
