/* json_put.h - pairs of key and value for a JSON document that is written key by key. A
 * comma comes before each pair but the first of its object. Unknown is null.
 */
#ifndef PARLEY_JSON_PUT_H
#define PARLEY_JSON_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/spread.h"

struct buf;

void json_put_key(struct buf *into, const char *key);
void json_put_text(struct buf *into, const char *key,
                   const char *text);                                  /* NULL: null */
void json_put_count(struct buf *into, const char *key, int64_t value); /* -1: null */
void json_put_number(struct buf *into, const char *key, double value); /* NAN: null */
void json_put_flag(struct buf *into, const char *key, bool set);
void json_put_time(struct buf *into, const char *key, int64_t at_us); /* -1: null */
/* {unit, avg, std, min, max, p1, ..., p99, count, sum, approximate} */
void json_put_spread(struct buf *into, const char *key, const char *unit,
                     struct spread *spread);
/* Key and opening brace; the brace that closes it. */
void json_open(struct buf *into, const char *key);
void json_close(struct buf *into);

#endif
