/* replay_limits.h - what run.json tells of a run's limits. */
#ifndef PARLEY_REPLAY_LIMITS_H
#define PARLEY_REPLAY_LIMITS_H

#include "observer/source/replay_record.h"

/* Fills in what is there and leaves the rest alone. False: it cannot be read; a run is
 * replayed without its limits then. */
MUST_USE bool replay_limits_read(const char *path, struct replay_limits *limits,
                                 struct err *err);

#endif
