/* command_list.c - list and status: what is there, read from Redis. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/fleet.h"
#include "cli/health.h"
#include "proto/json_write.h"
#include "proto/schema.h"

enum {
    PAGE = 200,
    TEXT_SIZE = 64,
    TOPIC_COLUMN = 40,
    LINE_BYTES = 1 << 16,
    SILENT_MS = 5000 /* five beats */
};

struct listing {
    struct fleet *fleet;
    bool json;
    char **ids; /* owned: of this page */
    size_t count;
    int64_t from;
    const char *id;              /* being shown */
    const struct health *health; /* of the shard; NULL in `list` */
    int64_t standbys;            /* seen among the members */
    struct buf out;
};

static void on_ids(void *owner, const struct redis_answer *answer)
{
    struct listing *listing = owner;

    if (answer->outcome != REDIS_OK)
        return;
    listing->ids = x_calloc(answer->value->count + 1, sizeof *listing->ids);
    listing->count = answer->value->count;
    for (size_t i = 0; i < listing->count; i++) {
        struct str id = redis_item_text(answer->value, i);

        listing->ids[i] = x_memdup(id.at, id.len);
    }
}

static void left_text(const struct redis_value *v, char text[TEXT_SIZE])
{
    int64_t deadline_us = redis_item_i64(v, 4, -1);
    int64_t left_ms = redis_item_i64(v, 5, -1);
    bool ended = str_is(redis_item_text(v, 0), "ended");

    if (deadline_us >= 0)
        left_ms = (deadline_us - clock_wall_us()) / 1000;
    if (left_ms < 0 || ended) /* a failed one keeps it for `parley dead retry` */
        fmt_into(text, TEXT_SIZE, "-");
    else
        duration_format(left_ms - left_ms % 1000, text, TEXT_SIZE);
}

static void show_json(struct listing *listing, const struct redis_value *v)
{
    static const char *const names[] = {"state", "reason", "turns", "max_turns"};
    struct buf *out = &listing->out;
    char left[TEXT_SIZE];

    buf_add_text(out, "{\"conversation\":");
    json_write_text(out, listing->id);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str value = redis_item_text(v, i);

        buf_printf(out, ",\"%s\":", names[i]);
        if (i < 2 && value.len > 0)
            json_write_string(out, value);
        else
            json_write_count(out, redis_item_i64(v, i, -1));
    }
    left_text(v, left);
    buf_add_text(out, ",\"tokens\":");
    json_write_count(out, redis_item_i64(v, 6, -1));
    buf_add_text(out, ",\"left\":");
    json_write_text(out, strcmp(left, "-") == 0 ? NULL : left);
    buf_add_text(out, "}\n");
}

static void on_conversation(void *owner, const struct redis_answer *answer)
{
    struct listing *listing = owner;
    const struct redis_value *v = answer->value;
    char left[TEXT_SIZE];
    char turns[TEXT_SIZE];
    struct str max;

    if (answer->outcome != REDIS_OK || redis_item_text(v, 0).len == 0)
        return; /* it went away meanwhile */
    if (listing->json) {
        show_json(listing, v);
        return;
    }
    left_text(v, left);
    max = redis_item_text(v, 3);
    fmt_into(turns, sizeof turns, "%" PRId64 "%s%.20s", redis_item_i64(v, 2, 0),
             max.len == 0 ? "" : "/", max.len == 0 ? "" : log_safe(max));
    buf_printf(&listing->out, "%-20s  %-9s  %-9s  %9s  %9s\n", listing->id,
               log_safe(redis_item_text(v, 0)), log_safe(redis_item_text(v, 1)), turns,
               left);
}

static bool show_page(struct listing *listing, struct err *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < listing->count; i++) {
        char key[KEY_SIZE];
        const char *words[] = {"HMGET",     key,        "state",   "reason", "turns",
                               "max_turns", "deadline", "left_ms", "tokens", NULL};

        listing->id = listing->ids[i];
        (void)key_make(&listing->fleet->keys, "conversation", listing->id, key);
        ok = fleet_ask(listing->fleet, words, on_conversation, listing, err);
    }
    (void)fwrite(buf_text(&listing->out), 1, listing->out.len, stdout);
    buf_clear(&listing->out);
    return ok;
}

static void free_page(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->ids[i]);
    free(listing->ids);
    listing->ids = NULL;
    listing->count = 0;
}

static bool list_all(struct listing *listing, struct err *err)
{
    size_t got;
    bool ok;

    if (!listing->json)
        printf("%-20s  %-9s  %-9s  %9s  %9s\n", "conversation", "state", "reason",
               "turns", "left");
    do {
        char key[KEY_SIZE];
        char from[TEXT_SIZE];
        char to[TEXT_SIZE];
        const char *words[] = {"ZRANGE", key, from, to, NULL};

        (void)key_make(&listing->fleet->keys, "conversations", NULL, key);
        fmt_into(from, sizeof from, "%" PRId64, listing->from);
        fmt_into(to, sizeof to, "%" PRId64, listing->from + PAGE - 1);
        ok = fleet_ask(listing->fleet, words, on_ids, listing, err)
             && show_page(listing, err);
        got = listing->count;
        listing->from += (int64_t)got;
        free_page(listing);
    } while (ok && got == PAGE);
    return ok;
}

