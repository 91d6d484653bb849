/* talk_facts.c - see talk_facts.h. */
#include "observer/talk_facts.h"

#include <assert.h>
#include <string.h>

#include "net/redis_value.h"

enum { NOT_THERE = -1 };

const char *talk_facts_name(size_t i)
{
    static const char *const names[] = {
        "state",    "phase",      "reason",     "next",     "seat",
        "turns",    "tokens",     "max_turns",  "deadline", "left_ms",
        "asked_at", "created_at", "started_at", "ended_at",
    };

    static_assert(sizeof names / sizeof *names == TALK_FACTS, "a name for each");
    return names[i];
}

static void copy_text(char *to, size_t size, struct str from)
{
    size_t len = from.len < size ? from.len : size - 1;

    memcpy(to, len == 0 ? "" : from.at, len);
    to[len] = '\0';
}

void talk_facts_read(const struct redis_value *fields, struct talk_facts *ret_facts)
{
    struct talk_facts facts = {0};
    int64_t *const numbers[TALK_FACTS] = {
        NULL,
        NULL,
        NULL,
        &facts.next,
        &facts.seat,
        &facts.turns,
        &facts.tokens,
        &facts.max_turns,
        &facts.deadline_us,
        &facts.left_ms,
        &facts.asked_at_us,
        &facts.created_at_us,
        &facts.started_at_us,
        &facts.ended_at_us,
    };

    copy_text(facts.state, sizeof facts.state, redis_item_text(fields, 0));
    copy_text(facts.phase, sizeof facts.phase, redis_item_text(fields, 1));
    copy_text(facts.reason, sizeof facts.reason, redis_item_text(fields, 2));
    for (size_t i = 0; i < TALK_FACTS; i++)
        if (numbers[i] != NULL)
            *numbers[i] = redis_item_i64(fields, i, NOT_THERE);
    *ret_facts = facts;
}
