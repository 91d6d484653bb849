/* config.c - see config.h: brings flags, environment and the JSON file together. */
#include "proto/config.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/version.h"
#include "proto/json_get.h"
#include "proto/json_write.h"
#include "proto/schema.h"

enum { FILE_MAX_BYTES = 1 << 20, KEY_MAX = 96 };

static const char *json_type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
        [JSON_STRING] = "a string",  [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };

    return names[json_typeof(value)];
}

static bool type_fits(const struct opt_row *row, const json_t *value)
{
    int64_t whole;

    if (row->none && json_is_null(value))
        return true;
    if (row->none && json_is_string(value))
        return strcmp(json_string_value(value), "none") == 0;
    switch (row->kind) {
    case OPT_FLAG:
        return json_is_boolean(value);
    case OPT_INT:
        return json_is_whole(value, &whole);
    case OPT_REAL:
    case OPT_DURATION:
        return json_is_number(value);
    default:
        return json_is_string(value);
    }
}

/* The value as the text a flag would have; durations in the file are in seconds. */
static void value_text(const json_t *value, struct buf *into)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        buf_add_text(into, json_string_value(value));
        break;
    case JSON_INTEGER:
        buf_printf(into, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        buf_printf(into, "%.15g", json_real_value(value));
        break;
    case JSON_NULL:
        buf_add_text(into, "none");
        break;
    default:
        buf_add_text(into, json_is_true(value) ? "true" : "false");
        break;
    }
}

static bool put_value(struct opt_set *set, const char *key, const json_t *value,
                      struct err *err)
{
    size_t row = opt_by_key(set, key);
    struct buf text;
    struct buf where;
    bool ok;

    if (row == set->count)
        return err_set(err, ERR_USAGE, "%s: unknown key %s", set->file,
                       log_safe(str_of(key)));
    buf_init(&text, FILE_MAX_BYTES);
    buf_init(&where, 2 * KEY_MAX + strlen(set->file));
    if (type_fits(&set->rows[row], value)) {
        value_text(value, &text);
        buf_printf(&where, "%s: %s", set->file, key);
        ok = opt_put(set, row, buf_text(&text), OPT_FILE, buf_text(&where), err);
    } else {
        opt_allowed(&set->rows[row], &text);
        ok = json_is_string(value)
                 ? err_set(err, ERR_USAGE, "%s: %s: '%s' is a string, not %s",
                           set->file, key, log_safe(str_of(json_string_value(value))),
                           buf_text(&text))
                 : err_set(err, ERR_USAGE, "%s: %s is %s, not %s", set->file, key,
                           json_type_name(value), buf_text(&text));
    }
    buf_done(&text);
    buf_done(&where);
    return ok;
}

/* "model.seats": {"2": "mistral"} is as --model 2=mistral. */
static bool put_seats(struct opt_set *set, const json_t *seats, struct err *err)
{
    const char *seat;
    json_t *name;

    if (!json_is_object(seats))
        return err_set(err, ERR_USAGE, "%s: model.seats is %s, not an object",
                       set->file, json_type_name(seats));
    json_object_foreach((json_t *)(uintptr_t)seats, seat, name)
    {
        size_t row = opt_by_key(set, "model.name");
        int64_t number;
        char *text;
        bool ok;

        if (seat[0] == '0' || !str_to_i64(str_of(seat), 1, OPT_SEATS, &number))
            return err_set(err, ERR_USAGE,
                           "%s: model.seats: '%s' is not a seat from 1 to %d",
                           set->file, log_safe(str_of(seat)), OPT_SEATS);
        if (!json_is_string(name) || json_string_length(name) == 0)
            return err_set(
                err, ERR_USAGE, "%s: model.seats.%s is %s, not the name of a model",
                set->file, seat, json_is_string(name) ? "empty" : json_type_name(name));
        text = x_printf("%s=%s", seat, json_string_value(name));
        ok = opt_put(set, row, text, OPT_FILE, set->file, err);
        free(text);
        if (!ok)
            return false;
    }
    return true;
}

