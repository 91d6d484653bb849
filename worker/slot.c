/* slot.c - see slot.h. The request as it comes and what is read for it stand here; the
 * call and its outcome in slot_call.c. */
#include "worker/slot.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "llm/router.h"
#include "proto/schema.h"
#include "scripts/scripts.h"
#include "worker/slot_call.h"
#include "worker/worker.h"

enum { CALL_LETTERS = 4, RENEW_EVERY_MS = 500, LOOK_MS = 100 };

static void on_look(struct loop_timer *timer, void *owner)
{
    (void)timer;
    slot_renew(owner);
}

void slot_init(struct slot *slot, struct worker *worker)
{
    *slot = (struct slot){.worker = worker, .state = TURN_FREE};
    buf_init(&slot->last_message, MESSAGE_MAX_BYTES);
    buf_init(&slot->message, MESSAGE_MAX_BYTES);
    buf_init(&slot->said, MESSAGE_MAX_BYTES);
    buf_init(&slot->rejected, MESSAGE_MAX_BYTES);
    live_init(&slot->live, worker->loop, worker->redis, &worker->keys);
    slot->live.update_ms = worker->config->update_ms;
    slot->live.chunk_bytes = (size_t)worker->config->chunk_bytes;
    utterance_init(&slot->utterance);
    if (worker->config->keep_thinking)
        utterance_keep_thoughts(&slot->utterance);
    loop_timer_init(&slot->retry, worker->loop, slot_settle_again, slot);
    loop_timer_init(&slot->look, worker->loop, on_look, slot);
}

void slot_done(struct slot *slot)
{
    free(slot->author);
    free(slot->fallback);
    loop_timer_stop(&slot->retry);
    loop_timer_stop(&slot->look);
    utterance_done(&slot->utterance);
    live_done(&slot->live);
    buf_done(&slot->last_message);
    buf_done(&slot->message);
    buf_done(&slot->said);
    buf_done(&slot->rejected);
    prompt_done(&slot->prompt);
}

bool slot_spoiled(struct slot *slot, const char *error, const char *format, ...)
{
    va_list args;

    fmt_into(slot->error, sizeof slot->error, "%s", error);
    va_start(args, format);
    (void)vsnprintf(slot->reason, sizeof slot->reason, format, args); /* cut is fine */
    va_end(args);
    return false;
}

/* ---- what is carried out ---- */

static void load(struct slot *slot);
static void clear(struct slot *slot);
static void release(struct slot *slot);
static void send_renew(struct slot *slot);

static void carry_out(struct slot *slot, enum turn_action action)
{
    switch (action) {
    case TURN_LOAD:
        load(slot);
        break;
    case TURN_CALL:
        slot_call(slot);
        break;
    case TURN_COMMIT:
    case TURN_FAIL:
    case TURN_BURY:
        slot->settling = action;
        slot->refusals = 0;
        if (action != TURN_COMMIT && slot->conversation[0] != '\0')
            send_renew(slot); /* no call may have begun: it tells of who died here */
        slot_settle(slot);
        break;
    case TURN_CLOSE_CALL:
        slot_close_call(slot);
        break;
    case TURN_RELEASE:
        release(slot);
        break;
    case TURN_CLEAR:
        clear(slot);
        break;
    default:
        break;
    }
}

void slot_feed(struct slot *slot, enum turn_event event)
{
    enum turn_state before = slot->state;
    enum turn_action action = turn_step(&slot->state, event);

    log_debug("turn", "%s -> %s (%s) message=%s:%lld entry=%s", turn_state_name(before),
              turn_state_name(slot->state), turn_event_name(event), slot->conversation,
              (long long)slot->turn, slot->entry);
    assert(action != TURN_REFUSE);
    carry_out(slot, action);
}

/* Answers that are still on their way are not for this turn any more. */
static void forget_asked(struct slot *slot)
{
    redis_forget(slot->worker->redis, slot);
    slot->renewing = 0;
    slot->awaited = 0;
}

static void clear(struct slot *slot)
{
    struct worker *worker = slot->worker;

    loop_timer_stop(&slot->retry);
    loop_timer_stop(&slot->look);
    forget_asked(slot);
    if (slot->page != NULL)
        memory_unpin(worker->memory, slot->page);
    slot->page = NULL;
    prompt_done(&slot->prompt);
    free(slot->author);
    free(slot->fallback);
    slot->author = slot->fallback = NULL;
    slot->entry[0] = '\0';
    buf_clear(&slot->last_message);
    worker_slot_free(worker);
}

static void on_released(void *owner, const struct redis_answer *answer)
{
    struct slot *slot = owner;

    if (answer->outcome != REDIS_CANCELLED)
        slot_feed(slot, TURN_SETTLED);
}

