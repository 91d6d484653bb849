/* leader.c - see leader.h. */
#include "manager/leader.h"

#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "manager/manager.h"
#include "manager/rewind.h"
#include "scripts/scripts.h"

enum {
    SETTLE_MS = 500,
    ASK_EVERY_MS = 1000,
    STANDBY_MS = 250,
    LEADER_TTL_MS = 5000,
    FIRST_LANES = 16
};

static void lost(struct leader *leader, const char *why)
{
    if (leader->token[0] == '\0')
        return;
    log_warn("leader", "leads no longer token=%s why=%s", leader->token, why);
    leader->token[0] = '\0';
    manager_follow(leader->manager);
}

static void won(struct leader *leader, struct str token, bool is_new)
{
    if ((!is_new && str_is(token, leader->token)) || token.len >= sizeof leader->token)
        return;
    lost(leader, "a new leadership of its own");
    rewind_check(leader->manager);
    memcpy(leader->token, token.at, token.len);
    leader->token[token.len] = '\0';
    leader->won_at_ms = clock_mono_ms();
    log_info("leader", "leads token=%s", leader->token);
    fault_point("manager.lead");
    manager_lead(leader->manager);
}

/* ---- who leads instead ---- */

/* The name and the nonce of "<number>:<name>:<nonce>". */
static void split_token(const char *token, char ret_name[TOKEN_SIZE],
                        struct str *ret_nonce)
{
    const char *name = strchr(token, ':');
    const char *nonce = strrchr(token, ':');

    ret_name[0] = '\0';
    *ret_nonce = str_of("");
    if (name == NULL || nonce == name)
        return;
    fmt_into(ret_name, TOKEN_SIZE, "%.*s", (int)(nonce - name - 1), name + 1);
    *ret_nonce = str_of(nonce + 1);
}

static void copy_part(char *to, size_t size, struct str from)
{
    fmt_into(to, size, "%.*s", from.len < size ? (int)from.len : 0, from.at);
}

/* Where the other runs, unless its name has passed to a third one meanwhile. */
static void on_other_at(void *owner, const struct redis_answer *answer)
{
    struct leader *leader = owner;
    struct process_place *at = &leader->other_at;
    char name[TOKEN_SIZE];
    struct str nonce;

    if (answer->outcome != REDIS_OK)
        return;
    split_token(leader->other, name, &nonce);
    if (nonce.len == 0 || !str_is(redis_item_text(answer->value, 0), nonce.at))
        return;
    copy_part(at->host, sizeof at->host, redis_item_text(answer->value, 1));
    copy_part(at->pid, sizeof at->pid, redis_item_text(answer->value, 2));
    copy_part(at->space, sizeof at->space, redis_item_text(answer->value, 3));
}

static void ask_where(struct leader *leader, const char *name)
{
    static const char *const fields[] = {"nonce", "host", "pid", "space"};
    char key[KEY_SIZE];
    struct words words = {0};

    words_add(&words, str_of("HMGET"));
    words_add(&words, key_make(&leader->manager->keys, "member", name, key));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        words_add(&words, str_of(fields[i]));
    manager_send(leader->manager, &words, on_other_at, leader);
}

static void held_by(struct leader *leader, struct str token)
{
    const struct member *member = &leader->manager->member;
    char name[TOKEN_SIZE];
    struct str nonce;

    lost(leader, "another leads");
    if (str_is(token, leader->other) || token.len >= sizeof leader->other)
        return;
    copy_part(leader->other, sizeof leader->other, token);
    leader->other_at = (struct process_place){{0}, {0}, {0}};
    split_token(leader->other, name, &nonce);
    leader->heir = member->held && strcmp(name, member->name) == 0;
    if (leader->heir)
        loop_timer_start(&leader->timer, 0);
    else if (strlen(name) < MEMBER_NAME_SIZE)
        ask_where(leader, name);
}

/* The script compares the token once more: another may have come before us. */
static bool inherits(struct leader *leader)
{
    const struct process_place *at = &leader->other_at;

    if (leader->other[0] == '\0' || leader_leads(leader))
        return false;
    if (!leader->heir)
        leader->heir = process_is_gone(&leader->manager->member.place, str_of(at->host),
                                       str_of(at->pid), str_of(at->space));
    if (leader->heir)
        log_info("leader", "the leader is dead, taking its leadership token=%s",
                 log_safe(str_of(leader->other)));
    return leader->heir;
}

