/* member.c - see member.h.
 *
 * Flow: start -> beat -> HELD by a dead one: the same name as its heir, beat ...
 *             -> HELD: next number, beat ... -> OK: held -> beat every second
 *             -> HELD while held: lost -> next number ...
 */
#include "scripts/member.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "base/version.h"
#include "net/program.h"
#include "net/redis.h"
#include "scripts/scripts.h"

enum {
    LEAVE_MS = 1000,
    BEAT_MS = 1000,
    LOCK_MS = 10000,
    NUMBER_MAX = 10000,
    PROCESS_FIELDS = 10
};

static void try_name(struct member *member)
{
    if (member->number > 0)
        fmt_into(member->name, sizeof member->name, "%s-%d", member->base,
                 member->number);
}

static void taken_by_another(struct member *member)
{
    bool had = member->held;

    member->held = false;
    if (had) {
        log_warn("member", "name lost to another process name=%s", member->name);
        member->on_lost(member->owner);
    }
    if (member->number == 0) {
        log_warn("member", "name is held by another process, waiting name=%s",
                 member->name);
        return;
    }
    member->number = member->number % NUMBER_MAX + 1;
    try_name(member);
    loop_timer_start(&member->timer, 0);
}

/* The script compares the nonce once more: the name may have got another holder. */
static bool inherits(struct member *member, const struct redis_value *held)
{
    struct str nonce = redis_item_text(held, 1);

    if (member->held || nonce.len == 0 || nonce.len >= sizeof member->heir_of
        || !process_is_gone(&member->place, redis_item_text(held, 2),
                            redis_item_text(held, 3), redis_item_text(held, 4)))
        return false;
    memcpy(member->heir_of, nonce.at, nonce.len);
    member->heir_of[nonce.len] = '\0';
    log_info("member", "its holder is dead, taking its name name=%s pid=%s",
             member->name, log_safe(redis_item_text(held, 3)));
    loop_timer_start(&member->timer, 0);
    return true;
}

static void on_beaten(void *owner, const struct redis_answer *answer)
{
    struct member *member = owner;

    member->asking = false;
    member->heir_of[0] = '\0';
    if (member->leaving || answer->outcome == REDIS_CANCELLED)
        return;
    loop_timer_start(&member->timer, BEAT_MS);
    if (answer->outcome != REDIS_OK) {
        log_warn("member", "beat refused reason=%s",
                 answer->value == NULL ? "lost" : log_safe(answer->value->text));
        return;
    }
    if (str_is(redis_item_text(answer->value, 0), "HELD")) {
        if (!inherits(member, answer->value))
            taken_by_another(member);
        return;
    }
    member->held_until_ms = clock_mono_ms() + LOCK_MS;
    if (!member->held) {
        member->held = true;
        program_ready();
        member->on_held(member->owner);
    }
}

/* What every member tells of itself, whatever it does. */
static size_t add_process(const struct member *member, struct str *fields)
{
    const struct process_place *place = &member->place;
    size_t n = 0;

    fields[n++] = str_of("version");
    fields[n++] = str_of(version_number());
    fields[n++] = str_of("nonce");
    fields[n++] = str_of(member->nonce);
    fields[n++] = str_of("host");
    fields[n++] = str_of(place->host);
    fields[n++] = str_of("pid");
    fields[n++] = str_of(place->pid);
    fields[n++] = str_of("space");
    fields[n++] = str_of(place->space);
    return n;
}

static void send_beat(struct member *member)
{
    char lock[KEY_SIZE];
    char hash[KEY_SIZE];
    char zset[KEY_SIZE];
    char lock_id[MEMBER_NAME_SIZE + 8];
    char ttl[16];
    const char *fields[MEMBER_FIELDS_MAX];
    struct str argv[7 + MEMBER_FIELDS_MAX + PROCESS_FIELDS];
    struct redis_eval eval = {.script = script_get(SCRIPT_BEAT),
                              .keys = 3,
                              .argv = argv,
                              .on_answer = on_beaten,
                              .owner = member};
    size_t count = 0;

    fmt_into(lock_id, sizeof lock_id, "%s:lock", member->name);
    fmt_into(ttl, sizeof ttl, "%d", LOCK_MS);
    argv[0] = key_make(member->keys, "member", lock_id, lock);
    argv[1] = key_make(member->keys, "member", member->name, hash);
    argv[2] = key_make(member->keys, "members", NULL, zset);
    argv[3] = str_of(member->name);
    argv[4] = str_of(member->nonce);
    argv[5] = str_of(ttl);
    argv[6] = str_of(member->heir_of);
    if (member->describe != NULL)
        count = member->describe(member->owner, fields, MEMBER_FIELDS_MAX);
    for (size_t i = 0; i < count; i++)
        argv[7 + i] = str_of(fields[i]);
    eval.argc = 7 + count + add_process(member, &argv[7 + count]);
    member->asking = redis_eval(member->redis, &eval);
    if (!member->asking)
        loop_timer_start(&member->timer, BEAT_MS);
}

static void on_beat_time(struct loop_timer *timer, void *owner)
{
    struct member *member = owner;

    (void)timer;
    if (!member->leaving)
        member_beat(member);
    else if (member->on_left != NULL)
        member->on_left(member->owner); /* Redis does not answer: the lock runs out */
}

void member_start(struct member *member, struct loop *loop, struct redis *redis,
                  const struct keys *keys, const char *base, const char *name)
{
    assert(member->on_held != NULL && member->on_lost != NULL);
    assert(strlen(base) < sizeof member->base);
    member->redis = redis;
    member->keys = keys;
    member->held = member->asking = member->leaving = false;
    fmt_into(member->base, sizeof member->base, "%s", base);
    member->number = name == NULL ? 1 : 0;
    if (name != NULL)
        fmt_into(member->name, sizeof member->name, "%s", name);
    try_name(member);
    process_here(&member->place);
    member->heir_of[0] = '\0';
    rng_id(member->nonce, MEMBER_NONCE_LETTERS);
    loop_timer_init(&member->timer, loop, on_beat_time, member);
    loop_timer_start(&member->timer, 0);
}

void member_beat(struct member *member)
{
    if (!member->asking && !member->leaving)
        send_beat(member);
}

static void on_left(void *owner, const struct redis_answer *answer)
{
    struct member *member = owner;

    if (answer->outcome != REDIS_CANCELLED && member->on_left != NULL)
        member->on_left(member->owner);
}

void member_leave(struct member *member)
{
    char lock[KEY_SIZE];
    char hash[KEY_SIZE];
    char zset[KEY_SIZE];
    char lock_id[MEMBER_NAME_SIZE + 8];
    struct str argv[5];
    struct redis_eval eval = {.script = script_get(SCRIPT_LEAVE),
                              .keys = 3,
                              .argc = 5,
                              .argv = argv,
                              .on_answer = on_left,
                              .owner = member};

    member->leaving = true;
    loop_timer_start(&member->timer, LEAVE_MS);
    fmt_into(lock_id, sizeof lock_id, "%s:lock", member->name);
    argv[0] = key_make(member->keys, "member", lock_id, lock);
    argv[1] = key_make(member->keys, "member", member->name, hash);
    argv[2] = key_make(member->keys, "members", NULL, zset);
    argv[3] = str_of(member->name);
    argv[4] = str_of(member->nonce);
    if ((!redis_ready(member->redis) || !redis_eval(member->redis, &eval))
        && member->on_left != NULL)
        member->on_left(member->owner);
}

void member_done(struct member *member)
{
    loop_timer_stop(&member->timer);
}
