/* recent.h - remembers the last names it was shown, in bounded memory.
 *
 * A record may be written a second time when the connection to Redis was lost; the
 * second copy follows soon. At least the last RECENT_NAMES names are known; of a name
 * 64 bits are kept, so two names are taken for one about once in 10^13 questions.
 */
#ifndef PARLEY_RECENT_H
#define PARLEY_RECENT_H

#include <stdbool.h>

#include "base/str.h"

enum { RECENT_NAMES = 1 << 16 };

struct recent;

struct recent *recent_new(void);
void recent_free(struct recent *recent); /* NULL is fine */
/* True when the name was seen before; it is remembered either way. */
bool recent_seen(struct recent *recent, struct str name);
/* As recent_seen, and leaves it at that. */
bool recent_knows(const struct recent *recent, struct str name);

#endif
