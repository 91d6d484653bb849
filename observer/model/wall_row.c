/* wall_row.c - see wall_row.h. */
#include "observer/model/wall_row.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

enum { CALL_PATIENCE_MS = 2000 };

const char *wall_state_name(enum wall_state state)
{
    static const char *const names[WALL_STATE_COUNT] = {
        [WALL_IS_PREPARING] = "preparing", [WALL_IS_RUNNING] = "running",
        [WALL_IS_PAUSED] = "paused",       [WALL_IS_CLOSING] = "closing",
        [WALL_IS_ENDED] = "ended",         [WALL_IS_FAILED] = "failed",
        [WALL_IS_UNKNOWN] = "?",
    };

    return state < WALL_STATE_COUNT ? names[state] : "?";
}

struct wall_row *wall_row_new(struct str id, int64_t score_ms)
{
    struct wall_row *row = x_calloc(1, sizeof *row);

    fmt_into(row->id, sizeof row->id, "%.*s", (int)id.len, id.at);
    row->score_ms = score_ms;
    row->facts = (struct wall_facts){.talk = talk_facts_unknown(),
                                     .attempts = -1,
                                     .issue = -1,
                                     .failures = -1,
                                     .seats = -1,
                                     .cast = -1};
    row->turn =
        (struct wall_turn){.turn = -1, .queue_wait_ms = -1, .tokens_per_second = -1};
    row->read_at_us = -1;
    row->cast_version = -1;
    row->waits_turn = -1;
    row->step_us = -1;
    row->place = SIZE_MAX;
    return row;
}

static void forget_cast(struct wall_row *row)
{
    for (size_t i = 0; i < row->name_count; i++)
        free(row->names[i]);
    free(row->names);
    free(row->topic);
    free(row->setting);
    row->names = NULL;
    row->name_count = 0;
    row->topic = row->setting = NULL;
}

void wall_row_free(struct wall_row *row)
{
    if (row == NULL)
        return;
    forget_cast(row);
    free(row);
}

/* ---- what is told ---- */

static void add_sample(struct wall_row *row, double rate)
{
    row->samples[row->sample_at] = (float)rate;
    row->sample_at = (row->sample_at + 1) % WALL_SAMPLES;
    if (row->sample_count < WALL_SAMPLES)
        row->sample_count++;
}

/* The next turn is asked for in the step that takes the one before; an end with the
 * last turn likewise. Who was asked again says nothing of the turn before. */
static int64_t turn_came_us(const struct wall_facts *facts, int64_t now_us)
{
    if (facts->talk.asked_at_us >= 0 && facts->issue == 1)
        return facts->talk.asked_at_us;
    return facts->talk.ended_at_us >= 0 ? facts->talk.ended_at_us : now_us;
}

static void begin_steps(struct wall_row *row, const struct wall_facts *facts,
                        int64_t now_us)
{
    row->step_turns = facts->talk.turns;
    row->step_tokens = facts->talk.tokens;
    if (facts->talk.turns == 0 && facts->talk.started_at_us >= 0)
        row->step_us = facts->talk.started_at_us;
    else
        row->step_us = facts->talk.asked_at_us >= 0 ? facts->talk.asked_at_us : now_us;
}

static void take_step(struct wall_row *row, const struct wall_facts *facts,
                      int64_t now_us)
{
    int64_t came_us = turn_came_us(facts, now_us);
    int64_t tokens = facts->talk.tokens - row->step_tokens;

    if (came_us <= row->step_us)
        came_us = now_us; /* a clock was set: as well as we know */
    if (came_us > row->step_us && tokens >= 0) {
        row->last_rate =
            (float)((double)tokens * 1e6 / (double)(came_us - row->step_us));
        row->last_tokens = tokens;
        add_sample(row, (double)row->last_rate);
    }
    row->step_us = came_us;
    row->step_turns = facts->talk.turns;
    row->step_tokens = facts->talk.tokens;
}

void wall_row_facts(struct wall_row *row, const struct wall_facts *facts,
                    int64_t now_us)
{
    int64_t before = row->facts.talk.turns;

    row->facts = *facts;
    row->read_at_us = now_us;
    if (before >= 0 && facts->talk.turns >= 0 && facts->talk.turns < before) {
        row->warned |= WALL_REWOUND;
        row->step_us = -1;
    }
    /* The time of a pause is no time in which nothing was said. */
    if (facts->talk.turns < 0 || facts->talk.tokens < 0
        || wall_row_state(row) == WALL_IS_PAUSED)
        row->step_us = -1;
    else if (row->step_us < 0)
        begin_steps(row, facts, now_us);
    else if (facts->talk.turns > row->step_turns)
        take_step(row, facts, now_us);
}

/* At most size - 1 bytes, whole characters; owned by the caller. */
static char *cut(struct str text, size_t size)
{
    size_t len = 0;
    uint32_t point;

    while (len < text.len) {
        unsigned bytes = utf8_decode(str_make(text.at + len, text.len - len), &point);

        if (bytes == 0)
            bytes = 1; /* ill-formed: whoever draws mends it */
        if (len + bytes >= size)
            break;
        len += bytes;
    }
    return x_memdup(text.at == NULL ? "" : text.at, len);
}

void wall_row_cast(struct wall_row *row, const struct wall_cast *cast)
{
    forget_cast(row);
    row->cast_version = cast->version;
    row->topic = cut(cast->topic, WALL_TOPIC_SIZE);
    row->setting = cut(cast->setting, WALL_TOPIC_SIZE);
    row->name_count = cast->name_count < WALL_NAMES ? cast->name_count : WALL_NAMES;
    row->names = x_calloc(row->name_count + 1, sizeof *row->names);
    for (size_t i = 0; i < row->name_count; i++)
        row->names[i] = cut(cast->names[i], WALL_NAME_SIZE);
}

