/* states.c - see states.h.
 *
 * Flow: states_read -> SCAN for the hashes -> HMGET, ZCARD held and waiting of each
 *       -> sorted
 */
#include "cli/states.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/column.h"
#include "proto/json_write.h"

enum { CURSOR_MAX = 24, CELL_SIZE = 32, NAME_COLUMN = 20, DAY_S = 86400 };
static const char scan_page[] = "1000";

/* ---- from Redis ---- */

struct scanning {
    struct states *states;
    size_t prefix_len; /* of a key, before the id */
    char cursor[CURSOR_MAX];
};

static bool knows(const struct states *states, struct str id)
{
    for (size_t i = 0; i < states->count; i++)
        if (str_is(id, states->at[i].id))
            return true; /* a SCAN may tell a key twice */
    return false;
}

static void on_keys(void *owner, const struct redis_answer *answer)
{
    struct scanning *scanning = owner;
    struct states *states = scanning->states;
    const struct redis_value *keys;

    if (answer->outcome != REDIS_OK)
        return;
    (void)snprintf(scanning->cursor, sizeof scanning->cursor, "%.*s",
                   (int)redis_item_text(answer->value, 0).len,
                   redis_item_text(answer->value, 0).at); /* 20 digits */
    keys = redis_item(answer->value, 1);
    for (size_t i = 0; i < keys->count && states->count < STATES_MAX; i++) {
        struct str key = redis_item_text(keys, i);
        struct str id;

        /* What is longer is no key of ours. */
        if (key.len <= scanning->prefix_len
            || key.len - scanning->prefix_len >= ENDPOINT_ID_SIZE)
            continue;
        id = str_make(key.at + scanning->prefix_len, key.len - scanning->prefix_len);
        if (!knows(states, id))
            states->at[states->count++].id = x_memdup(id.at, id.len);
    }
}

static double number_of(const struct redis_value *v, size_t i)
{
    double value;

    return str_to_double(redis_item_text(v, i), 0, 1e15, &value) ? value : (double)NAN;
}

static void copy_text(char *to, size_t size, const struct redis_value *v, size_t i)
{
    struct str text = redis_item_text(v, i);

    (void)snprintf(to, size, "%.*s", (int)text.len, text.at); /* cut is fine */
}

static void on_fields(void *owner, const struct redis_answer *answer)
{
    struct server_state *state = owner;
    const struct redis_value *v = answer->value;
    int64_t today = clock_wall_us() / 1000000 / DAY_S;

    if (answer->outcome != REDIS_OK)
        return;
    copy_text(state->name, sizeof state->name, v, 0);
    copy_text(state->tier, sizeof state->tier, v, 1);
    copy_text(state->breaker, sizeof state->breaker, v, 2);
    copy_text(state->reason, sizeof state->reason, v, 3);
    state->window = redis_item_i64(v, 4, 0);
    state->ok = redis_item_i64(v, 5, 0);
    state->failed = redis_item_i64(v, 6, 0);
    state->latency_ms = number_of(v, 7);
    state->spent = redis_item_i64(v, 9, -1) == today ? number_of(v, 8) : (double)NAN;
}

static void on_count(void *owner, const struct redis_answer *answer)
{
    int64_t *count = owner;

    *count = answer->outcome == REDIS_OK ? answer->value->integer : 0;
}

static bool read_one(struct fleet *fleet, struct server_state *state, struct err *err)
{
    char hash[KEY_SIZE];
    char held[KEY_SIZE];
    char waiting[KEY_SIZE];
    const char *fields[] = {"HMGET",  hash,     "name", "tier",   "state",
                            "reason", "window", "ok",   "failed", "latency_ms",
                            "spent",  "day",    NULL};
    const char *count_held[] = {"ZCARD", held, NULL};
    const char *count_waiting[] = {"ZCARD", waiting, NULL};

    (void)key_endpoint(&fleet->keys, state->id, NULL, hash);
    (void)key_endpoint(&fleet->keys, state->id, "held", held);
    (void)key_endpoint(&fleet->keys, state->id, "waiting", waiting);
    return fleet_ask(fleet, fields, on_fields, state, err)
           && fleet_ask(fleet, count_held, on_count, &state->held, err)
           && fleet_ask(fleet, count_waiting, on_count, &state->waiting, err);
}

static int compare(const void *a, const void *b)
{
    const struct server_state *x = a;
    const struct server_state *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : strcmp(x->id, y->id);
}

