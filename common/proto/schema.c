/* schema.c - see schema.h. Where our own schemas are kept: schema_get.c.
 *
 * A table has one row a keyword; check_value walks the schema's own keys in their
 * written order, so the first complaint is about what the schema says first. Where a
 * document fits no branch of anyOf or oneOf, the complaint is that of the branch that
 * came furthest: a branch that failed at a const (a `kind`) was not meant.
 *
 * The schemas are ours: what is wrong in one is an assert. The document is not: its
 * depth is bounded by jansson when read, and once more here.
 */
#include "proto/schema.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "proto/json_get.h"

enum { DEPTH_MAX = 64, EXPECTED_BYTES = 200 };

struct check {
    const json_t *root; /* the schema that "#/$defs/..." looks into */
    int depth;          /* of schemas inside schemas, now */
    int reached;        /* how far the branch that complained last had come */
    struct err *err;
};

static bool check_value(struct check *check, const json_t *schema,
                        const struct json_place *place);

static bool complain(struct check *check, const struct json_place *place,
                     const char *format, ...) PRINTF_LIKE(3, 4);

static bool complain(struct check *check, const struct json_place *place,
                     const char *format, ...)
{
    va_list args;
    char *expected;

    check->reached = 1 + json_place_depth(place);
    if (check->err == NULL)
        return false;
    va_start(args, format);
    expected = x_vprintf(format, args);
    va_end(args);
    (void)json_fail(place, expected, check->err); /* always false */
    free(expected);
    return false;
}

static const struct type {
    const char *name;
    const char *said;
    unsigned kinds; /* of jansson */
} types[] = {
    {"string", "a string", 1u << JSON_STRING},
    {"integer", "a whole number", 1u << JSON_INTEGER},
    {"number", "a number", 1u << JSON_INTEGER | 1u << JSON_REAL},
    {"boolean", "true or false", 1u << JSON_TRUE | 1u << JSON_FALSE},
    {"object", "an object", 1u << JSON_OBJECT},
    {"array", "an array", 1u << JSON_ARRAY},
    {"null", "null", 1u << JSON_NULL},
};

static const struct type *type_find(const json_t *name)
{
    size_t i = 0;

    assert(json_is_string(name));
    while (strcmp(types[i].name, json_string_value(name)) != 0) {
        i++;
        assert(i < sizeof types / sizeof *types);
    }
    return &types[i];
}

static bool type_fits(const struct type *type, const json_t *value)
{
    if ((type->kinds & 1u << json_typeof(value)) != 0)
        return true;
    /* 7.0 is an integer to JSON Schema. */
    return type->kinds == 1u << JSON_INTEGER && json_is_real(value)
           && floor(json_real_value(value)) >= json_real_value(value);
}

static bool check_type(struct check *check, const json_t *rule,
                       const struct json_place *place)
{
    char expected[EXPECTED_BYTES] = "";
    size_t used = 0;
    size_t i;
    json_t *name;

    if (json_is_string(rule)) {
        const struct type *type = type_find(rule);

        return type_fits(type, place->value)
               || complain(check, place, "%s", type->said);
    }
    assert(json_is_array(rule));
    json_array_foreach(rule, i, name)
    {
        const struct type *type = type_find(name);

        if (type_fits(type, place->value))
            return true;
        fmt_into(expected + used, sizeof expected - used, "%s%s", i > 0 ? " or " : "",
                 type->said);
        used = strlen(expected);
    }
    return complain(check, place, "%s", expected);
}

/* As JSON Schema compares: 1 and 1.0 are the same. */
static bool is_equal(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b) && json_typeof(a) != json_typeof(b)) {
        double x = json_number_value(a);
        double y = json_number_value(b);

        return x <= y && x >= y;
    }
    return json_equal(a, b) == 1;
}

/* A constant of the schema as JSON; the caller frees. */
static char *constant_text(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    assert(text != NULL);
    return text;
}

static bool check_const(struct check *check, const json_t *rule,
                        const struct json_place *place)
{
    char *text;

    if (is_equal(rule, place->value))
        return true;
    text = constant_text(rule);
    (void)complain(check, place, "%s", text); /* always false */
    free(text);
    check->reached = 0;
    return false;
}

static bool check_enum(struct check *check, const json_t *rule,
                       const struct json_place *place)
{
    struct buf expected;
    size_t i;
    json_t *allowed;

    json_array_foreach(rule, i, allowed)
    {
        if (is_equal(allowed, place->value))
            return true;
    }
    buf_init(&expected, EXPECTED_BYTES);
    json_array_foreach(rule, i, allowed)
    {
        char *text = constant_text(allowed);

        buf_printf(&expected, "%s%s", i > 0 ? ", " : "", text);
        free(text);
    }
    (void)complain(check, place, "one of %s", buf_text(&expected)); /* always false */
    buf_done(&expected);
    return false;
}

