/* watch.c - see watch.h. */
#include "analyzer/watch.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "analyzer/where.h"

enum { MS_PER_S = 1000, NS_PER_MS = 1000000 };

static sigset_t interrupts(void)
{
    sigset_t set;

    (void)sigemptyset(&set); /* none of the three fails as it is called */
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    return set;
}

bool watch_begin(struct watch *watch, const struct where *where, struct err *err)
{
    struct stat found;
    sigset_t caught = interrupts();

    *watch = (struct watch){.where = where, .growing = {.path = where->path}};
    if (where->path != NULL && stat(where->path, &found) == 0 && !S_ISDIR(found.st_mode)
        && !S_ISREG(found.st_mode))
        return err_set(err, ERR_USAGE, "--watch: a pipe is read once, at its end");
    (void)sigprocmask(SIG_BLOCK, &caught, NULL); /* until we wait: no step is cut */
    return true;
}

void watch_done(struct watch *watch)
{
    source_growing_done(&watch->growing);
    source_marks_done(&watch->marks);
}

static bool step_redis(struct watch *watch, struct tally *tally, struct notes *notes,
                       struct err *err)
{
    struct source_redis source = {.target = &watch->where->redis,
                                  .keys = &watch->where->keys,
                                  .conversation = watch->where->conversation,
                                  .marks = &watch->marks};

    if (!source_redis_read(&source, tally, notes, err))
        return false;
    watch->over = watch->marks.all_ended;
    return true;
}

bool watch_step(struct watch *watch, struct tally *tally, struct notes *notes,
                struct err *err)
{
    bool lives;

    if (watch->where->path == NULL)
        return step_redis(watch, tally, notes, err);
    if (!source_growing_read(&watch->growing, tally, false, notes, err))
        return false;
    lives = source_growing_lives(&watch->growing);
    if (lives)
        return true;
    watch->over = true; /* asked first: what was written before is read now */
    return source_growing_read(&watch->growing, tally, true, notes, err);
}

bool watch_wait(int64_t wait_ms)
{
    struct timespec wait = {.tv_sec = (time_t)(wait_ms / MS_PER_S),
                            .tv_nsec = (long)(wait_ms % MS_PER_S * NS_PER_MS)};
    sigset_t caught = interrupts();

    return sigtimedwait(&caught, NULL, &wait) < 0;
}
