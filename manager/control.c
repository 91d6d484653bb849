/* control.c - see control.h.
 *
 * Flow: control_command -> the function of its name -> script -> on_done or the like
 */
#include "manager/control.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "manager/manager.h"
#include "manager/order.h"
#include "manager/recover.h"
#include "manager/say.h"
#include "scripts/scripts.h"

enum { NUMBER_SIZE = 24, RESUME_KEYS = 8 };

/* Whatever the answer, the conversation is none the wiser. */
static void on_dropped(void *owner, const struct redis_answer *answer)
{
    struct order *order = owner;

    (void)order_answered(order, answer); /* STALE is dealt with there */
    order_free(order);
}

/* ---- start ---- */

static void on_opened(void *owner, const struct redis_answer *answer)
{
    struct order *order = owner;
    struct manager *manager = order->manager;
    struct str id = str_of(order->conversation);

    if (order_answered(order, answer) && leader_leads(&manager->leader)
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
        order_refuse(order, err.msg);
        return;
    }
    wish = order->wish;
    words_add(&words, order_key(order, "conversation", true, keys[0]));
    words_add(&words, order_key(order, "cast", true, keys[1]));
    words_add(&words, order_key(order, "conversations", false, keys[2]));
    words_add(&words, order_key(order, "events", false, keys[3]));
    words_add(&words, order_key(order, "epoch", false, keys[4]));
    words_add(&words, order_key(order, "control", false, keys[5]));
    words_add(&words, order_answer_key(order, keys[6]));
    words_keys_end(&words);
    order_add_args(order, &words);
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

/* The keys of stop and pause, and the arguments all commands begin with. */
static void add_common_keys(struct order *order, struct words *words,
                            char keys[6][KEY_SIZE])
{
    words_add(words, order_key(order, "conversation", true, keys[0]));
    words_add(words, order_key(order, "events", false, keys[1]));
    words_add(words, order_key(order, "due", false, keys[2]));
    words_add(words, order_key(order, "epoch", false, keys[3]));
    words_add(words, order_key(order, "control", false, keys[4]));
    words_add(words, order_answer_key(order, keys[5]));
    words_keys_end(words);
    order_add_args(order, words);
}

static void stop(struct order *order)
{
    char keys[6][KEY_SIZE];
    char mode[ORDER_FIELD_SIZE];
    struct words words = {0};

    order_argument(order, "mode", mode);
    add_common_keys(order, &words, keys);
    words_add(&words, str_of(strcmp(mode, "grace") == 0 ? "grace" : "now"));
    words_add(&words, str_of("stopped"));
    manager_eval(order->manager, SCRIPT_STOP, &words, order_done, order);
}

static void pause_it(struct order *order)
{
    char keys[6][KEY_SIZE];
    char cancel[ORDER_FIELD_SIZE];
    char reason[ORDER_FIELD_SIZE];
    struct words words = {0};

    order_argument(order, "cancel", cancel);
    order_argument(order, "reason", reason);
    add_common_keys(order, &words, keys);
    words_add(&words, str_of(strcmp(cancel, "true") == 0 ? "1" : "0"));
    words_add(&words, str_of(reason[0] == '\0' ? "asked" : reason));
    manager_eval(order->manager, SCRIPT_PAUSE, &words, order_done, order);
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
    words_add(words, order_key(order, "conversation", true, keys[0]));
    words_add(words, order_key(order, "transcript", true, keys[1]));
    words_add(words, key_lane(&order->manager->keys, "request", lane, keys[2]));
    words_add(words, order_key(order, "events", false, keys[3]));
    words_add(words, order_key(order, "due", false, keys[4]));
    words_add(words, order_key(order, "epoch", false, keys[5]));
    words_add(words, order_key(order, "control", false, keys[6]));
    words_add(words, order_answer_key(order, keys[7]));
}

static void on_resumed(void *owner, const struct redis_answer *answer);

static void resume_on(struct order *order, int64_t lane)
{
    char keys[RESUME_KEYS][KEY_SIZE];
    char text[NUMBER_SIZE];
    struct words words = {0};

    add_resume_keys(order, lane, &words, keys);
    words_keys_end(&words);
    order_add_args(order, &words);
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
        order_done(order, answer);
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
    words_add(&words, order_key(order, "conversation", true, key));
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

    if (order_answered(order, answer)
        && str_is(redis_item_text(answer->value, 0), "OK"))
        recover_one(order->manager, str_of(order->conversation), 0, str_of(""));
    order_free(order);
}

static void on_dead_lane(void *owner, const struct redis_answer *answer)
{
    struct order *order = owner;
    char keys[RESUME_KEYS + 1][KEY_SIZE];
    char record[ORDER_FIELD_SIZE];
    struct words words = {0};

    if (answer->outcome != REDIS_OK) {
        order_free(order); /* it stays pending: the next sweep takes it again */
        return;
    }
    order_argument(order, "record", record);
    add_resume_keys(order, lane_of(answer), &words, keys);
    words_add(&words, order_key(order, "dead", false, keys[RESUME_KEYS]));
    words_keys_end(&words);
    order_add_args(order, &words);
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
    char record[ORDER_FIELD_SIZE];
    struct words words = {0};

    order_argument(order, "record", record);
    words_add(&words, order_key(order, "epoch", false, keys[0]));
    words_add(&words, order_key(order, "control", false, keys[1]));
    words_add(&words, order_answer_key(order, keys[2]));
    words_add(&words, order_key(order, "dead", false, keys[3]));
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
    } commands[] = {{"start", start},    {"stop", stop},   {"pause", pause_it},
                    {"resume", resume},  {"retry", retry}, {"drop", drop},
                    {"say", say_command}};
    struct order *order = order_new(manager, entry, fields);

    if (!conversation_id_valid(str_of(order->conversation))
        && strcmp(order->what, "drop") != 0) {
        order_refuse(order, "it names no conversation");
        return;
    }
    if (!time_fits(order)) { /* no script could compare it: it would fail for ever */
        order_refuse(order, "valid_until is no time");
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(order->what, commands[i].what) == 0) {
            commands[i].run(order);
            return;
        }
    order_refuse(
        order,
        "unknown command: expected start, stop, pause, resume, say, retry or drop");
}
