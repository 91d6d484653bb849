/* recover.c - see recover.h.
 *
 * Flow: recover_all -> page of ids -> recover_one each -> next page
 *                   -> all read: recover_pending
 *       recover_one -> mend; on_state -> preparing: on_wish, queued
 *                               -> running, paused, closing: on_cast, running; a look
 *                                  whether the turn awaited is lost
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
#include "manager/due.h"
#include "manager/manager.h"
#include "manager/route.h"
#include "scripts/scripts.h"

enum { PAGE = 500, PATROL_PAGE = 100, ENTRY_MAX = 48, PENDING_PAGE = 200 };

struct recovering {
    struct manager *manager;
    char id[CONVERSATION_SIZE];
    char entry[ENTRY_MAX]; /* "" none */
    int64_t lane;
    bool pass_on_failure;
    int64_t next;      /* the turn awaited */
    int64_t next_lane; /* and whose it is */
};

/* At a take-over: the roster stands, so what is pending can be taken further. */
static void go_on(struct manager *manager)
{
    struct recovery *recovery = &manager->recovery;

    if (recovery->paging || recovery->reading > 0 || !recovery->taking)
        return;
    recovery->taking = false;
    recover_pending(manager, 0);
}

static void recovered(struct recovering *r)
{
    struct manager *manager = r->manager;

    free(r);
    manager->recovery.reading--;
    if (leader_leads(&manager->leader))
        go_on(manager);
}

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
    recovered(r);
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
            talk->next = r->next;
            route_look(manager, r->id, r->next, r->next_lane);
        } else {
            log_error("recover", "a cast cannot be read conversation=%s", r->id);
            close_failed(manager, r->id, "cast", "its cast cannot be read");
            roster_remove(manager->roster, talk);
        }
    }
    recovered(r);
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
        recovered(r);
        return;
    }
    state = redis_item_text(answer->value, 0);
    r->pass_on_failure = str_is(redis_item_text(answer->value, 1), "pass");
    r->next = redis_item_i64(answer->value, 2, 1);
    r->next_lane = redis_item_i64(answer->value, 3, 1);
    if (state.len == 0 || str_is(state, "ended")) {
        if (r->entry[0] != '\0')
            route_void(r->manager, str_of(r->id), r->lane, str_of(r->entry));
        recovered(r);
    } else if (str_is(state, "preparing")) {
        ask_cast(r, "HGET", "wish", on_wish);
    } else {
        ask_cast(r, "HGETALL", NULL, on_cast);
    }
}

/* owner: the manager, which outlives what it has asked. */
static void on_mended(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;
    struct str word;

    if (answer->outcome == REDIS_REFUSED)
        log_error("recover", "a transcript cannot be looked over reason=%s",
                  log_safe(answer->value->text));
    if (answer->outcome != REDIS_OK)
        return;
    word = redis_item_text(answer->value, 0);
    if (str_is(word, "STALE"))
        leader_stale(&manager->leader);
    else if (str_is(word, "OK"))
        log_error("recover",
                  "half a step stood in a transcript and was taken out lines=%lld",
                  (long long)redis_item_i64(answer->value, 1, 0));
    else if (str_is(word, "NO"))
        log_error("recover",
                  "a transcript has lines too many, which ones cannot be told "
                  "lines=%lld",
                  (long long)redis_item_i64(answer->value, 1, 0));
}

/* Goes before whatever is asked of the conversation next: answers come in order. */
static void mend(struct manager *manager, const char *id)
{
    const char *parts[] = {"conversation", "transcript", "events", "epoch"};
    char keys[4][KEY_SIZE];
    struct words words = {0};

    for (size_t i = 0; i < 4; i++)
        words_add(&words,
                  key_make(&manager->keys, parts[i], i < 2 ? id : NULL, keys[i]));
    words_keys_end(&words);
    words_add(&words, str_of(id));
    words_add(&words, str_of(manager->leader.token));
    manager_eval(manager, SCRIPT_MEND, &words, on_mended, manager);
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
    mend(manager, r->id);
    words_add(&words, str_of("HMGET"));
    words_add(&words, key_make(&manager->keys, "conversation", r->id, key));
    words_add(&words, str_of("state"));
    words_add(&words, str_of("on_failure"));
    words_add(&words, str_of("next"));
    words_add(&words, str_of("lane"));
    manager->recovery.reading++;
    manager_send(manager, &words, on_state, r);
}

