/* main.c - parley-worker: drives one seat. */
#include "net/program.h"
#include "worker/worker.h"

static int run(const struct config_loaded *loaded, char **words, struct err *err)
{
    struct worker worker;

    (void)words;
    return worker_run(&worker, loaded, err);
}

int main(int argc, char **argv)
{
    static const struct program program = {
        {FOR_WORKER, "parley worker", "--seat N [options]",
         "Takes the turns of one seat from its queue, asks the model, streams the\n"
         "words and commits the reply. Several workers may serve a seat; each may "
         "make\n"
         "several turns at once (--concurrency).\n"
         "\n"
         "  parley worker --seat 1 --redis redis://queue-host\n"
         "  parley worker --seat 2 --ollama http://gpu-host:11434 --concurrency 4\n"
         "\n"
         "SIGTERM drains: turns end or go back to the queue within 5 s; twice: at\n"
         "once."},
        false,
        run};

    return program_main(&program, argc - 1, argv + 1);
}
