/* run_simulator.c - the simulator of a run: started on a free port, which it tells. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/run.h"
#include "cli/wish_cast.h"

enum { SIMULATOR_READY_MS = 10000, NAMES_MAX_BYTES = 65536 };

struct listening {
    struct run *run;
    struct loop_io io;
    struct buf line;
    int fd;
};

static bool have_simulator(const struct run *run)
{
    return run->ollama_url != NULL || run->gave_up || !child_runs(run->simulator);
}

static void on_simulator_line(struct loop_io *io, int events, void *owner)
{
    static const char before[] = "listening on ";
    struct listening *listening = owner;
    char piece[256];
    ssize_t got = read(listening->fd, piece, sizeof piece);
    struct str rest;
    struct str line;

    (void)events;
    if (got <= 0 || !buf_add(&listening->line, piece, (size_t)got)) {
        loop_io_stop(io);
        loop_stop(listening->run->loop);
        return;
    }
    line = str_cut(buf_str(&listening->line), '\n', &rest);
    if (line.len == listening->line.len || !str_starts(line, before))
        return;
    line = str_make(line.at + sizeof before - 1, line.len - (sizeof before - 1));
    listening->run->ollama_url = x_memdup(line.at, line.len);
    loop_stop(listening->run->loop);
}

static bool await_simulator(struct run *run, int fd, struct err *err)
{
    struct listening listening = {.run = run, .fd = fd};
    bool ok;

    buf_init(&listening.line, 4096);
    loop_io_init(&listening.io, run->loop, on_simulator_line, &listening);
    loop_io_watch(&listening.io, fd, LOOP_READ);
    ok = run_until(run, have_simulator, SIMULATOR_READY_MS, 0)
         && run->ollama_url != NULL;
    loop_io_stop(&listening.io);
    buf_done(&listening.line);
    return ok
           || err_set(err, ERR_MODEL, "the simulator did not start (its log: %s)",
                      run->simulator->log_path);
}

/* It is to have whatever it will be asked for. */
static bool add_models(const struct run *run, struct word_list *words, struct err *err)
{
    const struct endpoint_list *all = &run->config->endpoints;
    /* The children know the built-in ones only. */
    const struct endpoint_list built_in = {.items = all->items + all->own,
                                           .count = all->count - all->own};
    struct buf names;
    struct cast cast;

    if (!wish_cast_make(&run->wish, &built_in, &cast, err))
        return false;
    buf_init(&names, NAMES_MAX_BYTES);
    if (run->wish.model.model != NULL)
        buf_add_text(&names, run->wish.model.model);
    for (size_t i = 0; i < cast.seat_count; i++)
        if (cast.seats[i].model.model != NULL)
            buf_printf(&names, "%s%s", names.len == 0 ? "" : ",",
                       cast.seats[i].model.model);
    if (names.len > 0)
        word_list_add(words, "--sim-models=%s", buf_text(&names));
    buf_done(&names);
    cast_done(&cast);
    return true;
}

bool run_start_simulator(struct run *run, struct err *err)
{
    struct word_list words = {0};
    char *path = NULL;
    char *log;
    int pipe_ends[2];
    bool ok;

    if (!sibling_path("simulator", &path, err))
        return false;
    word_list_add(&words, "%s", path);
    word_list_add(&words, "--listen=127.0.0.1:0");
    if (run->seed >= 0)
        word_list_add(&words, "--seed=%lld", (long long)run->seed);
    if (!add_models(run, &words, err)) {
        word_list_free(&words);
        free(path);
        return false;
    }
    word_list_add_options(&words, run->loaded, FOR_SIMULATE & ~(unsigned)FOR_RUN);
    free(path);
    log = folder_log(&run->folder, "simulator.log");
    run->simulator = children_add(&run->children, "simulator", words.words, log);
    free(log);
    if (pipe(pipe_ends) != 0)
        return err_sys(err, errno, "pipe");
    (void)fcntl(pipe_ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(pipe_ends[1], F_SETFD, FD_CLOEXEC); /* dup2 in the child clears it */
    run->simulator->stdout_fd = pipe_ends[1];
    ok = child_start(run->simulator, err);
    (void)close(pipe_ends[1]);
    run->simulator->stdout_fd = -1;
    ok = ok && await_simulator(run, pipe_ends[0], err);
    (void)close(pipe_ends[0]);
    return ok;
}
