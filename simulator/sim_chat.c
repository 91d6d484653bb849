/* sim_chat.c - see sim_chat.h.
 *
 * Flow: sim_request_parse -> read_document -> read_fields (400)
 *       -> read_model (400, 404) -> check_abilities (400) -> read_options (500)
 *       -> read_format (500): the order in which the real server finds fault. Who only
 *       unloads a model is not looked at any further, nor the format of who loads one.
 */
#include "simulator/sim_chat.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
    STATUS_BAD = 400,
    STATUS_NOT_FOUND = 404,
    STATUS_SERVER = 500,
    TOP_LOGPROBS_MAX = 20
};

struct reading {
    struct sim_request *request;
    struct sim_refusal *refusal;
    const char *type_name; /* "ChatRequest" */
    bool think_unsaid;
};

bool sim_refuse(struct sim_refusal *refusal, int status, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    struct str cut = {0};

    va_start(args, format);
    text = x_vprintf(format, args);
    va_end(args);
    cut = str_of(text);
    cut.len = cut.len < sizeof refusal->text ? cut.len : sizeof refusal->text - 1;
    memcpy(refusal->text, cut.at, cut.len);
    refusal->text[cut.len] = '\0';
    refusal->status = status;
    free(text);
    return false;
}

/* ---- the document and its fields ---- */

static const char *type_said(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    default:
        return "bool";
    }
}

static bool read_document(struct reading *reading, struct str body)
{
    json_error_t error = {0};
    json_t *document = NULL;

    if (str_trim(body).len == 0)
        return sim_refuse(reading->refusal, STATUS_BAD, "missing request body");
    document = json_loadb(body.at, body.len, JSON_DECODE_ANY, &error);
    if (document == NULL
        && json_error_code(&error) == json_error_premature_end_of_input)
        return sim_refuse(reading->refusal, STATUS_BAD, "unexpected EOF");
    if (document == NULL)
        return sim_refuse(reading->refusal, STATUS_BAD,
                          "invalid JSON: line %d, column %d: %s", error.line,
                          error.column, error.text);
    reading->request->document = document;
    if (!json_is_object(document))
        return sim_refuse(reading->refusal, STATUS_BAD,
                          "json: cannot unmarshal %s into Go value of type api.%s",
                          type_said(document), reading->type_name);
    return true;
}

/* A field that is absent or null is as if not given: *ret_value is NULL then. */
static bool read_field(struct reading *reading, const char *name, json_type type,
                       const char *go_type, const json_t **ret_value)
{
    const json_t *value = json_object_get(reading->request->document, name);

    if (value == NULL || json_is_null(value)) {
        *ret_value = NULL;
        return true;
    }
    if (json_typeof(value) != type && !(type == JSON_TRUE && json_is_false(value)))
        return sim_refuse(
            reading->refusal, STATUS_BAD,
            "json: cannot unmarshal %s into Go struct field %s.%s of type %s",
            type_said(value), reading->type_name, name, go_type);
    *ret_value = value;
    return true;
}

static bool read_stream(struct reading *reading)
{
    const json_t *stream = NULL;

    if (!read_field(reading, "stream", JSON_TRUE, "bool", &stream))
        return false;
    reading->request->stream = stream == NULL || json_is_true(stream);
    return true;
}

/* ---- keep_alive ---- */

/* Go's durations want a unit; "0" alone is fine. */
static bool read_duration(struct reading *reading, const char *text)
{
    struct str rest = str_of(text);
    bool negative = str_starts(rest, "-");
    int64_t ms = 0;

    if (negative)
        rest = str_make(rest.at + 1, rest.len - 1);
    if (rest.len > 0 && strspn(rest.at, "0123456789.") == rest.len
        && !str_is(rest, "0"))
        return sim_refuse(reading->refusal, STATUS_BAD,
                          "time: missing unit in duration \"%.64s\"", text);
    if (!str_to_duration_ms(rest, &ms))
        return sim_refuse(reading->refusal, STATUS_BAD,
                          "time: invalid duration \"%.64s\"", text);
    reading->request->keep_alive_ms = negative ? -1 : ms;
    return true;
}

static bool read_keep_alive(struct reading *reading)
{
    const json_t *value = json_object_get(reading->request->document, "keep_alive");
    double seconds = json_number_value(value);

    reading->request->keep_alive_ms = SIM_KEEP_UNSAID;
    if (value == NULL || json_is_null(value))
        return true;
    if (json_is_string(value))
        return read_duration(reading, json_string_value(value));
    if (!json_is_number(value))
        return sim_refuse(reading->refusal, STATUS_BAD, "Unsupported type: '%s'",
                          json_is_boolean(value) ? "bool"
                          : json_is_array(value) ? "[]interface {}"
                                                 : "map[string]interface {}");
    reading->request->keep_alive_ms =
        seconds < 0 || seconds > 1e9 ? -1 : (int64_t)(seconds * 1000);
    return true;
}

