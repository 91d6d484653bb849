/* begin.c - see begin.h.
 *
 * Flow: begin_ready -> on_members -> on_lanes -> begin one -> on_begun
 */
#include "manager/begin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "llm/call_record.h"
#include "llm/cast_runners.h"
#include "llm/router.h"
#include "manager/close.h"
#include "manager/manager.h"
#include "proto/json_write.h"
#include "proto/message.h"
#include "scripts/scripts.h"

enum {
    MEMBER_ALIVE_MS = 5000, /* a beat comes every second */
    MEMBERS_MAX = 1024,
    SAY_WAITING_MS = 10000,
    JSON_MAX_BYTES = 1 << 20
};

/* ---- the story is there ---- */

/* Each seat gets what the wish says; its lane is its number unless the file says. */
static void equip(const struct manager *manager, const struct wish *wish,
                  struct cast *cast)
{
    for (size_t i = 0; i < cast->seat_count; i++) {
        struct seat *seat = &cast->seats[i];

        if (seat->lane < 1)
            seat->lane = (int64_t)i + 1;
        wish_equip(wish, (int64_t)i + 1, &manager->config->endpoints, seat);
    }
}

static void fail(struct manager *manager, struct talk *talk, const char *kind,
                 const struct err *failure)
{
    log_error("begin", "cannot begin conversation=%s error=%s reason=%s", talk->id,
              kind, log_safe(str_of(failure->msg)));
    talk->failure = x_strdup(failure->msg);
    talk->failure_kind = kind;
    close_failed(manager, talk->id, kind, talk->failure);
}

void begin_story_done(struct manager *manager, struct talk *talk,
                      struct cast *cast_take)
{
    struct err err = {0};

    fault_point("manager.story");
    equip(manager, talk->wish, cast_take);
    if (!cast_runners_agree(cast_take, manager->config, true, &err)) {
        cast_done(cast_take);
        free(cast_take);
        roster_move(manager->roster, talk, TALK_READY);
        fail(manager, talk, "options", &err);
        manager_advance(manager);
        return;
    }
    roster_set_cast(talk, cast_take);
    roster_move(manager->roster, talk, TALK_READY);
    log_info("begin", "story ready conversation=%s seats=%d", talk->id,
             talk->seat_count);
    manager_advance(manager);
}

void begin_story_failed(struct manager *manager, struct talk *talk,
                        const struct err *failure)
{
    roster_move(manager->roster, talk, TALK_READY);
    fail(manager, talk, "story", failure);
    manager_advance(manager);
}

void begin_record_call(struct manager *manager, const struct talk *talk,
                       const struct router_attempt *attempt,
                       const struct llm_result *result)
{
    const struct call_record record = {.conversation = talk->id,
                                       .call = attempt->call_id,
                                       .worker = manager->member.name,
                                       .turn = -1,
                                       .issue = -1,
                                       .delivery = -1,
                                       .seat = -1,
                                       .began_us = attempt->began_us,
                                       .attempt = attempt};

    if (!call_record_send(manager->redis, &manager->keys, &record, result))
        log_warn("begin", "the record of a call is lost call=%s", attempt->call_id);
}

/* ---- the first step ---- */

static void start_message(struct message *message, enum message_kind kind,
                          const struct talk *talk, size_t number, int64_t now_us)
{
    message_init(message, kind);
    message->queue_timestamp_us = now_us;
    message->message_id =
        x_printf("%s:%s:%zu", talk->id, message_kind_name(kind), number);
    message->role = x_strdup("system");
    message->conversation_id = x_strdup(talk->id);
    message->provider =
        talk->cast->seats[0].model.provider == NULL || talk->wish->story_file != NULL
            ? NULL
            : x_strdup(talk->cast->seats[0].model.provider);
}

static char *story_json(const struct talk *talk, int64_t now_us)
{
    struct message message;
    struct buf json;

    start_message(&message, MESSAGE_STORY, talk, 1, now_us);
    story_copy(&message.story, &talk->cast->story);
    buf_init(&json, JSON_MAX_BYTES);
    (void)message_format(&message,
                         &json); /* a story that fits its own bound fits here */
    message_done(&message);
    return buf_take(&json);
}

