/* talk_facts.h - the fields of K:conversation:<id> that tell how a conversation stands.
 */
#ifndef PARLEY_TALK_FACTS_H
#define PARLEY_TALK_FACTS_H

#include <stddef.h>

#include "observer/sight.h"

struct redis_value;

/* To be asked for with HMGET in this order; i < TALK_FACTS. */
enum { TALK_FACTS = 14 };
const char *talk_facts_name(size_t i);
/* The reply. An empty `state`: there is no such conversation. */
void talk_facts_read(const struct redis_value *fields, struct talk_facts *ret_facts);

#endif
