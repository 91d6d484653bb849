/* wish_cast.h - the seats that a wish will have, as far as it says, before a manager
 * has made them. */
#ifndef PARLEY_WISH_CAST_H
#define PARLEY_WISH_CAST_H

#include "base/err.h"
#include "proto/cast.h"
#include "proto/wish.h"

struct config;
struct endpoint_list;

/* Of its story file, else bare ones; each equipped as the manager does it (wish_equip).
 * The caller owns *ret_cast (cast_done). */
MUST_USE bool wish_cast_make(const struct wish *wish,
                             const struct endpoint_list *endpoints,
                             struct cast *ret_cast, struct err *err);
/* False when seats of it would have their server load a model anew at each turn
 * (llm/cast_runners.h). */
MUST_USE bool wish_cast_agrees(const struct wish *wish, const struct config *config,
                               bool defaults_known, struct err *err);

#endif
