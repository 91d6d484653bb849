/* live_talk.c - see live_talk.h. */
#include "observer/source/live_talk.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "net/redis_clock.h"
#include "observer/live_words.h"
#include "observer/source/live_talk_inside.h"
#include "observer/talk_facts.h"
#include "proto/keys.h"

enum {
    ASK_EACH_MS = 500,
    HEAD_COUNT = SEATS_MAX + 1, /* the story, the personas */
    LAST_COUNT = 200,           /* entries that the window begins with */
    NUMBER_SIZE = 24
};

/* ---- entries ---- */

void live_talk_on_sight(void *owner, const struct sight *sight)
{
    struct live_talk *live = owner;

    if (live->use == USE_CAST)
        talk_take_cast(live->talk, sight);
    else if (live->use == USE_TAKE)
        talk_take(live->talk, sight, &live->from);
    else if (!live->page_full)
        live->page_full = !talk_page_add(live->talk, sight, &live->from);
}

static void take_entry(struct live_talk *live, const struct tail_id *id,
                       const struct redis_value *fields)
{
    if (tail_id_compare(id, &live->seen) <= 0)
        return; /* read by question and tail both */
    live->seen = *id;
    live->use = USE_TAKE;
    live_talk_read(live, &live->state, id, fields);
}

/* ---- the streams as they grow ---- */

static void ask_facts(struct live_talk *live);

static void on_entry(void *owner, const struct tail_id *id,
                     const struct redis_value *fields)
{
    struct live_talk *live = owner;

    take_entry(live, id, fields);
    ask_facts(live);
}

static void on_rewound(void *owner, const struct tail_id *id,
                       const struct redis_value *fields)
{
    struct live_talk *live = owner;

    int64_t turn = redis_field_i64(fields, "turn", 0);

    live->seen = *id;
    live->from = (struct talk_from){{0}, redis_clock_now_us(live->options.clock)};
    live->use = USE_TAKE;
    if (fields->kind == REDIS_NIL)
        live->emptied = true;
    else if (turn < live->state.last_turn) /* else no turn is lost */
        talk_state_rewound(&live->state, turn);
    ask_facts(live);
}

static void on_words(void *owner, const struct tail_id *id,
                     const struct redis_value *fields)
{
    struct live_talk *live = owner;
    const struct talk_live words = live_words_read(id, fields);

    live->from = (struct talk_from){{0}, words.at_us};
    live->use = USE_TAKE;
    talk_state_live(&live->state, &words);
}

static void on_words_rewound(void *owner, const struct tail_id *id,
                             const struct redis_value *fields)
{
    (void)owner; /* expired, or gone with the server: the transcript tells the rest */
    (void)id;
    (void)fields;
}

static const struct tail_kind transcript_kind = {on_entry, on_rewound};
static const struct tail_kind words_kind = {on_words, on_words_rewound};

static void follow(struct live_talk *live)
{
    static const struct tail_id start = {0};
    char key[KEY_SIZE];

    if (live->transcript != NULL)
        return;
    live->transcript = tail_add(live->tail, &transcript_kind, live,
                                live_talk_key(live, "transcript", key), &live->seen);
    live->words = tail_add(live->tail, &words_kind, live,
                           live_talk_key(live, "live", key), &start);
}

static void unfollow(struct live_talk *live)
{
    tail_drop(live->transcript);
    tail_drop(live->words);
    live->transcript = NULL;
    live->words = NULL;
}

/* ---- the past, by question ---- */

static void tell_end(struct live_talk *live)
{
    live->from = (struct talk_from){{0}, live->ended.ended_at_us};
    live->use = USE_TAKE;
    talk_state_facts(&live->state, &live->ended);
    talk_take_facts(live->talk, &live->ended);
}

/* All that is there was read. */
static void read_on(struct live_talk *live)
{
    live->loaded = true;
    follow(live);
    if (live->ending)
        tell_end(live);
}

static void ask_rest(struct live_talk *live);

static void on_rest(void *owner, const struct redis_answer *answer)
{
    struct live_talk *live = owner;
    const struct redis_value *fields;
    struct tail_id id;

    live->reading = false; /* where it failed, the next look at the hash asks again */
    if (answer->outcome != REDIS_OK)
        return;
    for (size_t i = 0; i < answer->value->count; i++)
        if (live_talk_entry(answer->value, i, &id, &fields))
            take_entry(live, &id, fields);
    if (answer->value->count == LAST_COUNT)
        ask_rest(live);
    else
        read_on(live);
}

static void ask_rest(struct live_talk *live)
{
    const struct live_range range = {.from = &live->seen, .count = LAST_COUNT};

    live->reading = live_talk_range(live, &range, on_rest);
}

static void on_last(void *owner, const struct redis_answer *answer)
{
    struct live_talk *live = owner;
    const struct redis_value *fields;
    struct tail_id id;

    live->reading = false;
    if (answer->outcome != REDIS_OK)
        return;
    if (answer->value->count < LAST_COUNT)
        talk_take_head(live->talk);
    for (size_t i = answer->value->count; i > 0; i--)
        if (live_talk_entry(answer->value, i - 1, &id, &fields))
            take_entry(live, &id, fields);
    read_on(live);
}

