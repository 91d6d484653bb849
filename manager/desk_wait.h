/* desk_wait.h - a story that waits for model servers says so where its conversation is
 * watched: K:live:<id>, as a turn that waits does. A courtesy nobody waits for.
 */
#ifndef PARLEY_DESK_WAIT_H
#define PARLEY_DESK_WAIT_H

struct manager;

/* servers: "local, cloud"; reason: what one of them said. */
void desk_tell_waiting(struct manager *manager, const char *conversation,
                       const char *servers, const char *reason);

#endif
