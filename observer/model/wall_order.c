/* wall_order.c - see wall_order.h. */
#include "observer/model/wall_order.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX_BYTES = 512 };

const char *wall_sort_name(enum wall_sort sort)
{
    static const char *const names[WALL_SORT_COUNT] = {
        [WALL_NEWEST] = "newest",
        [WALL_STATE] = "state",
        [WALL_SLOWEST] = "slowest",
        [WALL_TOKENS] = "most tokens",
        [WALL_TIME_LEFT] = "least time left",
        [WALL_WARNINGS] = "warnings",
    };

    return sort < WALL_SORT_COUNT ? names[sort] : "?";
}

const char *wall_states_name(enum wall_states states)
{
    static const char *const names[WALL_STATES_COUNT] = {
        [WALL_ALL] = "all",         [WALL_RUNNING] = "running",
        [WALL_WAITING] = "waiting", [WALL_PAUSED] = "paused",
        [WALL_ENDED] = "ended",     [WALL_FAILED] = "failed",
    };

    return states < WALL_STATES_COUNT ? names[states] : "?";
}

/* ---- the filter ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void wall_order_fold(struct str text, char ret[WALL_FILTER_SIZE])
{
    size_t len = text.len < WALL_FILTER_SIZE ? text.len : WALL_FILTER_SIZE - 1;

    for (size_t i = 0; i < len; i++)
        ret[i] = lower(text.at[i]);
    ret[len] = '\0';
}

/* `needle` is in lower case. */
static bool holds(const char *text, const char *needle)
{
    size_t len = strlen(needle);

    for (; text != NULL && *text != '\0'; text++) {
        size_t i = 0;

        while (i < len && lower(text[i]) == needle[i])
            i++;
        if (i == len)
            return true;
    }
    return false;
}

static bool words_hold(const struct wall_row *row, const char *needle)
{
    struct buf words;
    bool found;

    buf_init(&words, WORDS_MAX_BYTES);
    wall_row_words(row, &words);
    found = holds(buf_text(&words), needle);
    buf_done(&words);
    return found;
}

static bool matches(const struct wall_row *row, const char *needle)
{
    if (holds(row->id, needle) || holds(wall_state_name(wall_row_state(row)), needle)
        || holds(row->facts.talk.reason, needle) || holds(row->topic, needle)
        || holds(row->setting, needle))
        return true;
    for (size_t i = 0; i < row->name_count; i++)
        if (holds(row->names[i], needle))
            return true;
    return words_hold(row, needle);
}

static bool in_states(enum wall_states states, const struct wall_row *row,
                      int64_t now_us)
{
    enum wall_state state = wall_row_state(row);

    switch (states) {
    case WALL_RUNNING:
        return state == WALL_IS_PREPARING || state == WALL_IS_RUNNING
               || state == WALL_IS_CLOSING;
    case WALL_WAITING:
        return wall_row_waits(row, now_us);
    case WALL_PAUSED:
        return state == WALL_IS_PAUSED;
    case WALL_ENDED:
        return state == WALL_IS_ENDED;
    case WALL_FAILED:
        return state == WALL_IS_FAILED;
    case WALL_ALL:
    case WALL_STATES_COUNT:
        break;
    }
    return true;
}

bool wall_order_wants(const struct wall_choice *choice, const struct wall_row *row,
                      int64_t now_us)
{
    if (!in_states(choice->states, row, now_us))
        return false;
    return choice->filter[0] == '\0' || matches(row, choice->filter) != choice->inverse;
}

/* ---- the order ---- */

static double warning_weight(unsigned warnings)
{
    static const unsigned worst_first[] = {WALL_WAITS,        WALL_REWOUND,
                                           WALL_FAILED_TURNS, WALL_ASKED_AGAIN,
                                           WALL_FALLBACK,     WALL_TRUNCATED};
    size_t count = sizeof worst_first / sizeof *worst_first;
    unsigned weight = 0;

    for (size_t i = 0; i < count; i++)
        if (warnings & worst_first[i])
            weight |= 1U << (count - i);
    return (double)weight;
}

/* What is not known comes last. */
static double key_of(enum wall_sort sort, const struct wall_row *row, int64_t now_us)
{
    const struct talk_facts *talk = &row->facts.talk;
    int64_t left_ms;

    switch (sort) {
    case WALL_STATE: /* failed behind those that go on, before those that ended well */
        return wall_row_state(row) == WALL_IS_FAILED ? WALL_IS_CLOSING + 0.5
                                                     : (double)wall_row_state(row);
    case WALL_SLOWEST:
        return wall_row_asked_ms(row, now_us) < 0 ? DBL_MAX : (double)talk->asked_at_us;
    case WALL_TOKENS:
        return talk->tokens < 0 ? DBL_MAX : -(double)talk->tokens;
    case WALL_TIME_LEFT:
        left_ms = wall_row_left_ms(row, now_us);
        return left_ms < 0 ? DBL_MAX : (double)left_ms;
    case WALL_WARNINGS:
        return (wall_row_state(row) == WALL_IS_FAILED ? -1000 : 0)
               - warning_weight(wall_row_warnings(row));
    case WALL_NEWEST:
    case WALL_SORT_COUNT:
        break;
    }
    return 0;
}

/* Among equals the newest first, as Redis would have them by score and id. */
static int compare(const void *a, const void *b)
{
    const struct wall_place *x = a;
    const struct wall_place *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->row->score_ms != y->row->score_ms)
        return x->row->score_ms > y->row->score_ms ? -1 : 1;
    return strcmp(y->row->id, x->row->id);
}

static void reverse(struct wall_place *places, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct wall_place place = places[i];

        places[i] = places[count - 1 - i];
        places[count - 1 - i] = place;
    }
}

size_t wall_order_make(const struct wall_choice *choice, struct wall_row *const *rows,
                       size_t count, int64_t now_us, struct wall_place *places)
{
    size_t shown = 0;

    for (size_t i = 0; i < count; i++) {
        rows[i]->place = SIZE_MAX;
        if (wall_order_wants(choice, rows[i], now_us))
            places[shown++] =
                (struct wall_place){key_of(choice->sort, rows[i], now_us), rows[i]};
    }
    if (shown > 1)
        qsort(places, shown, sizeof *places, compare);
    if (choice->reversed)
        reverse(places, shown);
    for (size_t i = 0; i < shown; i++)
        places[i].row->place = i;
    return shown;
}
