/* config_file.c - see config_file.h.
 *
 * Flow: config_read_file -> put_section, once a section -> put_member -> opt_put
 */
#include "proto/config_file.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "proto/json_get.h"
#include "proto/schema.h"

enum { FILE_MAX_BYTES = 1 << 20, KEY_MAX = 96 };

/* A choice between true, false and words may be written as true or false itself. */
static bool is_choice(const struct opt_row *row, const json_t *value)
{
    return json_is_string(value)
           || (json_is_boolean(value) && strstr(row->choices, "true|false") != NULL);
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
    case OPT_CHOICE:
        return is_choice(row, value);
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

static bool unknown_key(const struct opt_set *set, const char *key, struct err *err)
{
    struct str name;
    struct str section = str_cut(str_of(key), '.', &name);
    struct nearest nearest = nearest_to(name);

    for (size_t i = 0; i < set->count; i++) {
        struct str known;

        if (set->rows[i].key != NULL
            && str_eq(str_cut(str_of(set->rows[i].key), '.', &known), section))
            nearest_try(&nearest, known.at); /* it ends where the key does */
    }
    return err_set(err, ERR_USAGE, "%s: unknown key %s%s%s%s", set->file,
                   log_safe(str_of(key)), nearest.name == NULL ? "" : ", did you mean ",
                   nearest.name == NULL ? "" : nearest.name,
                   nearest.name == NULL ? "" : "?");
}

static bool put_value(struct opt_set *set, const char *key, const json_t *value,
                      struct err *err)
{
    size_t row = opt_by_key(set, key);
    struct buf text;
    struct buf where;
    bool ok;

    if (row == set->count)
        return unknown_key(set, key, err);
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

/* "model.options": {"top_p": 0.9} is as --options '{"top_p": 0.9}'. */
static bool put_object(struct opt_set *set, const char *key, const json_t *object,
                       struct err *err)
{
    char *where;
    char *text;
    bool ok;

    if (!json_is_object(object))
        return err_set(err, ERR_USAGE, "%s: %s is %s, not an object", set->file, key,
                       json_type_name(object));
    where = x_printf("%s: %s", set->file, key);
    text = json_dumps(object, JSON_COMPACT);
    assert(text != NULL); /* it came from JSON */
    ok = opt_put(set, opt_by_key(set, key), text, OPT_FILE, where, err);
    free(text);
    free(where);
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

/* The rows of a section stand together. */
static bool unknown_section(const struct opt_set *set, const char *section,
                            struct err *err)
{
    struct str last = str_of("tiers");
    struct buf known;

    buf_init(&known, FILE_MAX_BYTES);
    buf_add_text(&known, "endpoints, tiers");
    for (size_t i = 0; i < set->count; i++) {
        struct str rest;
        struct str name = str_cut(str_of(set->rows[i].key), '.', &rest);

        if (name.len == 0 || str_eq(name, last))
            continue;
        buf_add_text(&known, ", ");
        buf_add_str(&known, name);
        last = name;
    }
    err_set(err, ERR_USAGE, "%s: unknown section %s: there are %s", set->file,
            log_safe(str_of(section)), buf_text(&known));
    buf_done(&known);
    return false;
}

static bool put_member(struct opt_set *set, const char *key, const json_t *value,
                       struct err *err)
{
    if (strcmp(key, "model.seats") == 0)
        return put_seats(set, value, err);
    if (strcmp(key, "model.options") == 0)
        return put_object(set, key, value, err);
    return put_value(set, key, value, err);
}

static bool put_section(struct opt_set *set, struct endpoint_list *endpoints,
                        const char *section, const json_t *values, struct err *err)
{
    const char *name;
    json_t *value;
    char key[KEY_MAX];

    if (strcmp(section, "endpoints") == 0)
        return endpoints_parse(values, endpoints, err)
               || err_wrap(err, "%s", set->file);
    if (strcmp(section, "tiers") == 0)
        return tiers_parse(values, endpoints, err) || err_wrap(err, "%s", set->file);
    if (!is_section(set, str_of(section)))
        return unknown_section(set, section, err);
    if (!json_is_object(values))
        return err_set(err, ERR_USAGE, "%s: %s is %s, not an object", set->file,
                       log_safe(str_of(section)), json_type_name(values));
    json_object_foreach((json_t *)(uintptr_t)values, name, value)
    {
        (void)snprintf(key, sizeof key, "%s.%s", section, name); /* cut: then unknown */
        if (!put_member(set, key, value, err))
            return false;
    }
    return true;
}

bool config_read_file(struct opt_set *set, const char *path,
                      struct endpoint_list *endpoints, struct err *err)
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
        if (!put_section(set, endpoints, section, values, err))
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
