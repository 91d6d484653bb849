/* due.h - what time brings: deadlines, requests that may be lost, streams to trim. */
#ifndef PARLEY_DUE_H
#define PARLEY_DUE_H

#include <stdint.h>

#include "base/str.h"

struct manager;

enum due_action {
    DUE_FORGET, /* ended or gone: it does not belong here */
    DUE_CLOSE,  /* the deadline has passed: the turn in flight gets the grace */
    DUE_END,    /* the grace is over too */
    DUE_LOOK    /* the turn awaited is late: is it lost? */
};
/* Pure: what to do with a conversation that is due. deadline_us: -1 for none. */
enum due_action due_decide(struct str state, int64_t deadline_us, int64_t now_us);
/* Looks at what is due, at most 200 conversations. */
void due_look(struct manager *manager);
/* Looks at one, due or not. */
void due_look_at(struct manager *manager, struct str id);
/* Removes consumers that no member is any more. */
void due_sweep(struct manager *manager);
void due_trim(struct manager *manager);

#endif
