/* control.c - see control.h. */
#include "manager/control.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "manager/close.h"
#include "manager/manager.h"
#include "manager/recover.h"
#include "proto/schema.h"
#include "scripts/scripts.h"

enum { FIELD_MAX = 64, NUMBER_SIZE = 24, RESUME_KEYS = 8 };

/* A command on its way through its script. */
struct order {
    struct manager *manager;
    char entry[FIELD_MAX];
    char command[FIELD_MAX]; /* its id */
    char what[FIELD_MAX];    /* "start", ... */
    char conversation[FIELD_MAX];
    char valid_until[FIELD_MAX]; /* µs */
    char *args;                  /* owned, JSON or "" */
    struct wish *wish;           /* owned: of a start */
};

static void order_free(struct order *order)
{
    if (order->wish != NULL)
        wish_done(order->wish);
    free(order->wish);
    free(order->args);
    free(order);
}

static void copy(char to[FIELD_MAX], struct str from)
{
    (void)snprintf(to, FIELD_MAX, "%.*s", (int)from.len,
                   from.at); /* cut: then unknown */
}

static struct order *order_new(struct manager *manager, struct str entry,
                               const struct redis_value *fields)
{
    struct order *order = x_calloc(1, sizeof *order);
    struct str args = redis_field(fields, "args");

    order->manager = manager;
    copy(order->entry, entry);
    copy(order->command, redis_field(fields, "id"));
    copy(order->what, redis_field(fields, "command"));
    copy(order->conversation, redis_field(fields, "conversation"));
    copy(order->valid_until, redis_field(fields, "valid_until"));
    order->args = x_memdup(args.at, args.len);
    return order;
}

static struct str key_of(struct order *order, const char *what, bool own,
                         char key[KEY_SIZE])
{
    return key_make(&order->manager->keys, what, own ? order->conversation : NULL, key);
}

static struct str answer_key(struct order *order, char key[KEY_SIZE])
{
    return key_make(&order->manager->keys, "answer", order->command, key);
}

/* The five arguments that all command scripts begin with. */
static void add_order(struct order *order, struct words *words)
{
    words_add(words, str_of(order->conversation));
    words_add(words, str_of(order->manager->leader.token));
    words_add(words, str_of(order->entry));
    words_add(words, str_of(order->command));
    words_add(words, str_of(order->valid_until));
}

static bool answered(struct order *order, const struct redis_answer *answer)
{
    struct str word;

    if (answer->outcome == REDIS_REFUSED)
        log_warn("control", "refused by Redis command=%s reason=%s", order->what,
                 log_safe(answer->value->text));
    if (answer->outcome != REDIS_OK)
        return false;
    word = redis_item_text(answer->value, 0);
    log_info("control", "command=%s conversation=%s answer=%s", order->what,
             order->conversation, log_safe(word));
    if (str_is(word, "STALE"))
        leader_stale(&order->manager->leader);
    return !str_is(word, "STALE");
}

static void on_done(void *owner, const struct redis_answer *answer)
{
    struct order *order = owner;

    if (answered(order, answer)
        && (str_is(redis_item_text(answer->value, 1), "ended")
            || str_is(redis_item_text(answer->value, 0), "GONE")))
        close_forget(order->manager, str_of(order->conversation));
    order_free(order);
}

/* Whatever the answer, the conversation is none the wiser. */
static void on_dropped(void *owner, const struct redis_answer *answer)
{
    struct order *order = owner;

    (void)answered(order, answer); /* STALE is dealt with there */
    order_free(order);
}

/* ---- start ---- */

static void on_opened(void *owner, const struct redis_answer *answer)
{
    struct order *order = owner;
    struct manager *manager = order->manager;
    struct str id = str_of(order->conversation);

    if (answered(order, answer) && leader_leads(&manager->leader)
        && roster_find(manager->roster, id) == NULL) {
        if (str_is(redis_item_text(answer->value, 0), "OK")) {
            roster_add(manager->roster, order->conversation, order->wish);
            order->wish = NULL;
            manager_advance(manager);
        } else if (str_is(redis_item_text(answer->value, 0), "DUP")) {
            recover_one(manager, id, 0, str_of(""));
        }
    }
    order_free(order);
}

static void refuse(struct order *order, const char *why)
{
    char keys[3][KEY_SIZE];
    struct words words = {0};

    log_warn("control", "a command makes no sense command=%s why=%s", order->what,
             log_safe(str_of(why)));
    words_add(&words, key_of(order, "epoch", false, keys[0]));
    words_add(&words, key_of(order, "control", false, keys[1]));
    words_add(&words, answer_key(order, keys[2]));
    words_keys_end(&words);
    words_add(&words, str_of(order->manager->leader.token));
    words_add(&words, str_of(order->entry));
    words_add(&words, str_of(why));
    manager_eval(order->manager, SCRIPT_REFUSE, &words, on_done, order);
}

/* A number as its argument; "" for none. */
static struct str number(char text[NUMBER_SIZE], int64_t value)
{
    fmt_into(text, NUMBER_SIZE, "%lld", (long long)value);
    return str_of(value < 0 ? "" : text);
}

