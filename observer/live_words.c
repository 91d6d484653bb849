/* live_words.c - see live_words.h. */
#include "observer/live_words.h"

#include "net/redis.h"
#include "observer/tail_id.h"

enum { NOT_THERE = -1 };

struct talk_live live_words_read(const struct tail_id *id,
                                 const struct redis_value *fields)
{
    return (struct talk_live){
        .kind = redis_field(fields, "kind"),
        .call = redis_field(fields, "call"),
        .turn = redis_field_i64(fields, "turn", NOT_THERE),
        .seat = redis_field_i64(fields, "seat", NOT_THERE),
        .author = redis_field(fields, "author"),
        .text = redis_field(fields, "text"),
        .outcome = redis_field(fields, "outcome"),
        .servers = redis_field(fields, "servers"),
        .reason = redis_field(fields, "reason"),
        .at_us = (int64_t)(id->ms * 1000),
    };
}