/* jansson iterates over non-const objects only, though it does not change them. */
static json_t *iterable(const json_t *object)
{
    return (json_t *)(uintptr_t)object;
}

static bool check_properties(struct check *check, const json_t *rule,
                             const struct json_place *place)
{
    const char *key;
    json_t *schema;

    json_object_foreach(iterable(rule), key, schema)
    {
        struct json_place member = json_member(place, key);

        if (member.value != NULL && !check_value(check, schema, &member))
            return false;
    }
    return true;
}

static bool check_required(struct check *check, const json_t *rule,
                           const struct json_place *place)
{
    size_t i;
    json_t *name;

    if (!json_is_object(place->value))
        return true;
    json_array_foreach(rule, i, name)
    {
        struct json_place member = json_member(place, json_string_value(name));
        struct json_place missing = {
            .above = place->above, .key = place->key, .index = place->index};

        if (member.value == NULL)
            return complain(check, &missing, "a key \"%s\"", json_string_value(name));
    }
    return true;
}

static bool check_items(struct check *check, const json_t *rule,
                        const struct json_place *place)
{
    for (size_t i = 0; i < json_array_size(place->value); i++) {
        struct json_place item = json_item(place, i);

        if (!check_value(check, rule, &item))
            return false;
    }
    return true;
}

/* Compares all pairs: a schema puts maxItems before uniqueItems. */
static bool check_unique(struct check *check, const json_t *rule,
                         const struct json_place *place)
{
    size_t count = json_array_size(place->value);

    assert(json_is_true(rule));
    for (size_t i = 1; i < count; i++) {
        struct json_place item = json_item(place, i);

        for (size_t before = 0; before < i; before++)
            if (is_equal(item.value, json_array_get(place->value, before)))
                return complain(check, &item, "an item that differs from item %zu",
                                before);
    }
    return true;
}

/* The bounds: what they measure is NAN where they do not apply. */

static double item_count(const struct json_place *place)
{
    return json_is_array(place->value) ? (double)json_array_size(place->value) : NAN;
}

/* In characters, as JSON Schema counts; jansson's strings are well-formed UTF-8. */
static double text_length(const struct json_place *place)
{
    const char *at = json_string_value(place->value);
    size_t count = 0;

    if (at == NULL)
        return NAN;
    for (size_t i = 0; i < json_string_length(place->value); i++)
        count += ((unsigned char)at[i] & 0xC0) != 0x80;
    return (double)count;
}

static double number(const struct json_place *place)
{
    return json_is_number(place->value) ? json_number_value(place->value) : NAN;
}

static bool check_format(struct check *check, const json_t *rule,
                         const struct json_place *place)
{
    int64_t wall_us;

    assert(strcmp(json_string_value(rule), "date-time") == 0);
    return !json_is_string(place->value)
           || clock_parse_us(str_make(json_string_value(place->value),
                                      json_string_length(place->value)),
                             &wall_us)
           || complain(check, place, "a time like 2026-01-31T10:30:00.123456Z");
}

/* How many branches fit; if none, the complaint is that of the best. */
static size_t count_fitting(struct check *check, const json_t *branches,
                            const struct json_place *place)
{
    struct err *err = check->err;
    struct err best = {0};
    int best_reached = -1;
    size_t fitting = 0;
    size_t i;
    json_t *branch;

    json_array_foreach(branches, i, branch)
    {
        struct err own = {0};

        check->err = &own;
        if (check_value(check, branch, place)) {
            fitting++;
        } else if (check->reached > best_reached) {
            best_reached = check->reached;
            best = own;
        }
    }
    check->err = err;
    if (fitting == 0) {
        check->reached = best_reached;
        if (err != NULL)
            *err = best;
    }
    return fitting;
}

static bool check_any_of(struct check *check, const json_t *rule,
                         const struct json_place *place)
{
    return count_fitting(check, rule, place) > 0;
}

static bool check_one_of(struct check *check, const json_t *rule,
                         const struct json_place *place)
{
    size_t fitting = count_fitting(check, rule, place);

    if (fitting > 1)
        return complain(check, place, "one form, not %zu at once", fitting);
    return fitting == 1;
}

static bool check_ref(struct check *check, const json_t *rule,
                      const struct json_place *place)
{
    static const char start[] = "#/$defs/";
    const char *ref = json_string_value(rule);
    const json_t *schema;

    assert(ref != NULL && strncmp(ref, start, sizeof start - 1) == 0);
    schema =
        json_object_get(json_object_get(check->root, "$defs"), ref + sizeof start - 1);
    assert(schema != NULL);
    return check_value(check, schema, place);
}

/* A keyword has a check of its own, or is a bound of what is measured, or (only its
 * name stands here) says nothing about the document. */
