/* roster.c - see roster.h. */
#include "manager/roster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

enum { BUCKETS = 4096, LANES_MIN = 2 };

LIST_HEAD(talk_bucket, talk);

struct roster {
    struct talk_bucket buckets[BUCKETS];
    struct talk_queue queues[TALK_STATE_COUNT];
    size_t counts[TALK_STATE_COUNT];
    int lanes;
};

const char *talk_state_name(enum talk_state state)
{
    static const char *const names[TALK_STATE_COUNT] = {
        [TALK_QUEUED] = "queued",
        [TALK_WRITING] = "writing",
        [TALK_READY] = "ready",
        [TALK_RUNNING] = "running",
    };

    return names[state];
}

struct roster *roster_new(void)
{
    struct roster *roster = x_calloc(1, sizeof *roster);

    for (int i = 0; i < TALK_STATE_COUNT; i++)
        TAILQ_INIT(&roster->queues[i]);
    roster->lanes = LANES_MIN;
    return roster;
}

void roster_clear(struct roster *roster)
{
    for (int i = 0; i < TALK_STATE_COUNT; i++)
        while (!TAILQ_EMPTY(&roster->queues[i]))
            roster_remove(roster, TAILQ_FIRST(&roster->queues[i]));
}

void roster_free(struct roster *roster)
{
    if (roster == NULL)
        return;
    roster_clear(roster);
    free(roster);
}

static struct talk_bucket *bucket_of(struct roster *roster, struct str id)
{
    return &roster->buckets[rng_hash(0, id) % BUCKETS];
}

struct talk *roster_find(struct roster *roster, struct str id)
{
    struct talk *talk;

    LIST_FOREACH(talk, bucket_of(roster, id), in_bucket)
    if (str_is(id, talk->id))
        return talk;
    return NULL;
}

struct talk *roster_add(struct roster *roster, const char *id, struct wish *wish_take)
{
    struct talk *talk = x_calloc(1, sizeof *talk);

    assert(roster_find(roster, str_of(id)) == NULL);
    fmt_into(talk->id, sizeof talk->id, "%s", id);
    talk->wish = wish_take;
    talk->pass_on_failure = wish_take->pass_on_failure;
    LIST_INSERT_HEAD(bucket_of(roster, str_of(id)), talk, in_bucket);
    TAILQ_INSERT_TAIL(&roster->queues[TALK_QUEUED], talk, in_queue);
    roster->counts[TALK_QUEUED]++;
    return talk;
}

void roster_move(struct roster *roster, struct talk *talk, enum talk_state state)
{
    TAILQ_REMOVE(&roster->queues[talk->state], talk, in_queue);
    roster->counts[talk->state]--;
    talk->state = state;
    TAILQ_INSERT_TAIL(&roster->queues[state], talk, in_queue);
    roster->counts[state]++;
    for (int i = 0; state == TALK_RUNNING && i < talk->seat_count; i++)
        if (talk->lanes[i] > roster->lanes)
            roster->lanes = talk->lanes[i];
}

static void drop_cast(struct talk *talk)
{
    if (talk->cast == NULL)
        return;
    cast_done(talk->cast);
    free(talk->cast);
    talk->cast = NULL;
}

static void drop_wish(struct talk *talk)
{
    if (talk->wish == NULL)
        return;
    wish_done(talk->wish);
    free(talk->wish);
    talk->wish = NULL;
}

void roster_set_cast(struct talk *talk, struct cast *cast_take)
{
    assert(cast_take->seat_count >= SEATS_MIN && cast_take->seat_count <= SEATS_MAX);
    drop_cast(talk);
    talk->cast = cast_take;
    talk->seat_count = (uint8_t)cast_take->seat_count;
    for (size_t i = 0; i < cast_take->seat_count; i++) {
        int64_t lane = cast_take->seats[i].lane;

        assert(lane >= 1 && lane <= SEATS_MAX);
        talk->lanes[i] = (uint8_t)lane;
    }
}

void roster_run(struct roster *roster, struct talk *talk)
{
    drop_cast(talk);
    drop_wish(talk);
    roster_move(roster, talk, TALK_RUNNING);
}

void roster_remove(struct roster *roster, struct talk *talk)
{
    LIST_REMOVE(talk, in_bucket);
    TAILQ_REMOVE(&roster->queues[talk->state], talk, in_queue);
    roster->counts[talk->state]--;
    drop_cast(talk);
    drop_wish(talk);
    free(talk->failure);
    free(talk);
}

void roster_awaits(struct roster *roster, struct str id, int64_t next)
{
    struct talk *talk = roster_find(roster, id);

    if (talk != NULL)
        talk->next = next;
}

size_t roster_count(const struct roster *roster, enum talk_state state)
{
    return roster->counts[state];
}

struct talk *roster_first(struct roster *roster, enum talk_state state)
{
    return TAILQ_FIRST(&roster->queues[state]);
}

struct talk *roster_next(struct talk *talk)
{
    return TAILQ_NEXT(talk, in_queue);
}

int roster_lanes(const struct roster *roster)
{
    return roster->lanes;
}

bool talk_has_lanes(const struct talk *talk, uint32_t alive)
{
    for (int i = 0; i < talk->seat_count; i++)
        if ((alive & (UINT32_C(1) << talk->lanes[i])) == 0)
            return false;
    return true;
}

int64_t talk_next_seat(const struct talk *talk, int64_t seat)
{
    assert(talk->seat_count > 0);
    return seat % talk->seat_count + 1;
}

int64_t talk_lane(const struct talk *talk, int64_t seat)
{
    assert(seat >= 1 && seat <= talk->seat_count);
    return talk->lanes[seat - 1];
}
