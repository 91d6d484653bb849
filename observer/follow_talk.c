/* follow_talk.c - see follow_talk.h. */
#include "follow_talk.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/redis.h"
#include "observer/live_words.h"
#include "observer/talk_facts.h"
#include "proto/keys.h"

enum { DRAIN_COUNT = 100 };

struct follow_talk *follow_talk_new(const struct follow_ways *ways, const char *id,
                                    bool patient)
{
    struct follow_talk *talk = x_calloc(1, sizeof *talk);

    talk->ways = ways;
    talk->patient = patient;
    talk_state_init(&talk->talk, id, ways->on_sight, ways->owner);
    follow_talk_ask(talk);
    return talk;
}

void follow_talk_free(struct follow_talk *talk)
{
    if (talk == NULL)
        return;
    talk_state_done(&talk->talk);
    free(talk);
}

bool follow_talk_busy(const struct follow_talk *talk)
{
    return talk->asking || talk->draining;
}

static void finish(struct follow_talk *talk)
{
    tail_drop(talk->transcript);
    tail_drop(talk->live);
    talk->transcript = NULL;
    talk->live = NULL;
    talk->over = true;
    talk->over_ms = clock_mono_ms();
    talk->ways->on_over(talk->ways->owner);
}

/* ---- the streams, through the tail ---- */

static void take_live(void *owner, const struct tail_id *id,
                      const struct redis_value *fields)
{
    struct follow_talk *talk = owner;
    struct talk_live live = live_words_read(id, fields);

    talk_state_live(&talk->talk, &live);
}

static void take_transcript(void *owner, const struct tail_id *id,
                            const struct redis_value *fields)
{
    struct follow_talk *talk = owner;

    if (tail_id_compare(id, &talk->seen) <= 0)
        return; /* read by drain and tail both */
    talk->seen = *id;
    talk_state_transcript(&talk->talk, redis_field(fields, "kind"),
                          redis_field(fields, "message"));
    if (!talk->draining)
        follow_talk_ask(talk);
}

static void take_tailed(void *owner, const struct tail_id *id,
                        const struct redis_value *fields)
{
    struct follow_talk *talk = owner;

    talk->tailed = *id;
    take_transcript(talk, id, fields);
}

static void on_rewound(void *owner, const struct tail_id *id,
                       const struct redis_value *fields)
{
    struct follow_talk *talk = owner;

    int64_t turn = redis_field_i64(fields, "turn", 0);

    if (tail_id_compare(&talk->seen, &talk->tailed) > 0) {
        talk->tailed =
            *id; /* what came since was read by question: it was told there */
        return;
    }
    talk->seen = talk->tailed = *id;
    follow_talk_ask(talk); /* it may be gone altogether */
    if (id->ms > 0 && turn >= talk->talk.last_turn)
        return; /* a line too many was taken out: nothing that was said is lost */
    talk_state_rewound(&talk->talk, turn);
}

static void on_live_rewound(void *owner, const struct tail_id *id,
                            const struct redis_value *fields)
{
    (void)owner; /* expired, or gone with the server: the transcript tells the rest */
    (void)id;
    (void)fields;
}

static const struct tail_kind transcript_kind = {take_tailed, on_rewound};
static const struct tail_kind live_kind = {take_live, on_live_rewound};

void follow_talk_listen(struct follow_talk *talk, bool live)
{
    static const struct tail_id start = {0};
    char key[KEY_SIZE];

    if (!talk->caught_up || talk->over || live == (talk->live != NULL))
        return;
    if (live) {
        talk->live =
            tail_add(talk->ways->tail, &live_kind, talk,
                     key_make(talk->ways->keys, "live", talk->talk.id, key), &start);
        return;
    }
    tail_drop(talk->live);
    talk->live = NULL;
    talk_state_mute(&talk->talk);
}

/* ---- the transcript's rest, by question ---- */

static void drain(struct follow_talk *talk);

static void drained(struct follow_talk *talk)
{
    char key[KEY_SIZE];

    if (talk->ending) {
        talk_state_facts(&talk->talk, &talk->latest);
        finish(talk);
    } else if (!talk->caught_up) {
        talk->caught_up = true;
        talk->tailed = talk->seen;
        talk->transcript = tail_add(
            talk->ways->tail, &transcript_kind, talk,
            key_make(talk->ways->keys, "transcript", talk->talk.id, key), &talk->seen);
        talk->ways->on_caught_up(talk->ways->owner);
    }
}

