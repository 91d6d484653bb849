/* retry_after.h - how long a server wants to be left alone, in each of the forms that
 * servers say it in. Pure. Milliseconds; -1 where nothing is said, 0 where the moment
 * has passed, never more than RETRY_AFTER_MAX_MS: who waits sets a cap of his own.
 */
#ifndef PARLEY_LLM_RETRY_AFTER_H
#define PARLEY_LLM_RETRY_AFTER_H

#include <stdint.h>

#include "base/str.h"

#define RETRY_AFTER_MAX_MS INT64_C(1000000000000) /* 31 years */

/* The header Retry-After (RFC 9110, 10.2.3): seconds, also with a fraction, or a date
 * in one of the three forms of HTTP (5.6.7). now_us: the wall clock. */
int64_t retry_after_parse(struct str header, int64_t now_us);
int64_t retry_after_of_seconds(double seconds); /* also negative and not finite ones */
int64_t retry_after_parse_seconds(struct str text);
int64_t retry_after_parse_ms(struct str text); /* the header retry-after-ms */
/* In a sentence: "Please try again in 1m2.5s", "retry after 20 seconds". */
int64_t retry_after_find(struct str text);

#endif
