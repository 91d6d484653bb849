/* run_parent.c - see run_parent.h. */
#include "run_parent.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

enum { LOOK_MS = 250, LINE_MAX_BYTES = 4096 };

bool run_parent_there(void)
{
    struct run_parent parent;
    bool there = run_parent_find(&parent);

    run_parent_done(&parent);
    return there;
}

bool run_parent_find(struct run_parent *parent)
{
    const char *text = getenv("PARLEY_RUN_NOTES");
    struct str path;
    int64_t pid = 0;

    *parent = (struct run_parent){.notes = -1};
    buf_init(&parent->line, LINE_MAX_BYTES);
    if (text == NULL
        || !str_to_i64(str_cut(str_of(text), ':', &path), 1, INT32_MAX, &pid)
        || pid != getppid())
        return false; /* somebody's variable, not our parent's */
    parent->pid = (pid_t)pid;
    parent->notes = open(path.at, O_RDONLY | O_CLOEXEC); /* -1: no notes, then */
    return true;
}

static void take_byte(struct run_parent *parent, char byte)
{
    if (byte != '\n') {
        (void)buf_add_char(&parent->line, byte); /* a line that long is cut */
        return;
    }
    if (parent->line.len > 0)
        parent->on_note(parent->owner, buf_text(&parent->line));
    buf_clear(&parent->line);
}

static void on_look(struct loop_timer *timer, void *owner)
{
    struct run_parent *parent = owner;
    char bytes[1024];
    ssize_t count = read(parent->notes, bytes, sizeof bytes);

    for (ssize_t i = 0; i < count; i++)
        take_byte(parent, bytes[i]);
    loop_timer_start(timer, count > 0 ? 0 : LOOK_MS);
}

static void on_ended(struct loop_signal *signal, int number, void *owner)
{
    struct run_parent *parent = owner;

    (void)signal;
    (void)number;
    parent->on_ended(parent->owner);
}

void run_parent_watch(struct run_parent *parent, struct loop *loop)
{
    if (parent->pid == 0)
        return;
    parent->watched = true;
    loop_timer_init(&parent->look, loop, on_look, parent);
    if (parent->notes >= 0)
        loop_timer_start(&parent->look, LOOK_MS);
    loop_signal_start(&parent->ended, loop, SIGUSR1, on_ended, parent);
}

void run_parent_interrupt(const struct run_parent *parent)
{
    if (getppid() == parent->pid) /* else it died, and its number may be another's */
        (void)kill(parent->pid, SIGINT); /* it may die just now: SIGTERM comes then */
}

void run_parent_done(struct run_parent *parent)
{
    if (parent->watched) {
        loop_timer_stop(&parent->look);
        loop_signal_stop(&parent->ended);
    }
    if (parent->notes >= 0)
        (void)close(parent->notes); /* only read */
    buf_done(&parent->line);
}
