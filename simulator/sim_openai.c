/* sim_openai.c - see sim_openai.h.
 *
 * Flow: sim_openai_parse -> read_document -> check_names -> read_messages -> read_model
 * (404)
 *       -> sim_reasoning_check -> read_stream -> read_limits -> read_stops
 *       -> read_format -> check_abilities; all but the model: 400
 */
#include "simulator/sim_openai.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "simulator/flavor.h"
#include "simulator/sim_reasoning.h"
#include "simulator/sim_strict.h"

enum { STATUS_BAD = 400, STOPS_MAX = 4, NAME_MAX_BYTES = 64 };
#define PART_MAX_BYTES ((size_t)64 << 20)

struct asking {
    struct sim_request *request;
    struct sim_refusal *refusal;
};

static bool is_openai(const struct asking *asking)
{
    return strcmp(asking->request->flavor->name, "openai") == 0;
}

/* name and code are constants: they are told beside the text, where the flavor does. */
static bool blame(struct asking *asking, const char *name, const char *code)
{
    asking->request->refused_param = name;
    asking->request->refused_code = code;
    return false;
}

static bool bad(struct asking *asking, const char *name, const char *expected)
{
    (void)sim_refuse(asking->refusal, STATUS_BAD,
                     "Invalid type for '%s': expected %s, but got something else "
                     "instead.",
                     name, expected);
    return blame(asking, name, "invalid_type");
}

static bool lacks(struct asking *asking, const char *name)
{
    (void)sim_refuse(asking->refusal, STATUS_BAD, "Missing required parameter: '%s'.",
                     name);
    return blame(asking, name, "missing_required_parameter");
}