/* ---- what is said ---- */

/* The server has roles in small letters; what it does not know speaks as a user. */
const char *sim_role_of(const char *role)
{
    static const char *const roles[] = {"system", "assistant", "tool"};

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        size_t k = 0;

        while (roles[i][k] && (role[k] | 0x20) == roles[i][k])
            k++;
        if (roles[i][k] == '\0' && role[k] == '\0')
            return roles[i];
    }
    return "user";
}

/* A text of a message; absent or null it is empty. */
static bool read_text(struct reading *reading, const json_t *message, const char *name,
                      struct str *ret_text)
{
    const json_t *value = json_object_get(message, name);

    *ret_text = str_make("", 0);
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_string(value))
        return sim_refuse(reading->refusal, STATUS_BAD,
                          "json: cannot unmarshal %s into Go struct field "
                          "ChatRequest.messages.%s of type string",
                          type_said(value), name);
    *ret_text = str_make(json_string_value(value), json_string_length(value));
    return true;
}

static bool read_message(struct reading *reading, const json_t *message)
{
    struct str role = {0};
    struct str content = {0};

    if (!json_is_object(message))
        return sim_refuse(reading->refusal, STATUS_BAD,
                          "json: cannot unmarshal %s into Go struct field "
                          "ChatRequest.messages of type api.Message",
                          type_said(message));
    if (!read_text(reading, message, "role", &role)
        || !read_text(reading, message, "content", &content))
        return false;
    sim_prompt_add(&reading->request->prompt, sim_role_of(role.at), content);
    return true;
}

static bool read_messages(struct reading *reading)
{
    const json_t *messages = NULL;

    if (!read_field(reading, "messages", JSON_ARRAY, "[]api.Message", &messages))
        return false;
    for (size_t i = 0; i < json_array_size(messages); i++)
        if (!read_message(reading, json_array_get(messages, i)))
            return false;
    reading->request->empty = json_array_size(messages) == 0;
    return true;
}

static bool read_prompt(struct reading *reading)
{
    const json_t *system = NULL;
    const json_t *prompt = NULL;

    if (!read_field(reading, "system", JSON_STRING, "string", &system)
        || !read_field(reading, "prompt", JSON_STRING, "string", &prompt))
        return false;
    if (system && json_string_length(system) > 0)
        sim_prompt_add(&reading->request->prompt, "system",
                       str_make(json_string_value(system), json_string_length(system)));
    if (prompt)
        sim_prompt_add(&reading->request->prompt, "user",
                       str_make(json_string_value(prompt), json_string_length(prompt)));
    reading->request->empty = prompt == NULL || json_string_length(prompt) == 0;
    return true;
}

/* ---- the model and what it can do ---- */

static bool read_model(struct reading *reading, const struct sim_models *models)
{
    struct sim_request *request = reading->request;
    const json_t *name = NULL;

    if (!read_field(reading, "model", JSON_STRING, "string", &name))
        return false;
    request->model_name = name ? json_string_value(name) : "";
    if (request->model_name[0] == '\0' && request->endpoint == SIM_CHAT)
        return sim_refuse(reading->refusal, STATUS_BAD, "model is required");
    request->model = sim_models_find(models, str_of(request->model_name));
    if (request->model == NULL)
        return sim_refuse(reading->refusal, STATUS_NOT_FOUND,
                          "model '%.128s' not found", request->model_name);
    return true;
}

static bool read_think(struct reading *reading)
{
    static const char *const levels[] = {"low", "medium", "high", "max"};
    const json_t *think = json_object_get(reading->request->document, "think");

    reading->request->think = json_is_true(think);
    reading->think_unsaid = think == NULL || json_is_null(think);
    if (reading->think_unsaid || json_is_boolean(think))
        return true;
    if (!json_is_string(think))
        return sim_refuse(reading->refusal, STATUS_BAD,
                          "think must be a boolean or string (\"high\", \"medium\", "
                          "\"low\", \"max\", true, or false)");
    reading->request->think = true;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(json_string_value(think), levels[i]) == 0)
            return true;
    return sim_refuse(reading->refusal, STATUS_BAD,
                      "invalid think value: \"%.64s\" (must be \"high\", \"medium\", "
                      "\"low\", \"max\", true, or false)",
                      json_string_value(think));
}