static void release(struct slot *slot)
{
    struct worker *worker = slot->worker;
    char key[KEY_SIZE];
    char conversation[KEY_SIZE];
    char deliveries[24];
    struct str argv[6];
    struct redis_eval eval = {.script = script_get(SCRIPT_RELEASE),
                              .keys = 2,
                              .argc = 6,
                              .argv = argv,
                              .on_answer = on_released,
                              .owner = slot};

    forget_asked(slot);
    fmt_into(deliveries, sizeof deliveries, "%lld", (long long)slot->deliveries);
    argv[0] = key_lane(&worker->keys, "request", worker->config->seat, key);
    argv[1] = key_make(&worker->keys, "conversation", slot->conversation, conversation);
    argv[2] = str_of(slot->name);
    argv[3] = str_of(slot->entry);
    argv[4] = str_of(deliveries);
    argv[5] = str_of(slot->call_id);
    log_info("turn", "handed back message=%s:%lld", slot->conversation,
             (long long)slot->turn);
    if (!redis_eval(worker->redis, &eval))
        slot_feed(slot, TURN_SETTLED); /* its lease runs out instead */
}

/* ---- the lease ---- */

static bool copy_text(char *to, size_t size, struct str from)
{
    if (from.len >= size)
        return false;
    memcpy(to, from.at, from.len);
    to[from.len] = '\0';
    return true;
}

/* Near the deadline the turn is looked after more often than every half second: from
 * then on it may be ended at any moment. */
static void look_again(struct slot *slot, int64_t left_ms)
{
    if (left_ms >= 0 && left_ms < RENEW_EVERY_MS)
        loop_timer_start(&slot->look, left_ms < LOOK_MS ? LOOK_MS : left_ms);
}

/* Who died in the call had a place at a server: it need not wait for the lease of it.
 */
static void free_place(struct slot *slot, struct str lost)
{
    char call_id[CALL_ID_SIZE];

    if (lost.len > 0 && copy_text(call_id, sizeof call_id, lost))
        router_free_place(slot->worker->router, call_id);
}

static void on_renewed(void *owner, const struct redis_answer *answer)
{
    struct slot *slot = owner;
    struct str word;

    slot->renewing--;
    if (answer->outcome != REDIS_OK || slot->state == TURN_FREE)
        return;
    word = redis_item_text(answer->value, 0);
    free_place(slot, redis_item_text(answer->value, str_is(word, "OK") ? 2 : 1));
    if (str_is(word, "OK")) {
        look_again(slot, redis_item_i64(answer->value, 1, -1));
        return;
    }
    log_info("turn", "not wanted any more message=%s:%lld answer=%s",
             slot->conversation, (long long)slot->turn, log_safe(word));
    slot_feed(slot, TURN_UNWANTED);
}

static void send_renew(struct slot *slot)
{
    struct worker *worker = slot->worker;
    char conversation[KEY_SIZE];
    char lane[KEY_SIZE];
    char calls[KEY_SIZE];
    char numbers[3][24];
    struct str argv[10];
    struct redis_eval eval = {.script = script_get(SCRIPT_RENEW),
                              .keys = 3,
                              .argc = 10,
                              .argv = argv,
                              .on_answer = on_renewed,
                              .owner = slot};

    fmt_into(numbers[0], sizeof numbers[0], "%lld", (long long)slot->deliveries);
    fmt_into(numbers[1], sizeof numbers[1], "%lld", (long long)slot->turn);
    fmt_into(numbers[2], sizeof numbers[2], "%lld", (long long)slot->issue);
    argv[0] = key_make(&worker->keys, "conversation", slot->conversation, conversation);
    argv[1] = key_lane(&worker->keys, "request", worker->config->seat, lane);
    argv[2] = key_make(&worker->keys, "calls", NULL, calls);
    argv[3] = str_of(slot->name);
    argv[4] = str_of(slot->entry);
    argv[5] = str_of(numbers[0]);
    argv[6] = str_of(numbers[1]);
    argv[7] = str_of(slot->call_id);
    argv[8] = str_of(slot->conversation);
    argv[9] = str_of(numbers[2]);
    slot->renewing += redis_eval(worker->redis, &eval);
}

void slot_renew(struct slot *slot)
{
    if (slot->renewing == 0
        && (slot->state == TURN_LOADING || slot->state == TURN_CALLING))
        send_renew(slot);
}

void slot_renew_call(struct slot *slot)
{
    if (slot->state == TURN_CALLING)
        send_renew(slot); /* whatever is on its way: it counted another call */
}

/* ---- the request ---- */