static void start(struct order *order)
{
    struct manager *manager = order->manager;
    const struct wish *wish;
    char keys[7][KEY_SIZE];
    char numbers[6][NUMBER_SIZE];
    struct words words = {0};
    struct err err = {0};

    order->wish = x_malloc(sizeof *order->wish);
    wish_init(order->wish);
    if (!wish_parse(str_of(order->args), order->wish, &err)) {
        refuse(order, err.msg);
        return;
    }
    wish = order->wish;
    words_add(&words, key_of(order, "conversation", true, keys[0]));
    words_add(&words, key_of(order, "cast", true, keys[1]));
    words_add(&words, key_of(order, "conversations", false, keys[2]));
    words_add(&words, key_of(order, "events", false, keys[3]));
    words_add(&words, key_of(order, "epoch", false, keys[4]));
    words_add(&words, key_of(order, "control", false, keys[5]));
    words_add(&words, answer_key(order, keys[6]));
    words_keys_end(&words);
    add_order(order, &words);
    words_add(&words,
              str_of(order->command)); /* the nonce: who asks twice sends it twice */
    words_add(&words, str_of(order->args));
    words_add(&words, number(numbers[0], wish->max_turns));
    words_add(&words, number(numbers[1], wish->duration_ms));
    words_add(&words, number(numbers[2], wish->grace_ms));
    words_add(&words, number(numbers[3], manager->config->patience_ms));
    words_add(&words, number(numbers[4], wish->max_issues));
    words_add(&words, str_of(wish->pass_on_failure ? "pass" : "fail"));
    words_add(&words, number(numbers[5], wish->personas));
    manager_eval(manager, SCRIPT_OPEN, &words, on_opened, order);
}

/* ---- stop, pause, resume ---- */

/* A member of the arguments, copied; "true" for a true one, "" when there is none. */
static void argument(const struct order *order, const char *name, char value[FIELD_MAX])
{
    struct err ignored;
    json_t *document = NULL;
    const char *found = NULL;

    if (order->args[0] != '\0' && json_read(str_of(order->args), &document, &ignored))
        found = json_is_true(json_object_get(document, name))
                    ? "true"
                    : json_string_value(json_object_get(document, name));
    copy(value, str_of(found));
    json_decref(document);
}

/* The keys of stop and pause, and the arguments all commands begin with. */
static void add_common_keys(struct order *order, struct words *words,
                            char keys[6][KEY_SIZE])
{
    words_add(words, key_of(order, "conversation", true, keys[0]));
    words_add(words, key_of(order, "events", false, keys[1]));
    words_add(words, key_of(order, "due", false, keys[2]));
    words_add(words, key_of(order, "epoch", false, keys[3]));
    words_add(words, key_of(order, "control", false, keys[4]));
    words_add(words, answer_key(order, keys[5]));
    words_keys_end(words);
    add_order(order, words);
}

static void stop(struct order *order)
{
    char keys[6][KEY_SIZE];
    char mode[FIELD_MAX];
    struct words words = {0};

    argument(order, "mode", mode);
    add_common_keys(order, &words, keys);
    words_add(&words, str_of(strcmp(mode, "grace") == 0 ? "grace" : "now"));
    words_add(&words, str_of("stopped"));
    manager_eval(order->manager, SCRIPT_STOP, &words, on_done, order);
}

static void pause_it(struct order *order)
{
    char keys[6][KEY_SIZE];
    char cancel[FIELD_MAX];
    char reason[FIELD_MAX];
    struct words words = {0};

    argument(order, "cancel", cancel);
    argument(order, "reason", reason);
    add_common_keys(order, &words, keys);
    words_add(&words, str_of(strcmp(cancel, "true") == 0 ? "1" : "0"));
    words_add(&words, str_of(reason[0] == '\0' ? "asked" : reason));
    manager_eval(order->manager, SCRIPT_PAUSE, &words, on_done, order);
}

/* 1 where it has not begun, or is not there: the script says so. */
static int64_t lane_of(const struct redis_answer *answer)
{
    int64_t lane = 1;

    if (answer->value->kind != REDIS_TEXT
        || !str_to_i64(answer->value->text, 1, SEATS_MAX, &lane))
        lane = 1;
    return lane;
}

/* The keys that resume and revive begin with. */
static void add_resume_keys(struct order *order, int64_t lane, struct words *words,
                            char keys[RESUME_KEYS][KEY_SIZE])
{
    words_add(words, key_of(order, "conversation", true, keys[0]));
    words_add(words, key_of(order, "transcript", true, keys[1]));
    words_add(words, key_lane(&order->manager->keys, "request", lane, keys[2]));
    words_add(words, key_of(order, "events", false, keys[3]));
    words_add(words, key_of(order, "due", false, keys[4]));
    words_add(words, key_of(order, "epoch", false, keys[5]));
    words_add(words, key_of(order, "control", false, keys[6]));
    words_add(words, answer_key(order, keys[7]));
}