/* NULL where it is absent or null. */
static const json_t *field(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

static bool read_document(struct asking *asking, struct str body)
{
    json_t *document = json_loadb(body.at, body.len, 0, NULL);

    asking->request->document = document;
    if (!json_is_object(document))
        return sim_refuse(asking->refusal, STATUS_BAD,
                          "We could not parse the JSON body of your request.");
    return true;
}

/* ---- what is said ---- */

/* Keeps a text that the document does not have as a whole. */
static struct str keep(struct asking *asking, struct str text)
{
    json_t *kept = json_stringn(text.at, text.len);

    if (asking->request->extra == NULL)
        asking->request->extra = json_array();
    json_array_append_new(asking->request->extra, kept);
    return str_make(json_string_value(kept), json_string_length(kept));
}

/* A content in parts: those of text, joined. */
static bool join_parts(struct asking *asking, const json_t *parts, struct str *ret_text)
{
    struct buf joined = {0};
    bool ok = true;

    buf_init(&joined, PART_MAX_BYTES);
    for (size_t i = 0; ok && i < json_array_size(parts); i++) {
        const json_t *text = field(json_array_get(parts, i), "text");

        ok = json_is_string(text)
             && buf_add(&joined, json_string_value(text), json_string_length(text));
    }
    *ret_text = keep(asking, ok ? buf_str(&joined) : str_make("", 0));
    buf_done(&joined);
    return ok || bad(asking, "messages[].content", "parts of the type text");
}

static bool read_message(struct asking *asking, const json_t *message)
{
    const json_t *role = field(message, "role");
    const json_t *content = field(message, "content");
    struct str text = {"", 0};
    const char *name = json_string_value(role);

    if (name == NULL)
        return bad(asking, "messages[].role", "a role");
    if (json_is_array(content)) {
        if (!join_parts(asking, content, &text))
            return false;
    } else if (json_is_string(content)) {
        text = str_make(json_string_value(content), json_string_length(content));
    } else if (content) {
        return bad(asking, "messages[].content", "a string or an array of parts");
    }
    /* The newer models' word for it. */
    sim_prompt_add(&asking->request->prompt,
                   strcmp(name, "developer") == 0 ? "system" : sim_role_of(name), text);
    return true;
}

static bool read_messages(struct asking *asking)
{
    const json_t *messages = field(asking->request->document, "messages");

    if (messages == NULL && is_openai(asking))
        return lacks(asking, "messages");
    if (json_array_size(messages) == 0)
        return sim_refuse(asking->refusal, STATUS_BAD, "[] is too short - 'messages'");
    for (size_t i = 0; i < json_array_size(messages); i++)
        if (!read_message(asking, json_array_get(messages, i)))
            return false;
    return true;
}

static bool read_model(struct asking *asking, const struct sim_models *models)
{
    struct sim_request *request = asking->request;
    const json_t *name = field(request->document, "model");

    request->model_name = json_is_string(name) ? json_string_value(name) : "";
    if (request->model_name[0] == '\0')
        return sim_refuse(asking->refusal, STATUS_BAD,
                          "you must provide a model parameter");
    request->model = sim_models_find(models, str_of(request->model_name));
    if (request->model)
        return true;
    flavor_refuse_model(request->flavor, request->model_name, asking->refusal);
    return blame(asking, NULL, "model_not_found");
}

/* ---- how it is to be said ---- */

static bool read_whole(struct asking *asking, const char *name, int64_t *ret_value)
{
    const json_t *value = field(asking->request->document, name);

    if (value == NULL)
        return true;
    if (!json_is_integer(value))
        return bad(asking, name, "an integer");
    *ret_value = json_integer_value(value);
    return true;
}

/* At least one word is to be said. */
static bool read_most(struct asking *asking, const char *name)
{
    int64_t most = -1;

    if (!read_whole(asking, name, &most))
        return false;
    if (field(asking->request->document, name) == NULL)
        return true;
    asking->request->num_predict = most;
    if (most >= 1 || !is_openai(asking))
        return true;
    (void)sim_refuse(
        asking->refusal, STATUS_BAD,
        "Invalid '%s': integer below minimum value. Expected a value >= 1, "
        "but got %lld instead.",
        name, (long long)most);
    return blame(asking, name, "integer_below_min_value");
}

static bool read_degrees(struct asking *asking)
{
    const json_t *value = field(asking->request->document, "temperature");
    double degrees = json_number_value(value);

    if (value && !json_is_number(value))
        return bad(asking, "temperature", "a decimal");
    if (degrees >= 0 && degrees <= 2)
        return true;
    if (!is_openai(asking))
        return true;
    (void)sim_refuse(
        asking->refusal, STATUS_BAD,
        "Invalid 'temperature': decimal %s value. Expected a value %s, but "
        "got %.15g instead.",
        degrees < 0 ? "below minimum" : "above maximum", degrees < 0 ? ">= 0" : "<= 2",
        degrees);
    return blame(asking, "temperature",
                 degrees < 0 ? "decimal_below_min_value" : "decimal_above_max_value");
}

/* Ollama and LM Studio do as if they were not there. */
static bool read_choices(struct asking *asking)
{
    const json_t *document = asking->request->document;
    const json_t *count = field(document, "n");
    bool ignored = asking->request->flavor->fits;

    if (ignored)
        return true;
    if (count && !json_is_integer(count))
        return bad(asking, "n", "an integer");
    if (count && json_integer_value(count) != 1)
        return sim_refuse(asking->refusal, STATUS_BAD,
                          "Only one completion choice is allowed");
    if (json_is_true(field(document, "logprobs")))
        return sim_refuse(asking->refusal, STATUS_BAD, "'logprobs' is not simulated");
    return true;
}

static bool is_listed(const char *key, const char *list)
{
    char word[NAME_MAX_BYTES + 3] = "";

    fmt_into(word, sizeof word, "|%s|", key);
    return strchr(key, '|') == NULL && strstr(list, word) != NULL;
}

/* OpenAI itself minds what it does not know. */
static bool check_names(struct asking *asking)
{
    static const char known[] =
        "|model|messages|stream|stream_options|max_tokens|max_completion_tokens|"
        "temperature|top_p|n|stop|presence_penalty|frequency_penalty|logit_bias|"
        "logprobs|top_logprobs|user|seed|response_format|tools|tool_choice|"
        "parallel_tool_calls|functions|function_call|reasoning_effort|modalities|audio|"
        "prediction|store|metadata|service_tier|verbosity|web_search_options|"
        "prompt_cache_key|prompt_cache_retention|safety_identifier|";
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach(asking->request->document, key, value)
    {
        if (is_openai(asking)
            && (strlen(key) > NAME_MAX_BYTES || !is_listed(key, known)))
            return sim_refuse(asking->refusal, STATUS_BAD,
                              "Unrecognized request argument supplied: %.64s", key);
    }
    return true;
}

static bool read_limits(struct asking *asking)
{
    struct sim_request *request = asking->request;

    request->num_predict = -1;
    request->seed = -1;
    request->keep_alive_ms = SIM_KEEP_UNSAID;
    request->runner = sim_settings_default().runner;
    request->strict = !request->flavor->fits;
    request->num_ctx = request->flavor->fits
                           ? sim_model_window(request->model, &request->runner)
                           : sim_model_context(request->model);
    return read_most(asking, "max_tokens") && read_most(asking, "max_completion_tokens")
           && read_whole(asking, "seed", &request->seed) && read_degrees(asking)
           && read_choices(asking);
}

static bool read_stream(struct asking *asking)
{
    struct sim_request *request = asking->request;
    const json_t *stream = field(request->document, "stream");
    const json_t *options = field(request->document, "stream_options");

    if (stream && !json_is_boolean(stream))
        return bad(asking, "stream", "a boolean");
    request->stream = json_is_true(stream);
    if (options && !json_is_object(options))
        return bad(asking, "stream_options", "an object");
    request->include_usage = json_is_true(field(options, "include_usage"));
    request->obfuscate = !json_is_false(field(options, "include_obfuscation"));
    if (options && !request->stream && is_openai(asking))
        return sim_refuse(
            asking->refusal, STATUS_BAD,
            "The 'stream_options' parameter is only allowed when 'stream' "
            "is enabled.");
    return true;
}

static bool read_stops(struct asking *asking)
{
    struct sim_request *request = asking->request;
    const json_t *stop = field(request->document, "stop");
    json_t *list = NULL;

    if (json_is_string(stop)) {
        list = json_array();
        json_array_append_new(list, json_string(json_string_value(stop)));
        if (request->extra == NULL)
            request->extra = json_array();
        json_array_append_new(request->extra, list);
        stop = list;
    }
    if (stop && !json_is_array(stop))
        return bad(asking, "stop", "a string or an array of strings");
    for (size_t i = 0; i < json_array_size(stop); i++)
        if (!json_is_string(json_array_get(stop, i)))
            return bad(asking, "stop", "strings");
    if (json_array_size(stop) > STOPS_MAX && is_openai(asking))
        return bad(asking, "stop", "at most 4 strings");
    request->stops = stop;
    return true;
}

/* The schema stands one level deeper in OpenAI's form; llama-server takes both. */
static bool read_schema(struct asking *asking, const json_t *format)
{
    const json_t *inner = field(format, "json_schema");
    const json_t *schema = field(inner, "schema");

    if (schema == NULL)
        schema = field(format, "schema");
    if (!json_is_object(schema))
        return bad(asking, "response_format.json_schema.schema", "an object");
    asking->request->schema = schema;
    return sim_strict_check(asking->request, format, asking->refusal);
}

static bool says_json(const struct sim_request *request)
{
    for (size_t i = 0; i < request->prompt.count; i++)
        if (str_has_nocase(request->prompt.messages[i].text, "json"))
            return true;
    return false;
}

static bool read_format(struct asking *asking)
{
    struct sim_request *request = asking->request;
    const json_t *format = field(request->document, "response_format");
    const char *type = json_string_value(field(format, "type"));

    if (format == NULL || (type && strcmp(type, "text") == 0))
        return true;
    if (type && strcmp(type, "json_schema") == 0)
        return read_schema(asking, format);
    if (!request->flavor->json_object)
        return sim_refuse(asking->refusal, STATUS_BAD,
                          "'response_format.type' must be 'json_schema' or 'text'");
    if (type == NULL || strcmp(type, "json_object") != 0)
        return bad(asking, "response_format.type",
                   "'json_schema', 'json_object' or 'text'");
    request->json = true;
    if (is_openai(asking) && !says_json(request))
        return blame(asking, "messages", NULL)
               || sim_refuse(asking->refusal, STATUS_BAD,
                             "'messages' must contain the word 'json' in some form, to "
                             "use 'response_format' of type 'json_object'.");
    return field(format, "schema") == NULL || read_schema(asking, format);
}

static bool check_abilities(struct asking *asking)
{
    struct sim_request *request = asking->request;
    const json_t *effort = field(request->document, "reasoning_effort");
    bool thinks = sim_model_thinks(request->model);
    bool none =
        json_is_string(effort) && strcmp(json_string_value(effort), "none") == 0;

    if (effort && !json_is_string(effort))
        return bad(asking, "reasoning_effort", "a string");
    if (effort && !none && !thinks)
        return sim_refuse(asking->refusal, STATUS_BAD,
                          "\"%.128s\" does not support thinking", request->model_name);
    request->think = thinks && !none;
    if (json_array_size(field(request->document, "tools")) > 0)
        return sim_refuse(asking->refusal, STATUS_BAD,
                          "registry.ollama.ai/library/%.128s does not support tools",
                          request->model->name);
    return true;
}

bool sim_openai_parse(struct str body, const struct sim_models *models,
                      struct sim_request *request, struct sim_refusal *ret_refusal)
{
    struct asking asking = {request, ret_refusal};

    request->endpoint = SIM_COMPLETIONS;
    return read_document(&asking, body) && check_names(&asking)
           && read_messages(&asking) && read_model(&asking, models)
           && sim_reasoning_check(request, ret_refusal) && read_stream(&asking)
           && read_limits(&asking) && read_stops(&asking) && read_format(&asking)
           && check_abilities(&asking);
}
