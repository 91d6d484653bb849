/* route.c - see route.h.
 *
 * Flow: route_response -> done: complete the message -> route script -> on_routed
 *                      -> failed: reissue script -> on_reissued -> asked again
 *                                                -> no more: end, or an empty turn
 */
#include "manager/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "manager/close.h"
#include "manager/manager.h"
#include "manager/recover.h"
#include "proto/message.h"
#include "scripts/scripts.h"

enum { NUMBER_SIZE = 24, ENTRY_MAX = 48, ERROR_MAX = 400 };

/* What must be known when the answer comes. */
struct routing {
    struct manager *manager;
    char id[CONVERSATION_SIZE];
    char entry[ENTRY_MAX];
    char error[ERROR_MAX];
    int64_t turn;
    int64_t seat;
    int64_t lane;
    int64_t issue;
};

static struct routing *routing_new(struct manager *manager, struct str id,
                                   struct str entry)
{
    struct routing *routing = x_calloc(1, sizeof *routing);

    routing->manager = manager;
    (void)snprintf(routing->id, sizeof routing->id, "%.*s", (int)id.len, id.at);
    (void)snprintf(routing->entry, sizeof routing->entry, "%.*s", (int)entry.len,
                   entry.at);
    return routing;
}

static void number_text(char text[NUMBER_SIZE], int64_t number)
{
    fmt_into(text, NUMBER_SIZE, "%lld", (long long)number);
}

/* ---- a turn into the transcript ---- */

static void on_routed(void *owner, const struct redis_answer *answer)
{
    struct routing *routing = owner;
    struct manager *manager = routing->manager;
    struct str word;

    if (answer->outcome == REDIS_REFUSED)
        log_warn("route",
                 "refused, the next sweep tries again message=%s:%lld reason=%s",
                 routing->id, (long long)routing->turn, log_safe(answer->value->text));
    if (answer->outcome != REDIS_OK)
        goto out;
    word = redis_item_text(answer->value, 0);
    if (str_is(word, "OK")) {
        manager->routed++;
        roster_awaits(manager->roster, str_of(routing->id), routing->turn + 1);
    }
    log_debug("route", "routed message=%s:%lld answer=%s", routing->id,
              (long long)routing->turn, log_safe(word));
    if (str_is(word, "STALE"))
        leader_stale(&manager->leader);
    else if (str_is(word, "CLOCK"))
        manager_doubt_clock(manager);
    else if (str_is(word, "GONE") || str_is(word, "ENDED")
             || (str_is(word, "OK")
                 && str_is(redis_item_text(answer->value, 3), "ended")))
        close_forget(manager, str_of(routing->id));
out:
    free(routing);
}

static void send_route(struct routing *routing, const struct talk *talk,
                       struct str tokens, struct str message)
{
    struct manager *manager = routing->manager;
    int64_t seat = talk_next_seat(talk, routing->seat);
    int64_t lane = talk_lane(talk, seat);
    char keys[7][KEY_SIZE];
    char numbers[4][NUMBER_SIZE];
    struct words words = {0};

    number_text(numbers[3], redis_clock_now_us(&manager->clock));
    number_text(numbers[0], routing->turn);
    number_text(numbers[1], seat);
    number_text(numbers[2], lane);
    words_add(&words, key_make(&manager->keys, "conversation", routing->id, keys[0]));
    words_add(&words, key_make(&manager->keys, "transcript", routing->id, keys[1]));
    words_add(&words, key_lane(&manager->keys, "response", routing->lane, keys[2]));
    words_add(&words, key_lane(&manager->keys, "request", lane, keys[3]));
    words_add(&words, key_make(&manager->keys, "events", NULL, keys[4]));
    words_add(&words, key_make(&manager->keys, "due", NULL, keys[5]));
    words_add(&words, key_make(&manager->keys, "epoch", NULL, keys[6]));
    words_keys_end(&words);
    words_add(&words, str_of(routing->id));
    words_add(&words, str_of(manager->leader.token));
    words_add(&words, str_of(routing->entry));
    words_add(&words, str_of(numbers[0]));
    words_add(&words, tokens);
    words_add(&words, str_of(numbers[1]));
    words_add(&words, str_of(numbers[2]));
    words_add(&words, message);
    words_add(&words, str_of(numbers[3]));
    manager_eval(manager, SCRIPT_ROUTE, &words, on_routed, routing);
}