static bool read_request(struct slot *slot, const struct redis_value *fields)
{
    struct str conversation = redis_field(fields, "conversation");

    slot->turn = redis_field_i64(fields, "turn", -1);
    slot->issue = redis_field_i64(fields, "issue", -1);
    slot->seat = redis_field_i64(fields, "seat", -1);
    slot->version = redis_field_i64(fields, "cast", -1);
    slot->lines = redis_field_i64(fields, "lines", -1);
    slot->asked_at_us = redis_field_i64(fields, "at", -1);
    slot->closing = redis_field_i64(fields, "closing", 0) == 1;
    if (!conversation_id_valid(conversation)
        || !copy_text(slot->conversation, sizeof slot->conversation, conversation))
        return slot_spoiled(slot, "request", "the request names no conversation");
    if (!copy_text(slot->upto, sizeof slot->upto, redis_field(fields, "upto"))
        || !copy_text(slot->window, sizeof slot->window, redis_field(fields, "window"))
        || !buf_add_str(&slot->last_message, redis_field(fields, "message")))
        return slot_spoiled(slot, "request", "a field of the request is too long");
    if (slot->turn < 1 || slot->issue < 1 || slot->seat < 1 || slot->seat > SEATS_MAX
        || slot->version < 1 || slot->lines < 1)
        return slot_spoiled(slot, "request", "a number of the request is out of range");
    return true;
}

void slot_deliver(struct slot *slot, struct str entry, int64_t deliveries,
                  const struct redis_value *fields)
{
    struct worker *worker = slot->worker;

    assert(slot->state == TURN_FREE && entry.len < sizeof slot->entry);
    copy_text(slot->entry, sizeof slot->entry, entry);
    fmt_into(slot->name, sizeof slot->name, "%s", worker->member.name);
    slot->deliveries = deliveries;
    slot->received_at_us = redis_clock_now_us(&worker->clock);
    slot->error[0] = slot->reason[0] = slot->new_window[0] = '\0';
    slot->tokens = -1;
    slot->conversation[0] = '\0';
    buf_clear(&slot->last_message);
    buf_clear(&slot->message);
    buf_clear(&slot->said);
    slot->call_id[0] = '\0';
    (void)read_request(slot, fields); /* error[0] tells */
    fmt_into(slot->ask_id, sizeof slot->ask_id, "%s:%lld/%lld.%lld-%.*s%lld",
             slot->conversation, (long long)slot->turn, (long long)slot->issue,
             (long long)deliveries, CALL_LETTERS, worker->member.nonce,
             (long long)++worker->asks);
    slot_feed(slot, deliveries > worker->config->max_deliveries ? TURN_POISONED
                                                                : TURN_DELIVERED);
}

void slot_hand_back(struct slot *slot)
{
    if (slot->state != TURN_FREE)
        slot_feed(slot, TURN_HAND_BACK);
}

/* ---- what is read for it ---- */

/* All that was asked for is here: does it fit the request? */
static void loaded(struct slot *slot)
{
    const struct memory_page *page = slot->page;

    slot->rewound = page->rewound;
    if (slot->error[0] == '\0' && strcmp(page->last_id, slot->upto) != 0)
        slot_spoiled(slot, "history", "the transcript ends at %s, the request wants %s",
                     page->last_id, slot->upto);
    if (slot->error[0] == '\0' && (size_t)slot->seat > page->cast.seat_count)
        slot_spoiled(slot, "cast", "the cast has no seat %lld", (long long)slot->seat);
    slot_feed(slot, slot->error[0] == '\0' ? TURN_LOADED : TURN_UNREADABLE);
}

static void read_lacking(struct slot *slot, struct memory_page *page);

/* All was forgotten while it was being read: what comes still begins behind lines that
 * are not there any more, and is read anew from the beginning. */
static bool is_outdated(const struct slot *slot)
{
    return slot->page->emptied != slot->emptied;
}

static void loaded_one(struct slot *slot)
{
    if (--slot->awaited > 0)
        return;
    if (slot->error[0] == '\0' && is_outdated(slot)) {
        read_lacking(slot, slot->page);
        return;
    }
    if (slot->error[0] == '\0')
        memory_filled(slot->page, slot->lines);
    loaded(slot);
}

static char *topic_of(struct str wish)
{
    json_t *document = NULL;
    struct err ignored;
    const char *topic = NULL;
    char *copy;

    if (wish.len > 0 && json_read(wish, &document, &ignored))
        topic = json_string_value(json_object_get(document, "topic"));
    copy = x_strdup(topic == NULL ? "" : topic);
    json_decref(document);
    return copy;
}

static bool read_seats(const struct redis_value *fields, struct cast *cast,
                       struct err *err)
{
    cast->seats = x_calloc(SEATS_MAX, sizeof *cast->seats);
    for (size_t i = 0; i < SEATS_MAX; i++) {
        char field[16];
        struct str json;

        fmt_into(field, sizeof field, "seat:%zu", i + 1);
        json = redis_field(fields, field);
        if (json.len == 0)
            break;
        if (!seat_parse(json, &cast->seats[i], err))
            return err_wrap(err, "%s", field);
        cast->seat_count++;
    }
    return true;
}

