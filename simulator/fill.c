/* fill.c - see fill.h.
 *
 * Flow: fill_schema -> fill_value -> resolve ($ref, anyOf, oneOf)
 *                   -> const, enum, or by type: fill_object, fill_array, fill_string
 * ...
 */
#include "simulator/fill.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/json_write.h"
#include "simulator/fill_text.h"

enum {
    REF_MAX = 32,        /* $refs in a row */
    DEPTH_MAX = 48,      /* a schema that needs more refers to itself without an end */
    DEPTH_EASY = 6,      /* from here on only what is required */
    DISTINCT_TRIES = 8,  /* for list items that differ */
    DISTINCT_LAST = 100, /* that are compared, where the schema does not ask for it */
    UNIQUE_TRIES = 400,  /* where they must */
    NUMBERS_MAX = 10,    /* where the schema sets no bounds */
    ITEMS_MAX = 10000,
    TEXT_MAX = 100000 /* characters a schema may ask for at least */
};

struct fill {
    const json_t *root;
    struct rng rng;
    struct fill_text text;
    struct err *err;
    int depth;
    size_t person; /* index in the innermost list of objects */
};

static bool fill_value(struct fill *fill, const json_t *schema, const char *name,
                       struct buf *into);

static bool refuse(struct fill *fill, const char *why)
{
    return err_set(fill->err, ERR_FORMAT, "%s", why);
}

/* ---- which schema ---- */

/* "#/$defs/persona" from the root on; NULL when it leads nowhere. */
static const json_t *follow(const struct fill *fill, const char *ref)
{
    const json_t *at = fill->root;
    struct str rest = str_of(ref);
    struct str step = str_cut(rest, '/', &rest);

    if (!str_is(step, "#"))
        return NULL;
    while (rest.len > 0 && at) {
        char *key = NULL;

        step = str_cut(rest, '/', &rest);
        key = x_memdup(step.at, step.len);
        at = json_object_get(at, key);
        free(key);
    }
    return at;
}

static bool allows_null(const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");

    return json_is_string(type) && strcmp(json_string_value(type), "null") == 0;
}

/* One of anyOf or oneOf: null only where it saves us from going on for ever. */
static const json_t *choose(struct fill *fill, const json_t *branches)
{
    size_t count = json_array_size(branches);
    size_t start = count > 0 ? rng_below(&fill->rng, count) : 0;
    bool easy = fill->depth >= DEPTH_EASY;

    for (size_t i = 0; i < count; i++) {
        const json_t *branch = json_array_get(branches, (start + i) % count);

        if (allows_null(branch) == easy)
            return branch;
    }
    return json_array_get(branches, start);
}

static const json_t *resolve(struct fill *fill, const json_t *schema)
{
    for (int i = 0; i < REF_MAX; i++) {
        const json_t *ref = json_object_get(schema, "$ref");
        const json_t *any = json_object_get(schema, "anyOf");
        const json_t *one = json_object_get(schema, "oneOf");

        if (json_is_string(ref))
            schema = follow(fill, json_string_value(ref));
        else if (json_array_size(any) > 0)
            schema = choose(fill, any);
        else if (json_array_size(one) > 0)
            schema = choose(fill, one);
        else
            return schema;
    }
    return NULL;
}

static const char *type_of(const struct fill *fill, const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");
    size_t count = json_array_size(type);

    if (json_is_string(type))
        return json_string_value(type);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(type, i));

        if (name && (strcmp(name, "null") == 0) == (fill->depth >= DEPTH_EASY))
            return name;
    }
    if (count > 0 && json_is_string(json_array_get(type, 0)))
        return json_string_value(json_array_get(type, 0));
    if (json_object_get(schema, "properties"))
        return "object";
    return json_object_get(schema, "items") ? "array" : "string";
}

/* ---- numbers ---- */

static bool bound(const json_t *schema, const char *key, double *ret_value)
{
    const json_t *value = json_object_get(schema, key);

    if (!json_is_number(value))
        return false;
    *ret_value = json_number_value(value);
    return true;
}

/* The lower (side -1) or upper (side 1) end, an exclusive one moved inward by a step.
 */
