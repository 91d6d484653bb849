/* config.c - see config.h: brings flags, environment and the JSON file together. */
#include "proto/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/version.h"
#include "proto/config_file.h"
#include "proto/config_url.h"
#include "proto/json_write.h"
#include "proto/model_options.h"

enum {
    VALUE_MAX_BYTES = 65536,
    WITH_ENDPOINTS = FOR_RUN | FOR_MANAGER | FOR_WORKER | FOR_CHECK | FOR_ASK
};

/* "<where it is from>: '<value>' is not <allowed>"; a URL's password is not shown. */
static bool refuse(const struct config_loaded *loaded, const char *flag,
                   const char *value, const char *allowed, struct err *err)
{
    bool is_secret = value != NULL && strchr(value, '@') != NULL;
    struct buf where;

    buf_init(&where, VALUE_MAX_BYTES);
    opt_where(&loaded->set, opt_by_flag(&loaded->set, flag), &where);
    err_set(err, ERR_USAGE, "%s: '%s' is not %s", buf_text(&where),
            is_secret ? "...@..." : log_safe(str_of(value)), allowed);
    buf_done(&where);
    return false;
}

/* Puts `url_take`, the form that all use, in place of what was written. */
static bool take_url(char **written, char *url_take)
{
    if (url_take == NULL)
        return false;
    free(*written);
    *written = url_take;
    return true;
}

static bool refuse_url(const struct config_loaded *loaded, const char *row,
                       const char *text, const char *allowed, struct err *err)
{
    char *told =
        x_printf("%s%s", allowed, config_url_fault(text, strcmp(row, "openai") == 0));
    bool ok = refuse(loaded, row, text, told, err);

    free(told);
    return ok;
}

static bool normalize_urls(struct config_loaded *loaded, struct err *err)
{
    enum { OLLAMA_PORT = 11434 };
    char **ollama = &loaded->values.ollama_url;
    char **openai = &loaded->values.openai_url;

    if (!take_url(ollama, config_http_url(*ollama, OLLAMA_PORT)))
        return refuse_url(loaded, "ollama", *ollama, "a URL like http://host:11434",
                          err);
    if (!take_url(openai, config_api_url(*openai)))
        return refuse_url(loaded, "openai", *openai,
                          "a URL like https://host/v1, without user and password", err);
    return true;
}

static bool is_seat_list(const char *text)
{
    struct str rest = str_of(text);
    int64_t seat;

    do {
        if (!str_to_i64(str_trim(str_cut(rest, ',', &rest)), 1, OPT_SEATS, &seat))
            return false;
    } while (rest.len > 0);
    return true;
}

/* What a row alone cannot say of a text. */
static bool check_texts(struct config_loaded *loaded, struct err *err)
{
    struct config *config = &loaded->values;
    struct err problem = {0};
    char *options = NULL;
    struct buf where;

    if (config->hybrid_seats != NULL && !is_seat_list(config->hybrid_seats))
        return refuse(loaded, "hybrid-seats", config->hybrid_seats,
                      "a list of seats from 1 to 16, comma between", err);
    if (config->options == NULL)
        return true;
    if (!model_options_parse(str_of(config->options), &options, &problem)) {
        buf_init(&where, VALUE_MAX_BYTES);
        opt_where(&loaded->set, opt_by_flag(&loaded->set, "options"), &where);
        err_set(err, ERR_USAGE, "%s: %s", buf_text(&where), problem.msg);
        buf_done(&where);
        return false;
    }
    free(config->options);
    config->options = options;
    return true;
}

/* Who gives only one of the two limits has no limit on the other. "none" is no limit:
 * it takes one away and leaves the other as it is. */
static void settle_limits(struct config_loaded *loaded)
{
    struct config *config = &loaded->values;
    bool turns = opt_given(&loaded->set, "turns");
    bool duration = opt_given(&loaded->set, "duration");

    if (turns && !duration && config->max_turns != OPT_NONE)
        config->duration_ms = OPT_NONE;
    if (duration && !turns && config->duration_ms != OPT_NONE)
        config->max_turns = OPT_NONE;
}

/* Variables of the same prefix that are no options. */
static bool is_ours(struct str name)
{
    static const char *const known[] = {"PARLEY_BUILD",     "PARLEY_FAULT",
                                        "PARLEY_FAULT_LOG", "PARLEY_FAULT_SEED",
                                        "PARLEY_READY_FD",  "PARLEY_RUN_NOTES"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_is(name, known[i]))
            return true;
    return str_starts(name, "PARLEY_TEST_") || str_starts(name, "PARLEY_SIM_");
}

/* A misspelt variable is no error: others may set some of that prefix, as Kubernetes
 * does for a service called parley. */
