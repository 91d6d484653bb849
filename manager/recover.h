/* recover.h - makes the roster from what Redis holds: at a take-over, after a restart
 * of Redis, and for a single conversation that is not known.
 */
#ifndef PARLEY_RECOVER_H
#define PARLEY_RECOVER_H

#include <stdint.h>

#include "base/str.h"

struct manager;

/* Reads all conversations that have not ended, a few hundred at a time. */
void recover_all(struct manager *manager);
/* Reads one; a response of it (lane 0: none) is acked when it is over. */
void recover_one(struct manager *manager, struct str id, int64_t lane,
                 struct str entry);
/* Responses that lie pending for at least min_idle_ms are taken (again). */
void recover_pending(struct manager *manager, int64_t min_idle_ms);
/* Commands that lie pending for at least min_idle_ms are carried out (again). */
void recover_commands(struct manager *manager, int64_t min_idle_ms);

#endif
