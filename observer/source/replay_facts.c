/* replay_facts.c - see replay_facts.h. */
#include "observer/source/replay_facts.h"

#include <string.h>

#include "proto/message.h"

void replay_facts_init(struct talk_facts *facts)
{
    *facts = talk_facts_unknown();
}

/* A word that does not fit is none that we know. */
static void set_word(char *word, size_t size, struct str text)
{
    if (text.len >= size)
        text = str_of("?");
    memcpy(word, text.at, text.len);
    word[text.len] = '\0';
}

static void start(struct talk_facts *facts, int64_t at_us,
                  const struct replay_limits *limits)
{
    set_word(facts->state, sizeof facts->state, str_of("running"));
    set_word(facts->phase, sizeof facts->phase, str_of("asked"));
    facts->started_at_us = at_us;
    facts->asked_at_us = at_us;
    facts->next = 1;
    facts->turns = 0;
    facts->tokens = 0;
    facts->max_turns = limits->max_turns;
    if (limits->duration_ms >= 0)
        facts->deadline_us = at_us + limits->duration_ms * 1000;
}

bool replay_facts_begin(struct talk_facts *facts, int64_t at_us,
                        const struct replay_limits *limits)
{
    /* While it is prepared, an event will tell. */
    if (facts->state[0] != '\0')
        return false;
    start(facts, at_us, limits);
    return true;
}

void replay_facts_turn(struct talk_facts *facts, const struct message *message,
                       int64_t at_us)
{
    if (facts->state[0] == '\0')
        set_word(facts->state, sizeof facts->state, str_of("running"));
    facts->turns = message->sequence_number;
    facts->next = message->sequence_number + 1;
    if (message->tokens_generated > 0)
        facts->tokens =
            (facts->tokens < 0 ? 0 : facts->tokens) + message->tokens_generated;
    facts->asked_at_us = at_us;
}

void replay_facts_awaited(struct talk_facts *facts, int64_t seat)
{
    bool idle = seat < 0 || strcmp(facts->state, "paused") == 0;

    set_word(facts->phase, sizeof facts->phase, str_of(idle ? "idle" : "asked"));
    facts->seat = seat;
}

static void pause_clock(struct talk_facts *facts, int64_t at_us)
{
    if (facts->deadline_us >= 0)
        facts->left_ms = (facts->deadline_us - at_us) / 1000;
    facts->deadline_us = -1;
}

static void resume_clock(struct talk_facts *facts, int64_t at_us)
{
    if (facts->left_ms >= 0)
        facts->deadline_us = at_us + facts->left_ms * 1000;
    facts->left_ms = -1;
    set_word(facts->phase, sizeof facts->phase, str_of("asked"));
    facts->asked_at_us = at_us;
}

bool replay_facts_event(struct talk_facts *facts, const struct replay_event *event,
                        const struct replay_limits *limits)
{
    const struct talk_facts before = *facts;
    bool was_paused = strcmp(facts->state, "paused") == 0;

    if (str_is(event->event, "dialogue.open"))
        facts->created_at_us = event->at_us;
    if (str_is(event->event, "dialogue.initiate"))
        start(facts, event->at_us, limits);
    if (event->state.len > 0)
        set_word(facts->state, sizeof facts->state, event->state);
    if (!was_paused && str_is(event->state, "paused"))
        pause_clock(facts, event->at_us);
    if (was_paused && str_is(event->state, "running"))
        resume_clock(facts, event->at_us);
    if (str_is(event->state, "ended")) {
        facts->ended_at_us = event->at_us;
        facts->deadline_us = -1;
        facts->seat = -1;
    }
    if (event->reason.len > 0)
        set_word(facts->reason, sizeof facts->reason, event->reason);
    return memcmp(&before, facts, sizeof before) != 0;
}
