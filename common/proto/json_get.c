/* json_get.c - see json_get.h. */
#include "proto/json_get.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "proto/json_write.h"

enum {
    POINTER_BYTES = 200, /* of a pointer that are shown */
    FOUND_BYTES = 60     /* of an offending text that are shown */
};

struct json_place json_root(const json_t *document)
{
    return (struct json_place){.value = document};
}

struct json_place json_member(const struct json_place *object, const char *key)
{
    return (struct json_place){
        .value = json_object_get(object->value, key), .above = object, .key = key};
}

struct json_place json_item(const struct json_place *array, size_t index)
{
    return (struct json_place){
        .value = json_array_get(array->value, index), .above = array, .index = index};
}

int json_place_depth(const struct json_place *place)
{
    int depth = 0;

    for (; place->above != NULL; place = place->above)
        depth++;
    return depth;
}

static void add_escaped_key(struct buf *into, const char *key)
{
    for (; *key != '\0' && !into->overflowed; key++) {
        if (*key == '~')
            buf_add_text(into, "~0");
        else if (*key == '/')
            buf_add_text(into, "~1");
        else
            buf_add_char(into, *key);
    }
}

static void add_pointer(struct buf *into, const struct json_place *place)
{
    if (place->above == NULL)
        return;
    add_pointer(into, place->above);
    buf_add_char(into, '/');
    if (place->key != NULL)
        add_escaped_key(into, place->key);
    else
        buf_printf(into, "%zu", place->index);
}

/* `text` without what would stand behind max_bytes, and not cut inside a character. */
static struct str cut_text(struct str text, size_t max_bytes)
{
    if (text.len <= max_bytes)
        return text;
    text.len = max_bytes;
    while (text.len > 0 && ((unsigned char)text.at[text.len] & 0xC0) == 0x80)
        text.len--;
    return text;
}

static void add_found_text(struct buf *into, const json_t *value)
{
    struct str text = str_make(json_string_value(value), json_string_length(value));
    struct str shown = cut_text(text, FOUND_BYTES);

    buf_add_char(into, '"');
    (void)utf8_harmless(shown, false, into); /* what is too long is left out */
    buf_add_text(into, shown.len < text.len ? "...\"" : "\"");
}

static void add_found(struct buf *into, const json_t *value)
{
    if (value == NULL) {
        buf_add_text(into, "none");
        return;
    }
    switch (json_typeof(value)) {
    case JSON_STRING:
        add_found_text(into, value);
        break;
    case JSON_INTEGER:
        json_write_i64(into, json_integer_value(value));
        break;
    case JSON_REAL:
        buf_printf(into, "%.9g", json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        buf_add_text(into, json_is_true(value) ? "true" : "false");
        break;
    case JSON_NULL:
        buf_add_text(into, "null");
        break;
    case JSON_ARRAY:
        buf_printf(into, "an array of %zu", json_array_size(value));
        break;
    case JSON_OBJECT:
        buf_add_text(into, "an object");
        break;
    }
}

/* The place as a pointer that may be shown; the caller has `into` empty. */
static void add_shown_pointer(struct buf *into, const struct json_place *place)
{
    struct buf pointer;
    struct buf shown;

    buf_init(&pointer, POINTER_BYTES);
    buf_init(&shown, POINTER_BYTES);
    add_pointer(&pointer, place);
    (void)utf8_harmless(cut_text(buf_str(&pointer), POINTER_BYTES), false, &shown);
    buf_printf(into, "%s%s", pointer.len > 0 ? buf_text(&shown) : "/",
               pointer.overflowed || shown.overflowed ? "..." : "");
    buf_done(&pointer);
    buf_done(&shown);
}

bool json_fail(const struct json_place *place, const char *expected, struct err *err)
{
    struct buf pointer;
    struct buf found;

    if (err == NULL)
        return false;
    buf_init(&pointer, 2 * POINTER_BYTES);
    buf_init(&found, 3 * FOUND_BYTES);
    add_shown_pointer(&pointer, place);
    add_found(&found, place->value);
    (void)err_set(err, ERR_FORMAT, "%s: expected %s, found %s", buf_text(&pointer),
                  expected, buf_text(&found));
    buf_done(&pointer);
    buf_done(&found);
    return false;
}

bool json_wrap(const struct json_place *place, struct err *err)
{
    struct buf pointer;

    buf_init(&pointer, 2 * POINTER_BYTES);
    add_shown_pointer(&pointer, place);
    (void)err_wrap(err, "%s", buf_text(&pointer));
    buf_done(&pointer);
    return false;
}

bool json_get_text(struct json_place place, char **ret_value, struct err *err)
{
    if (!json_is_string(place.value))
        return json_fail(&place, "a string", err);
    *ret_value =
        x_memdup(json_string_value(place.value), json_string_length(place.value));
    return true;
}

static bool is_unknown(const struct json_place *place)
{
    return place->value == NULL || json_is_null(place->value);
}

bool json_get_text_or_null(struct json_place place, char **ret_value, struct err *err)
{
    if (is_unknown(&place)) {
        *ret_value = NULL;
        return true;
    }
    if (!json_is_string(place.value))
        return json_fail(&place, "a string or null", err);
    return json_get_text(place, ret_value, err);
}

bool json_is_whole(const json_t *value, int64_t *ret_value)
{
    double real;

    if (json_is_integer(value)) {
        *ret_value = json_integer_value(value);
        return true;
    }
    if (!json_is_real(value))
        return false;
    real = json_real_value(value);
    if (!(fabs(real) <= (double)(INT64_C(1) << 62)) || floor(real) < real)
        return false;
    *ret_value = (int64_t)real;
    return true;
}

bool json_get_count(struct json_place place, int64_t min, int64_t *ret_value,
                    struct err *err)
{
    int64_t value;
    char expected[64];

    if (is_unknown(&place)) {
        *ret_value = -1;
        return true;
    }
    if (json_is_whole(place.value, &value) && value >= min) {
        *ret_value = value;
        return true;
    }
    fmt_into(expected, sizeof expected, "a whole number of at least %lld or null",
             (long long)min);
    return json_fail(&place, expected, err);
}

bool json_get_bool(struct json_place place, bool *ret_value, struct err *err)
{
    if (place.value != NULL && !json_is_null(place.value)
        && !json_is_boolean(place.value))
        return json_fail(&place, "true or false", err);
    *ret_value = json_is_true(place.value);
    return true;
}

bool json_get_number(struct json_place place, double min, double unknown,
                     double *ret_value, struct err *err)
{
    char expected[64];

    if (is_unknown(&place)) {
        *ret_value = unknown;
        return true;
    }
    if (json_is_number(place.value) && json_number_value(place.value) >= min) {
        *ret_value = json_number_value(place.value);
        return true;
    }
    fmt_into(expected, sizeof expected, "a number of at least %g or null", min);
    return json_fail(&place, expected, err);
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

bool json_get_texts(struct json_place place, char ***ret_texts, size_t *ret_count,
                    struct err *err)
{
    size_t count = json_array_size(place.value);
    char **texts = NULL;

    if (!json_is_array(place.value))
        return json_fail(&place, "an array of strings", err);
    if (count > 0)
        texts = x_calloc(count, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        if (!json_get_text(json_item(&place, i), &texts[i], err)) {
            free_texts(texts, i);
            return false;
        }
    }
    *ret_texts = texts;
    *ret_count = count;
    return true;
}

const char *json_type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
        [JSON_STRING] = "a string",  [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };

    return names[json_typeof(value)];
}