static char *persona_json(const struct talk *talk, size_t seat, int64_t now_us)
{
    const struct seat *from = &talk->cast->seats[seat - 1];
    struct message message;
    struct buf json;

    start_message(&message, MESSAGE_PERSONA, talk, seat, now_us);
    persona_copy(&message.persona, &from->persona);
    message.seat = (int64_t)seat;
    message.author = x_strdup(from->persona.name);
    message.model = from->model.model == NULL ? NULL : x_strdup(from->model.model);
    buf_init(&json, JSON_MAX_BYTES);
    (void)message_format(&message, &json); /* as above */
    message_done(&message);
    return buf_take(&json);
}

static char *seat_json(const struct seat *seat)
{
    struct buf json;

    buf_init(&json, JSON_MAX_BYTES);
    (void)seat_format(seat, &json); /* as above */
    return buf_take(&json);
}

struct beginning {
    struct manager *manager;
    char id[CONVERSATION_SIZE];
};

static void on_begun(void *owner, const struct redis_answer *answer)
{
    struct beginning *beginning = owner;
    struct manager *manager = beginning->manager;
    struct talk *talk = roster_find(manager->roster, str_of(beginning->id));
    struct str word = answer->outcome == REDIS_OK ? redis_item_text(answer->value, 0)
                                                  : str_of("refused");

    if (answer->outcome != REDIS_CANCELLED)
        log_info("begin", "begun conversation=%s answer=%s", beginning->id,
                 log_safe(word));
    if (str_is(word, "STALE"))
        leader_stale(&manager->leader);
    else if (talk != NULL && (str_is(word, "ENDED") || str_is(word, "GONE")))
        roster_remove(manager->roster, talk);
    else if (talk != NULL && (str_is(word, "OK") || str_is(word, "DUP"))) {
        roster_run(manager->roster, talk); /* what began it is not needed any more */
        talk->next = 1;
    } else if (talk != NULL && answer->outcome != REDIS_CANCELLED && talk->cast != NULL)
        roster_move(manager->roster, talk, TALK_READY); /* the next look tries again */
    free(beginning);
}

static void begin_one(struct manager *manager, struct talk *talk)
{
    struct beginning *beginning = x_malloc(sizeof *beginning);
    int64_t now_us = redis_clock_now_us(&manager->clock);
    const char *key_names[] = {"conversation", "cast", "transcript"};
    const char *shard_keys[] = {"events", "due", "conversations", "epoch"};
    char keys[8][KEY_SIZE];
    char lane[16];
    char *texts[1 + 2 * SEATS_MAX];
    size_t text_count = 0;
    struct words words = {0};

    fault_point("manager.begin");
    beginning->manager = manager;
    memcpy(beginning->id, talk->id, sizeof beginning->id);
    for (size_t i = 0; i < 3; i++)
        words_add(&words, key_make(&manager->keys, key_names[i], talk->id, keys[i]));
    for (size_t i = 0; i < 4; i++)
        words_add(&words, key_make(&manager->keys, shard_keys[i], NULL, keys[3 + i]));
    words_add(&words, key_lane(&manager->keys, "request", talk_lane(talk, 1), keys[7]));
    words_keys_end(&words);
    fmt_into(lane, sizeof lane, "%d", talk->lanes[0]);
    words_add(&words, str_of(talk->id));
    words_add(&words, str_of(manager->leader.token));
    words_add(&words, str_of("1"));
    words_add(&words, str_of(lane));
    texts[text_count++] = story_json(talk, now_us);
    for (size_t seat = 1; seat <= talk->seat_count; seat++) {
        texts[text_count++] = seat_json(&talk->cast->seats[seat - 1]);
        texts[text_count++] = persona_json(talk, seat, now_us);
    }
    for (size_t i = 0; i < text_count; i++)
        words_add(&words, str_of(texts[i]));
    manager_eval(manager, SCRIPT_BEGIN, &words, on_begun, beginning);
    for (size_t i = 0; i < text_count; i++)
        free(texts[i]);
    roster_move(manager->roster, talk, TALK_RUNNING);
}