static bool read_story(struct str json, struct cast *cast, struct err *err)
{
    struct message message;

    if (!message_parse(json, &message, err))
        return err_wrap(err, "story");
    story_copy(&cast->story, &message.story);
    message_done(&message);
    return true;
}

static void on_cast(void *owner, const struct redis_answer *answer)
{
    struct slot *slot = owner;
    struct memory *memory = slot->worker->memory;
    struct cast cast = {0};
    struct err err = {0};

    if (answer->outcome == REDIS_CANCELLED)
        return;
    if (answer->outcome != REDIS_OK)
        slot_spoiled(slot, "cast", "cannot read the cast");
    else if (!read_seats(answer->value, &cast, &err)
             || !read_story(redis_field(answer->value, "story"), &cast, &err))
        slot_spoiled(slot, "cast", "%s", err.msg);
    cast.version = slot->version;
    if (slot->error[0] == '\0' && !is_outdated(slot))
        memory_set_cast(memory, slot->page,
                        topic_of(redis_field(answer->value, "wish")), &cast);
    cast_done(&cast);
    loaded_one(slot);
}

static void on_history(void *owner, const struct redis_answer *answer)
{
    struct slot *slot = owner;
    struct memory *memory = slot->worker->memory;
    struct memory_page *page;
    struct err err = {0};

    if (answer->outcome == REDIS_CANCELLED)
        return;
    if (answer->outcome != REDIS_OK)
        slot_spoiled(slot, "history", "cannot read the transcript");
    page = slot->page;
    for (size_t i = 0;
         slot->error[0] == '\0' && !is_outdated(slot) && i < answer->value->count;
         i++) {
        const struct redis_value *entry = redis_item(answer->value, i);

        if (!memory_add_entry(memory, page, redis_item_text(entry, 0),
                              redis_field(redis_item(entry, 1), "message"), &err))
            slot_spoiled(slot, "history", "%s", err.msg);
    }
    loaded_one(slot);
}

static void ask(struct slot *slot, const struct str *argv, size_t argc,
                redis_on_answer *on_answer)
{
    struct redis_call call = {.argc = argc,
                              .argv = argv,
                              .on_answer = on_answer,
                              .owner = slot,
                              .again = true};

    slot->awaited++;
    if (!redis_send(slot->worker->redis, &call)) {
        slot_spoiled(slot, "redis", "too many commands are waiting for Redis");
        loaded_one(slot);
    }
}

static void read_lacking(struct slot *slot, struct memory_page *page)
{
    struct worker *worker = slot->worker;
    char cast[KEY_SIZE];
    char transcript[KEY_SIZE];
    char from[ENTRY_SIZE + 1];
    struct str get_cast[] = {str_of("HGETALL"),
                             key_make(&worker->keys, "cast", slot->conversation, cast)};
    struct str get_lines[4];

    slot->emptied = page->emptied;
    memory_rewind(worker->memory, page, slot->window);
    if (page->last_id[0] != '\0')
        fmt_into(from, sizeof from, "(%s", page->last_id);
    else
        fmt_into(from, sizeof from, "%s", slot->window[0] == '\0' ? "-" : slot->window);
    if (page->last_id[0] == '\0')
        fmt_into(page->first_id, sizeof page->first_id, "%s", slot->window);
    get_lines[0] = str_of("XRANGE");
    get_lines[1] =
        key_make(&worker->keys, "transcript", slot->conversation, transcript);
    get_lines[2] = str_of(from);
    get_lines[3] = str_of(slot->upto);
    slot->awaited = 1; /* holds the end back until both are on their way */
    if (page->cast.version != slot->version)
        ask(slot, get_cast, 2, on_cast);
    ask(slot, get_lines, 4, on_history);
    loaded_one(slot);
}

static void load(struct slot *slot)
{
    struct memory *memory = slot->worker->memory;
    struct memory_need need = {slot->version, slot->lines, slot->window, slot->upto,
                               buf_str(&slot->last_message)};
    struct memory_page *page;

    if (slot->error[0] != '\0') {
        slot_feed(slot, TURN_UNREADABLE);
        return;
    }
    page = slot->page = memory_pin(memory, slot->conversation);
    /* The call that begins renews the lease; but before one did, that of who died in it
     * has a place at its server. */
    if (slot->deliveries > 1)
        slot_renew(slot);
    if (memory_warm(memory, page, &need)) {
        memory_drop_before(memory, page, slot->window);
        loaded(slot);
    } else {
        slot_renew(slot); /* nothing where that is on its way */
        read_lacking(slot, page);
    }
}
