/* sim_strict.c - see sim_strict.h.
 *
 * Flow: sim_strict_check -> the name -> check_schema -> each part of it, by its path
 */
#include "simulator/sim_strict.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "simulator/flavor.h"

enum { STATUS_BAD = 400, DEPTH_MAX = 100, NAME_MAX_BYTES = 64, PATH_MAX_BYTES = 4096 };

struct checking {
    const char *name; /* of the schema */
    struct buf path;  /* "'properties', 'a'" */
    int depth;
    struct sim_refusal *refusal;
};

static bool refuse(struct checking *checking, const char *before, const char *what,
                   const char *after)
{
    return sim_refuse(checking->refusal, STATUS_BAD,
                      "Invalid schema for response_format '%.64s': In context=(%.96s), "
                      "%s%.48s%s",
                      checking->name, buf_text(&checking->path), before, what, after);
}

/* ---- one schema ---- */

static bool check_keywords(struct checking *checking, const json_t *schema)
{
    static const char *const banned[] = {
        "allOf", "oneOf", "not",  "dependentRequired", "dependentSchemas",
        "if",    "then",  "else", "uniqueItems",       "default"};

    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++)
        if (json_object_get(schema, banned[i]))
            return refuse(checking, "'", banned[i], "' is not permitted.");
    return true;
}

static bool is_in(const json_t *list, const char *key)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *other = json_string_value(json_array_get(list, i));

        if (other && strcmp(other, key) == 0)
            return true;
    }
    return false;
}

static bool check_object(struct checking *checking, const json_t *schema)
{
    static const char required_words[] =
        "'required' is required to be supplied and to be an array including every key "
        "in properties. ";
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *required = json_object_get(schema, "required");
    const char *key = NULL;
    json_t *value = NULL;

    if (!json_is_false(json_object_get(schema, "additionalProperties")))
        return refuse(checking, "'additionalProperties' is required to be supplied ",
                      "and to be false.", "");
    /* jansson wants to be able to write; it does not. */
    json_object_foreach((json_t *)(uintptr_t)properties, key, value)
    {
        if (!is_in(required, key)) {
            char text[sizeof required_words + 16] = "";

            fmt_into(text, sizeof text, "%sMissing '", required_words);
            return refuse(checking, text, key, "'.");
        }
    }
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));

        if (name && json_object_get(properties, name) == NULL) {
            char text[sizeof required_words + 32] = "";

            fmt_into(text, sizeof text, "%sExtra required key '", required_words);
            return refuse(checking, text, name, "' supplied.");
        }
    }
    return true;
}

static bool is_object(const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");

    if (json_is_string(type))
        return strcmp(json_string_value(type), "object") == 0;
    return is_in(type, "object") || json_object_get(schema, "properties");
}

/* ---- all of them ---- */

static bool check_schema(struct checking *checking, const json_t *schema);

static bool check_part(struct checking *checking, const char *word, const char *key,
                       const json_t *schema)
{
    size_t before = checking->path.len;
    bool ok = false;

    if (before > 0)
        (void)buf_add_text(&checking->path, ", "); /* a full one is cut */
    (void)buf_printf(&checking->path, "'%s'", word);
    if (key)
        (void)buf_printf(&checking->path, ", '%.64s'", key);
    ok = check_schema(checking, schema);
    checking->path.len = before;
    return ok;
}

static bool check_members(struct checking *checking, const json_t *schema,
                          const char *word)
{
    json_t *members = json_object_get(schema, word);
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach(members, key, value)
    {
        if (!check_part(checking, word, key, value))
            return false;
    }
    return true;
}

static bool check_choices(struct checking *checking, const json_t *schema)
{
    const json_t *choices = json_object_get(schema, "anyOf");

    for (size_t i = 0; i < json_array_size(choices); i++) {
        char number[24] = "";

        fmt_into(number, sizeof number, "%zu", i);
        if (!check_part(checking, "anyOf", number, json_array_get(choices, i)))
            return false;
    }
    return true;
}

static bool check_within(struct checking *checking, const json_t *schema)
{
    const json_t *items = json_object_get(schema, "items");

    return check_keywords(checking, schema)
           && (!is_object(schema) || check_object(checking, schema))
           && check_members(checking, schema, "properties")
           && check_members(checking, schema, "$defs")
           && check_members(checking, schema, "definitions")
           && check_choices(checking, schema)
           && (items == NULL || check_part(checking, "items", NULL, items));
}

static bool check_schema(struct checking *checking, const json_t *schema)
{
    bool ok = false;

    if (!json_is_object(schema))
        return true; /* what is no schema at all is found elsewhere */
    if (checking->depth == DEPTH_MAX)
        return refuse(checking, "the schema is nested too deeply", "", ".");
    checking->depth++;
    ok = check_within(checking, schema);
    checking->depth--;
    return ok;
}

static bool check_root(struct checking *checking, const json_t *schema)
{
    const char *type = json_string_value(json_object_get(schema, "type"));

    if (type && strcmp(type, "object") == 0)
        return check_schema(checking, schema);
    return sim_refuse(checking->refusal, STATUS_BAD,
                      "Invalid schema for response_format '%.64s': schema must be a "
                      "JSON Schema of 'type: \"object\"', got 'type: \"%.32s\"'.",
                      checking->name, type ? type : "None");
}

static bool is_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789_-");

    return len > 0 && len <= NAME_MAX_BYTES && name[len] == '\0';
}

static bool check_name(struct sim_request *request, const char *name,
                       struct sim_refusal *refusal)
{
    static const char param[] = "response_format.json_schema.name";

    if (name && is_name(name))
        return true;
    request->refused_param = param;
    request->refused_code = name ? "invalid_value" : "missing_required_parameter";
    if (name == NULL)
        return sim_refuse(refusal, STATUS_BAD, "Missing required parameter: '%s'.",
                          param);
    return sim_refuse(refusal, STATUS_BAD,
                      "Invalid '%s': string does not match pattern. Expected a string "
                      "that matches the pattern '^[a-zA-Z0-9_-]+$'.",
                      param);
}

bool sim_strict_check(struct sim_request *request, const json_t *format,
                      struct sim_refusal *refusal)
{
    const json_t *inner = json_object_get(format, "json_schema");
    const char *name = json_string_value(json_object_get(inner, "name"));
    struct checking checking = {.name = name, .refusal = refusal};
    bool ok = false;

    if (strcmp(request->flavor->name, "openai") != 0)
        return true;
    if (!check_name(request, name, refusal))
        return false;
    if (!json_is_true(json_object_get(inner, "strict")))
        return true;
    buf_init(&checking.path, PATH_MAX_BYTES);
    ok = check_root(&checking, json_object_get(inner, "schema"));
    buf_done(&checking.path);
    if (!ok)
        request->refused_param = "response_format";
    return ok;
}