/* The worker's message with what only we know: when it came, and how long we took. */
static bool complete(struct manager *manager, const struct redis_value *fields,
                     struct buf *into, struct err *err)
{
    int64_t at_us = redis_field_i64(fields, "at", -1);
    double waited_us = (double)(redis_clock_now_us(&manager->clock) - at_us);
    struct message message;
    bool ok;

    if (!message_parse(redis_field(fields, "message"), &message, err))
        return false;
    message.queue_timestamp_us = at_us;
    message.routing_ms = waited_us < 0 ? 0 : waited_us / 1e3;
    message.attempts = redis_field_i64(fields, "attempts", -1);
    ok = message.kind == MESSAGE_TURN
         && message.sequence_number == redis_field_i64(fields, "turn", -1)
         && message.seat == redis_field_i64(fields, "seat", -1)
         && str_is(redis_field(fields, "conversation"), message.conversation_id);
    if (!ok)
        err_set(err, ERR_FORMAT, "its message is of another turn");
    ok = ok && message_format(&message, into);
    message_done(&message);
    return ok;
}

/* What was hurt on its way from Redis is read well the next time: the response stays
 * pending, and the next sweep brings it again. What is stored so ends the conversation.
 */
static void message_broken(struct routing *routing, struct talk *talk, const char *why)
{
    bool again = talk->misread != routing->turn;

    talk->misread = routing->turn;
    log_error("route",
              "a worker's message is broken message=%s:%lld again=%d reason=%s",
              routing->id, (long long)routing->turn, again, why);
    if (!again)
        close_failed(routing->manager, routing->id, "message", why);
    free(routing);
}

static void route_done(struct routing *routing, struct talk *talk,
                       const struct redis_value *fields)
{
    struct manager *manager = routing->manager;
    struct err err = {0};
    struct buf message;

    buf_init(&message, MESSAGE_MAX_BYTES);
    if (complete(manager, fields, &message, &err)) {
        send_route(routing, talk, redis_field(fields, "tokens"), buf_str(&message));
    } else {
        message_broken(routing, talk, err.msg);
    }
    buf_done(&message);
}

/* ---- a turn that could not be made ---- */

static void route_empty(struct routing *routing, const struct talk *talk)
{
    struct message message;
    struct buf json;

    message_init(&message, MESSAGE_TURN);
    message.queue_timestamp_us = redis_clock_now_us(&routing->manager->clock);
    message.message_id = x_printf("%s:%lld", routing->id, (long long)routing->turn);
    message.role = x_strdup("assistant");
    message.text = x_strdup("");
    message.conversation_id = x_strdup(routing->id);
    message.sequence_number = routing->turn;
    message.seat = routing->seat;
    message.issue = routing->issue;
    message.failed = true;
    buf_init(&json, MESSAGE_MAX_BYTES);
    (void)message_format(&message, &json); /* a few hundred bytes */
    message_done(&message);
    send_route(routing, talk, str_of(""), buf_str(&json));
    buf_done(&json);
}

/* It will not be asked for again: what then? */
static void give_up(struct routing *routing, struct str why)
{
    struct manager *manager = routing->manager;
    struct talk *talk = roster_find(manager->roster, str_of(routing->id));
    struct close_order order = {.id = routing->id,
                                .reason = "", /* as the hash says: closing has one */
                                .summary = "",
                                .lane = routing->lane,
                                .entry = str_of(routing->entry)};
    bool is_final = str_is(why, "issues") || str_is(why, "poison");

    if (is_final && talk != NULL && talk->pass_on_failure
        && routing->entry[0] != '\0') {
        route_empty(routing, talk);
        return; /* the routing lives on */
    }
    if (is_final) {
        close_failed(manager, routing->id, "turn",
                     routing->error[0] == '\0' ? "a turn could not be made"
                                               : routing->error);
    } else {
        close_now(manager, &order);
    }
    free(routing);
}

