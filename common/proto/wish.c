/* wish.c - see wish.h. What a seat gets of it stands in wish_equip.c. */
#include "proto/wish.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "proto/config.h"
#include "proto/endpoint.h"
#include "proto/json_get.h"
#include "proto/json_write.h"
#include "proto/schema.h"

enum { STORY_FILE_MAX_BYTES = 1 << 20, SEED_MAX = 2147483647 };

void wish_init(struct wish *wish)
{
    *wish = (struct wish){.personas = 2, .max_turns = -1, .duration_ms = -1};
    seat_model_init(&wish->model);
    wish->max_issues = 3;
    wish->grace_ms = 10000;
}

void wish_done(struct wish *wish)
{
    free(wish->topic);
    free(wish->story_file);
    seat_model_done(&wish->model);
    for (size_t i = 0; i <= SEATS_MAX; i++)
        free(wish->models[i]);
    wish_init(wish);
}

/* ---- JSON ---- */

static void write_models(const struct wish *wish, struct buf *into)
{
    const char *comma = "";

    buf_add_text(into, ",\"models\":{");
    for (int i = 1; i <= SEATS_MAX; i++) {
        if (wish->models[i] == NULL)
            continue;
        buf_printf(into, "%s\"%d\":", comma, i);
        json_write_text(into, wish->models[i]);
        comma = ",";
    }
    buf_add_char(into, '}');
}

static void write_text(struct buf *into, const char *start, const char *text)
{
    buf_add_text(into, start);
    json_write_text(into, text);
}

/* As a cast has it, but for the numbers: they stand beside `options`. */
static void write_model(const struct seat_model *model, struct buf *into)
{
    write_text(into, ",\"provider\":", model->provider);
    write_text(into, ",\"endpoint\":", model->endpoint);
    write_text(into, ",\"model\":", model->model);
    write_text(into, ",\"fallback\":", model->fallback);
    write_text(into, ",\"think\":", model->think);
    buf_add_text(into, ",\"options\":");
    buf_add_text(into, model->options == NULL ? "null" : model->options);
    buf_add_text(into, ",\"num_ctx\":");
    json_write_count(into, model->num_ctx);
    buf_add_text(into, ",\"num_predict\":");
    json_write_count(into, model->num_predict);
    buf_add_text(into, ",\"temperature\":");
    json_write_number(into, model->temperature, 6);
    buf_add_text(into, ",\"seed\":");
    json_write_count(into, model->seed);
}

bool wish_format(const struct wish *wish, struct buf *into)
{
    buf_add_text(into, "{\"topic\":");
    json_write_text(into, wish->topic);
    buf_add_text(into, ",\"story_file\":");
    json_write_text(into, wish->story_file);
    buf_printf(into, ",\"personas\":%lld,\"max_turns\":", (long long)wish->personas);
    json_write_count(into, wish->max_turns);
    buf_add_text(into, ",\"duration_ms\":");
    json_write_count(into, wish->duration_ms);
    buf_printf(into, ",\"grace_ms\":%lld,\"pass_on_failure\":%s,\"max_issues\":%lld",
               (long long)wish->grace_ms, wish->pass_on_failure ? "true" : "false",
               (long long)wish->max_issues);
    buf_printf(into, ",\"structured\":%s", wish->structured ? "true" : "false");
    write_model(&wish->model, into);
    write_models(wish, into);
    return buf_add_char(into, '}');
}

static char *get_text(const json_t *document, const char *key)
{
    const json_t *value = json_object_get(document, key);

    return json_is_string(value)
               ? x_memdup(json_string_value(value), json_string_length(value))
               : NULL;
}

/* A whole number in its range; null or absent gives `otherwise`. */
static bool get_number(const json_t *document, const char *key, struct opt_range range,
                       int64_t *value, struct err *err)
{
    const json_t *found = json_object_get(document, key);
    int64_t number;

    if (found == NULL || json_is_null(found))
        return true;
    number = json_is_integer(found) ? json_integer_value(found) : range.low - 1;
    if (number < range.low || number > range.high)
        return err_set(err, ERR_FORMAT,
                       "/%s: expected a whole number from %lld to %lld", key,
                       (long long)range.low, (long long)range.high);
    *value = number;
    return true;
}