static void ask_last(struct live_talk *live)
{
    const struct live_range range = {.backwards = true, .count = LAST_COUNT};

    live->reading = live_talk_range(live, &range, on_last);
}

static void on_head(void *owner, const struct redis_answer *answer)
{
    struct live_talk *live = owner;
    const struct redis_value *fields;
    struct tail_id id;

    live->reading = false;
    if (answer->outcome != REDIS_OK)
        return;
    live->use = USE_CAST;
    for (size_t i = 0; i < answer->value->count; i++)
        if (live_talk_entry(answer->value, i, &id, &fields)
            && !str_is(redis_field(fields, "kind"), "turn"))
            live_talk_read(live, &live->state, &id, fields);
    if (live->seen.ms > 0)
        ask_rest(live);
    else
        ask_last(live);
}

static void ask_head(struct live_talk *live)
{
    const struct live_range range = {.count = HEAD_COUNT};

    live->reading = live_talk_range(live, &range, on_head);
}

/* ---- cast and hash ---- */

/* Redis was emptied, or the conversation was cleaned away: should it come back, it is
 * read anew. */
static void take_absence(struct live_talk *live)
{
    unfollow(live);
    talk_state_mute(&live->state);
    live->seen = (struct tail_id){0};
    live->has_cast = false;
    live->ending = false;
    live->emptied = false;
    live->loaded = true;
    talk_take_absence(live->talk);
}

static void take_facts(struct live_talk *live, const struct talk_facts *facts)
{
    bool ended = strcmp(facts->state, "ended") == 0;

    live->from = (struct talk_from){{0}, redis_clock_now_us(live->options.clock)};
    live->use = USE_TAKE;
    if (live->emptied)
        talk_state_rewound(&live->state, 0);
    live->emptied = false;
    if (live->talk->presence == TALK_LOST)
        live->state.last_turn = 0;
    if (!ended) {
        talk_state_facts(&live->state, facts);
        talk_take_facts(live->talk, facts);
    }
    live->ended = *facts;
    if (!live->has_cast && strcmp(facts->state, "preparing") != 0)
        live_talk_ask_cast(live);
    if (live->transcript == NULL && !live->reading)
        ask_head(live);
    else if (ended && !talk_ended(live->talk) && !live->reading)
        ask_rest(live);
    live->ending = ended;
}

static void on_facts(void *owner, const struct redis_answer *answer)
{
    struct live_talk *live = owner;
    struct talk_facts facts;

    live->asking = false;
    if (answer->outcome != REDIS_OK || answer->value->count != TALK_FACTS)
        return;
    talk_facts_read(answer->value, &facts);
    if (facts.state[0] == '\0')
        take_absence(live);
    else
        take_facts(live, &facts);
}

static void ask_facts(struct live_talk *live)
{
    char key[KEY_SIZE];
    struct str words[TALK_FACTS + 2] = {str_of("HMGET"),
                                        live_talk_key(live, "conversation", key)};

    if (live->asking)
        return;
    for (size_t i = 0; i < TALK_FACTS; i++)
        words[i + 2] = str_of(talk_facts_name(i));
    live->asking = live_talk_ask(live, words, TALK_FACTS + 2, on_facts);
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct live_talk *live = owner;

    ask_facts(live);
    loop_timer_start(timer, ASK_EACH_MS);
}

/* ---- life ---- */

void live_talk_watch(struct live_talk *live, struct talk *talk)
{
    if (live->talk != NULL) {
        loop_timer_stop(&live->tick);
        unfollow(live);
        redis_forget(live->options.redis, live);
        talk_set_reader(live->talk, NULL);
        talk_state_done(&live->state);
    }
    *live = (struct live_talk){
        .options = live->options,
        .tail = live->tail,
        .tick = live->tick,
        .reader = {live_talk_want_page, live_talk_want_asked, live},
        .talk = talk,
    };
    if (talk == NULL)
        return;
    talk_state_init(&live->state, talk->id, live_talk_on_sight, live);
    /* A talk that was watched before goes on behind what it has. */
    live->seen = talk->newest;
    live->state.last_turn = talk->counted_to;
    live->state.facts = talk->facts;
    talk_set_reader(talk, &live->reader);
    ask_facts(live);
    loop_timer_start(&live->tick, ASK_EACH_MS);
}

void live_talk_ready(struct live_talk *live)
{
    live->asking = false;
    live->reading = false;
    if (live->talk != NULL)
        ask_facts(live);
}

bool live_talk_is_loaded(const struct live_talk *live)
{
    return live->talk == NULL || live->loaded;
}

struct live_talk *live_talk_new(const struct live_talk_options *options)
{
    struct live_talk *live = x_calloc(1, sizeof *live);

    live->options = *options;
    live->tail =
        tail_new(options->loop, options->target, options->on_denied, options->owner);
    loop_timer_init(&live->tick, options->loop, on_tick, live);
    return live;
}

void live_talk_free(struct live_talk *live)
{
    if (live == NULL)
        return;
    live_talk_watch(live, NULL);
    tail_free(live->tail);
    free(live);
}
