/* recover.c - see recover.h.
 *
 * Flow: recover_all -> page of ids -> recover_one each -> next page
 *       recover_one -> on_state -> preparing: on_wish, queued
 *                               -> running, paused, closing: on_cast, running
 *                               -> ended, gone: its response is acked
 */
#include "manager/recover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "manager/close.h"
#include "manager/control.h"
#include "manager/manager.h"
#include "manager/route.h"

enum { PAGE = 500, ENTRY_MAX = 48, PENDING_PAGE = 200 };

struct recovering {
    struct manager *manager;
    char id[CONVERSATION_SIZE];
    char entry[ENTRY_MAX]; /* "" none */
    int64_t lane;
    bool pass_on_failure;
};

/* ---- one conversation ---- */

static void on_wish(void *owner, const struct redis_answer *answer)
{
    struct recovering *r = owner;
    struct wish *wish = x_malloc(sizeof *wish);
    struct err err = {0};

    if (answer->outcome != REDIS_OK || !leader_leads(&r->manager->leader)
        || roster_find(r->manager->roster, str_of(r->id)) != NULL) {
        free(wish);
    } else if (!wish_parse(answer->value->text, wish, &err)) {
        log_error("recover", "a wish cannot be read conversation=%s reason=%s", r->id,
                  log_safe(str_of(err.msg)));
        close_failed(r->manager, r->id, "wish", err.msg);
        free(wish);
    } else {
        roster_add(r->manager->roster, r->id, wish);
        manager_advance(r->manager);
    }
    free(r);
}

static bool read_lanes(const struct redis_value *fields, struct talk *talk)
{
    for (size_t i = 0; i < SEATS_MAX; i++) {
        char field[16];
        struct str json;
        struct seat seat;
        struct err ignored;
        bool fits;

        fmt_into(field, sizeof field, "seat:%zu", i + 1);
        json = redis_field(fields, field);
        if (json.len == 0)
            break;
        if (!seat_parse(json, &seat, &ignored))
            return false;
        fits = seat.lane <= SEATS_MAX; /* there are no others, see trim */
        talk->lanes[i] = (uint8_t)seat.lane;
        talk->seat_count = (uint8_t)(i + 1);
        seat_done(&seat);
        if (!fits)
            return false;
    }
    return talk->seat_count >= SEATS_MIN;
}

static void on_cast(void *owner, const struct redis_answer *answer)
{
    struct recovering *r = owner;
    struct manager *manager = r->manager;
    struct wish *wish;
    struct talk *talk;

    if (answer->outcome == REDIS_OK && leader_leads(&manager->leader)
        && roster_find(manager->roster, str_of(r->id)) == NULL) {
        wish = x_malloc(sizeof *wish);
        wish_init(wish);
        wish->pass_on_failure = r->pass_on_failure;
        talk = roster_add(manager->roster, r->id, wish);
        if (read_lanes(answer->value, talk)) {
            roster_run(manager->roster, talk);
        } else {
            log_error("recover", "a cast cannot be read conversation=%s", r->id);
            close_failed(manager, r->id, "cast", "its cast cannot be read");
            roster_remove(manager->roster, talk);
        }
    }
    free(r);
}

static void ask_cast(struct recovering *r, const char *command, const char *field,
                     redis_on_answer *on_answer)
{
    char key[KEY_SIZE];
    struct words words = {0};

    words_add(&words, str_of(command));
    words_add(&words, key_make(&r->manager->keys, "cast", r->id, key));
    if (field != NULL)
        words_add(&words, str_of(field));
    manager_send(r->manager, &words, on_answer, r);
}

static void on_state(void *owner, const struct redis_answer *answer)
{
    struct recovering *r = owner;
    struct str state;

    if (answer->outcome != REDIS_OK || !leader_leads(&r->manager->leader)) {
        free(r);
        return;
    }
    state = redis_item_text(answer->value, 0);
    r->pass_on_failure = str_is(redis_item_text(answer->value, 1), "pass");
    if (state.len == 0 || str_is(state, "ended")) {
        if (r->entry[0] != '\0')
            route_void(r->manager, str_of(r->id), r->lane, str_of(r->entry));
        free(r);
    } else if (str_is(state, "preparing")) {
        ask_cast(r, "HGET", "wish", on_wish);
    } else {
        ask_cast(r, "HGETALL", NULL, on_cast);
    }
}

void recover_one(struct manager *manager, struct str id, int64_t lane, struct str entry)
{
    struct recovering *r = x_calloc(1, sizeof *r);
    char key[KEY_SIZE];
    struct words words = {0};

    r->manager = manager;
    r->lane = lane;
    (void)snprintf(r->id, sizeof r->id, "%.*s", (int)id.len,
                   id.at); /* cut: then unknown */
    (void)snprintf(r->entry, sizeof r->entry, "%.*s", (int)entry.len, entry.at);
    words_add(&words, str_of("HMGET"));
    words_add(&words, key_make(&manager->keys, "conversation", r->id, key));
    words_add(&words, str_of("state"));
    words_add(&words, str_of("on_failure"));
    manager_send(manager, &words, on_state, r);
}

