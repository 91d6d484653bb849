/* main.c - parley-simulator: a model server without a model. */
#include "base/rng.h"
#include "net/program.h"
#include "simulator/sim.h"

static int run(const struct config_loaded *loaded, char **words, struct err *err)
{
    const struct config *config = &loaded->values;
    struct sim_options options = {
        .listen = config->listen,
        .tokens_per_second = config->tokens_per_second,
        .first_token_ms = config->sim_first_token_ms,
        .jitter = config->jitter,
        .parallel = config->parallel,
        .reply_min = (size_t)config->reply_tokens.low,
        .reply_max = (size_t)config->reply_tokens.high,
        .seed = config->seed == OPT_NONE ? rng_from_system() : (uint64_t)config->seed,
        .models = config->sim_models,
    };

    (void)words;
    return sim_run(&options, err) ? 0 : err_exit_status(err);
}

int main(int argc, char **argv)
{
    static const struct program program = {
        {FOR_SIMULATE, "parley simulate", "[--listen HOST:PORT] [options]",
         "A server that speaks Ollama's API without a model: for demos, tests and "
         "measuring.\nIt plays the persona of the prompt, fills JSON schemas, and "
         "takes "
         "as much time as\na model would. Prints \"listening on URL\" when it is "
         "ready.\n"
         "\n"
         "  parley simulate\n"
         "  parley simulate --listen 127.0.0.1:0 --tokens-per-second 0 "
         "--first-token-ms 0\n"
         "  parley simulate --parallel 2 --reply-tokens 100..100 --seed 7\n"
         "\n"
         "SIGTERM and SIGINT end it with status 0."},
        false,
        run};

    return program_main(&program, argc - 1, argv + 1);
}
