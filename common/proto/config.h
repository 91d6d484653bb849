/* config.h - every option of every program, in one table and one struct.
 *
 * Values come from flags, then the environment, then the config file, then defaults;
 * each program takes the part of the table that bears its bit. Bad values stop the
 * start with ERR_USAGE: the place, the value, what is allowed.
 */
#ifndef PARLEY_CONFIG_H
#define PARLEY_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"
#include "proto/endpoint.h"

/* Who takes an option. */
enum config_command {
    FOR_RUN = 1,
    FOR_START = 2,
    FOR_MANAGER = 4,
    FOR_WORKER = 8,
    FOR_OBSERVE = 16,
    FOR_ANALYZE = 32,
    FOR_SIMULATE = 64,
    FOR_CHECK = 128,  /* check-config */
    FOR_CONTROL = 256 /* stop, pause, resume, list, status */
};

struct config {
    /* Redis */
    char *redis_url; /* owned, as all texts here; NULL: none given */
    char *redis_host;
    int64_t redis_port;
    int64_t redis_db;
    char *redis_password_file;
    char *prefix;
    char *shard; /* NULL: chosen by the command */
    /* the conversation */
    char *topic;
    char *story; /* a story file; NULL: a model writes one */
    int64_t personas;
    int64_t max_turns;   /* OPT_NONE: no limit */
    int64_t duration_ms; /* OPT_NONE: no limit */
    int64_t grace_ms;
    int64_t conversations;
    char *on_failure; /* "fail", "pass" */
    int64_t max_issues;
    /* the model */
    char *provider;
    char *models[OPT_SEATS + 1]; /* [0]: every seat's */
    char *ollama_url;            /* normalized: scheme, host, port */
    int64_t num_ctx;
    int64_t num_predict;
    double temperature;
    int64_t seed; /* OPT_NONE: drawn by the command that starts */
    char *keep_alive;
    int64_t connect_ms;
    int64_t first_token_ms;
    int64_t between_tokens_ms;
    int64_t total_ms;
    char *openai_url; /* with its path: "https://api.openai.com/v1" */
    char *options;    /* model.options: a JSON object, or NULL */
    char *think;
    bool structured;
    bool keep_thinking;
    struct endpoint_list endpoints; /* the config file's, then the built-in ones */
    /* who is asked, and how often: docs/routing.md */
    char *strategy; /* "first", "least-busy", "hybrid" */
    int64_t attempts;
    double retry_budget; /* extra calls, as a part of the first ones */
    int64_t give_up_ms;  /* OPT_NONE: wait until the conversation's end */
    char *hybrid;        /* "off", "on", "auto" */
    char *hybrid_seats;  /* "1,3": marked seats; NULL: none but the cast's */
    bool hybrid_opening;
    bool hybrid_closing;
    int64_t hybrid_every; /* every nth turn is marked; 0: none */
    double hybrid_complexity;
    double hybrid_error_rate;
    int64_t hybrid_latency_ms; /* 0: not looked at */
    double hybrid_cost_cap;    /* a day, in the prices' currency; 0: none */
    char *prompts; /* a folder of prompt templates; NULL: the built-in ones */
    /* the fleet */
    int64_t workers;
    int64_t concurrency;
    int64_t seat; /* worker: its lane; 0: not given */
    char *name;
    int64_t lease_ms;
    int64_t patience_ms;
    int64_t max_deliveries;
    int64_t max_running;
    int64_t story_parallel;
    /* the live view */
    int64_t chunk_bytes;
    int64_t update_ms;
    /* run, observe, analyze */
    char *out;
    bool force;
    char *observe; /* run: how it is shown */
    char *mode;    /* observe: the same, with a place of its own */
    char *color;
    bool simulate;
    bool dry_run;
    bool json;
    bool after_turn;
    /* the simulator */
    char *listen;
    double tokens_per_second;
    int64_t sim_first_token_ms;
    double jitter;
    int64_t parallel;
    struct opt_range reply_tokens;
    char *sim_models; /* more names, comma between */
    char *sim_faults; /* as simulator/fault.h reads them */
    char *sim_ledger;
    bool sim_ledger_bodies;
    /* all */
    char *log_level;
    char *trace;
    char *log_file;
    char *config_file;
    bool show_config;
    bool help;
    bool version;
};

/* One program's view: its command bit and how it is called. */
struct config_use {
    unsigned command;     /* one bit of config_command */
    const char *name;     /* "parley run" */
    const char *synopsis; /* "[--topic TEXT] [--turns N] ..." */
    const char *about;    /* a paragraph and examples, for --help */
};
struct config_loaded {
    struct config values;
    struct opt_set set;
    int rest; /* words that are no flags: argv[0..rest) */
};

enum config_next {
    CONFIG_GO,   /* do the work */
    CONFIG_OVER, /* --help, --version or --show-config was printed: exit 0 */
    CONFIG_BAD   /* err tells: exit 2 */
};
/* Reads argv[0..argc) (without program and command words), the environment and the
 * config file; prints what --help, --version and --show-config ask for to stdout; sets
 * log level and trace. *ret_loaded is owned by the caller in every case (config_done).
 */
enum config_next config_load(const struct config_use *use, int argc, char **argv,
                             struct config_loaded *ret_loaded, struct err *err);
void config_done(struct config_loaded *loaded);
/* The Redis URL that host, port, db or url of the config name; caller frees. NULL when
 * none of them was given. The password stays in its file. */
char *config_redis_url(const struct config_loaded *loaded);
/* The model of a seat (from 1): its own or everybody's. */
const char *config_model(const struct config *config, int64_t seat);
/* Makes a URL of what OLLAMA_HOST may hold: "host", "host:port", ":port", "::1",
 * "http://host:port/" -> "http://host:port". http without a path gets the default port;
 * 0.0.0.0 and [::], where a server listens, become the loopback. NULL: not a URL we can
 * use (another scheme, no host, a port out of range, a query, blanks). Caller frees. */
char *config_http_url(const char *text, int default_port);
/* The options that `command` takes as two members of run.json:
 * `,"config":{"conversation.max_turns":"6",...},"sources":{"...":"flag",...}`. */
bool config_to_json(const struct config_loaded *loaded, unsigned command,
                    struct buf *into);
extern const struct opt_row config_rows[];
extern const size_t config_row_count;

#endif
