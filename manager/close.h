/* close.h - ends conversations, and takes note of those that have ended. */
#ifndef PARLEY_CLOSE_H
#define PARLEY_CLOSE_H

#include "base/str.h"

struct manager;

/* Ends it with reason `failed`; the summary tells the error. `error`: one word. */
void close_failed(struct manager *manager, const char *id, const char *error,
                  const char *text);
/* Ends it; `lane` and `entry` name the response that is acked with it (0 and "": none);
 * summary: JSON, "" for the plain one. */
struct close_order {
    const char *id;
    const char *reason;
    const char *summary;
    int64_t lane;
    struct str entry;
};
void close_now(struct manager *manager, const struct close_order *order);
/* It has ended: out of the roster, others may have room now. */
void close_forget(struct manager *manager, struct str id);

#endif