static void on_reissued(void *owner, const struct redis_answer *answer)
{
    struct routing *routing = owner;
    struct manager *manager = routing->manager;
    struct str word;

    if (answer->outcome == REDIS_REFUSED)
        log_warn("route", "asking again was refused message=%s:%lld reason=%s",
                 routing->id, (long long)routing->turn, log_safe(answer->value->text));
    if (answer->outcome != REDIS_OK) {
        free(routing);
        return;
    }
    word = redis_item_text(answer->value, 0);
    if (str_is(word, "NO")) {
        give_up(routing, redis_item_text(answer->value, 1));
        return;
    }
    if (str_is(word, "OK"))
        log_warn("route", "asked again message=%s:%lld issue=%s why=%s", routing->id,
                 (long long)routing->turn, log_safe(redis_item_text(answer->value, 2)),
                 routing->error[0] == '\0' ? "lost" : log_safe(str_of(routing->error)));
    else if (str_is(word, "STALE"))
        leader_stale(&manager->leader);
    else if (str_is(word, "CLOCK"))
        manager_doubt_clock(manager);
    else if (str_is(word, "GONE") || str_is(word, "ENDED"))
        close_forget(manager, str_of(routing->id));
    free(routing);
}

static void send_reissue(struct routing *routing)
{
    struct manager *manager = routing->manager;
    char keys[7][KEY_SIZE];
    char turn[NUMBER_SIZE];
    char now[NUMBER_SIZE];
    struct words words = {0};

    number_text(turn, routing->turn);
    number_text(now, redis_clock_now_us(&manager->clock));
    words_add(&words, key_make(&manager->keys, "conversation", routing->id, keys[0]));
    words_add(&words, key_make(&manager->keys, "transcript", routing->id, keys[1]));
    words_add(&words, key_lane(&manager->keys, "request", routing->lane, keys[2]));
    words_add(&words, key_lane(&manager->keys, "response", routing->lane, keys[3]));
    words_add(&words, key_make(&manager->keys, "due", NULL, keys[4]));
    words_add(&words, key_make(&manager->keys, "epoch", NULL, keys[5]));
    words_add(&words, key_make(&manager->keys, "events", NULL, keys[6]));
    words_keys_end(&words);
    words_add(&words, str_of(routing->id));
    words_add(&words, str_of(manager->leader.token));
    words_add(&words, str_of(turn));
    words_add(&words, str_of(routing->entry));
    words_add(&words, str_of(now));
    manager_eval(manager, SCRIPT_REISSUE, &words, on_reissued, routing);
}

void route_void(struct manager *manager, struct str id, int64_t lane, struct str entry)
{
    static const struct talk nobody = {.seat_count = 1, .lanes = {1}};
    struct routing *routing = routing_new(manager, id, entry);

    routing->seat = 1;
    routing->lane = lane;
    send_route(routing, &nobody, str_of(""), str_of(""));
}

void route_look(struct manager *manager, const char *id, int64_t turn, int64_t lane)
{
    struct routing *routing = routing_new(manager, str_of(id), str_of(""));

    routing->turn = turn;
    routing->lane = lane;
    send_reissue(routing);
}

void route_response(struct manager *manager, int64_t lane, struct str entry,
                    const struct redis_value *fields)
{
    struct str id = redis_field(fields, "conversation");
    struct talk *talk = roster_find(manager->roster, id);
    struct routing *routing;
    struct str error;

    if (talk == NULL || talk->state != TALK_RUNNING) {
        recover_one(manager, id, lane, entry);
        return; /* it stays pending: the next sweep brings it again, unless it is over
                 */
    }
    routing = routing_new(manager, id, entry);
    routing->turn = redis_field_i64(fields, "turn", -1);
    routing->seat = redis_field_i64(fields, "seat", -1);
    routing->issue = redis_field_i64(fields, "issue", -1);
    routing->lane = lane;
    if (routing->seat < 1 || routing->seat > talk->seat_count) {
        log_error("route", "a response of no seat conversation=%s entry=%s",
                  routing->id, routing->entry);
        close_failed(manager, routing->id, "message", "a response names no seat");
        free(routing);
        return;
    }
    if (str_is(redis_field(fields, "status"), "done")) {
        route_done(routing, talk, fields);
        return;
    }
    error = redis_field(fields, "error");
    (void)snprintf(routing->error, sizeof routing->error, "%.*s: %s", (int)error.len,
                   error.at, log_safe(redis_field(fields, "text"))); /* cut is fine */
    send_reissue(routing);
}
