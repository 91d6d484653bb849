/* main.c - parley-simulator: a model server without a model. */
#include <stdlib.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/version.h"
#include "net/program.h"
#include "simulator/sim.h"

enum { SEED_BOUND = 1000000 }; /* easy to type again */

static int run(const struct config_loaded *loaded, char **words, struct err *err)
{
    const struct config *config = &loaded->values;
    uint64_t seed =
        config->seed >= 0 ? (uint64_t)config->seed : rng_from_system() % SEED_BOUND;
    const char *key = getenv("PARLEY_SIM_KEY"); /* a secret is no flag */
    const struct sim_options options = {
        .listen = config->listen,
        .tokens_per_second = config->tokens_per_second,
        .first_token_ms = config->sim_first_token_ms,
        .jitter = config->jitter,
        .parallel = config->parallel,
        .reply_min = (size_t)config->reply_tokens.low,
        .reply_max = (size_t)config->reply_tokens.high,
        .seed = seed,
        .vary = config->sim_vary,
        .models = config->sim_models,
        .faults = config->sim_faults,
        .ledger = config->sim_ledger,
        .ledger_bodies = config->sim_ledger_bodies,
        .flavor = config->sim_flavor,
        .key = key && key[0] ? key : NULL,
    };

    (void)words;
    log_set_name("simulator");
    log_info("simulator", "start version=%s seed=%llu", version_number(),
             (unsigned long long)seed);
    return sim_run(&options, err) ? 0 : err_exit_status(err);
}

int main(int argc, char **argv)
{
    static const struct program program = {
        {FOR_SIMULATE, "parley simulate", "[options]",
         "Serves Ollama's API and OpenAI's chat completions without a model: readable\n"
         "dialogue, stories and any JSON that a schema asks for, at the pace you "
         "choose,\n"
         "the same again for the same --seed. What is to go wrong is asked for\n"
         "(docs/simulator.md); with PARLEY_SIM_KEY set, only those with that key are\n"
         "answered.\n"
         "\n"
         "  parley simulate --tokens-per-second 20 --first-token-ms 400\n"
         "  parley simulate --listen 127.0.0.1:0     prints the port it took\n"
         "  parley simulate --flavor vllm --faults cut@0.1,status=503@0.05\n"
         "\n"
         "SIGTERM and SIGINT end it."},
        false,
        run};

    return program_main(&program, argc - 1, argv + 1);
}
