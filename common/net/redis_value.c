/* redis_value.c - see redis_value.h. */
#include "net/redis_value.h"

#include <assert.h>
#include <stdbool.h>

static const struct redis_value nothing = {.kind = REDIS_NIL, .text = {"", 0}};

const char *redis_kind_name(enum redis_kind kind)
{
    static const char *const names[REDIS_KIND_COUNT] = {
        [REDIS_NIL] = "nil",     [REDIS_TEXT] = "text",   [REDIS_INTEGER] = "integer",
        [REDIS_ARRAY] = "array", [REDIS_ERROR] = "error",
    };

    assert(kind < REDIS_KIND_COUNT);
    return names[kind];
}

const struct redis_value *redis_item(const struct redis_value *value, size_t i)
{
    if (!value || value->kind != REDIS_ARRAY || i >= value->count)
        return &nothing;
    return value->items[i];
}

static struct str text_of(const struct redis_value *value)
{
    return value->kind == REDIS_TEXT ? value->text : nothing.text;
}

static int64_t number_of(const struct redis_value *value, int64_t otherwise)
{
    int64_t number;

    if (value->kind == REDIS_INTEGER)
        return value->integer;
    if (value->kind != REDIS_TEXT
        || !str_to_i64(value->text, INT64_MIN, INT64_MAX, &number))
        return otherwise;
    return number;
}

struct str redis_item_text(const struct redis_value *value, size_t i)
{
    return text_of(redis_item(value, i));
}

int64_t redis_item_i64(const struct redis_value *value, size_t i, int64_t otherwise)
{
    return number_of(redis_item(value, i), otherwise);
}

/* The value beside `field`, or nothing. */
static const struct redis_value *find(const struct redis_value *pairs,
                                      const char *field)
{
    size_t count = pairs && pairs->kind == REDIS_ARRAY ? pairs->count : 0;

    for (size_t i = 0; i + 1 < count; i += 2)
        if (str_is(redis_item_text(pairs, i), field))
            return redis_item(pairs, i + 1);
    return &nothing;
}

struct str redis_field(const struct redis_value *pairs, const char *field)
{
    return text_of(find(pairs, field));
}

int64_t redis_field_i64(const struct redis_value *pairs, const char *field,
                        int64_t otherwise)
{
    return number_of(find(pairs, field), otherwise);
}
