/* slot_call.h - the model call of a turn and what becomes of it; parts of slot.c. */
#ifndef PARLEY_SLOT_CALL_H
#define PARLEY_SLOT_CALL_H

#include "worker/slot.h"

struct llm_request;
struct llm_result;
struct router_attempt;

/* slot_call.c: builds the prompt and asks for a reply. */
void slot_call(struct slot *slot);
/* Closes the connection to the model server, or ends the waiting for one. */
void slot_close_call(struct slot *slot);

/* slot_prompt.c: builds the prompt, with what was rejected if this is a second ask, and
 * puts it into the request; it lives until the next one. False: slot_spoiled. */
bool slot_make_prompt(struct slot *slot, struct llm_request *request);
/* It can be built again: no other turn of the conversation has brought another cast, no
 * server another history, since the turn's began. */
bool slot_can_prompt(const struct slot *slot);
/* As router.h has it, the slot being the owner. */
bool slot_fit_prompt(void *owner, const struct router_attempt *attempt,
                     struct llm_request *request);
/* What the server counted teaches how much fits; or that it cut the prompt. */
void slot_learn(struct slot *slot, const struct llm_result *result,
                const struct router_attempt *attempt);

/* slot_write.c: the message of a turn that was said; false when it does not fit. result
 * and attempt: of the call that said it; NULL when none did. */
bool slot_write_message(struct slot *slot, const struct llm_result *result,
                        const struct router_attempt *attempt);
/* The message of the persona's fallback reply; as above, of the last call. */
bool slot_write_fallback(struct slot *slot, const struct llm_result *result,
                         const struct router_attempt *attempt);
/* The entry in K:calls of a call that ended, and the process' counters. `error`: what
 * spoiled a call that its server thinks was fine; NULL nothing. */
void slot_record(struct slot *slot, const struct llm_result *result,
                 const struct router_attempt *attempt, const char *error);

/* slot.c: keeps the lease, and counts the call that begins. */
void slot_renew_call(struct slot *slot);
/* slot_settle.c: runs the script of slot->settling: commit, fail or dead. */
void slot_settle(struct slot *slot);
/* As a timer's callback: once more, after it was refused. */
void slot_settle_again(struct loop_timer *timer, void *owner);

/* Notes why the turn cannot be made; returns false. */
bool slot_spoiled(struct slot *slot, const char *error, const char *format, ...)
    PRINTF_LIKE(3, 4);
void slot_feed(struct slot *slot, enum turn_event event);

#endif
