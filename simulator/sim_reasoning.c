/* sim_reasoning.c - see sim_reasoning.h. */
#include "simulator/sim_reasoning.h"

#include <string.h>

#include "simulator/flavor.h"

enum { STATUS_BAD = 400 };

static bool reasons(const struct sim_request *request)
{
    static const char *const families[] = {"o1", "o3", "o4", "gpt-5"};
    struct str name = str_of(request->model_name);

    if (strcmp(request->flavor->name, "openai") != 0)
        return false;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (str_starts(name, families[i]))
            return true;
    return false;
}

static const json_t *given(const struct sim_request *request, const char *name)
{
    const json_t *value = json_object_get(request->document, name);

    return json_is_null(value) ? NULL : value;
}

static bool check_names(struct sim_request *request, struct sim_refusal *refusal)
{
    static const struct {
        const char *name;
        const char *instead;
    } refused[] = {
        {"max_tokens", " Use 'max_completion_tokens' instead."},
        {"top_p", ""},
        {"presence_penalty", ""},
        {"frequency_penalty", ""},
        {"stop", ""},
    };

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (given(request, refused[i].name) == NULL)
            continue;
        request->refused_param = refused[i].name;
        request->refused_code = "unsupported_parameter";
        return sim_refuse(refusal, STATUS_BAD,
                          "Unsupported parameter: '%s' is not supported with this "
                          "model.%s",
                          refused[i].name, refused[i].instead);
    }
    return true;
}

bool sim_reasoning_check(struct sim_request *request, struct sim_refusal *refusal)
{
    const json_t *temperature = given(request, "temperature");
    double degrees = json_number_value(temperature);

    if (!reasons(request))
        return true;
    if (temperature == NULL || (degrees >= 1 && degrees <= 1))
        return check_names(request, refusal);
    request->refused_param = "temperature";
    request->refused_code = "unsupported_value";
    return sim_refuse(refusal, STATUS_BAD,
                      "Unsupported value: 'temperature' does not support %.15g with "
                      "this model. Only the default (1) value is supported.",
                      degrees);
}
