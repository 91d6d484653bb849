/* loop.c - the event loop, over libev.
 *
 * A loop of our own instead of libev's default one: that would reap every child of the
 * process, and the program that starts children wants to do so itself. Nothing here
 * reads the environment. A watcher of libev lives in the store of ours, which is its
 * first member: libev's callback pointer therefore is ours too. Our own reads and
 * writes of that store go through memcpy, since its declared type is another one.
 *
 * Flow of a turn: hooks -> hooks started as last -> wait -> callbacks of what is ready
 * and of timers that are due -> next turn.
 */
#include "net/loop.h"

#include <assert.h>
#include <ev.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { SIGNALS = 65 }; /* their numbers are below */

struct loop {
    struct ev_loop *ev;          /* owned */
    struct ev_timer second_look; /* runs once a signal is watched */
    sig_atomic_t told[SIGNALS];  /* what of signals_seen the watchers know */
};

/* How often each signal came, wrapping around. Of the process, as signals are. */
static volatile sig_atomic_t signals_seen[SIGNALS];

/* libev hears of signals through a descriptor of its own. Where the kernel once refuses
 * to watch it (ENOMEM) it is deaf from then on, and would wait for ever for the end of
 * a child. So what came is counted here too, and what was not told is told late. */
enum { SECOND_LOOK_S = 1 };

static void on_any_signal(int number)
{
    signals_seen[number] =
        signals_seen[number] == SIG_ATOMIC_MAX ? 0 : signals_seen[number] + 1;
    ev_feed_signal(number);
}

static void on_second_look(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    struct loop *loop = timer->data;

    (void)events;
    for (int i = 1; i < SIGNALS; i++)
        if (loop->told[i] != signals_seen[i])
            ev_feed_signal_event(ev, i);
}

#define STORE_FITS(ours, theirs)                                                      \
    _Static_assert(sizeof(theirs) <= LOOP_STORE * sizeof(void *), "store too small"); \
    _Static_assert(_Alignof(theirs) <= _Alignof(ours), "store not aligned");          \
    _Static_assert(offsetof(ours, store) == 0, "store must come first")

STORE_FITS(struct loop_timer, struct ev_timer);
STORE_FITS(struct loop_io, struct ev_io);
STORE_FITS(struct loop_signal, struct ev_signal);
STORE_FITS(struct loop_hook, struct ev_prepare);
_Static_assert((int)LOOP_READ == (int)EV_READ && (int)LOOP_WRITE == (int)EV_WRITE,
               "event bits are handed through");

/* libev's way to ask for memory, and to give it back. */
static void *loop_realloc(void *old, long bytes)
{
    if (bytes > 0)
        return x_realloc(old, (size_t)bytes);
    free(old);
    return NULL;
}

struct loop *loop_new(void)
{
    struct loop *loop = x_calloc(1, sizeof(*loop));
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    /* A peer that is gone is told by EPIPE at the write, not by the end of us. */
    sigaction(SIGPIPE, &ignore, NULL);
    /* Left to itself libev aborts: without memory, and where the kernel refuses what it
     * cannot do without. */
    ev_set_allocator(loop_realloc);
    ev_set_syserr_cb(x_exhausted);
    loop->ev = ev_loop_new(EVFLAG_NOENV);
    /* Without descriptors it falls back to poll. */
    if (!loop->ev)
        x_exhausted("no event loop: out of memory or descriptors");
    ev_timer_init(&loop->second_look, on_second_look, 0, SECOND_LOOK_S);
    loop->second_look.data = loop;
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    ev_loop_destroy(loop->ev);
    free(loop);
}

void loop_run(struct loop *loop)
{
    ev_run(loop->ev, 0);
}

void loop_stop(struct loop *loop)
{
    ev_break(loop->ev, EVBREAK_ALL);
}

/* ---- timers ---- */

static struct ev_timer *timer_watcher(struct loop_timer *timer)
{
    return (struct ev_timer *)(void *)timer->store;
}

static void on_timer(struct ev_loop *ev, struct ev_timer *watcher, int events)
{
    struct loop_timer *timer = (struct loop_timer *)(void *)watcher;

    (void)ev;
    (void)events;
    timer->on_fire(timer, timer->owner);
}

void loop_timer_init(struct loop_timer *timer, struct loop *loop,
                     void (*on_fire)(struct loop_timer *timer, void *owner),
                     void *owner)
{
    struct ev_timer fresh = {0};

    assert(loop && on_fire);
    ev_timer_init(&fresh, on_timer, 0., 0.);
    memset(timer, 0, sizeof(*timer));
    memcpy(timer->store, &fresh, sizeof(fresh));
    timer->loop = loop;
    timer->on_fire = on_fire;
    timer->owner = owner;
}

void loop_timer_start(struct loop_timer *timer, int64_t after_ms)
{
    assert(after_ms <= INT64_MAX / 1000);
    loop_timer_start_us(timer, after_ms * 1000);
}

void loop_timer_start_us(struct loop_timer *timer, int64_t after_us)
{
    struct ev_timer set;

    loop_timer_stop(timer);
    /* libev counts from the time it last looked at, which is early after a long
     * callback; it rounds waits up to the kernel's millisecond by itself. */
    ev_now_update(timer->loop->ev);
    memcpy(&set, timer->store, sizeof(set));
    ev_timer_set(&set, after_us > 0 ? (double)after_us * 1e-6 : 0., 0.);
    memcpy(timer->store, &set, sizeof(set));
    ev_timer_start(timer->loop->ev, timer_watcher(timer));
}

void loop_timer_stop(struct loop_timer *timer)
{
    if (timer->loop)
        ev_timer_stop(timer->loop->ev, timer_watcher(timer));
}