static bool is_section(const struct opt_set *set, struct str section)
{
    for (size_t i = 0; i < set->count; i++) {
        struct str rest;

        if (set->rows[i].key != NULL
            && str_eq(str_cut(str_of(set->rows[i].key), '.', &rest), section))
            return true;
    }
    return false;
}

static bool put_section(struct opt_set *set, const char *section, const json_t *values,
                        struct err *err)
{
    const char *name;
    json_t *value;
    char key[KEY_MAX];

    if (!is_section(set, str_of(section)))
        return err_set(err, ERR_USAGE, "%s: unknown section %s", set->file,
                       log_safe(str_of(section)));
    if (!json_is_object(values))
        return err_set(err, ERR_USAGE, "%s: %s is %s, not an object", set->file,
                       log_safe(str_of(section)), json_type_name(values));
    json_object_foreach((json_t *)(uintptr_t)values, name, value)
    {
        bool ok;

        (void)snprintf(key, sizeof key, "%s.%s", section, name); /* cut: then unknown */
        ok = strcmp(key, "model.seats") == 0 ? put_seats(set, value, err)
                                             : put_value(set, key, value, err);
        if (!ok)
            return false;
    }
    return true;
}

static bool read_file(struct opt_set *set, const char *path, struct err *err)
{
    struct buf text;
    json_t *document = NULL;
    const char *section;
    json_t *values;
    bool ok = false;

    set->file = x_strdup(path);
    buf_init(&text, FILE_MAX_BYTES);
    if (!file_slurp(path, &text, err)) {
        err_wrap(err, "--config");
        goto out;
    }
    if (!json_read(buf_str(&text), &document, err)) {
        err_wrap(err, "%s", path);
        goto out;
    }
    if (!json_is_object(document)) {
        err_set(err, ERR_USAGE, "%s is %s, not an object with sections", path,
                json_type_name(document));
        goto out;
    }
    json_object_foreach(document, section, values)
    {
        if (!put_section(set, section, values, err))
            goto out;
    }
    ok = true;
out:
    if (!ok && err != NULL)
        err->code = ERR_USAGE;
    json_decref(document);
    buf_done(&text);
    return ok;
}

static bool normalize_urls(struct config *config, struct err *err)
{
    enum { OLLAMA_PORT = 11434 };
    char *url;

    if (config->ollama_url == NULL)
        return true;
    url = config_http_url(config->ollama_url, OLLAMA_PORT);
    if (url == NULL)
        return err_set(err, ERR_USAGE,
                       "--ollama: '%s' is not a URL like http://host:11434",
                       log_safe(str_of(config->ollama_url)));
    free(config->ollama_url);
    config->ollama_url = url;
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
                 "\nEach option may also come from the environment (PARLEY_TURNS "
                 "for --turns) or from the\n--config file; a flag wins over the "
                 "environment, and that over the file.\n");
    (void)fwrite(text.at, 1, text.len, stdout); /* main looks at stdout's state */
    buf_done(&text);
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
        opt_show(&loaded->set, use->command == FOR_CHECK ? ~0U : use->command, &text);
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
    if (config->config_file != NULL && !read_file(&l->set, config->config_file, err))
        return CONFIG_BAD;
    settle_limits(l);
    if (!normalize_urls(config, err))
        return CONFIG_BAD;
    if (print_asked(use, l))
        return CONFIG_OVER;
    return set_log(config, err) ? CONFIG_GO : CONFIG_BAD;
}

void config_done(struct config_loaded *loaded)
{
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
        struct buf value;

        if (!is_told(&loaded->set.rows[i], command))
            continue;
        buf_init(&value, 65536);
        opt_value(&loaded->set, i, &value);
        buf_add_text(into, comma);
        json_write_text(into, loaded->set.rows[i].key);
        buf_add_char(into, ':');
        if (sources)
            json_write_text(into, from[loaded->set.from[i]]);
        else
            json_write_string(into, buf_str(&value));
        comma = ",";
        buf_done(&value);
    }
}

bool config_to_json(const struct config_loaded *loaded, unsigned command,
                    struct buf *into)
{
    buf_add_text(into, ",\"config\":{");
    write_options(loaded, command, false, into);
    buf_add_text(into, "},\"sources\":{");
    write_options(loaded, command, true, into);
    return buf_add_char(into, '}');
}
