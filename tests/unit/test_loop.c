/* test_loop.c - timers, descriptors, signals and hooks of the loop.
 *
 * Each case has a loop of its own with a guard timer, so that a wait for something
 * that does not come fails instead of lasting for ever.
 */
/* cmocka.h wants the four before it, in whatever order. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"

enum { GUARD_MS = 5000, ORDER_MAX = 64 };

struct bench {
    struct loop *loop;
    struct loop_timer guard;
    bool late; /* the guard fired */
    char order[ORDER_MAX];
    unsigned count;
    int64_t at_us; /* when the last event came */
};

static void note(struct bench *b, char what)
{
    assert_true(b->count < ORDER_MAX - 1);
    b->order[b->count++] = what;
    b->at_us = clock_mono_us();
}

static void on_guard(struct loop_timer *timer, void *owner)
{
    struct bench *b = owner;

    (void)timer;
    b->late = true;
    loop_stop(b->loop);
}

static void bench_open(struct bench *b)
{
    *b = (struct bench){.loop = loop_new()};
    loop_timer_init(&b->guard, b->loop, on_guard, b);
    loop_timer_start(&b->guard, GUARD_MS);
}

static void bench_close(struct bench *b)
{
    assert_false(b->late);
    loop_timer_stop(&b->guard);
    loop_free(b->loop);
}

/* ---- timers ---- */

static void on_a(struct loop_timer *timer, void *owner)
{
    (void)timer;
    note(owner, 'a');
}

static void on_b(struct loop_timer *timer, void *owner)
{
    (void)timer;
    note(owner, 'b');
}

static void on_stop(struct loop_timer *timer, void *owner)
{
    struct bench *b = owner;

    (void)timer;
    note(b, '.');
    loop_stop(b->loop);
}

static void timers_fire_in_the_order_of_their_waits(void **state)
{
    struct bench b;
    struct loop_timer one, two, end;

    (void)state;
    bench_open(&b);
    loop_timer_init(&one, b.loop, on_a, &b);
    loop_timer_init(&two, b.loop, on_b, &b);
    loop_timer_init(&end, b.loop, on_stop, &b);
    loop_timer_start(&end, 20);
    loop_timer_start(&two, 8);
    loop_timer_start(&one, 2);
    loop_run(b.loop);
    assert_string_equal(b.order, "ab.");
    assert_false(loop_timer_running(&one));
    bench_close(&b);
}

static void a_timer_is_never_early(void **state)
{
    static const int64_t waits_us[] = {0, 1, 700, 1000, 1500, 3000, 10000};
    struct bench b;

    (void)state;
    bench_open(&b);
    for (size_t i = 0; i < sizeof(waits_us) / sizeof(waits_us[0]); i++) {
        struct loop_timer end;
        int64_t from_us = clock_mono_us();

        loop_timer_init(&end, b.loop, on_stop, &b);
        loop_timer_start_us(&end, waits_us[i]);
        loop_run(b.loop);
        assert_true(b.at_us - from_us >= waits_us[i]);
    }
    bench_close(&b);
}

static void a_wait_counts_from_the_call_not_from_the_start_of_the_turn(void **state)
{
    struct bench b;
    struct loop_timer end;
    struct timespec pause = {.tv_nsec = 30000000};
    int64_t from_us;

    (void)state;
    bench_open(&b);
    loop_timer_init(&end, b.loop, on_stop, &b);
    nanosleep(&pause, NULL); /* a long callback, as far as the loop can see */
    from_us = clock_mono_us();
    loop_timer_start(&end, 10);
    loop_run(b.loop);
    assert_true(b.at_us - from_us >= 10000);
    bench_close(&b);
}

static void a_timer_started_again_fires_once_and_a_stopped_one_never(void **state)
{
    struct bench b;
    struct loop_timer again, stopped, end;

    (void)state;
    bench_open(&b);
    loop_timer_init(&again, b.loop, on_a, &b);
    loop_timer_init(&stopped, b.loop, on_b, &b);
    loop_timer_init(&end, b.loop, on_stop, &b);
    loop_timer_start(&again, 1);
    loop_timer_start(&again, 5);
    loop_timer_start(&stopped, 1);
    assert_true(loop_timer_running(&stopped));
    loop_timer_stop(&stopped);
    loop_timer_stop(&stopped);
    assert_false(loop_timer_running(&stopped));
    loop_timer_start(&end, 15);
    loop_run(b.loop);
    assert_string_equal(b.order, "a.");
    bench_close(&b);
}