static void say_waiting(struct talk *talk, const char *why)
{
    int64_t now_ms = clock_mono_ms();

    if (talk->said_waiting_ms != 0 && now_ms - talk->said_waiting_ms < SAY_WAITING_MS)
        return;
    talk->said_waiting_ms = now_ms;
    log_info("begin", "waiting conversation=%s for=%s", talk->id, why);
}

static void begin_if_ready(struct manager *manager, struct talk *talk)
{
    struct err err = {0};

    if (talk->failure != NULL) {
        close_failed(manager, talk->id, talk->failure_kind,
                     talk->failure); /* until it is */
        return;
    }
    if (roster_count(manager->roster, TALK_RUNNING)
        >= (size_t)manager->config->max_running) {
        say_waiting(talk, "room");
        return;
    }
    if (!talk_has_lanes(talk, manager->alive)) {
        say_waiting(talk, "workers");
        return;
    }
    switch (warm_look(manager, talk, &err)) {
    case WARM_READY:
        begin_one(manager, talk);
        break;
    case WARM_WAIT:
        say_waiting(talk, "models");
        break;
    case WARM_FAILED:
        fail(manager, talk, "model", &err);
        break;
    }
}

static void begin_all(struct manager *manager)
{
    struct talk *talk = roster_first(manager->roster, TALK_READY);

    while (talk != NULL) {
        struct talk *next = roster_next(talk);

        begin_if_ready(manager, talk);
        talk = next;
    }
}

/* ---- who is alive ---- */

static void on_lane(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;
    int64_t lane;

    if (answer->outcome != REDIS_OK || answer->value->kind != REDIS_TEXT
        || !str_to_i64(answer->value->text, 1, 31, &lane))
        return; /* a manager, or gone meanwhile */
    manager->alive |= UINT32_C(1) << lane;
}

/* The answers come in order: this one says that all lanes have been told. */
static void on_all_lanes(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;

    manager->looking = false;
    if (answer->outcome != REDIS_CANCELLED && leader_leads(&manager->leader))
        begin_all(manager);
}

static void on_members(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;
    struct words echo = {.at = {str_of("ECHO"), str_of("lanes")}, .count = 2};

    if (answer->outcome != REDIS_OK) {
        manager->looking = false;
        return;
    }
    manager->alive = 0;
    for (size_t i = 0; i < answer->value->count; i++) {
        struct str name = redis_item_text(answer->value, i);
        char *member;
        char key[KEY_SIZE];
        struct words words = {0};

        if (name.len >= MEMBER_NAME_SIZE)
            continue; /* none of ours */
        member = x_memdup(name.at, name.len);
        words_add(&words, str_of("HGET"));
        words_add(&words, key_make(&manager->keys, "member", member, key));
        words_add(&words, str_of("lane"));
        manager_send(manager, &words, on_lane, manager);
        free(member);
    }
    manager_send(manager, &echo, on_all_lanes, manager);
}

void begin_ready(struct manager *manager)
{
    char key[KEY_SIZE];
    char since[24];
    char most[16];
    struct words words = {0};

    if (roster_count(manager->roster, TALK_READY) == 0 || manager->looking)
        return;
    fmt_into(since, sizeof since, "%lld",
             (long long)(redis_clock_now_us(&manager->clock) / 1000 - MEMBER_ALIVE_MS));
    fmt_into(most, sizeof most, "%d", MEMBERS_MAX);
    words_add(&words, str_of("ZRANGE"));
    words_add(&words, key_make(&manager->keys, "members", NULL, key));
    words_add(&words, str_of(since));
    words_add(&words, str_of("+inf"));
    words_add(&words, str_of("BYSCORE"));
    words_add(&words, str_of("LIMIT"));
    words_add(&words, str_of("0"));
    words_add(&words, str_of(most));
    manager->looking = true;
    manager_send(manager, &words, on_members, manager);
}
