/* slot_call.h - the model call of a turn and what becomes of it; parts of slot.c. */
#ifndef PARLEY_SLOT_CALL_H
#define PARLEY_SLOT_CALL_H

#include "base/err.h"
#include "worker/slot.h"

/* Builds the prompt and asks the model. */
void slot_call(struct slot *slot);
/* Closes the connection to the model server. */
void slot_close_call(struct slot *slot);
/* Runs the script of slot->settling: commit, fail or dead. */
void slot_settle(struct slot *slot);
/* The script was refused (memory, a replica, a full disk): once more in a while. */
void slot_settle_later(struct slot *slot);
/* Notes why the turn cannot be made; returns false. */
bool slot_spoiled(struct slot *slot, const char *error, const char *format, ...)
    PRINTF_LIKE(3, 4);
void slot_feed(struct slot *slot, enum turn_event event);

#endif