bool loop_timer_running(const struct loop_timer *timer)
{
    struct ev_timer now;

    memcpy(&now, timer->store, sizeof(now));
    return ev_is_active(&now) || ev_is_pending(&now);
}

/* ---- descriptors ---- */

static struct ev_io *io_watcher(struct loop_io *io)
{
    return (struct ev_io *)(void *)io->store;
}

static void on_io(struct ev_loop *ev, struct ev_io *watcher, int events)
{
    struct loop_io *io = (struct loop_io *)(void *)watcher;

    (void)ev;
    /* A descriptor that is not one comes as EV_ERROR: let the owner's read or write
     * find out why. */
    if (events & EV_ERROR)
        events |= EV_READ | EV_WRITE;
    io->on_ready(io, events & (EV_READ | EV_WRITE), io->owner);
}

void loop_io_init(struct loop_io *io, struct loop *loop,
                  void (*on_ready)(struct loop_io *io, int events, void *owner),
                  void *owner)
{
    struct ev_io fresh = {0};

    assert(loop && on_ready);
    ev_io_init(&fresh, on_io, -1, 0);
    memset(io, 0, sizeof(*io));
    memcpy(io->store, &fresh, sizeof(fresh));
    io->loop = loop;
    io->on_ready = on_ready;
    io->owner = owner;
    io->fd = -1;
}

void loop_io_watch(struct loop_io *io, int fd, int events)
{
    struct ev_io set;

    assert(!(events & ~(LOOP_READ | LOOP_WRITE)));
    if (events == 0) {
        loop_io_stop(io);
        return;
    }
    assert(fd >= 0);
    memcpy(&set, io->store, sizeof(set));
    if (ev_is_active(&set) && set.fd == fd
        && (set.events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(io->loop->ev, io_watcher(io));
    memcpy(&set, io->store, sizeof(set));
    ev_io_set(&set, fd, events);
    memcpy(io->store, &set, sizeof(set));
    io->fd = fd;
    ev_io_start(io->loop->ev, io_watcher(io));
}

void loop_io_stop(struct loop_io *io)
{
    if (!io->loop)
        return;
    ev_io_stop(io->loop->ev, io_watcher(io));
    io->fd = -1;
}

/* ---- signals ---- */

static void on_ev_signal(struct ev_loop *ev, struct ev_signal *watcher, int events)
{
    struct loop_signal *signal = (struct loop_signal *)(void *)watcher;

    (void)ev;
    (void)events;
    signal->loop->told[watcher->signum] = signals_seen[watcher->signum];
    signal->on_signal(signal, watcher->signum, signal->owner);
}

void loop_signal_start(struct loop_signal *signal, struct loop *loop, int number,
                       void (*on_signal)(struct loop_signal *, int number, void *owner),
                       void *owner)
{
    struct ev_signal fresh = {0};
    struct sigaction count = {.sa_handler = on_any_signal, .sa_flags = SA_RESTART};

    assert(loop && on_signal && number < SIGNALS);
    ev_signal_init(&fresh, on_ev_signal, number);
    memset(signal, 0, sizeof(*signal));
    memcpy(signal->store, &fresh, sizeof(fresh));
    signal->loop = loop;
    signal->on_signal = on_signal;
    signal->owner = owner;
    loop->told[number] = signals_seen[number];
    ev_signal_start(loop->ev, (struct ev_signal *)(void *)signal->store);
    sigfillset(&count.sa_mask);
    sigaction(number, &count, NULL); /* in place of libev's, which only feeds it */
    if (!ev_is_active(&loop->second_look)) {
        ev_timer_again(loop->ev, &loop->second_look);
        ev_unref(loop->ev); /* nothing to wait for */
    }
}

void loop_signal_stop(struct loop_signal *signal)
{
    if (signal->loop)
        ev_signal_stop(signal->loop->ev, (struct ev_signal *)(void *)signal->store);
}

/* ---- hooks ---- */

static void on_prepare(struct ev_loop *ev, struct ev_prepare *watcher, int events)
{
    struct loop_hook *hook = (struct loop_hook *)(void *)watcher;

    (void)ev;
    (void)events;
    hook->on_turn(hook, hook->owner);
}

static void hook_start(struct loop_hook *hook, struct loop *loop, int priority)
{
    struct ev_prepare fresh = {0};

    ev_prepare_init(&fresh, on_prepare);
    ev_set_priority(&fresh, priority);
    memcpy(hook->store, &fresh, sizeof(fresh));
    hook->loop = loop;
    ev_prepare_start(loop->ev, (struct ev_prepare *)(void *)hook->store);
    /* A hook alone is nothing to wait for. */
    ev_unref(loop->ev);
}

void loop_hook_start(struct loop_hook *hook, struct loop *loop,
                     void (*on_turn)(struct loop_hook *hook, void *owner), void *owner)
{
    assert(loop && on_turn);
    memset(hook, 0, sizeof(*hook));
    hook->on_turn = on_turn;
    hook->owner = owner;
    hook_start(hook, loop, 0);
}

void loop_hook_start_last(struct loop_hook *hook, struct loop *loop,
                          void (*on_turn)(struct loop_hook *hook, void *owner),
                          void *owner)
{
    assert(loop && on_turn);
    memset(hook, 0, sizeof(*hook));
    hook->on_turn = on_turn;
    hook->owner = owner;
    hook_start(hook, loop, EV_MINPRI);
}

void loop_hook_stop(struct loop_hook *hook)
{
    if (!hook->loop)
        return;
    ev_ref(hook->loop->ev);
    ev_prepare_stop(hook->loop->ev, (struct ev_prepare *)(void *)hook->store);
    hook->loop = NULL;
}