static const struct keyword {
    const char *name;
    bool (*check)(struct check *check, const json_t *rule,
                  const struct json_place *place);
    double (*measure)(const struct json_place *place);
    bool is_maximum;
    const char *unit; /* with a blank before */
} keywords[] = {
    {.name = "type", .check = check_type},
    {.name = "const", .check = check_const},
    {.name = "enum", .check = check_enum},
    {.name = "required", .check = check_required},
    {.name = "properties", .check = check_properties},
    {.name = "additionalProperties"}, /* check_no_others */
    {.name = "items", .check = check_items},
    {"minItems", NULL, item_count, false, " items"},
    {"maxItems", NULL, item_count, true, " items"},
    {.name = "uniqueItems", .check = check_unique},
    {"minLength", NULL, text_length, false, " characters"},
    {"maxLength", NULL, text_length, true, " characters"},
    {"minimum", NULL, number, false, ""},
    {"maximum", NULL, number, true, ""},
    {.name = "format", .check = check_format},
    {.name = "anyOf", .check = check_any_of},
    {.name = "oneOf", .check = check_one_of},
    {.name = "$ref", .check = check_ref},
    {.name = "$schema"},
    {.name = "$id"},
    {.name = "$defs"},
    {.name = "$comment"},
    {.name = "title"},
    {.name = "description"},
    {.name = "default"},
    {.name = "examples"},
};

static const struct keyword *keyword_find(const char *name)
{
    size_t i = 0;

    while (strcmp(keywords[i].name, name) != 0) {
        i++;
        assert(i < sizeof keywords / sizeof *keywords);
    }
    return &keywords[i];
}

static bool no_such_key(struct check *check, const json_t *known,
                        const struct json_place *member)
{
    struct nearest nearest = nearest_to(str_of(member->key));
    const char *name;
    json_t *rule;

    json_object_foreach(iterable(known), name, rule)
    {
        nearest_try(&nearest, name);
    }
    if (nearest.name == NULL)
        return complain(check, member, "no such key");
    return complain(check, member, "no such key (%s?)", nearest.name);
}

/* Also a schema for all of them. */
static bool check_others(struct check *check, const json_t *rule, const json_t *known,
                         const struct json_place *place)
{
    const char *key;
    json_t *value;

    json_object_foreach(iterable(place->value), key, value)
    {
        struct json_place member = {.value = value, .above = place, .key = key};

        if (json_object_get(known, key) == NULL && !check_value(check, rule, &member))
            return false;
    }
    return true;
}

/* additionalProperties needs its neighbour `properties`. */
static bool check_no_others(struct check *check, const json_t *schema,
                            const struct json_place *place)
{
    const json_t *rule = json_object_get(schema, "additionalProperties");
    const json_t *known = json_object_get(schema, "properties");
    const char *key;
    json_t *value;

    if (rule == NULL || json_is_true(rule) || !json_is_object(place->value))
        return true;
    if (json_is_object(rule))
        return check_others(check, rule, known, place);
    json_object_foreach(iterable(place->value), key, value)
    {
        struct json_place member = {.value = value, .above = place, .key = key};

        if (json_object_get(known, key) == NULL)
            return no_such_key(check, known, &member);
    }
    return true;
}

static bool check_keyword(struct check *check, const struct keyword *keyword,
                          const json_t *rule, const struct json_place *place)
{
    double bound = json_number_value(rule);
    double measured;

    if (keyword->check != NULL)
        return keyword->check(check, rule, place);
    if (keyword->measure == NULL)
        return true;
    measured = keyword->measure(place);
    if (keyword->is_maximum ? !isgreater(measured, bound) : !isless(measured, bound))
        return true;
    return complain(check, place, "at %s %.15g%s",
                    keyword->is_maximum ? "most" : "least", bound, keyword->unit);
}

static bool check_value(struct check *check, const json_t *schema,
                        const struct json_place *place)
{
    const char *name;
    json_t *rule;
    bool ok = true;

    assert(json_is_object(schema));
    if (check->depth == DEPTH_MAX)
        return complain(check, place, "less than %d levels", DEPTH_MAX);
    check->depth++;
    json_object_foreach(iterable(schema), name, rule)
    {
        ok = check_keyword(check, keyword_find(name), rule, place);
        if (!ok)
            break;
    }
    ok = ok && check_no_others(check, schema, place);
    check->depth--;
    return ok;
}

bool schema_check(const json_t *schema, const json_t *document, struct err *err)
{
    struct check check = {.root = schema, .err = err};
    struct json_place place = json_root(document);

    assert(document != NULL);
    return check_value(&check, schema, &place);
}

bool json_read(struct str text, json_t **ret_document, struct err *err)
{
    json_error_t error;
    json_t *document;

    document = json_loadb(text.at == NULL ? "" : text.at, text.len,
                          JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (document == NULL)
        return err_set(
            err, ERR_FORMAT, "line %d, column %d: %s", error.line < 1 ? 1 : error.line,
            error.column < 1 ? 1 : error.column, log_safe(str_of(error.text)));
    *ret_document = document;
    return true;
}
