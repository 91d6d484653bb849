/* test_wall_rig.h - conversations for the tests of the wall. */
#ifndef PARLEY_TEST_WALL_RIG_H
#define PARLEY_TEST_WALL_RIG_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "observer/model/wall.h"

#define RIG_SECOND INT64_C(1000000)
#define RIG_START  (INT64_C(1769855400) * RIG_SECOND)

/* The id of number n: "aaaaaaaaa007". In a ring of 8. */
static inline struct str rig_id(int n)
{
    static char ids[8][CONVERSATION_SIZE];
    static unsigned at;

    at = (at + 1) % 8;
    (void)snprintf(ids[at], sizeof ids[at], "aaaaaaa%05d", n);
    return str_of(ids[at]);
}

/* Running, asked for turn 1 at the start; nothing said. */
static inline struct wall_facts rig_facts(const char *state)
{
    struct wall_facts facts = {
        .talk = {.next = 1,
                 .seat = 1,
                 .turns = 0,
                 .tokens = 0,
                 .max_turns = 20,
                 .deadline_us = RIG_START + 300 * RIG_SECOND,
                 .left_ms = -1,
                 .asked_at_us = RIG_START,
                 .created_at_us = RIG_START - RIG_SECOND,
                 .started_at_us = RIG_START,
                 .ended_at_us = -1},
        .attempts = 1,
        .issue = 1,
        .failures = 0,
        .seats = 2,
        .cast = 1,
        .calling = true,
    };

    (void)snprintf(facts.talk.state, sizeof facts.talk.state, "%s", state);
    (void)snprintf(facts.talk.phase, sizeof facts.talk.phase, "asked");
    return facts;
}

/* After so many turns of so many tokens in all, the last of which came at at_us. */
static inline struct wall_facts rig_after(int64_t turns, int64_t tokens, int64_t at_us)
{
    struct wall_facts facts = rig_facts("running");

    facts.talk.turns = turns;
    facts.talk.next = turns + 1;
    facts.talk.seat = turns % 2 + 1;
    facts.talk.tokens = tokens;
    facts.talk.asked_at_us = at_us;
    return facts;
}

static inline struct wall_facts rig_ended(const char *reason)
{
    struct wall_facts facts = rig_facts("ended");

    (void)snprintf(facts.talk.reason, sizeof facts.talk.reason, "%s", reason);
    (void)snprintf(facts.talk.phase, sizeof facts.talk.phase, "idle");
    facts.talk.asked_at_us = -1;
    facts.talk.ended_at_us = RIG_START + 10 * RIG_SECOND;
    facts.calling = false;
    return facts;
}

static inline void rig_take(struct wall *wall, int n, const struct wall_facts *facts,
                            int64_t now_us)
{
    (void)wall_take_id(wall, rig_id(n), RIG_START / 1000 + n);
    wall_take_facts(wall, rig_id(n), facts, now_us);
}

static inline void rig_cast(struct wall *wall, int n, const char *topic,
                            const char *first, const char *second)
{
    struct str names[] = {str_of(first), str_of(second)};
    struct wall_cast cast = {
        .version = 1, .topic = str_of(topic), .names = names, .name_count = 2};

    wall_take_cast(wall, rig_id(n), &cast);
}

#endif
