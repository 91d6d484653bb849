/* main.c - parley-simulator: a model server without a model. */
#include "net/program.h"
#include "simulator/sim.h"

static int run(const struct config_loaded *loaded, char **words, struct err *err)
{
    const struct config *config = &loaded->values;
    const struct sim_options options = {
        .listen = config->listen,
        .tokens_per_second = config->tokens_per_second,
        .first_token_ms = config->sim_first_token_ms,
        .jitter = config->jitter,
        .parallel = config->parallel,
        .reply_min = (size_t)config->reply_tokens.low,
        .reply_max = (size_t)config->reply_tokens.high,
        .seed = config->seed < 0 ? 0 : (uint64_t)config->seed,
        .models = config->sim_models,
    };

    (void)words;
    return sim_run(&options, err) ? 0 : err_exit_status(err);
}

int main(int argc, char **argv)
{
    static const struct program program = {
        {FOR_SIMULATE, "parley simulate", "[options]",
         "Serves Ollama's API without a model: readable dialogue, stories and any JSON "
         "that "
         "a\nschema asks for, at the pace you choose, the same again for the same "
         "--seed.\n"
         "\n"
         "  parley simulate --tokens-per-second 20 --first-token-ms 400\n"
         "  parley simulate --listen 127.0.0.1:0     prints the port it took\n"
         "\n"
         "SIGTERM and SIGINT end it."},
        false,
        run};

    return program_main(&program, argc - 1, argv + 1);
}