static bool find_end(const json_t *schema, int side, double step, double *ret_end)
{
    double edge = 0;
    bool found = bound(schema, side < 0 ? "minimum" : "maximum", ret_end);

    if (!bound(schema, side < 0 ? "exclusiveMinimum" : "exclusiveMaximum", &edge))
        return found;
    edge -= side * step;
    if (!found || (edge - *ret_end) * side < 0)
        *ret_end = edge;
    return true;
}

static bool bounds(struct fill *fill, const json_t *schema, const char *name,
                   double step, double ret[2])
{
    bool low = find_end(schema, -1, step, &ret[0]);
    bool high = find_end(schema, 1, step, &ret[1]);

    if (!low && !high && strcmp(name, "sentiment") == 0) {
        ret[0] = -1;
        ret[1] = 1;
        return true;
    }
    if (!low)
        ret[0] = high && ret[1] < 1 ? ret[1] - NUMBERS_MAX : 1;
    if (!high)
        ret[1] = ret[0] + NUMBERS_MAX;
    return ret[0] <= ret[1] || refuse(fill, "minimum and maximum cross");
}

static bool fill_integer(struct fill *fill, const json_t *schema, const char *name,
                         struct buf *into)
{
    double ends[2] = {0, 0};
    double span = 0;

    if (!bounds(fill, schema, name, 1, ends))
        return false;
    ends[0] = ceil(ends[0]);
    span = floor(ends[1]) - ends[0];
    if (span < 0)
        return refuse(fill, "no whole number between minimum and maximum");
    if (fabs(ends[0]) > 9e15 || span > 9e15)
        return refuse(fill, "bounds beyond 2^53");
    return json_write_i64(
        into, (int64_t)ends[0] + (int64_t)rng_below(&fill->rng, (uint64_t)span + 1));
}

static bool fill_number(struct fill *fill, const json_t *schema, const char *name,
                        struct buf *into)
{
    double ends[2] = {0, 0};
    double value = 0;

    if (!bounds(fill, schema, name, 1e-6, ends))
        return false;
    value = ends[0] + (ends[1] - ends[0]) * rng_unit(&fill->rng);
    /* Two digits where they stay within the bounds. */
    if (round(value * 100) / 100 >= ends[0] && round(value * 100) / 100 <= ends[1])
        value = round(value * 100) / 100;
    return json_write_number(into, value, 9);
}

/* ---- text ---- */

static size_t characters(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.at[i] & 0xC0) != 0x80;
    return count;
}

/* At most `most` characters, preferably whole words. */
static struct str shorten(struct str text, size_t most)
{
    size_t end = 0;
    size_t space = 0;

    for (size_t count = 0; end < text.len && count < most; count++) {
        if (text.at[end] == ' ')
            space = end;
        end++;
        while (end < text.len && ((unsigned char)text.at[end] & 0xC0) == 0x80)
            end++;
    }
    if (end < text.len && text.at[end] != ' ' && space > 0)
        end = space;
    return str_make(text.at, end);
}

/* Sentence after sentence, until there are so many characters. */
static void lengthen(struct fill *fill, size_t least, struct buf *text)
{
    size_t have = characters(buf_str(text));

    while (have < least) {
        size_t before = text->len;

        (void)buf_add_char(text, ' '); /* TEXT_MAX is far from the bound */
        fill_text_add(&fill->text, "", fill->person, text);
        have += characters(str_make(text->at + before, text->len - before));
    }
}

static bool fill_string(struct fill *fill, const json_t *schema, const char *name,
                        struct buf *into)
{
    int64_t least = json_integer_value(json_object_get(schema, "minLength"));
    const json_t *most = json_object_get(schema, "maxLength");
    struct buf text;
    struct str value = {0};
    bool ok = false;

    if (json_is_integer(most) && json_integer_value(most) < least)
        return refuse(fill, "minLength and maxLength cross");
    if (least > TEXT_MAX)
        return refuse(fill, "minLength is too large");
    least = least > 0 ? least : 0;
    buf_init(&text, 1 << 24);
    fill_text_add(&fill->text, name, fill->person, &text);
    lengthen(fill, (size_t)least, &text);
    value = buf_str(&text);
    if (json_is_integer(most) && characters(value) > (size_t)json_integer_value(most))
        value = shorten(value, (size_t)json_integer_value(most));
    /* A cut at a word's end may have gone below the minimum: then anywhere. */
    if (characters(value) < (size_t)least)
        value = shorten(str_make(text.at, text.len), (size_t)least);
    while (characters(value) < (size_t)least && value.len < text.len)
        value.len++;
    ok = json_write_string(into, value);
    buf_done(&text);
    return ok;
}