/* ---- all of them ---- */

/* By score, not by rank: what is removed meanwhile would shift the ranks. */
struct paging {
    struct manager *manager;
    char from[SCORE_SIZE]; /* this score and above; "" from the first */
    int64_t limit;
    size_t seen;
    bool patrol; /* one page, and those that are known are looked at too */
};

static void ask_page(struct paging *paging);

static void take_page(struct paging *paging, const struct redis_value *page)
{
    struct manager *manager = paging->manager;

    for (size_t i = 0; i + 1 < page->count; i += 2) {
        struct str id = redis_item_text(page, i);
        const struct talk *talk = roster_find(manager->roster, id);

        paging->seen++;
        if (talk == NULL)
            recover_one(manager, id, 0, str_of(""));
        else if (paging->patrol && talk->state == TALK_RUNNING)
            due_look_at(manager, id);
    }
}

/* The next page begins at the last score, again with those that share it. */
static void move_on(struct paging *paging, const struct redis_value *page)
{
    struct str first = redis_item_text(page, 1);
    struct str last = redis_item_text(page, page->count - 1);

    if (str_is(first, "") || last.len >= sizeof paging->from)
        return;
    if (first.len == last.len && memcmp(first.at, last.at, last.len) == 0)
        paging->limit *= 2; /* all of one score: only a longer page gets past it */
    fmt_into(paging->from, sizeof paging->from, "%.*s", (int)last.len, last.at);
}

static void end_paging(struct paging *paging, bool is_last)
{
    struct recovery *recovery = &paging->manager->recovery;

    if (paging->patrol) {
        recovery->patrolling = false;
        fmt_into(recovery->patrol_from, sizeof recovery->patrol_from, "%s",
                 is_last ? "" : paging->from);
    } else {
        recovery->paging = false;
        log_info("recover", "looked at all conversations count=%zu", paging->seen);
        if (leader_leads(&paging->manager->leader))
            go_on(paging->manager);
    }
    free(paging);
}

static void on_page(void *owner, const struct redis_answer *answer)
{
    struct paging *paging = owner;
    bool leads = leader_leads(&paging->manager->leader);
    bool is_full = false;

    if (answer->outcome == REDIS_OK && leads) {
        is_full = answer->value->count >= 2 * (size_t)paging->limit;
        take_page(paging, answer->value);
        if (is_full)
            move_on(paging, answer->value);
    }
    if (is_full && !paging->patrol)
        ask_page(paging);
    else
        end_paging(paging, !is_full);
}

static void ask_page(struct paging *paging)
{
    char key[KEY_SIZE];
    char limit[24];
    struct words words = {0};

    fmt_into(limit, sizeof limit, "%lld", (long long)paging->limit);
    words_add(&words, str_of("ZRANGE"));
    words_add(&words, key_make(&paging->manager->keys, "conversations", NULL, key));
    words_add(&words, str_of(paging->from[0] == '\0' ? "-inf" : paging->from));
    words_add(&words, str_of("+inf"));
    words_add(&words, str_of("BYSCORE"));
    words_add(&words, str_of("LIMIT"));
    words_add(&words, str_of("0"));
    words_add(&words, str_of(limit));
    words_add(&words, str_of("WITHSCORES"));
    manager_send(paging->manager, &words, on_page, paging);
}

void recover_all(struct manager *manager)
{
    struct paging *paging = x_calloc(1, sizeof *paging);

    paging->manager = manager;
    paging->limit = PAGE;
    manager->recovery.paging = manager->recovery.taking = true;
    ask_page(paging);
}

void recover_patrol(struct manager *manager)
{
    struct paging *paging;

    if (manager->recovery.patrolling)
        return;
    paging = x_calloc(1, sizeof *paging);
    paging->manager = manager;
    paging->limit = PATROL_PAGE;
    paging->patrol = manager->recovery.patrolling = true;
    fmt_into(paging->from, sizeof paging->from, "%s", manager->recovery.patrol_from);
    ask_page(paging);
}

