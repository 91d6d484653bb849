/* loop.h - the one event loop of a process, over libev.
 *
 * Timers, descriptors, signals and hooks are members of their owner's struct; the
 * storage for libev's watchers is inside them, so nothing is allocated and ev.h stays
 * in loop.c. A callback gets its watcher and the owner pointer given at init.
 *
 * Rules: no callback blocks; nobody frees itself in its own callback, but marks itself
 * and is swept by a loop_hook, which runs once before each wait.
 */
#ifndef PARLEY_LOOP_H
#define PARLEY_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop; /* opaque */

/* Never NULL. The process ignores SIGPIPE from now on. */
struct loop *loop_new(void);
/* All watchers must have been stopped. NULL is fine. */
void loop_free(struct loop *loop);
/* Runs until loop_stop, or until nothing is left to wait for: a running timer, a
 * watched descriptor or signal. Hooks do not count. */
void loop_run(struct loop *loop);
/* Ends the loop_run that is going on, after the callbacks of this turn and without
 * running the hooks again; without effect on a later loop_run. */
void loop_stop(struct loop *loop);

enum { LOOP_STORE = 10 }; /* in pointers; loop.c asserts that it is enough */

struct loop_timer {
    void *store[LOOP_STORE];
    struct loop *loop;
    void (*on_fire)(struct loop_timer *timer, void *owner);
    void *owner;
};
void loop_timer_init(struct loop_timer *timer, struct loop *loop,
                     void (*on_fire)(struct loop_timer *timer, void *owner),
                     void *owner);
/* Fires once, after_ms from now (0: at the next turn of the loop); set anew if running.
 */
void loop_timer_start(struct loop_timer *timer, int64_t after_ms);
void loop_timer_start_us(struct loop_timer *timer, int64_t after_us);
void loop_timer_stop(struct loop_timer *timer); /* fine when not running */
bool loop_timer_running(const struct loop_timer *timer);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_io {
    void *store[LOOP_STORE];
    struct loop *loop;
    void (*on_ready)(struct loop_io *io, int events, void *owner);
    void *owner;
    int fd;
};
void loop_io_init(struct loop_io *io, struct loop *loop,
                  void (*on_ready)(struct loop_io *io, int events, void *owner),
                  void *owner);
/* Watches fd for these events from now on; 0 watches nothing. Stop it before the
 * descriptor is closed: its number may come back as another one's. */
void loop_io_watch(struct loop_io *io, int fd, int events);
void loop_io_stop(struct loop_io *io); /* fine when not watching */

struct loop_signal {
    void *store[LOOP_STORE];
    struct loop *loop;
    void (*on_signal)(struct loop_signal *signal, int number, void *owner);
    void *owner;
};
void loop_signal_start(struct loop_signal *signal, struct loop *loop, int number,
                       void (*on_signal)(struct loop_signal *, int number, void *owner),
                       void *owner);
void loop_signal_stop(struct loop_signal *signal);

/* Called once before each wait, after all callbacks of a turn: the place for batched
 * work and for sweeping what is closing. */
struct loop_hook {
    void *store[LOOP_STORE];
    struct loop *loop;
    void (*on_turn)(struct loop_hook *hook, void *owner);
    void *owner;
};
void loop_hook_start(struct loop_hook *hook, struct loop *loop,
                     void (*on_turn)(struct loop_hook *hook, void *owner), void *owner);
/* As loop_hook_start, but run after all hooks of the other kind: for writers, which
 * send what the others left with them. Such a hook must call nobody's callback. */
void loop_hook_start_last(struct loop_hook *hook, struct loop *loop,
                          void (*on_turn)(struct loop_hook *hook, void *owner),
                          void *owner);
void loop_hook_stop(struct loop_hook *hook); /* fine when not started */

#endif