/* ---- objects and lists ---- */

static bool is_required(const json_t *schema, const char *key)
{
    const json_t *required = json_object_get(schema, "required");

    for (size_t i = 0; i < json_array_size(required); i++)
        if (json_is_string(json_array_get(required, i))
            && strcmp(json_string_value(json_array_get(required, i)), key) == 0)
            return true;
    return false;
}

static bool fill_member(struct fill *fill, const json_t *schema, const char *key,
                        struct buf *into)
{
    if (into->at[into->len - 1] != '{')
        (void)buf_add_text(into, ", ");
    (void)json_write_text(into, key); /* a full buffer shows in fill_value */
    (void)buf_add_text(into, ": ");
    return fill_value(fill, schema, key, into);
}

/* Required names that `properties` does not describe. */
static bool fill_missing(struct fill *fill, const json_t *schema, struct buf *into)
{
    const json_t *required = json_object_get(schema, "required");
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *other = json_object_get(schema, "additionalProperties");

    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *key = json_string_value(json_array_get(required, i));

        if (key && json_object_get(properties, key) == NULL
            && !fill_member(fill, other, key, into))
            return false;
    }
    return true;
}

static bool fill_object(struct fill *fill, const json_t *schema, struct buf *into)
{
    json_t *properties = json_object_get(schema, "properties");
    const char *key = NULL;
    json_t *value = NULL;

    (void)buf_add_char(into, '{');
    json_object_foreach(properties, key, value)
    {
        if ((fill->depth < DEPTH_EASY || is_required(schema, key))
            && !fill_member(fill, value, key, into))
            return false;
    }
    return fill_missing(fill, schema, into) && buf_add_char(into, '}');
}

static bool holds_objects(struct fill *fill, const json_t *items)
{
    const json_t *item = items ? resolve(fill, items) : NULL;

    return item && strcmp(type_of(fill, item), "object") == 0;
}

static bool list_length(struct fill *fill, const json_t *schema, bool objects,
                        size_t *ret_count)
{
    const json_t *most = json_object_get(schema, "maxItems");
    int64_t low = json_integer_value(json_object_get(schema, "minItems"));
    int64_t high = json_is_integer(most) ? json_integer_value(most) : ITEMS_MAX;
    int64_t wanted = (int64_t)(objects ? fill->text.wanted : 0);

    if (low < 0 || high < low || low > ITEMS_MAX)
        return refuse(fill, "minItems and maxItems cross or are too large");
    if (fill->depth >= DEPTH_EASY)
        wanted = low;
    else if (wanted == 0 && json_is_integer(most) && high - low < NUMBERS_MAX)
        wanted = low + (int64_t)rng_below(&fill->rng, (uint64_t)(high - low) + 1);
    else if (wanted == 0)
        wanted = 3 + (int64_t)rng_below(&fill->rng, 2);
    wanted = wanted < low ? low : wanted;
    *ret_count = (size_t)(wanted > high ? high : wanted);
    return true;
}

struct list {
    const json_t *schema; /* of the list */
    const char *name;
    size_t *starts; /* owned: where each item begins in the text */
    size_t count;   /* that are there */
};

/* Whether the item that begins at `start` stands in the list already, among the last
 * so many. */
static bool is_repeated(const struct list *list, size_t start, size_t last,
                        const struct buf *into)
{
    struct str item = str_make(into->at + start, into->len - start);

    for (size_t i = list->count > last ? list->count - last : 0; i < list->count; i++) {
        size_t next = i + 1 < list->count ? list->starts[i + 1] : start;
        /* Between two items stands ", ". */
        size_t len = next - 2 - list->starts[i];

        if (str_eq(item, str_make(into->at + list->starts[i], len)))
            return true;
    }
    return false;
}