static bool check_abilities(struct reading *reading)
{
    struct sim_request *request = reading->request;
    const json_t *tools = json_object_get(request->document, "tools");
    bool thinks = sim_model_thinks(request->model);

    if (request->think && !thinks)
        return sim_refuse(reading->refusal, STATUS_BAD,
                          "\"%.128s\" does not support thinking", request->model_name);
    /* A model that can think does, unless it is told not to. */
    request->think = request->think || (thinks && reading->think_unsaid);
    if (request->endpoint == SIM_CHAT && json_array_size(tools) > 0)
        return sim_refuse(reading->refusal, STATUS_BAD,
                          "registry.ollama.ai/library/%.128s does not support tools",
                          request->model->name);
    return true;
}

/* ---- options and format ---- */

static bool read_options(struct reading *reading)
{
    struct sim_request *request = reading->request;
    struct sim_settings settings = sim_settings_default();
    const json_t *shift = json_object_get(request->document, "shift");
    const json_t *options = json_object_get(request->document, "options");

    if (!sim_settings_read(options, &settings, reading->refusal))
        return false;
    settings.runner.no_shift = json_is_false(shift);
    request->runner = settings.runner;
    request->num_ctx = sim_model_window(request->model, &settings.runner);
    request->num_predict = settings.num_predict;
    request->seed = settings.seed;
    request->stops = settings.stops;
    return true;
}

static bool read_format(struct reading *reading)
{
    struct sim_request *request = reading->request;
    const json_t *format = json_object_get(request->document, "format");
    const char *text = json_is_string(format) ? json_string_value(format) : "";

    request->schema = json_is_object(format) ? format : NULL;
    request->json = strcmp(text, "json") == 0;
    if (format == NULL || json_is_null(format) || request->schema || request->json
        || (json_is_string(format) && text[0] == '\0'))
        return true;
    return sim_refuse(
        reading->refusal, STATUS_SERVER,
        "invalid format: \"%s%.64s%s\"; expected \"json\" or a valid JSON "
        "Schema object",
        json_is_string(format) ? "\\\"" : "",
        json_is_string(format) ? text : type_said(format),
        json_is_string(format) ? "\\\"" : "");
}

/* ---- the whole ---- */

enum sim_endpoint sim_endpoint_of(const char *path)
{
    if (str_starts(str_of(path), "/v1/"))
        return SIM_COMPLETIONS;
    return strcmp(path, "/api/generate") == 0 ? SIM_GENERATE : SIM_CHAT;
}

/* What the real server finds before it looks for the model. */
static bool read_fields(struct reading *reading)
{
    const json_t *truncate = NULL;
    const json_t *ignored = NULL;
    const json_t *count = json_object_get(reading->request->document, "top_logprobs");

    if (!read_stream(reading) || !read_keep_alive(reading) || !read_think(reading)
        || !read_field(reading, "truncate", JSON_TRUE, "bool", &truncate)
        || !read_field(reading, "shift", JSON_TRUE, "bool", &ignored)
        || !read_field(reading, "logprobs", JSON_TRUE, "bool", &ignored)
        || !read_field(reading, "top_logprobs", JSON_INTEGER, "int", &ignored)
        || !read_field(reading, "options", JSON_OBJECT, "map[string]interface {}",
                       &ignored))
        return false;
    reading->request->strict = json_is_false(truncate);
    if (reading->request->endpoint == SIM_CHAT ? !read_messages(reading)
                                               : !read_prompt(reading))
        return false;
    return (json_integer_value(count) >= 0
            && json_integer_value(count) <= TOP_LOGPROBS_MAX)
           || sim_refuse(reading->refusal, STATUS_BAD,
                         "top_logprobs must be between 0 and 20");
}

static bool read_all(struct reading *reading, struct str body,
                     const struct sim_models *models)
{
    struct sim_request *request = reading->request;

    if (!read_document(reading, body) || !read_fields(reading)
        || !read_model(reading, models))
        return false;
    request->unload = request->empty && request->keep_alive_ms == 0;
    if (request->unload)
        return true; /* whatever else it says */
    return check_abilities(reading) && read_options(reading)
           && (request->empty || read_format(reading));
}

bool sim_request_parse(enum sim_endpoint endpoint, struct str body,
                       const struct sim_models *models, struct sim_request *ret_request,
                       struct sim_refusal *ret_refusal)
{
    struct sim_request request = {.endpoint = endpoint};
    struct reading reading = {.request = &request,
                              .refusal = ret_refusal,
                              .type_name = endpoint == SIM_CHAT ? "ChatRequest"
                                                                : "GenerateRequest"};

    if (!read_all(&reading, body, models)) {
        sim_request_done(&request);
        return false;
    }
    *ret_request = request;
    return true;
}

void sim_request_done(struct sim_request *request)
{
    json_decref(request->document);
    json_decref(request->extra);
    sim_prompt_done(&request->prompt);
    *request = (struct sim_request){0};
}