static bool get_numbers(const json_t *document, struct wish *wish, struct err *err)
{
    static const int64_t month_ms = INT64_C(31) * 86400000;
    struct {
        const char *key;
        struct opt_range range;
        int64_t *value;
    } numbers[] = {
        {"personas", {SEATS_MIN, SEATS_MAX}, &wish->personas},
        {"max_turns", {1, 1000000}, &wish->max_turns},
        {"duration_ms", {1, month_ms}, &wish->duration_ms},
        {"grace_ms", {0, month_ms}, &wish->grace_ms},
        {"max_issues", {1, 100}, &wish->max_issues},
        {"num_ctx", {256, 4194304}, &wish->model.num_ctx},
        {"num_predict", {1, 1000000}, &wish->model.num_predict},
        {"seed", {0, SEED_MAX}, &wish->model.seed},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!get_number(document, numbers[i].key, numbers[i].range, numbers[i].value,
                        err))
            return false;
    return true;
}

static bool get_models(const json_t *document, struct wish *wish, struct err *err)
{
    const char *seat;
    json_t *model;

    json_object_foreach(json_object_get(document, "models"), seat, model)
    {
        int64_t number;

        if (!str_to_i64(str_of(seat), 1, SEATS_MAX, &number) || !json_is_string(model))
            return err_set(err, ERR_FORMAT,
                           "/models: expected model names by seat, 1 to %d", SEATS_MAX);
        free(wish->models[number]);
        wish->models[number] = x_strdup(json_string_value(model));
    }
    return true;
}

/* Into a wish that wish_done can free, however far it came. */
static bool read_wish(const json_t *document, struct wish *wish, struct err *err)
{
    struct json_place root = json_root(document);
    struct json_place pass = json_member(&root, "pass_on_failure");

    if (!json_is_object(document))
        return err_set(err, ERR_FORMAT, "/: expected an object");
    wish->topic = get_text(document, "topic");
    wish->story_file = get_text(document, "story_file");
    if (!json_get_bool(pass, &wish->pass_on_failure, err)
        || !json_get_bool(json_member(&root, "structured"), &wish->structured, err)
        || !get_numbers(document, wish, err)
        || !seat_model_read(&root, &wish->model, err)
        || !get_models(document, wish, err))
        return false;
    if (wish->max_turns < 0 && wish->duration_ms < 0)
        return err_set(err, ERR_FORMAT,
                       "/: expected max_turns or duration_ms, else it would never end");
    return true;
}

bool wish_parse(struct str json, struct wish *ret_wish, struct err *err)
{
    json_t *document = NULL;
    struct wish wish;
    bool ok;

    wish_init(&wish);
    if (!json_read(json, &document, err))
        return false;
    ok = read_wish(document, &wish, err);
    json_decref(document);
    if (ok)
        *ret_wish = wish;
    else
        wish_done(&wish);
    return ok;
}

/* ---- from the options ---- */

/* "{i}" in the topic becomes the conversation's number. */
static char *topic_for(const char *topic, int64_t number)
{
    struct str rest = str_of(topic);
    struct buf text;

    buf_init(&text, (size_t)2 * TOPIC_MAX_BYTES);
    while (rest.len > 0) {
        if (str_starts(rest, "{i}")) {
            buf_printf(&text, "%lld", (long long)number);
            rest = str_make(rest.at + 3, rest.len - 3);
        } else {
            buf_add_char(&text, rest.at[0]);
            rest = str_make(rest.at + 1, rest.len - 1);
        }
    }
    return buf_take(&text);
}

static bool read_story_file(const char *path, struct wish *wish, struct err *err)
{
    struct cast cast;
    struct buf text;
    bool ok;

    buf_init(&text, STORY_FILE_MAX_BYTES);
    ok = file_slurp(path, &text, err)
         && cast_parse_story_file(buf_str(&text), &cast, err);
    if (ok) {
        wish->personas = (int64_t)cast.seat_count;
        wish->story_file = buf_take(&text);
        cast_done(&cast);
    } else {
        err->code = ERR_USAGE;
        err_wrap(err, "--story %s", path);
    }
    buf_done(&text);
    return ok;
}

/* An option goes into the wish when it was given, or when `all` do. */
static char *take_text(const struct config_loaded *loaded, bool all, const char *flag,
                       const char *value)
{
    return value != NULL && (all || opt_given(&loaded->set, flag)) ? x_strdup(value)
                                                                   : NULL;
}