void wall_row_turn(struct wall_row *row, const struct wall_turn *turn)
{
    row->turn = *turn;
    if (turn->context_truncated)
        row->warned |= WALL_TRUNCATED;
}

void wall_row_waiting(struct wall_row *row, int64_t turn, struct str servers)
{
    char *kept = cut(servers, WALL_SERVERS_SIZE);

    fmt_into(row->servers, sizeof row->servers, "%s", kept);
    row->waits_turn = turn;
    row->waits_story = wall_row_state(row) == WALL_IS_PREPARING;
    free(kept);
}

/* ---- what follows ---- */

enum wall_state wall_row_state(const struct wall_row *row)
{
    const char *state = row->facts.talk.state;

    if (strcmp(state, "ended") == 0)
        return strcmp(row->facts.talk.reason, "failed") == 0 ? WALL_IS_FAILED
                                                             : WALL_IS_ENDED;
    for (int i = 0; i < WALL_IS_ENDED; i++)
        if (strcmp(state, wall_state_name((enum wall_state)i)) == 0)
            return (enum wall_state)i;
    return WALL_IS_UNKNOWN;
}

bool wall_row_ended(const struct wall_row *row)
{
    return strcmp(row->facts.talk.state, "ended") == 0;
}

static bool goes_on(const struct wall_row *row)
{
    enum wall_state state = wall_row_state(row);

    return state == WALL_IS_RUNNING || state == WALL_IS_CLOSING
           || state == WALL_IS_PREPARING;
}

bool wall_row_waits(const struct wall_row *row, int64_t now_us)
{
    if (!goes_on(row))
        return false;
    return (wall_row_warnings(row) & WALL_WAITS) != 0
           || (!row->facts.calling
               && wall_row_asked_ms(row, now_us) > CALL_PATIENCE_MS);
}

struct str wall_row_speaker(const struct wall_row *row)
{
    int64_t seat = row->facts.talk.seat;

    if (seat < 1 || (size_t)seat > row->name_count)
        return str_of("");
    return str_of(row->names[seat - 1]);
}

double wall_row_rate(const struct wall_row *row, int64_t now_us)
{
    int64_t since_us = now_us - row->step_us;
    double falling;

    if (!goes_on(row) || row->sample_count == 0 || row->step_us < 0)
        return -1;
    if (since_us <= 0)
        return (double)row->last_rate;
    falling = (double)row->last_tokens * 1e6 / (double)since_us;
    return falling < (double)row->last_rate ? falling : (double)row->last_rate;
}

double wall_row_sample(const struct wall_row *row, unsigned i)
{
    unsigned oldest = row->sample_at + WALL_SAMPLES - row->sample_count;

    return (double)row->samples[(oldest + i) % WALL_SAMPLES];
}

int64_t wall_row_left_ms(const struct wall_row *row, int64_t now_us)
{
    const struct talk_facts *talk = &row->facts.talk;
    int64_t left_ms;

    if (wall_row_ended(row))
        return -1; /* a failed one keeps what was left, for a retry */
    if (talk->deadline_us < 0)
        return talk->left_ms;
    left_ms = (talk->deadline_us - now_us) / 1000;
    return left_ms < 0 ? 0 : left_ms;
}

int64_t wall_row_asked_ms(const struct wall_row *row, int64_t now_us)
{
    const struct talk_facts *talk = &row->facts.talk;
    int64_t asked_ms;

    if (talk->asked_at_us < 0 || strcmp(talk->phase, "asked") != 0
        || wall_row_ended(row))
        return -1;
    asked_ms = (now_us - talk->asked_at_us) / 1000;
    return asked_ms < 0 ? 0 : asked_ms;
}

unsigned wall_row_warnings(const struct wall_row *row)
{
    unsigned warnings = row->warned;
    const struct wall_facts *facts = &row->facts;

    if (facts->failures > 0)
        warnings |= WALL_FAILED_TURNS;
    if (row->servers[0] != '\0' && row->waits_turn == facts->talk.next && goes_on(row)
        && row->waits_story == (wall_row_state(row) == WALL_IS_PREPARING))
        warnings |= WALL_WAITS;
    if (row->turn.fallback)
        warnings |= WALL_FALLBACK;
    if (facts->issue > 1 && strcmp(facts->talk.phase, "asked") == 0 && goes_on(row))
        warnings |= WALL_ASKED_AGAIN;
    return warnings;
}

static const char *comma(const struct buf *into)
{
    return into->len > 0 ? ", " : "";
}

void wall_row_words(const struct wall_row *row, struct buf *into)
{
    unsigned warnings = wall_row_warnings(row);

    if (row->facts.talk.reason[0] != '\0' && wall_row_state(row) != WALL_IS_FAILED)
        (void)buf_printf(into, "%s%s", comma(into), row->facts.talk.reason);
    if (warnings & WALL_WAITS)
        (void)buf_printf(into, "%swaits for %s", comma(into), row->servers);
    if (warnings & WALL_REWOUND)
        (void)buf_printf(into, "%srewound", comma(into));
    if (warnings & WALL_FAILED_TURNS)
        (void)buf_printf(into, "%s%" PRId64 " failed", comma(into),
                         row->facts.failures);
    if (warnings & WALL_ASKED_AGAIN)
        (void)buf_printf(into, "%sasked %" PRId64 " times", comma(into),
                         row->facts.issue);
    if (warnings & WALL_FALLBACK)
        (void)buf_printf(into, "%sfallback reply", comma(into));
    if (warnings & WALL_TRUNCATED)
        (void)buf_printf(into, "%scontext cut", comma(into));
}
