/* flavor.c - see flavor.h. */
#include "simulator/flavor.h"

#include <string.h>

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
     .json_object = true},
    {.name = "openai",
     .fingerprint = "fp_0123456789",
     .id = "chatcmpl-",
     .role = ROLE_OWN_EMPTY,
     .usage = USAGE_ASKED,
     .error = ERROR_CODED,
     .broken = BROKEN_DATA,
     .json_object = true,
     .usage_null = true},
    {.name = "lmstudio",
     .reasoning = "reasoning_content",
     .id = "chatcmpl-",
     .role = ROLE_EVERY,
     .usage = USAGE_ASKED,
     .error = ERROR_TEXT,
     .broken = BROKEN_EVENT,
     .fits = true},
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
     .timings = true},
    {.name = "vllm",
     .reasoning = "reasoning",
     .id = "chatcmpl-",
     .role = ROLE_OWN_EMPTY,
     .usage = USAGE_ASKED,
     .error = ERROR_NUMBERED,
     .broken = BROKEN_DATA_DONE,
     .json_object = true},
    {.name = "sglang",
     .reasoning = "reasoning_content",
     .id = "",
     .role = ROLE_OWN_EMPTY,
     .usage = USAGE_ASKED,
     .error = ERROR_OBJECT,
     .broken = BROKEN_DATA_DONE,
     .json_object = true},
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
     .native_reason = true},
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