int command_list(const struct config_loaded *loaded, char **words, struct err *err)
{
    struct fleet fleet;
    struct listing listing = {.fleet = &fleet, .json = loaded->values.json};
    bool ok;

    (void)words;
    if (!fleet_open(loaded, &fleet, err))
        return err_exit_status(err);
    buf_init(&listing.out, (size_t)LINE_BYTES * PAGE);
    ok = list_all(&listing, err);
    buf_done(&listing.out);
    fleet_close(&fleet);
    return ok ? 0 : err_exit_status(err);
}

/* ---- status ---- */

static void show_members_head(const struct listing *listing)
{
    if (!listing->json)
        printf("%-20s  %-8s  %-6s  %5s  %9s  %s\n", "member", "role", "lane", "busy",
               "turns", "seen");
}

static void on_member(void *owner, const struct redis_answer *answer)
{
    struct listing *listing = owner;
    const struct redis_value *v = answer->value;
    int64_t ago_ms;
    bool leads;
    bool silent;

    if (answer->outcome != REDIS_OK || redis_item_text(v, 0).len == 0)
        return;
    ago_ms = listing->health->now_ms - redis_item_i64(v, 0, 0) / 1000;
    silent = ago_ms > SILENT_MS;
    /* What it says itself of its leadership may be long over. */
    leads = strcmp(listing->health->leader, listing->id) == 0;
    listing->standbys += str_is(redis_item_text(v, 1), "manager") && !leads && !silent;
    if (listing->json) {
        buf_add_text(&listing->out, "{\"member\":");
        json_write_text(&listing->out, listing->id);
        buf_add_text(&listing->out, ",\"role\":");
        json_write_string(&listing->out, redis_item_text(v, 1));
        buf_add_text(&listing->out, ",\"lane\":");
        json_write_count(&listing->out, redis_item_i64(v, 2, -1));
        buf_add_text(&listing->out, ",\"busy\":");
        json_write_count(&listing->out, redis_item_i64(v, 3, -1));
        buf_add_text(&listing->out, ",\"turns\":");
        json_write_count(&listing->out, redis_item_i64(v, 4, -1));
        buf_printf(&listing->out, ",\"leads\":%s,\"silent\":%s}\n",
                   leads ? "true" : "false", silent ? "true" : "false");
        return;
    }
    buf_printf(&listing->out, "%-20s  %-8s  %-6s  %5s  %9s  %.1f s ago%s%s\n",
               listing->id, log_safe(redis_item_text(v, 1)),
               log_safe(redis_item_text(v, 2)), log_safe(redis_item_text(v, 3)),
               log_safe(redis_item_text(v, 4)), ago_ms < 0 ? 0.0 : (double)ago_ms / 1e3,
               leads ? ", leads" : "", silent ? ", silent" : "");
}

static bool show_members(struct listing *listing, struct err *err)
{
    char zset[KEY_SIZE];
    const char *words[] = {"ZRANGE", zset, "0", "-1", NULL};
    bool ok;

    (void)key_make(&listing->fleet->keys, "members", NULL, zset);
    ok = fleet_ask(listing->fleet, words, on_ids, listing, err);
    show_members_head(listing);
    for (size_t i = 0; ok && i < listing->count; i++) {
        char key[KEY_SIZE];
        const char *get[] = {"HMGET", key, "at", "kind", "lane", "busy", "turns", NULL};

        listing->id = listing->ids[i];
        (void)key_make(&listing->fleet->keys, "member", listing->id, key);
        ok = fleet_ask(listing->fleet, get, on_member, listing, err);
    }
    (void)fwrite(buf_text(&listing->out), 1, listing->out.len, stdout);
    buf_clear(&listing->out);
    if (ok && listing->count == 0 && !listing->json)
        printf("(nobody: start `parley manager` and `parley worker --seat N`)\n");
    free_page(listing);
    return ok;
}

static void show_health(struct listing *listing, const struct health *health)
{
    if (listing->json)
        health_json(health, &listing->out);
    else
        health_text(health, &listing->out);
    printf(listing->json ? "%s" : "\n%s\n", buf_text(&listing->out));
    buf_clear(&listing->out);
}

static bool show_status(struct listing *listing, struct err *err)
{
    struct health health;
    bool known;

    if (!health_read(listing->fleet, &health, err))
        return false;
    /* cppcheck-suppress autoVariables ; taken back below, whatever comes. */
    listing->health = &health;
    known = show_members(listing, err);
    listing->health = NULL;
    if (!known)
        return false;
    health.standbys = listing->standbys;
    show_health(listing, &health);
    return list_all(listing, err);
}

int command_status(const struct config_loaded *loaded, char **words, struct err *err)
{
    struct fleet fleet;
    struct listing listing = {.fleet = &fleet, .json = loaded->values.json};
    bool ok;

    (void)words;
    if (!fleet_open(loaded, &fleet, err))
        return err_exit_status(err);
    buf_init(&listing.out, (size_t)LINE_BYTES * PAGE);
    ok = show_status(&listing, err);
    buf_done(&listing.out);
    fleet_close(&fleet);
    return ok ? 0 : err_exit_status(err);
}