/* ---- asking ---- */

static void take_time(struct leader *leader, const struct redis_answer *answer)
{
    bool ours = str_is(redis_item_text(answer->value, 0), "OK");
    int64_t at_us = redis_item_i64(answer->value, ours ? 3 : 2, -1);

    if (at_us > 0)
        redis_clock_sample(&leader->manager->clock, at_us, answer->round_trip_us);
}

static void on_answer(void *owner, const struct redis_answer *answer)
{
    struct leader *leader = owner;
    struct str word;

    leader->asking = false;
    if (answer->outcome == REDIS_CANCELLED || leader->resigned)
        return;
    if (answer->outcome != REDIS_OK) {
        log_warn("leader", "asking for the leadership was refused reason=%s",
                 answer->value == NULL ? "lost" : log_safe(answer->value->text));
        return;
    }
    word = redis_item_text(answer->value, 0);
    take_time(leader, answer);
    if (!str_is(word, "LAYOUT"))
        rewind_check(leader->manager); /* before anybody goes on from there */
    if (str_is(word, "OK"))
        won(leader, redis_item_text(answer->value, 1),
            str_is(redis_item_text(answer->value, 2), "1"));
    else if (str_is(word, "HELD"))
        held_by(leader, redis_item_text(answer->value, 1));
    else
        log_error("leader", "this shard has another layout version=%s, ours is 1",
                  log_safe(redis_item_text(answer->value, 1)));
    shift_go_on(leader->manager); /* whoever leads now, before what is due */
}

static void ask(struct leader *leader, int ttl_ms)
{
    struct manager *manager = leader->manager;
    char keys[4 + 2 * FIRST_LANES][KEY_SIZE];
    char ttl[16];
    struct words words = {0};

    words_add(&words, key_make(&manager->keys, "leader", NULL, keys[0]));
    words_add(&words, key_make(&manager->keys, "epoch", NULL, keys[1]));
    words_add(&words, key_make(&manager->keys, "meta", NULL, keys[2]));
    words_add(&words, key_make(&manager->keys, "control", NULL, keys[3]));
    for (int lane = 1; lane <= FIRST_LANES; lane++) {
        words_add(&words,
                  key_lane(&manager->keys, "request", lane, keys[2 + 2 * lane]));
        words_add(&words,
                  key_lane(&manager->keys, "response", lane, keys[3 + 2 * lane]));
    }
    words_keys_end(&words);
    fmt_into(ttl, sizeof ttl, "%d", ttl_ms);
    words_add(&words, str_of(ttl));
    words_add(&words, str_of(manager->member.name));
    words_add(&words, str_of(manager->member.nonce));
    words_add(&words, str_of(ttl_ms > 0 && inherits(leader) ? leader->other : ""));
    leader->asking = true;
    manager_eval(manager, SCRIPT_LEAD, &words, on_answer, leader);
}

static void on_time(struct loop_timer *timer, void *owner)
{
    struct leader *leader = owner;

    loop_timer_start(timer, leader_leads(leader) ? ASK_EVERY_MS : STANDBY_MS);
    if (!leader->asking && leader->manager->member.held)
        ask(leader, LEADER_TTL_MS);
}

void leader_start(struct leader *leader, struct manager *manager)
{
    *leader = (struct leader){.manager = manager};
    loop_timer_init(&leader->timer, manager->loop, on_time, leader);
    loop_timer_start(&leader->timer, 0);
}

void leader_ask_now(struct leader *leader)
{
    if (!leader->resigned)
        loop_timer_start(&leader->timer, 0);
}

void leader_stale(struct leader *leader)
{
    /* What was sent just before the leadership came bears the token of the last one. */
    if (clock_mono_ms() - leader->won_at_ms < SETTLE_MS)
        return;
    lost(leader, "a script answered STALE");
}

void leader_resign(struct leader *leader)
{
    loop_timer_stop(&leader->timer);
    leader->resigned = true;
    if (leader->token[0] == '\0')
        return;
    lost(leader, "resigned");
    ask(leader, 0);
}

bool leader_leads(const struct leader *leader)
{
    return leader->token[0] != '\0';
}

void leader_done(struct leader *leader)
{
    loop_timer_stop(&leader->timer);
}