/* With a simulator no model server is asked, whatever the names say. */
static void take_simulated(const struct config *config, struct wish *wish)
{
    bool is_api = strcmp(config->provider, "openai") == 0;
    const char *name = NULL;

    wish->model.provider = x_strdup(is_api ? "openai" : "simulator");
    for (int i = 0; i <= SEATS_MAX; i++) {
        if (config->models[i] == NULL)
            continue;
        (void)endpoint_of_model(&config->endpoints, config->models[i], &name);
        if (name != NULL)
            *(i == 0 ? &wish->model.model : &wish->models[i]) = x_strdup(name);
    }
}

static void take_names(const struct config_loaded *loaded, bool all, struct wish *wish)
{
    const struct config *config = &loaded->values;

    /* Endpoints of the config are all candidates unless a provider is asked for: the
     * default must not pass for that. */
    wish->model.provider = take_text(loaded, all && config->endpoints.own == 0,
                                     "provider", config->provider);
    wish->model.model = take_text(loaded, all, "model", config->models[0]);
    wish->model.fallback = take_text(loaded, all, "fallback", config->fallback);
    for (int i = 1; i <= SEATS_MAX; i++)
        if (config->models[i] != NULL)
            wish->models[i] = x_strdup(config->models[i]);
}

static void take_model(const struct config_loaded *loaded, bool all, struct wish *wish)
{
    const struct config *config = &loaded->values;
    const struct opt_set *set = &loaded->set;

    if (config->dry_run) /* no model speaks, whichever was named */
        wish->model.provider = x_strdup("echo");
    else if (config->simulate)
        take_simulated(config, wish);
    else
        take_names(loaded, all, wish);
    wish->model.options = take_text(loaded, all, "options", config->options);
    wish->model.think = take_text(loaded, all, "think", config->think);
    wish->structured = config->structured;
    if (all || opt_given(set, "num-ctx"))
        wish->model.num_ctx = config->num_ctx;
    if (all || opt_given(set, "num-predict"))
        wish->model.num_predict = config->num_predict;
    if (all || opt_given(set, "temperature"))
        wish->model.temperature = config->temperature;
}

/* What is talked about when nobody says. */
static const char *default_topic(int64_t pick)
{
    static const char *const topics[] = {
        "the missing umbrella",
        "who repairs the town clock",
        "a letter that came too late",
        "the price of bread",
        "whether the bridge will hold",
        "a map with one street too many",
        "the neighbour's trumpet",
        "who gets the last seat",
        "a recipe nobody remembers",
        "the night the lights went out",
        "an inherited boat",
        "the rules of a game",
        "a promise made in winter",
        "the lost dog of the station",
        "what the statue means",
        "a key without a door",
    };

    return topics[(uint64_t)pick % (sizeof topics / sizeof *topics)];
}

void wish_set_number(struct wish *wish, const struct config *config, int64_t number,
                     int64_t seed)
{
    enum { APART = 1000003 }; /* a prime: the seeds of neighbours' turns do not meet */

    free(wish->topic);
    if (config->topic != NULL)
        wish->topic = topic_for(config->topic, number);
    else
        wish->topic = wish->story_file != NULL
                          ? NULL
                          : x_strdup(default_topic((seed < 0 ? 0 : seed) + number));
    wish->model.seed =
        seed < 0 ? -1 : (seed + (number - 1) * APART) % (INT64_C(1) + SEED_MAX);
}

bool wish_from_config(const struct config_loaded *loaded, bool all,
                      struct wish *ret_wish, struct err *err)
{
    const struct config *config = &loaded->values;
    struct wish wish;

    wish_init(&wish);
    if (config->topic != NULL && strlen(config->topic) > TOPIC_MAX_BYTES)
        return err_set(err, ERR_USAGE, "--topic: longer than %d bytes",
                       TOPIC_MAX_BYTES);
    if (config->max_turns == OPT_NONE && config->duration_ms == OPT_NONE)
        return err_set(err, ERR_USAGE,
                       "--turns and --duration are both none: the "
                       "conversation would never end");
    wish.personas = config->personas;
    wish.max_turns = config->max_turns;
    wish.duration_ms = config->duration_ms;
    wish.grace_ms = config->grace_ms;
    wish.pass_on_failure = strcmp(config->on_failure, "pass") == 0;
    wish.max_issues = config->max_issues;
    take_model(loaded, all, &wish);
    if (config->story != NULL && !read_story_file(config->story, &wish, err)) {
        wish_done(&wish);
        return false;
    }
    wish_set_number(&wish, config, 1, config->seed);
    *ret_wish = wish;
    return true;
}