static void the_loop_ends_when_nothing_is_left_to_wait_for(void **state)
{
    struct bench b;
    struct loop_timer one;

    (void)state;
    bench_open(&b);
    loop_timer_stop(&b.guard);
    loop_timer_init(&one, b.loop, on_a, &b);
    loop_timer_start(&one, 1);
    loop_run(b.loop);
    assert_string_equal(b.order, "a");
    bench_close(&b);
}

/* ---- descriptors ---- */

struct pipe_bench {
    struct bench b;
    struct loop_io io;
    int fds[2];
};

static void on_readable(struct loop_io *io, int events, void *owner)
{
    struct pipe_bench *p = owner;
    char byte;

    assert_int_equal(events, LOOP_READ);
    assert_int_equal(read(io->fd, &byte, 1), 1);
    note(&p->b, byte);
    loop_stop(p->b.loop);
}

static void on_writable(struct loop_io *io, int events, void *owner)
{
    struct pipe_bench *p = owner;

    assert_int_equal(events, LOOP_WRITE);
    note(&p->b, 'w');
    loop_io_watch(io, io->fd, 0);
    loop_stop(p->b.loop);
}

static void a_descriptor_is_told_when_it_can_be_read(void **state)
{
    struct pipe_bench p;

    (void)state;
    bench_open(&p.b);
    assert_int_equal(pipe(p.fds), 0);
    loop_io_init(&p.io, p.b.loop, on_readable, &p);
    loop_io_watch(&p.io, p.fds[0], LOOP_READ);
    assert_int_equal(write(p.fds[1], "xy", 2), 2);
    loop_run(p.b.loop);
    loop_io_watch(&p.io, p.fds[0], LOOP_READ); /* the same again changes nothing */
    loop_run(p.b.loop);
    assert_string_equal(p.b.order, "xy");
    loop_io_stop(&p.io);
    loop_io_stop(&p.io);
    assert_int_equal(p.io.fd, -1);
    close(p.fds[0]);
    close(p.fds[1]);
    bench_close(&p.b);
}

static void a_descriptor_number_that_comes_back_is_watched_anew(void **state)
{
    struct pipe_bench p;
    int old;

    (void)state;
    bench_open(&p.b);
    assert_int_equal(pipe(p.fds), 0);
    old = p.fds[0];
    loop_io_init(&p.io, p.b.loop, on_readable, &p);
    loop_io_watch(&p.io, p.fds[0], LOOP_READ);
    assert_int_equal(write(p.fds[1], "1", 1), 1);
    loop_run(p.b.loop);
    loop_io_stop(&p.io);
    close(p.fds[0]);
    close(p.fds[1]);
    assert_int_equal(pipe(p.fds), 0);
    assert_int_equal(p.fds[0], old);
    loop_io_watch(&p.io, p.fds[0], LOOP_READ);
    assert_int_equal(write(p.fds[1], "2", 1), 1);
    loop_run(p.b.loop);
    assert_string_equal(p.b.order, "12");
    loop_io_stop(&p.io);
    close(p.fds[0]);
    close(p.fds[1]);
    bench_close(&p.b);
}

static void watching_no_event_stops_the_watching(void **state)
{
    struct pipe_bench p;

    (void)state;
    bench_open(&p.b);
    assert_int_equal(pipe(p.fds), 0);
    loop_io_init(&p.io, p.b.loop, on_writable, &p);
    loop_io_watch(&p.io, p.fds[1], LOOP_WRITE);
    loop_run(p.b.loop);
    loop_timer_stop(&p.b.guard);
    loop_run(p.b.loop); /* nothing is left */
    assert_string_equal(p.b.order, "w");
    close(p.fds[0]);
    close(p.fds[1]);
    bench_close(&p.b);
}

/* ---- signals ---- */

static void on_signal(struct loop_signal *signal, int number, void *owner)
{
    struct bench *b = owner;

    (void)signal;
    assert_int_equal(number, SIGUSR1);
    note(b, 's');
    loop_stop(b->loop);
}

static void a_signal_arrives_in_the_loop(void **state)
{
    struct bench b;
    struct loop_signal usr1;

    (void)state;
    bench_open(&b);
    loop_signal_start(&usr1, b.loop, SIGUSR1, on_signal, &b);
    assert_int_equal(raise(SIGUSR1), 0);
    loop_run(b.loop);
    assert_string_equal(b.order, "s");
    loop_signal_stop(&usr1);
    bench_close(&b);
}

