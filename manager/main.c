/* main.c - parley-manager: stories, turn order, timing. */
#include "manager/manager.h"
#include "net/program.h"

static int run(const struct config_loaded *loaded, char **words, struct err *err)
{
    struct manager manager;

    (void)words;
    return manager_run(&manager, loaded, err);
}

int main(int argc, char **argv)
{
    static const struct program program = {
        {FOR_MANAGER, "parley manager", "[options]",
         "Leads a shard: has stories written, asks for turn after turn, ends what is "
         "over.\n"
         "Several may run: one leads, the others stand by and take over within "
         "seconds.\n"
         "\n"
         "  parley manager --redis redis://queue-host --ollama http://gpu-host:11434\n"
         "\n"
         "SIGTERM gives the leadership back and ends."},
        false,
        run};

    return program_main(&program, argc - 1, argv + 1);
}
