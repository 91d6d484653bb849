/* live_read.c - see live_read.h. */
#include "observer/source/live_read.h"

#include <assert.h>
#include <stdio.h>

#include "base/log.h"
#include "net/redis_value.h"
#include "proto/cast.h"
#include "proto/message.h"
#include "proto/wish.h"

/* Who waits tells it every ten seconds; what is older is over. */
enum { WAITING_FOR_US = 12000000, CAST_SEATS = 2 };

enum fact {
    FACT_STATE,
    FACT_PHASE,
    FACT_REASON,
    FACT_NEXT,
    FACT_SEAT,
    FACT_TURNS,
    FACT_TOKENS,
    FACT_MAX_TURNS,
    FACT_DEADLINE,
    FACT_LEFT,
    FACT_ASKED_AT,
    FACT_CREATED_AT,
    FACT_STARTED_AT,
    FACT_ENDED_AT,
    FACT_ATTEMPTS,
    FACT_ISSUE,
    FACT_FAILURES,
    FACT_SEATS,
    FACT_CAST,
    FACT_CALL,
    FACT_COUNT
};

const char *live_read_fact(size_t i)
{
    static const char *const names[] = {
        [FACT_STATE] = "state",
        [FACT_PHASE] = "phase",
        [FACT_REASON] = "reason",
        [FACT_NEXT] = "next",
        [FACT_SEAT] = "seat",
        [FACT_TURNS] = "turns",
        [FACT_TOKENS] = "tokens",
        [FACT_MAX_TURNS] = "max_turns",
        [FACT_DEADLINE] = "deadline",
        [FACT_LEFT] = "left_ms",
        [FACT_ASKED_AT] = "asked_at",
        [FACT_CREATED_AT] = "created_at",
        [FACT_STARTED_AT] = "started_at",
        [FACT_ENDED_AT] = "ended_at",
        [FACT_ATTEMPTS] = "attempts",
        [FACT_ISSUE] = "issue",
        [FACT_FAILURES] = "failures",
        [FACT_SEATS] = "seats",
        [FACT_CAST] = "cast",
        [FACT_CALL] = "call",
    };

    static_assert((int)FACT_COUNT == (int)LIVE_READ_FACTS, "each has a name");
    assert(i < LIVE_READ_FACTS);
    return names[i];
}

/* A number that is none, or negative, is not known. */
static int64_t number(const struct redis_value *fields, enum fact fact)
{
    int64_t value = redis_item_i64(fields, fact, -1);

    return value < 0 ? -1 : value;
}

static void word(char *to, size_t size, const struct redis_value *fields,
                 enum fact fact)
{
    struct str text = redis_item_text(fields, fact);

    (void)snprintf(to, size, "%.*s", (int)text.len, text.at == NULL ? "" : text.at);
}

bool live_read_row(const struct redis_value *fields, struct wall_facts *ret_facts)
{
    struct wall_facts facts = {
        .talk = {.next = number(fields, FACT_NEXT),
                 .seat = number(fields, FACT_SEAT),
                 .turns = number(fields, FACT_TURNS),
                 .tokens = number(fields, FACT_TOKENS),
                 .max_turns = number(fields, FACT_MAX_TURNS),
                 .deadline_us = number(fields, FACT_DEADLINE),
                 .left_ms = number(fields, FACT_LEFT),
                 .asked_at_us = number(fields, FACT_ASKED_AT),
                 .created_at_us = number(fields, FACT_CREATED_AT),
                 .started_at_us = number(fields, FACT_STARTED_AT),
                 .ended_at_us = number(fields, FACT_ENDED_AT)},
        .attempts = number(fields, FACT_ATTEMPTS),
        .issue = number(fields, FACT_ISSUE),
        .failures = number(fields, FACT_FAILURES),
        .seats = number(fields, FACT_SEATS),
        .cast = number(fields, FACT_CAST),
        .calling = redis_item_text(fields, FACT_CALL).len > 0,
    };

    if (redis_item_text(fields, FACT_STATE).len == 0)
        return false;
    word(facts.talk.state, sizeof facts.talk.state, fields, FACT_STATE);
    word(facts.talk.phase, sizeof facts.talk.phase, fields, FACT_PHASE);
    word(facts.talk.reason, sizeof facts.talk.reason, fields, FACT_REASON);
    *ret_facts = facts;
    return true;
}

/* ---- the cast ---- */

void live_read_cast(const struct redis_value *fields, struct wall *wall, struct str id,
                    int64_t version)
{
    struct str names[WALL_NAMES] = {{0}};
    struct seat seats[WALL_NAMES];
    size_t count = fields->count > CAST_SEATS ? fields->count - CAST_SEATS : 0;
    struct wall_cast cast = {.version = version, .names = names};
    struct message story = {0};
    struct wish wish = {0};
    struct err err = {0};

    if (count > WALL_NAMES)
        count = WALL_NAMES;
    if (wish_parse(redis_item_text(fields, 0), &wish, &err))
        cast.topic = str_of(wish.topic);
    /* Before it began there is none. */
    if (redis_item_text(fields, 1).len > 0
        && message_parse(redis_item_text(fields, 1), &story, &err))
        cast.setting = str_of(story.story.setting);
    for (size_t i = 0; i < count; i++) {
        seats[i] = (struct seat){0};
        if (seat_parse(redis_item_text(fields, CAST_SEATS + i), &seats[i], &err))
            names[i] = str_of(seats[i].persona.name);
    }
    if (err.code != ERR_NONE)
        log_debug("wall", "conversation=%.*s cast: %s", (int)id.len, id.at, err.msg);
    cast.name_count = count;
    wall_take_cast(wall, id, &cast);
    for (size_t i = 0; i < count; i++)
        seat_done(&seats[i]);
    message_done(&story);
    wish_done(&wish);
}

/* ---- the last entries of its streams ---- */

void live_read_turn(const struct redis_value *entries, int64_t turns,
                    struct wall_turn *ret_turn)
{
    const struct redis_value *fields = redis_item(redis_item(entries, 0), 1);
    struct message message;
    struct err err;

    *ret_turn =
        (struct wall_turn){.turn = turns, .queue_wait_ms = -1, .tokens_per_second = -1};
    if (!str_is(redis_field(fields, "kind"), "turn"))
        return;
    if (!message_parse(redis_field(fields, "message"), &message, &err)) {
        log_debug("wall", "last message: %s", err.msg);
        return;
    }
    ret_turn->queue_wait_ms = message.queue_wait_ms;
    ret_turn->tokens_per_second = message.tokens_per_second;
    ret_turn->context_truncated = message.context_truncated;
    ret_turn->fallback = message.fallback;
    ret_turn->failed = message.failed;
    message_done(&message);
}

struct str live_read_waiting(const struct redis_value *entries, int64_t now_us,
                             int64_t *ret_turn)
{
    const struct redis_value *entry = redis_item(entries, 0);
    const struct redis_value *fields = redis_item(entry, 1);
    struct str rest;
    int64_t at_ms;

    *ret_turn = redis_field_i64(fields, "turn", -1);
    if (!str_is(redis_field(fields, "kind"), "waiting")
        || !str_to_i64(str_cut(redis_item_text(entry, 0), '-', &rest), 0,
                       INT64_MAX / 1000, &at_ms)
        || now_us - at_ms * 1000 > WAITING_FOR_US)
        return str_of("");
    return redis_field(fields, "servers");
}