static void children_are_left_to_the_program(void **state)
{
    struct bench b;
    struct loop_timer end;
    pid_t child;
    int status;

    (void)state;
    bench_open(&b);
    child = fork();
    if (child == 0)
        _exit(7);
    loop_timer_init(&end, b.loop, on_stop, &b);
    loop_timer_start(&end, 20);
    loop_run(b.loop);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    bench_close(&b);
}

static void a_write_to_nobody_does_not_kill(void **state)
{
    struct bench b;
    int fds[2];

    (void)state;
    bench_open(&b);
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    assert_int_equal(write(fds[1], "x", 1), -1);
    close(fds[1]);
    bench_close(&b);
}

/* ---- hooks ---- */

static void on_hook(struct loop_hook *hook, void *owner)
{
    (void)hook;
    note(owner, 'h');
}

static void on_last_hook(struct loop_hook *hook, void *owner)
{
    (void)hook;
    note(owner, 'l');
}

static void hooks_run_once_a_turn_and_the_last_ones_last(void **state)
{
    struct bench b;
    struct loop_hook last, first, second;
    struct loop_timer one, end;

    (void)state;
    bench_open(&b);
    loop_hook_start(&first, b.loop, on_hook, &b);
    loop_hook_start_last(&last, b.loop, on_last_hook, &b);
    loop_hook_start(&second, b.loop, on_hook, &b);
    loop_timer_init(&one, b.loop, on_a, &b);
    loop_timer_init(&end, b.loop, on_stop, &b);
    loop_timer_start(&one, 1);
    /* Not in one turn with the other, however slow the machine is. */
    loop_timer_start(&end, 100);
    loop_run(b.loop);
    assert_string_equal(b.order, "hhlahhl.");
    loop_hook_stop(&first);
    loop_hook_stop(&second);
    loop_hook_stop(&second);
    loop_hook_stop(&last);
    bench_close(&b);
}

static void hooks_alone_do_not_keep_the_loop_running(void **state)
{
    struct bench b;
    struct loop_hook hook;

    (void)state;
    bench_open(&b);
    loop_timer_stop(&b.guard);
    loop_hook_start(&hook, b.loop, on_hook, &b);
    loop_run(b.loop);
    loop_hook_stop(&hook);
    bench_close(&b);
}

struct flush {
    struct bench b;
    struct loop_timer timer;
};

static void on_flush(struct loop_hook *hook, void *owner)
{
    struct flush *f = owner;

    (void)hook;
    if (f->b.count == 0) {
        note(&f->b, 'h');
        loop_timer_start(&f->timer, 0);
    }
}

static void a_timer_started_by_a_hook_is_not_overslept(void **state)
{
    struct flush f;
    struct loop_hook hook;
    int64_t from_us = clock_mono_us();

    (void)state;
    bench_open(&f.b);
    loop_timer_init(&f.timer, f.b.loop, on_stop, &f.b);
    loop_hook_start_last(&hook, f.b.loop, on_flush, &f);
    loop_run(f.b.loop);
    assert_string_equal(f.b.order, "h.");
    assert_true(f.b.at_us - from_us < 1000000);
    loop_hook_stop(&hook);
    bench_close(&f.b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_the_order_of_their_waits),
        cmocka_unit_test(a_timer_is_never_early),
        cmocka_unit_test(a_wait_counts_from_the_call_not_from_the_start_of_the_turn),
        cmocka_unit_test(a_timer_started_again_fires_once_and_a_stopped_one_never),
        cmocka_unit_test(the_loop_ends_when_nothing_is_left_to_wait_for),
        cmocka_unit_test(a_descriptor_is_told_when_it_can_be_read),
        cmocka_unit_test(a_descriptor_number_that_comes_back_is_watched_anew),
        cmocka_unit_test(watching_no_event_stops_the_watching),
        cmocka_unit_test(a_signal_arrives_in_the_loop),
        cmocka_unit_test(children_are_left_to_the_program),
        cmocka_unit_test(a_write_to_nobody_does_not_kill),
        cmocka_unit_test(hooks_run_once_a_turn_and_the_last_ones_last),
        cmocka_unit_test(hooks_alone_do_not_keep_the_loop_running),
        cmocka_unit_test(a_timer_started_by_a_hook_is_not_overslept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