/* ---- responses nobody has taken further ---- */

struct sweeping {
    struct manager *manager;
    int64_t lane; /* 0: the commands */
    int64_t min_idle_ms;
    char cursor[ENTRY_MAX]; /* the page begins here */
};

static void ask_pending(struct sweeping *sweeping);

/* They were pending and are not in the stream any more: somebody has trimmed it. Their
 * ids tell nothing of whose they were, so all that run are looked at. */
static void take_trimmed(struct manager *manager, const struct redis_value *ids,
                         int64_t lane)
{
    struct talk *talk = roster_first(manager->roster, TALK_RUNNING);

    if (ids->count == 0)
        return;
    manager->trimmed += (int64_t)ids->count;
    log_error("recover",
              "entries vanished before they were dealt with %s=%lld count=%zu",
              lane == 0 ? "control" : "lane", (long long)lane, ids->count);
    for (; lane > 0 && talk != NULL; talk = roster_next(talk))
        due_look_at(manager, str_of(talk->id));
}

static void take_entry(const struct sweeping *sweeping, const struct redis_value *entry)
{
    struct str id = redis_item_text(entry, 0);

    log_debug("recover", "taken again entry=%s", log_safe(id));
    fault_point("manager.claimed");
    if (sweeping->lane == 0)
        control_command(sweeping->manager, id, redis_item(entry, 1));
    else
        route_response(sweeping->manager, sweeping->lane, id, redis_item(entry, 1));
}

static void on_pending(void *owner, const struct redis_answer *answer)
{
    struct sweeping *sweeping = owner;
    const struct redis_value *entries;
    struct str cursor;

    if (answer->outcome != REDIS_OK || !leader_leads(&sweeping->manager->leader)) {
        free(sweeping); /* the next sweep comes in a second */
        return;
    }
    cursor = redis_item_text(answer->value, 0);
    entries = redis_item(answer->value, 1);
    for (size_t i = 0; i < entries->count; i++)
        take_entry(sweeping, redis_item(entries, i));
    take_trimmed(sweeping->manager, redis_item(answer->value, 2), sweeping->lane);
    if (cursor.len == 0 || cursor.len >= sizeof sweeping->cursor
        || str_is(cursor, "0-0")) {
        free(sweeping);
        return;
    }
    fmt_into(sweeping->cursor, sizeof sweeping->cursor, "%.*s", (int)cursor.len,
             cursor.at);
    ask_pending(sweeping);
}

static void ask_pending(struct sweeping *sweeping)
{
    struct manager *manager = sweeping->manager;
    char key[KEY_SIZE];
    char idle[24];
    char most[16];
    struct words words = {0};

    fmt_into(idle, sizeof idle, "%lld", (long long)sweeping->min_idle_ms);
    fmt_into(most, sizeof most, "%d", PENDING_PAGE);
    words_add(&words, str_of("XAUTOCLAIM"));
    words_add(&words, sweeping->lane == 0
                          ? key_make(&manager->keys, "control", NULL, key)
                          : key_lane(&manager->keys, "response", sweeping->lane, key));
    words_add(&words, str_of("managers"));
    words_add(&words, str_of(manager->member.name));
    words_add(&words, str_of(idle));
    words_add(&words, str_of(sweeping->cursor));
    words_add(&words, str_of("COUNT"));
    words_add(&words, str_of(most));
    manager_send(manager, &words, on_pending, sweeping);
}

static void sweep(struct manager *manager, int64_t lane, int64_t min_idle_ms)
{
    struct sweeping *sweeping = x_calloc(1, sizeof *sweeping);

    *sweeping = (struct sweeping){
        .manager = manager, .lane = lane, .min_idle_ms = min_idle_ms, .cursor = "-"};
    ask_pending(sweeping);
}

void recover_pending(struct manager *manager, int64_t min_idle_ms)
{
    for (int64_t lane = 1; lane <= SEATS_MAX; lane++)
        sweep(manager, lane, min_idle_ms);
}

void recover_commands(struct manager *manager, int64_t min_idle_ms)
{
    sweep(manager, 0, min_idle_ms);
}
