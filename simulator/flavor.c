/* flavor.c - see flavor.h. */
#include "simulator/flavor.h"

#include <string.h>

#include "simulator/sim_chat.h"

static const struct flavor flavors[] = {
    {.name = "ollama",
     .reasoning = "reasoning",
     .fingerprint = "fp_ollama",
     .id = "chatcmpl-",
     .role = ROLE_FIRST_TEXT,
     .usage = USAGE_ASKED,
     .error = ERROR_UNCODED,
     .broken = BROKEN_SILENT,
     .fits = true,
     .json_object = true,
     .no_model = {"model '", "' not found"},
     .no_model_status = 404,
     .no_key = "Incorrect API key provided.",
     .model_owner = "library"},
    {.name = "openai",
     .fingerprint = "fp_0123456789",
     .id = "chatcmpl-",
     .role = ROLE_OWN_EMPTY,
     .usage = USAGE_ASKED,
     .error = ERROR_CODED,
     .broken = BROKEN_DATA,
     .json_object = true,
     .usage_null = true,
     .refusal = true,
     .reasoning_tokens = true,
     .no_model = {"The model `", "` does not exist or you do not have access to it."},
     .no_model_status = 404,
     .no_key = "Incorrect API key provided: ****. You can find your API key at "
               "https://platform.openai.com/account/api-keys.",
     .no_key_came = "You didn't provide an API key. You need to provide your API key "
                    "in an Authorization header using Bearer auth (i.e. Authorization: "
                    "Bearer YOUR_KEY).",
     .model_owner = "system"},
    {.name = "lmstudio",
     .reasoning = "reasoning_content",
     .id = "chatcmpl-",
     .role = ROLE_EVERY,
     .usage = USAGE_ASKED,
     .error = ERROR_TEXT,
     .broken = BROKEN_EVENT,
     .fits = true,
     .no_model = {"model '", "' not found"},
     .no_model_status = 404,
     .no_key = "Incorrect API key provided.",
     .model_owner = "organization_owner"},
    {.name = "llamacpp",
     .reasoning = "reasoning_content",
     .fingerprint = "b9999-0123456",
     .id = "chatcmpl-",
     .ping = ":\n\n",
     .ping_ms = 1000,
     .role = ROLE_OWN_NULL,
     .usage = USAGE_ALWAYS,
     .error = ERROR_NUMBERED,
     .broken = BROKEN_FIELD,
     .json_object = true,
     .timings = true,
     .no_model = {"model '", "' not found"},
     .no_model_status = 404,
     .no_key = "Invalid API Key",
     .model_owner = "llamacpp"},
    {.name = "vllm",
     .reasoning = "reasoning",
     .id = "chatcmpl-",
     .role = ROLE_OWN_EMPTY,
     .usage = USAGE_ASKED,
     .error = ERROR_NUMBERED,
     .broken = BROKEN_DATA_DONE,
     .json_object = true,
     .no_model = {"The model `", "` does not exist."},
     .no_model_status = 404,
     .no_key = "Unauthorized",
     .no_key_plain = true,
     .model_owner = "vllm"},
    {.name = "sglang",
     .reasoning = "reasoning_content",
     .id = "",
     .role = ROLE_OWN_EMPTY,
     .usage = USAGE_ASKED,
     .error = ERROR_OBJECT,
     .broken = BROKEN_DATA_DONE,
     .json_object = true,
     .no_model = {"model '", "' not found"},
     .no_model_status = 404,
     .no_key = "Unauthorized",
     .no_key_plain = true,
     .model_owner = "sglang"},
    {.name = "openrouter",
     .reasoning = "reasoning",
     .id = "gen-",
     .ping = ": OPENROUTER PROCESSING\n\n",
     .ping_ms = 200,
     .role = ROLE_EVERY,
     .usage = USAGE_IN_FINISH,
     .error = ERROR_NUMBERED,
     .broken = BROKEN_FINISH,
     .json_object = true,
     .native_reason = true,
     .reasoning_tokens = true,
     .no_model = {"", " is not a valid model ID"},
     .no_model_status = 400,
     .no_key = "User not found.",
     .no_key_came = "No auth credentials found"},
};
const struct flavor *const flavor_ollama = &flavors[0];

bool flavor_parse(const char *name, const struct flavor **ret_flavor)
{
    for (size_t i = 0; i < sizeof flavors / sizeof *flavors; i++)
        if (strcmp(flavors[i].name, name) == 0) {
            *ret_flavor = &flavors[i];
            return true;
        }
    return false;
}

void flavor_refuse_model(const struct flavor *flavor, const char *name,
                         struct sim_refusal *ret_refusal)
{
    (void)sim_refuse(ret_refusal, flavor->no_model_status, "%s%.128s%s",
                     flavor->no_model[0], name, flavor->no_model[1]);
}