static void on_resumed(void *owner, const struct redis_answer *answer);

static void resume_on(struct order *order, int64_t lane)
{
    char keys[RESUME_KEYS][KEY_SIZE];
    char text[NUMBER_SIZE];
    struct words words = {0};

    add_resume_keys(order, lane, &words, keys);
    words_keys_end(&words);
    add_order(order, &words);
    words_add(&words, str_of("asked"));
    words_add(&words, number(text, lane));
    manager_eval(order->manager, SCRIPT_RESUME, &words, on_resumed, order);
}

/* A turn may have been routed since we asked for the lane: the script tells it then. */
static void on_resumed(void *owner, const struct redis_answer *answer)
{
    struct order *order = owner;
    int64_t lane;

    if (answer->outcome == REDIS_OK && str_is(redis_item_text(answer->value, 0), "LANE")
        && str_to_i64(redis_item_text(answer->value, 1), 1, SEATS_MAX, &lane))
        resume_on(order, lane);
    else
        on_done(order, answer);
}

static void on_lane(void *owner, const struct redis_answer *answer)
{
    struct order *order = owner;

    if (answer->outcome == REDIS_OK)
        resume_on(order, lane_of(answer));
    else
        order_free(order); /* it stays pending: the next sweep takes it again */
}

static void ask_lane(struct order *order, redis_on_answer *on_lane_known)
{
    char key[KEY_SIZE];
    struct words words = {0};

    words_add(&words, str_of("HGET"));
    words_add(&words, key_of(order, "conversation", true, key));
    words_add(&words, str_of("lane"));
    manager_send(order->manager, &words, on_lane_known, order);
}

static void resume(struct order *order)
{
    ask_lane(order, on_lane);
}

/* ---- retry, drop: turns given up ---- */

/* Nobody looks after a conversation that ended: it is learned of anew. Its lane cannot
 * have changed since we asked: while it awaits the record's turn it is that turn's. */
static void on_revived(void *owner, const struct redis_answer *answer)
{
    struct order *order = owner;

    if (answered(order, answer) && str_is(redis_item_text(answer->value, 0), "OK"))
        recover_one(order->manager, str_of(order->conversation), 0, str_of(""));
    order_free(order);
}

static void on_dead_lane(void *owner, const struct redis_answer *answer)
{
    struct order *order = owner;
    char keys[RESUME_KEYS + 1][KEY_SIZE];
    char record[FIELD_MAX];
    struct words words = {0};

    if (answer->outcome != REDIS_OK) {
        order_free(order); /* it stays pending: the next sweep takes it again */
        return;
    }
    argument(order, "record", record);
    add_resume_keys(order, lane_of(answer), &words, keys);
    words_add(&words, key_of(order, "dead", false, keys[RESUME_KEYS]));
    words_keys_end(&words);
    add_order(order, &words);
    words_add(&words, str_of(record));
    words_add(&words, str_of("revived"));
    manager_eval(order->manager, SCRIPT_REVIVE, &words, on_revived, order);
}

static void retry(struct order *order)
{
    ask_lane(order, on_dead_lane);
}

static void drop(struct order *order)
{
    char keys[4][KEY_SIZE];
    char record[FIELD_MAX];
    struct words words = {0};

    argument(order, "record", record);
    words_add(&words, key_of(order, "epoch", false, keys[0]));
    words_add(&words, key_of(order, "control", false, keys[1]));
    words_add(&words, answer_key(order, keys[2]));
    words_add(&words, key_of(order, "dead", false, keys[3]));
    words_keys_end(&words);
    words_add(&words, str_of(order->manager->leader.token));
    words_add(&words, str_of(order->entry));
    words_add(&words, str_of(order->command));
    words_add(&words, str_of(order->valid_until));
    words_add(&words, str_of(record));
    manager_eval(order->manager, SCRIPT_DROP, &words, on_dropped, order);
}

/* "" is for ever. */
static bool time_fits(const struct order *order)
{
    int64_t time_us;

    return order->valid_until[0] == '\0'
           || str_to_i64(str_of(order->valid_until), 0, INT64_MAX, &time_us);
}

void control_command(struct manager *manager, struct str entry,
                     const struct redis_value *fields)
{
    static const struct {
        const char *what;
        void (*run)(struct order *order);
    } commands[] = {{"start", start},   {"stop", stop},   {"pause", pause_it},
                    {"resume", resume}, {"retry", retry}, {"drop", drop}};
    struct order *order = order_new(manager, entry, fields);

    if (!conversation_id_valid(str_of(order->conversation))
        && strcmp(order->what, "drop") != 0) {
        refuse(order, "it names no conversation");
        return;
    }
    if (!time_fits(order)) { /* no script could compare it: it would fail for ever */
        refuse(order, "valid_until is no time");
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(order->what, commands[i].what) == 0) {
            commands[i].run(order);
            return;
        }
    refuse(order,
           "unknown command: expected start, stop, pause, resume, retry or drop");
}
