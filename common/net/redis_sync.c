/* redis_sync.c - see redis_sync.h. A wait is a loop_run that the answer, the timer or
 * somebody else's loop_stop (a signal) ends; what ended it is told apart afterwards.
 */
#include "net/redis_sync.h"

#include <stdlib.h>

#include "net/loop.h"
#include "net/redis_error.h"

enum { CALL_TIMEOUT_MS = 5000 };

struct wait {
    struct loop *loop;
    struct redis *redis;
    struct loop_timer timer;
    bool over;       /* it was us who stopped the loop */
    bool ready;      /* connected */
    struct err last; /* what was wrong at the last attempt to connect */
};

static void wait_end(struct wait *wait)
{
    wait->over = true;
    loop_stop(wait->loop);
}

static void on_late(struct loop_timer *timer, void *owner)
{
    (void)timer;
    wait_end(owner);
}

static void wait_run(struct wait *wait, int64_t timeout_ms)
{
    loop_timer_init(&wait->timer, wait->loop, on_late, wait);
    loop_timer_start(&wait->timer, timeout_ms);
    loop_run(wait->loop);
    loop_timer_stop(&wait->timer);
}

/* ---- connecting ---- */

static void on_ready(void *owner, bool restarted)
{
    struct wait *wait = owner;

    (void)restarted;
    wait->ready = true;
    wait_end(wait);
}

static void on_down(void *owner, const struct err *err)
{
    struct wait *wait = owner;

    wait->last = *err;
    if (redis_refused(wait->redis))
        wait_end(wait);
}

static bool not_connected(const struct wait *wait, const struct redis_target *target,
                          struct err *err)
{
    char *where;

    if (wait->over && wait->last.code != ERR_NONE)
        return err_set(err, wait->last.code, "%s", wait->last.msg);
    where = redis_target_text(target);
    err_set(err, ERR_REDIS, "%s: %s", where, wait->over ? "no answer" : "interrupted");
    free(where);
    return false;
}

bool redis_sync_connect(struct loop *loop, const struct redis_target *target,
                        int64_t timeout_ms, struct redis **ret_redis, struct err *err)
{
    struct wait wait = {.loop = loop};
    struct redis_options options = {.target = target,
                                    .connect_timeout_ms = timeout_ms,
                                    .on_ready = on_ready,
                                    .on_down = on_down,
                                    .owner = &wait};

    wait.redis = redis_new(loop, &options);
    wait_run(&wait, timeout_ms);
    if (!wait.ready) {
        redis_free(wait.redis);
        return not_connected(&wait, target, err);
    }
    redis_set_handlers(wait.redis, NULL, NULL, NULL);
    *ret_redis = wait.redis;
    return true;
}

/* ---- asking ---- */

struct question {
    struct wait wait;
    const struct redis_call *call; /* as the caller gave it */
    bool answered;
    bool ok;
    struct err *err;
};

static void on_answer(void *owner, const struct redis_answer *answer)
{
    struct question *question = owner;

    question->answered = true;
    question->ok = answer->outcome == REDIS_OK;
    if (answer->outcome == REDIS_REFUSED)
        redis_class_explain(redis_class_of(answer->value->text), answer->value->text,
                            question->err);
    else if (!question->ok)
        err_set(question->err, ERR_REDIS, "the connection was lost");
    if (question->call->on_answer)
        question->call->on_answer(question->call->owner, answer);
    wait_end(&question->wait);
}

bool redis_sync_call(struct loop *loop, struct redis *redis,
                     const struct redis_call *call, struct err *err)
{
    struct question question = {
        .wait = {.loop = loop, .redis = redis}, .call = call, .err = err};
    struct redis_call mine = *call;

    mine.on_answer = on_answer;
    mine.owner = &question;
    if (!redis_send(redis, &mine))
        return err_set(err, ERR_LIMIT, "too many calls wait for Redis");
    wait_run(&question.wait, call->timeout_ms > 0 ? call->timeout_ms : CALL_TIMEOUT_MS);
    if (question.answered)
        return question.ok;
    redis_forget(redis, &question);
    if (redis_refusal(redis))
        return err_set(err, ERR_REDIS, "%s", redis_refusal(redis));
    return err_set(err, ERR_REDIS, question.wait.over ? "no answer" : "interrupted");
}