static void on_drained(void *owner, const struct redis_answer *answer)
{
    struct follow_talk *talk = owner;
    size_t count;

    if (answer->outcome != REDIS_OK || talk->over) {
        talk->draining = false; /* the next look at the hash comes back here */
        return;
    }
    count = answer->value->count;
    for (size_t i = 0; i < count; i++) {
        const struct redis_value *entry = redis_item(answer->value, i);
        struct tail_id id;

        if (tail_id_parse(redis_item_text(entry, 0), &id))
            take_transcript(talk, &id, redis_item(entry, 1));
    }
    talk->draining = false;
    if (count == DRAIN_COUNT || talk->drain_again)
        drain(talk);
    else
        drained(talk);
}

static void drain(struct follow_talk *talk)
{
    char key[KEY_SIZE];
    char id[TAIL_ID_SIZE];
    char after[TAIL_ID_SIZE + 1] = "";
    struct str words[] = {
        str_of("XRANGE"), key_make(talk->ways->keys, "transcript", talk->talk.id, key),
        str_of(after),    str_of("+"),
        str_of("COUNT"),  str_of("100"),
    };
    struct redis_call call = {.argc = sizeof words / sizeof *words,
                              .argv = words,
                              .on_answer = on_drained,
                              .owner = talk};

    if (talk->ways->held)
        return; /* the next look at the hash comes back here */
    tail_id_format(&talk->seen, id);
    fmt_into(after, sizeof after, "(%s", id);
    words[2] = str_of(after);
    talk->drain_again = false;
    talk->draining = redis_send(talk->ways->redis, &call);
}

/* ---- the hash ---- */

static void take_absence(struct follow_talk *talk, const struct talk_facts *facts)
{
    if (talk->talk.facts.state[0] != '\0') {
        talk_state_facts(&talk->talk, facts); /* it was deleted while we looked on */
        finish(talk);
    } else if (!talk->patient) {
        finish(talk);
    } else if (!talk->absent) {
        talk->absent = true;
        talk->ways->on_absent(talk->ways->owner, talk->talk.id);
    }
}

static void take_facts(struct follow_talk *talk, const struct talk_facts *facts)
{
    bool is_new = talk->talk.facts.state[0] == '\0';

    if (facts->state[0] == '\0') {
        take_absence(talk, facts);
        return;
    }
    if (strcmp(facts->state, "ended") != 0) {
        talk_state_facts(&talk->talk, facts);
        if (!talk->caught_up && !talk->draining)
            drain(talk);
        return;
    }
    if (is_new && !talk->patient) {
        finish(talk); /* over before anybody looked */
        return;
    }
    talk->latest = *facts;
    talk->ending = true;
    talk->drain_again = true; /* one that is under way may have come too early */
    if (!talk->draining)
        drain(talk);
}

static void on_facts(void *owner, const struct redis_answer *answer)
{
    struct follow_talk *talk = owner;
    bool again = talk->ask_again;

    talk->asking = false;
    talk->ask_again = false;
    if (answer->outcome != REDIS_OK || talk->over)
        return;
    if (answer->value->count == TALK_FACTS) {
        struct talk_facts facts = {0};

        talk_facts_read(answer->value, &facts);
        take_facts(talk, &facts);
    }
    if (again)
        follow_talk_ask(talk);
}

void follow_talk_ask(struct follow_talk *talk)
{
    char key[KEY_SIZE];
    struct str words[TALK_FACTS + 2];
    struct redis_call call = {
        .argc = TALK_FACTS + 2, .argv = words, .on_answer = on_facts, .owner = talk};

    if (talk->over)
        return;
    if (talk->asking) {
        talk->ask_again = true;
        return;
    }
    words[0] = str_of("HMGET");
    words[1] = key_make(talk->ways->keys, "conversation", talk->talk.id, key);
    for (size_t i = 0; i < TALK_FACTS; i++)
        words[i + 2] = str_of(talk_facts_name(i));
    talk->asking = redis_send(talk->ways->redis, &call);
}