bool states_read(struct fleet *fleet, struct states *states, struct err *err)
{
    struct scanning scanning = {.states = states, .cursor = "0"};
    char pattern[KEY_SIZE];

    scanning.prefix_len = key_endpoint(&fleet->keys, "*", NULL, pattern).len - 1;
    do {
        const char *words[] = {"SCAN",    scanning.cursor, "MATCH", pattern, "COUNT",
                               scan_page, "TYPE",          "hash",  NULL};

        if (!fleet_ask(fleet, words, on_keys, &scanning, err))
            return false;
    } while (strcmp(scanning.cursor, "0") != 0);
    for (size_t i = 0; i < states->count; i++)
        if (!read_one(fleet, &states->at[i], err))
            return false;
    qsort(states->at, states->count, sizeof *states->at, compare);
    return true;
}

void states_done(struct states *states)
{
    for (size_t i = 0; i < states->count; i++)
        free(states->at[i].id);
    states->count = 0;
}

/* ---- shown ---- */

/* For people: a breaker that is closed sounds like a server that is. */
static const char *breaker_text(const char *breaker)
{
    if (strcmp(breaker, "open") == 0)
        return "down";
    return strcmp(breaker, "half") == 0 ? "tried" : "up";
}

static void add_row(const struct server_state *state, struct buf *out)
{
    char window[CELL_SIZE] = "-";
    char latency[CELL_SIZE] = "-";
    char spent[CELL_SIZE] = "-";

    if (state->window > 0)
        fmt_into(window, sizeof window, "%" PRId64, state->window);
    if (!isnan(state->latency_ms))
        fmt_into(latency, sizeof latency, "%.0f", state->latency_ms);
    if (!isnan(state->spent) && state->spent > 0)
        fmt_into(spent, sizeof spent, "%.4f", state->spent);
    column_add(out, str_of(state->name), NAME_COLUMN);
    column_add(out, str_of(state->tier), 5);
    column_add(out, str_of(breaker_text(state->breaker)), 5);
    buf_printf(out, "%6s %6" PRId64 " %7" PRId64 " %8s %11s\n", window, state->held,
               state->waiting, latency, spent);
}

static void add_reason(const struct server_state *state, struct buf *out)
{
    if (state->reason[0] == '\0' || strcmp(breaker_text(state->breaker), "up") == 0)
        return;
    buf_printf(out, "  %s ", breaker_text(state->breaker));
    column_add(out, str_of(state->name), NAME_COLUMN);
    column_add(out, str_of(state->reason), COLUMNS_USUAL - NAME_COLUMN - 10);
    column_end(out);
}

void states_show_table(const struct states *states, struct buf *out)
{
    if (states->count == 0)
        return;
    buf_printf(out, "\n%-*s %-5s %-5s %6s %6s %7s %8s %11s\n", NAME_COLUMN,
               "endpoint now", "tier", "state", "window", "busy", "waiting", "mean ms",
               "spent today");
    for (size_t i = 0; i < states->count; i++)
        add_row(&states->at[i], out);
    for (size_t i = 0; i < states->count; i++)
        add_reason(&states->at[i], out);
}

static void write_text(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    json_write_text(out, text[0] == '\0' ? NULL : text);
}

static void write_count(struct buf *out, const char *name, int64_t count)
{
    buf_printf(out, ",\"%s\":%" PRId64, name, count);
}

static void write_number(struct buf *out, const char *name, double value)
{
    buf_printf(out, ",\"%s\":", name);
    json_write_number(out, value, 6);
}

void states_show_json(const struct states *states, struct buf *out)
{
    buf_add_text(out, "\"servers\":[");
    for (size_t i = 0; i < states->count; i++) {
        const struct server_state *state = &states->at[i];

        buf_add_text(out, i == 0 ? "{\"id\":" : ",{\"id\":");
        json_write_text(out, state->id);
        write_text(out, "endpoint", state->name);
        write_text(out, "tier", state->tier);
        write_text(out, "state", state->breaker[0] == '\0' ? "closed" : state->breaker);
        write_text(out, "reason", state->reason);
        write_count(out, "window", state->window);
        write_count(out, "held", state->held);
        write_count(out, "waiting", state->waiting);
        write_count(out, "ok", state->ok);
        write_count(out, "failed", state->failed);
        write_number(out, "latency_ms", state->latency_ms);
        write_number(out, "spent_today", state->spent);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}