static void warn(struct config_loaded *loaded)
{
    struct buf text;

    buf_init(&text, VALUE_MAX_BYTES);
    opt_strange_variables(&loaded->set, is_ours, &text);
    endpoints_warn(&loaded->values.endpoints, &text);
    loaded->warnings = text.len > 0 ? buf_take(&text) : NULL;
    buf_done(&text);
}

static bool set_log(const struct config *config, struct err *err)
{
    char level[8];
    enum log_level parsed;

    (void)snprintf(level, sizeof level, "%s", config->log_level); /* a checked choice */
    for (char *c = level; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    if (log_level_parse(level, &parsed))
        log_set_level(parsed);
    if (config->trace != NULL)
        log_set_trace(config->trace);
    return config->log_file == NULL || log_open(config->log_file, err);
}

static void print_help(const struct config_use *use, const struct opt_set *set)
{
    struct buf text;

    buf_init(&text, 1 << 20);
    buf_printf(&text, "Usage: %s %s\n\n%s\n\nOptions [default]:\n", use->name,
               use->synopsis, use->about);
    opt_help(set, use->command, &text);
    buf_add_text(&text,
                 "\nEach option may also come from the environment (PARLEY_TURNS for "
                 "--turns) or\nfrom the --config file; a flag wins over the "
                 "environment, which wins over\nthe file.\n");
    (void)fwrite(text.at, 1, text.len, stdout); /* main looks at stdout's state */
    buf_done(&text);
}

/* Someone who is told of endpoints and tiers, a member with a value at a time. */
struct telling {
    void (*tell)(struct telling *telling, const char *key, const char *value,
                 bool built_in);
    struct buf *into;
    const char *file;
    bool sources;
};

static void tell_endpoint(struct telling *telling, const struct endpoint *endpoint)
{
    struct buf value;
    const char *member;

    buf_init(&value, VALUE_MAX_BYTES);
    for (size_t i = 0; (member = endpoint_member(endpoint, i, &value)) != NULL; i++) {
        char *key = x_printf("endpoints.%s.%s", endpoint->name, member);

        if (value.len > 0)
            telling->tell(telling, key, buf_text(&value), endpoint->built_in);
        free(key);
        buf_clear(&value);
    }
    buf_done(&value);
}

static void tell_tier(struct telling *telling, const struct endpoint_list *list,
                      enum endpoint_tier tier)
{
    struct buf value;
    const char *member;

    buf_init(&value, VALUE_MAX_BYTES);
    for (size_t i = 0; (member = endpoint_tier_member(list, tier, i, &value)) != NULL;
         i++) {
        char *key = x_printf("tiers.%s.%s", endpoint_tier_name(tier), member);

        if (value.len > 0)
            telling->tell(telling, key, buf_text(&value), false);
        free(key);
        buf_clear(&value);
    }
    buf_done(&value);
}

/* The first `count` endpoints, then the tiers. */
static void tell_servers(struct telling *telling, const struct endpoint_list *list,
                         size_t count)
{
    for (size_t i = 0; i < count; i++)
        tell_endpoint(telling, &list->items[i]);
    for (int tier = 0; tier < TIER_COUNT; tier++)
        tell_tier(telling, list, (enum endpoint_tier)tier);
}

static void show_member(struct telling *telling, const char *key, const char *value,
                        bool built_in)
{
    opt_show_line(telling->into, key, value, built_in ? "built in" : telling->file);
}

static void show_config(const struct config_loaded *loaded, unsigned command,
                        struct buf *into)
{
    const struct endpoint_list *endpoints = &loaded->values.endpoints;
    char *file = x_printf("config file %s", loaded->set.file);
    struct telling telling = {.tell = show_member, .into = into, .file = file};

    opt_show(&loaded->set, command, into);
    if ((command & WITH_ENDPOINTS) != 0)
        tell_servers(&telling, endpoints, endpoints->count);
    free(file);
}

static bool print_asked(const struct config_use *use,
                        const struct config_loaded *loaded)
{
    const struct config *config = &loaded->values;
    struct buf text;

    buf_init(&text, 1 << 20);
    if (config->help)
        print_help(use, &loaded->set);
    else if (config->version)
        version_text(&text);
    else if (config->show_config)
        show_config(loaded, use->command == FOR_CHECK ? ~0U : use->command, &text);
    (void)fwrite(buf_text(&text), 1, text.len, stdout);
    buf_done(&text);
    return config->help || config->version || config->show_config;
}

enum config_next config_load(const struct config_use *use, int argc, char **argv,
                             struct config_loaded *ret_loaded, struct err *err)
{
    struct config_loaded *l = ret_loaded;
    struct config *config = &l->values;
    unsigned command = use->command == FOR_CHECK ? ~0U : use->command;

    memset(l, 0, sizeof *l);
    opt_init(&l->set, config_rows, config_row_count, config);
    if (!opt_read_flags(&l->set, command, argc, argv, &l->rest, err))
        return CONFIG_BAD;
    if (config->help || config->version)
        return print_asked(use, l) ? CONFIG_OVER : CONFIG_BAD;
    if (!opt_read_environment(&l->set, command, err))
        return CONFIG_BAD;
    if (config->config_file != NULL
        && !config_read_file(&l->set, config->config_file, &config->endpoints, err))
        return CONFIG_BAD;
    settle_limits(l);
    if (!normalize_urls(l, err) || !check_texts(l, err))
        return CONFIG_BAD;
    endpoints_add_built_in(&config->endpoints, config);
    warn(l);
    if (print_asked(use, l))
        return CONFIG_OVER;
    return set_log(config, err) ? CONFIG_GO : CONFIG_BAD;
}

void config_done(struct config_loaded *loaded)
{
    endpoints_done(&loaded->values.endpoints);
    free(loaded->warnings);
    loaded->warnings = NULL;
    opt_done(&loaded->set);
}

char *config_redis_url(const struct config_loaded *loaded)
{
    const struct config *config = &loaded->values;

    if (config->redis_url != NULL)
        return x_strdup(config->redis_url);
    if (!opt_given(&loaded->set, "redis-host") && !opt_given(&loaded->set, "redis-port")
        && !opt_given(&loaded->set, "redis-db"))
        return NULL;
    return x_printf("redis://%s:%lld/%lld",
                    config->redis_host == NULL ? "127.0.0.1" : config->redis_host,
                    (long long)config->redis_port, (long long)config->redis_db);
}

const char *config_model(const struct config *config, int64_t seat)
{
    const char *own = seat >= 1 && seat <= OPT_SEATS ? config->models[seat] : NULL;

    return own != NULL ? own : config->models[0];
}

static bool is_told(const struct opt_row *row, unsigned command)
{
    return (row->commands & command) != 0 && row->key != NULL
           && strcmp(row->key, "redis.url") != 0; /* a URL may hold a password */
}

/* The value without what only some may know. */
static void write_value(const struct config_loaded *loaded, size_t row,
                        struct buf *into)
{
    struct buf value;
    char *bare;

    buf_init(&value, VALUE_MAX_BYTES);
    opt_value(&loaded->set, row, &value);
    bare = strstr(buf_text(&value), "://") == NULL ? x_strdup(buf_text(&value))
                                                   : config_url_bare(buf_text(&value));
    json_write_text(into, bare);
    free(bare);
    buf_done(&value);
}

/* ,"section.name":"..." for each option; what: its value, or where it is from. */
static void write_options(const struct config_loaded *loaded, unsigned command,
                          bool sources, struct buf *into)
{
    static const char *const from[OPT_SOURCE_COUNT] = {
        [OPT_DEFAULT] = "default",
        [OPT_FILE] = "file",
        [OPT_ENV] = "environment",
        [OPT_FLAG_GIVEN] = "flag",
    };
    const char *comma = "";

    for (size_t i = 0; i < loaded->set.count; i++) {
        if (!is_told(&loaded->set.rows[i], command))
            continue;
        buf_add_text(into, comma);
        json_write_text(into, loaded->set.rows[i].key);
        buf_add_char(into, ':');
        if (sources)
            json_write_text(into, from[loaded->set.from[i]]);
        else
            write_value(loaded, i, into);
        comma = ",";
    }
}

/* ,"endpoints.cloud.url":"..." */
static void write_member(struct telling *telling, const char *key, const char *value,
                         bool built_in)
{
    (void)built_in;
    buf_add_char(telling->into, ',');
    json_write_text(telling->into, key);
    buf_add_char(telling->into, ':');
    json_write_text(telling->into, telling->sources ? "file" : value);
}

static void write_all(const struct config_loaded *loaded, unsigned command,
                      bool sources, struct buf *into)
{
    const struct endpoint_list *endpoints = &loaded->values.endpoints;
    struct telling telling = {.tell = write_member, .into = into, .sources = sources};

    write_options(loaded, command, sources, into);
    tell_servers(&telling, endpoints, endpoints->own);
}

bool config_to_json(const struct config_loaded *loaded, unsigned command,
                    struct buf *into)
{
    buf_add_text(into, ",\"config\":{");
    write_all(loaded, command, false, into);
    buf_add_text(into, "},\"sources\":{");
    write_all(loaded, command, true, into);
    return buf_add_char(into, '}');
}
