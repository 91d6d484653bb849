/* slot_call.h - the model call of a turn and what becomes of it; parts of slot.c. */
#ifndef PARLEY_SLOT_CALL_H
#define PARLEY_SLOT_CALL_H

#include "worker/slot.h"

struct llm_result;
struct router_attempt;

/* slot_call.c: builds the prompt and asks for a reply. */
void slot_call(struct slot *slot);
/* Closes the connection to the model server, or ends the waiting for one. */
void slot_close_call(struct slot *slot);

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
