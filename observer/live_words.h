/* live_words.h - the fields of an entry of K:live:<id>.
 */
#ifndef PARLEY_LIVE_WORDS_H
#define PARLEY_LIVE_WORDS_H

#include "observer/talk_state.h"

struct redis_value;
struct tail_id;

/* Its texts are borrowed from `fields`; the id tells when it was written. */
struct talk_live live_words_read(const struct tail_id *id,
                                 const struct redis_value *fields);

#endif