/* ---- all of them ---- */

struct paging {
    struct manager *manager;
    int64_t from;
};

static void ask_page(struct paging *paging);

static void on_page(void *owner, const struct redis_answer *answer)
{
    struct paging *paging = owner;
    size_t count = answer->outcome == REDIS_OK ? answer->value->count : 0;

    for (size_t i = 0; i < count; i++) {
        struct str id = redis_item_text(answer->value, i);

        if (roster_find(paging->manager->roster, id) == NULL)
            recover_one(paging->manager, id, 0, str_of(""));
    }
    paging->from += (int64_t)count;
    if (count == PAGE && leader_leads(&paging->manager->leader)) {
        ask_page(paging);
        return;
    }
    log_info("recover", "looked at all conversations count=%lld",
             (long long)paging->from);
    free(paging);
}

static void ask_page(struct paging *paging)
{
    char key[KEY_SIZE];
    char from[24];
    char to[24];
    struct words words = {0};

    fmt_into(from, sizeof from, "%lld", (long long)paging->from);
    fmt_into(to, sizeof to, "%lld", (long long)paging->from + PAGE - 1);
    words_add(&words, str_of("ZRANGE"));
    words_add(&words, key_make(&paging->manager->keys, "conversations", NULL, key));
    words_add(&words, str_of(from));
    words_add(&words, str_of(to));
    manager_send(paging->manager, &words, on_page, paging);
}

void recover_all(struct manager *manager)
{
    struct paging *paging = x_calloc(1, sizeof *paging);

    paging->manager = manager;
    ask_page(paging);
}

/* ---- responses nobody has taken further ---- */

struct sweeping {
    struct manager *manager;
    int64_t lane;
};

static void on_pending(void *owner, const struct redis_answer *answer)
{
    struct sweeping *sweeping = owner;
    const struct redis_value *entries;

    if (answer->outcome == REDIS_OK && leader_leads(&sweeping->manager->leader)) {
        entries = redis_item(answer->value, 1);
        for (size_t i = 0; i < entries->count; i++) {
            const struct redis_value *entry = redis_item(entries, i);

            log_debug("recover", "taken again entry=%s",
                      log_safe(redis_item_text(entry, 0)));
            fault_point("manager.claimed");
            route_response(sweeping->manager, sweeping->lane, redis_item_text(entry, 0),
                           redis_item(entry, 1));
        }
    }
    free(sweeping);
}

void recover_pending(struct manager *manager, int64_t min_idle_ms)
{
    char idle[24];
    char most[16];

    fmt_into(idle, sizeof idle, "%lld", (long long)min_idle_ms);
    fmt_into(most, sizeof most, "%d", PENDING_PAGE);
    for (int lane = 1; lane <= SEATS_MAX; lane++) {
        struct sweeping *sweeping = x_calloc(1, sizeof *sweeping);
        char key[KEY_SIZE];
        struct words words = {0};

        sweeping->manager = manager;
        sweeping->lane = lane;
        words_add(&words, str_of("XAUTOCLAIM"));
        words_add(&words, key_lane(&manager->keys, "response", lane, key));
        words_add(&words, str_of("managers"));
        words_add(&words, str_of(manager->member.name));
        words_add(&words, str_of(idle));
        words_add(&words, str_of("-"));
        words_add(&words, str_of("COUNT"));
        words_add(&words, str_of(most));
        manager_send(manager, &words, on_pending, sweeping);
    }
}

/* Commands that another leader read and did not carry out. */
static void on_commands(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;
    const struct redis_value *entries;

    if (answer->outcome != REDIS_OK || !leader_leads(&manager->leader))
        return;
    entries = redis_item(answer->value, 1);
    for (size_t i = 0; i < entries->count; i++)
        control_command(manager, redis_item_text(redis_item(entries, i), 0),
                        redis_item(redis_item(entries, i), 1));
}

void recover_commands(struct manager *manager, int64_t min_idle_ms)
{
    char key[KEY_SIZE];
    char idle[24];
    char most[16];
    struct words words = {0};

    fmt_into(idle, sizeof idle, "%lld", (long long)min_idle_ms);
    fmt_into(most, sizeof most, "%d", PENDING_PAGE);
    words_add(&words, str_of("XAUTOCLAIM"));
    words_add(&words, key_make(&manager->keys, "control", NULL, key));
    words_add(&words, str_of("managers"));
    words_add(&words, str_of(manager->member.name));
    words_add(&words, str_of(idle));
    words_add(&words, str_of("-"));
    words_add(&words, str_of("COUNT"));
    words_add(&words, str_of(most));
    manager_send(manager, &words, on_commands, manager);
}
