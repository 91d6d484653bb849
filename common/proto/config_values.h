/* config_values.h - what the options hold, one field a row of config_rows.c; filled in
 * by config_load, freed by config_done.
 */
#ifndef PARLEY_CONFIG_VALUES_H
#define PARLEY_CONFIG_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "proto/endpoint.h"

struct config {
    /* Redis */
    char *redis_url; /* owned, as all texts here; NULL: none given */
    char *redis_host;
    int64_t redis_port;
    int64_t redis_db;
    char *redis_password_file;
    char *prefix;
    char *shard;      /* NULL: chosen by the command */
    char *durability; /* of the private Redis: "everysec", "always" */
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
    char *options;    /* a JSON object by proto/model_options.h, or NULL */
    char *think;      /* "true", "false", "low", ...; NULL: the server's default */
    char *fallback;   /* asked next, comma between: "cloud:gpt-4o-mini"; or NULL */
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
    int64_t hybrid_latency_ms; /* OPT_NONE: not looked at */
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
    bool no_give_up; /* run: a process that keeps dying is started for ever */
    /* the live view */
    int64_t chunk_bytes;
    int64_t update_ms;
    char *live_requests; /* "yes", "no": the requests that are sent are shown */
    /* run, observe, analyze */
    char *out;
    bool force;
    char *observe; /* run: how it is shown */
    char *mode;    /* observe: the same, with a place of its own */
    bool wait;     /* observe: what is named may be yet to come */
    char *screen;  /* the full screen: what it shows first, as the next five */
    bool once;
    char *size;
    bool ascii;
    bool mouse;
    bool read_only;
    char *color;
    char *replay; /* observe: a recorded run; NULL: a fleet; as the next two */
    char *speed;
    int64_t from_ms;
    bool simulate;
    bool dry_run;
    char *goodput;     /* analyze; NULL: no limits */
    char *skip_warmup; /* the same; NULL: nothing */
    char *talk;        /* the same: which conversations' words are looked at */
    char *csv;         /* analyze: where these go, NULL: not wanted */
    char *csv_summary;
    char *html;
    char *plots;
    bool markdown;
    bool verbose;
    bool json;
    bool after_turn;
    bool cancel;       /* pause */
    int64_t watch_ms;  /* analyze; 0: not given */
    char *format;      /* export, as the four below */
    char *perspective; /* "all" or a seat */
    bool names;
    bool thinking;
    bool from_redis;
    char *fail_if;         /* compare: conditions, comma between; or NULL */
    int64_t to;            /* say; 0: not given */
    int64_t since_ms;      /* performance; 0: not given */
    int64_t older_than_ms; /* clean, as the next three */
    bool no_export;
    bool runs;
    bool yes;
    /* the simulator */
    char *listen;
    double tokens_per_second;
    int64_t sim_first_token_ms;
    double jitter;
    int64_t parallel;
    struct opt_range reply_tokens;
    bool sim_vary;
    char *sim_models; /* more names, comma between */
    char *sim_faults; /* as simulator/fault.h reads them */
    char *sim_ledger;
    bool sim_ledger_bodies;
    char *sim_flavor;
    /* all */
    char *log_level;
    char *trace;
    char *log_file;
    char *config_file;
    bool show_config;
    bool help;
    bool version;
};

#endif