/* One item more, tried anew while an equal one is there. */
static bool fill_item(struct fill *fill, struct list *list, struct buf *into)
{
    const json_t *items = json_object_get(list->schema, "items");
    bool unique = json_is_true(json_object_get(list->schema, "uniqueItems"));
    int tries = unique ? UNIQUE_TRIES : DISTINCT_TRIES;
    size_t start = 0;
    bool repeated = true;

    if (list->count > 0)
        (void)buf_add_text(into, ", ");
    start = into->len;
    for (int i = 0; i < tries && repeated; i++) {
        into->len = start;
        if (!fill_value(fill, items, list->name, into))
            return false;
        repeated = is_repeated(list, start, unique ? SIZE_MAX : DISTINCT_LAST, into);
    }
    list->starts[list->count++] = start;
    return !repeated || !unique
           || refuse(fill, "not enough different items for uniqueItems");
}

static bool fill_array(struct fill *fill, const json_t *schema, const char *name,
                       struct buf *into)
{
    size_t person = fill->person;
    bool objects = holds_objects(fill, json_object_get(schema, "items"));
    struct list list = {.schema = schema, .name = name};
    size_t count = 0;
    bool ok = true;

    if (!list_length(fill, schema, objects, &count))
        return false;
    list.starts = x_calloc(count + 1, sizeof *list.starts);
    (void)buf_add_char(into, '[');
    for (size_t i = 0; i < count && ok; i++) {
        fill->person = objects ? i : person;
        ok = fill_item(fill, &list, into);
    }
    fill->person = person;
    free(list.starts);
    return ok && buf_add_char(into, ']');
}

/* ---- any value ---- */

static bool write_json(const json_t *value, struct buf *into)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    bool ok = text && buf_add_text(into, text);

    free(text);
    return ok;
}

static bool fill_typed(struct fill *fill, const json_t *schema, const char *name,
                       struct buf *into)
{
    const char *type = type_of(fill, schema);

    if (strcmp(type, "object") == 0)
        return fill_object(fill, schema, into);
    if (strcmp(type, "array") == 0)
        return fill_array(fill, schema, name, into);
    if (strcmp(type, "string") == 0)
        return fill_string(fill, schema, name, into);
    if (strcmp(type, "integer") == 0)
        return fill_integer(fill, schema, name, into);
    if (strcmp(type, "number") == 0)
        return fill_number(fill, schema, name, into);
    if (strcmp(type, "boolean") == 0)
        return buf_add_text(into, rng_below(&fill->rng, 2) ? "true" : "false");
    if (strcmp(type, "null") == 0)
        return buf_add_text(into, "null");
    return refuse(fill, "a type that JSON Schema does not know");
}

static bool fill_value(struct fill *fill, const json_t *schema, const char *name,
                       struct buf *into)
{
    const json_t *fixed = NULL;
    bool ok = false;

    if (schema == NULL || json_is_true(schema))
        return fill_string(fill, NULL, name, into);
    schema = resolve(fill, schema);
    if (!json_is_object(schema))
        return refuse(fill, "a schema that nothing fits");
    if (++fill->depth > DEPTH_MAX)
        return refuse(fill, "a schema without an end");
    fixed = json_object_get(schema, "enum");
    if (json_object_get(schema, "const"))
        ok = write_json(json_object_get(schema, "const"), into);
    else if (json_array_size(fixed) > 0)
        ok = write_json(
            json_array_get(fixed, rng_below(&fill->rng, json_array_size(fixed))), into);
    else
        ok = fill_typed(fill, schema, name, into);
    fill->depth--;
    if (into->overflowed)
        return refuse(fill, "an instance would be too large");
    return ok;
}

bool fill_schema(const json_t *schema, const struct talk_ask *ask, struct buf *into,
                 struct err *err)
{
    struct fill fill = {.root = schema, .err = err};
    uint64_t seed = ask->seed;

    for (size_t i = 0; i < ask->prompt->count; i++)
        seed = rng_hash(seed, ask->prompt->messages[i].text);
    rng_init(&fill.rng, seed);
    fill_text_init(&fill.text, ask, &fill.rng);
    return fill_value(&fill, schema, "", into);
}
