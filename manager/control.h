/* control.h - commands from K:control: start, stop, pause, resume, say.
 *
 * Each is carried out by one script that also acks the command and answers it; a
 * command that makes no sense is refused in the same way. After valid_until it is void.
 */
#ifndef PARLEY_CONTROL_H
#define PARLEY_CONTROL_H

#include "base/str.h"

struct manager;
struct redis_value;

void control_command(struct manager *manager, struct str entry,
                     const struct redis_value *fields);

#endif
