/* sim_models.c - see sim_models.h. */
#include "simulator/sim_models.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "proto/json_write.h"
#include "simulator/flavor.h"

#define USUAL                                                         \
    "llama3.2:latest,llama3.2:3b,llama3.2:1b,llama3.1:8b,qwen2.5:7b," \
    "qwen2.5:0.5b,qwen3:4b,mistral:latest,gemma2:2b,phi3:mini,tiny:latest"
#define MODIFIED_US INT64_C(1767225600000000) /* 2026-01-01: they never change */
enum { NAME_PART_MAX = 80, MODELS_MAX = 1000, SIM_KEEP_ALIVE_MS = 5 * 60 * 1000 };

/* What is said of a model whose name begins so. */
struct sim_family {
    const char *prefix;
    const char *family;
    const char *parameters;
    int64_t count; /* the same in full */
    const char *quantization;
    int64_t bytes;
    int64_t context;
    bool thinks;
};
static const struct sim_family families[] = {
    {"llama3.2:1b", "llama", "1.2B", 1235814432, "Q8_0", 1321098329, 131072, false},
    {"llama3.2", "llama", "3.2B", 3212749888, "Q4_K_M", 2019393189, 131072, false},
    {"llama3.1", "llama", "8.0B", 8030261312, "Q4_K_M", 4920753328, 131072, false},
    {"qwen2.5:0.5b", "qwen2", "494.03M", 494032768, "Q4_K_M", 397821319, 32768, false},
    {"qwen2.5", "qwen2", "7.6B", 7615616512, "Q4_K_M", 4683087332, 32768, false},
    {"qwen3", "qwen3", "4.0B", 4022468096, "Q4_K_M", 2620788019, 40960, true},
    {"mistral", "llama", "7.2B", 7248023552, "Q4_0", 4113301824, 32768, false},
    {"gemma2", "gemma2", "2.6B", 2614341888, "Q4_0", 1629518495, 8192, false},
    {"phi3", "phi3", "3.8B", 3821079648, "Q4_0", 2176178913, 131072, false},
    {"o1", "gpt", "8.0B", 8030261312, "Q4_K_M", 4920753328, 200000, true},
    {"o3", "gpt", "8.0B", 8030261312, "Q4_K_M", 4920753328, 200000, true},
    {"o4", "gpt", "8.0B", 8030261312, "Q4_K_M", 4920753328, 200000, true},
    {"gpt-5", "gpt", "8.0B", 8030261312, "Q4_K_M", 4920753328, 400000, true},
    {"tiny", "llama", "15.2M", 15191712, "F16", 30408704, 4096, false},
    {"", "llama", "8.0B", 8030261312, "Q4_K_M", 4920753328, 131072, false},
};

static const struct sim_family *family_of(struct str name)
{
    size_t i = 0;

    while (!str_starts(name, families[i].prefix)) /* the last one fits all */
        i++;
    return &families[i];
}

/* ---- names ---- */

static bool is_part(struct str part)
{
    if (part.len == 0 || part.len > NAME_PART_MAX || part.at[0] == '.'
        || part.at[0] == '-')
        return false;
    for (size_t i = 0; i < part.len; i++) {
        unsigned char c = (unsigned char)part.at[i];

        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            && c != '_' && c != '-' && c != '.')
            return false;
    }
    return true;
}

bool sim_models_is_name(struct str name)
{
    struct str tag = {0};
    struct str path = str_cut(name, ':', &tag);
    bool tagged = path.len < name.len;

    if (tagged && !is_part(tag))
        return false;
    do {
        if (!is_part(str_cut(path, '/', &path)))
            return false;
    } while (path.len > 0);
    return true;
}

bool sim_models_in_library(struct str name)
{
    return family_of(name)->prefix[0] != '\0';
}

static bool is_tagged(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] == ':')
            return true;
    return false;
}

/* In capitals or not, as there; also one that was deleted. */
static struct sim_model *find(const struct sim_models *models, struct str name)
{
    char *full =
        x_printf("%.*s%s", (int)name.len, name.at, is_tagged(name) ? "" : ":latest");
    struct sim_model *found = NULL;

    for (size_t i = 0; i < models->count && !found; i++)
        if (strcasecmp(full, models->list[i]->name) == 0)
            found = models->list[i];
    free(full);
    return found;
}

struct sim_model *sim_models_find(const struct sim_models *models, struct str name)
{
    struct sim_model *model = find(models, name);

    return model && !model->deleted ? model : NULL;
}

/* ---- which there are ---- */

static struct sim_model *model_new(struct str name)
{
    struct sim_model *model = x_calloc(1, sizeof(*model));

    model->family = family_of(name);
    model->name =
        x_printf("%.*s%s", (int)name.len, name.at, is_tagged(name) ? "" : ":latest");
    for (unsigned i = 0; i < 4; i++)
        fmt_into(model->digest + (size_t)16 * i, 17, "%016llx",
                 (unsigned long long)rng_hash(i, str_of(model->name)));
    return model;
}

/* The newest stand first. */
static void insert(struct sim_models *models, struct sim_model *model)
{
    size_t at = 0;

    models->list = x_realloc(models->list, (models->count + 1) * sizeof(*models->list));
    while (at < models->count && models->list[at]->modified_us >= model->modified_us)
        at++;
    memmove(models->list + at + 1, models->list + at,
            (models->count - at) * sizeof(*models->list));
    models->list[at] = model;
    models->count++;
}

struct sim_model *sim_models_add(struct sim_models *models, struct str name,
                                 int64_t now_us)
{
    struct sim_model *model = find(models, name);

    if (model == NULL && models->count == MODELS_MAX)
        return NULL;
    if (model == NULL) {
        model = model_new(name);
        model->modified_us = now_us;
        insert(models, model);
    }
    model->deleted = false;
    return model;
}

bool sim_models_copy(struct sim_models *models, struct str source, struct str target,
                     int64_t now_us)
{
    const struct sim_model *from = sim_models_find(models, source);
    struct sim_model *to = sim_models_add(models, target, now_us);

    if (to == NULL)
        return false;
    to->family = from->family;
    memcpy(to->digest, from->digest, sizeof to->digest);
    return true;
}

static void add_names(struct sim_models *models, struct str names)
{
    while (names.len > 0) {
        struct str name = str_trim(str_cut(names, ',', &names));

        if (name.len > 0)
            (void)sim_models_add(models, name, MODIFIED_US); /* those over the bound */
    }
}

void sim_models_init(struct sim_models *models, const char *more)
{
    *models = (struct sim_models){0};
    add_names(models, str_of(USUAL));
    add_names(models, str_of(more));
}

void sim_models_done(struct sim_models *models)
{
    for (size_t i = 0; i < models->count; i++) {
        free(models->list[i]->name);
        free(models->list[i]);
    }
    free(models->list);
    *models = (struct sim_models){0};
}

void sim_model_delete(struct sim_model *model)
{
    model->deleted = true;
    sim_model_unload(model);
}

/* ---- loaded and unloaded ---- */

static bool is_loaded(const struct sim_model *model, int64_t now_us)
{
    return model->busy > 0 || model->expires_us > now_us;
}

enum sim_load sim_model_needs(const struct sim_model *model,
                              const struct sim_runner *runner, int64_t now_us)
{
    if (!is_loaded(model, now_us))
        return SIM_LOAD_COLD;
    return sim_runner_fits(&model->runner, runner) ? SIM_LOAD_NONE : SIM_LOAD_CHANGED;
}

void sim_model_enter(struct sim_model *model, const struct sim_runner *runner,
                     int64_t keep_ms, int64_t now_us)
{
    enum sim_load needs = sim_model_needs(model, runner, now_us);

    assert(needs != SIM_LOAD_CHANGED || model->busy == 0);
    if (needs != SIM_LOAD_NONE) {
        model->runner = *runner;
        model->keep_ms = SIM_KEEP_ALIVE_MS;
    }
    /* What an earlier call said holds until another one says something else. */
    if (keep_ms != SIM_KEEP_UNSAID)
        model->keep_ms = keep_ms;
    model->busy++;
}

static int64_t expiry_us(const struct sim_model *model, int64_t now_us)
{
    return model->keep_ms < 0 ? SIM_FOREVER : now_us + model->keep_ms * 1000;
}

void sim_model_leave(struct sim_model *model, int64_t now_us)
{
    assert(model->busy > 0);
    model->busy--;
    model->expires_us = expiry_us(model, now_us);
}

void sim_model_unload(struct sim_model *model)
{
    model->keep_ms = 0;
    model->expires_us = 0;
}

int64_t sim_model_window(const struct sim_model *model, const struct sim_runner *runner)
{
    int64_t most = model->family->context;

    return runner->num_ctx < most ? runner->num_ctx : most;
}

/* ---- what is told of them; a full buffer shows in the end ---- */

static void add_details(const struct sim_model *model, struct buf *into)
{
    const struct sim_family *family = model->family;

    (void)buf_printf(into,
                     "\"details\":{\"parent_model\":\"\",\"format\":\"gguf\","
                     "\"family\":\"%s\",\"families\":[\"%s\"],"
                     "\"parameter_size\":\"%s\",\"quantization_level\":\"%s\"}",
                     family->family, family->family, family->parameters,
                     family->quantization);
}

static void add_name(const struct sim_model *model, struct buf *into)
{
    (void)buf_add_text(into, "\"name\":");
    (void)json_write_text(into, model->name);
    (void)buf_add_text(into, ",\"model\":");
    (void)json_write_text(into, model->name);
}

static void add_time(const char *key, int64_t wall_us, struct buf *into)
{
    char text[CLOCK_TEXT_SIZE] = "";

    clock_format_us(wall_us, text);
    (void)buf_printf(into, "\"%s\":\"%s\"", key, text);
}

void sim_models_tags(const struct sim_models *models, struct buf *into)
{
    const char *before = "{";

    (void)buf_add_text(into, "{\"models\":[");
    for (size_t i = 0; i < models->count; i++) {
        const struct sim_model *model = models->list[i];

        if (model->deleted)
            continue;
        (void)buf_add_text(into, before);
        before = ",{";
        add_name(model, into);
        (void)buf_add_char(into, ',');
        add_time("modified_at", model->modified_us, into);
        (void)buf_printf(into, ",\"size\":%lld,\"digest\":\"%s\",",
                         (long long)model->family->bytes, model->digest);
        add_details(model, into);
        (void)buf_add_char(into, '}');
    }
    (void)buf_add_text(into, "]}");
}

void sim_models_ps(const struct sim_models *models, int64_t now_us, struct buf *into)
{
    const char *before = "{";

    (void)buf_add_text(into, "{\"models\":[");
    for (size_t i = 0; i < models->count; i++) {
        const struct sim_model *model = models->list[i];
        long long size = (long long)model->family->bytes;
        int64_t expires_us =
            model->busy > 0 ? expiry_us(model, now_us) : model->expires_us;

        if (!is_loaded(model, now_us))
            continue;
        (void)buf_add_text(into, before);
        before = ",{";
        add_name(model, into);
        (void)buf_printf(into, ",\"size\":%lld,\"digest\":\"%s\",", size,
                         model->digest);
        add_details(model, into);
        (void)buf_add_char(into, ',');
        /* The real one also gives a year beyond 2300 for "never". */
        add_time("expires_at",
                 expires_us == SIM_FOREVER ? INT64_C(10413792000000000) : expires_us,
                 into);
        (void)buf_printf(into, ",\"size_vram\":%lld,\"context_length\":%lld}", size,
                         (long long)sim_model_window(model, &model->runner));
    }
    (void)buf_add_text(into, "]}");
}

bool sim_model_thinks(const struct sim_model *model)
{
    return model->family->thinks;
}

int64_t sim_model_bytes(const struct sim_model *model)
{
    return model->family->bytes;
}

int64_t sim_model_context(const struct sim_model *model)
{
    return model->family->context;
}

void sim_model_show(const struct sim_model *model, struct buf *into)
{
    const struct sim_family *family = model->family;

    (void)buf_add_text(into, "{\"license\":\"none: this is a simulator, not a model\","
                             "\"modelfile\":\"# a simulator has no modelfile\","
                             "\"parameters\":\"\","
                             "\"template\":\"{{ .Role }}\\n{{ .Content }}\\n\",");
    add_details(model, into);
    (void)buf_printf(into,
                     ",\"model_info\":{\"general.architecture\":\"%s\","
                     "\"general.parameter_count\":%lld,"
                     "\"%s.context_length\":%lld},"
                     "\"capabilities\":[\"completion\"%s],",
                     family->family, (long long)family->count, family->family,
                     (long long)family->context, family->thinks ? ",\"thinking\"" : "");
    add_time("modified_at", model->modified_us, into);
    (void)buf_add_char(into, '}');
}

/* vLLM and SGLang have the length under the one name, llama-server and OpenRouter under
 * others; OpenAI, Ollama and LM Studio do not tell it. */
static void add_length(const struct sim_model *model, const struct flavor *flavor,
                       struct buf *into)
{
    long long context = (long long)model->family->context;

    if (strcmp(flavor->name, "vllm") == 0 || strcmp(flavor->name, "sglang") == 0)
        (void)buf_printf(into, ",\"max_model_len\":%lld", context);
    else if (strcmp(flavor->name, "llamacpp") == 0)
        (void)buf_printf(into, ",\"meta\":{\"n_ctx_train\":%lld}", context);
    else if (strcmp(flavor->name, "openrouter") == 0)
        (void)buf_printf(into, ",\"context_length\":%lld", context);
}

static void add_listed(const struct sim_model *model, const struct flavor *flavor,
                       struct buf *into)
{
    (void)buf_add_text(into, "{\"id\":");
    (void)json_write_text(into, model->name);
    (void)buf_printf(into, ",\"object\":\"model\",\"created\":%lld",
                     (long long)(model->modified_us / 1000000));
    if (flavor->model_owner)
        (void)buf_printf(into, ",\"owned_by\":\"%s\"", flavor->model_owner);
    add_length(model, flavor, into);
    (void)buf_add_char(into, '}');
}

void sim_models_list(const struct sim_models *models, const struct flavor *flavor,
                     const struct sim_model *only, struct buf *into)
{
    const char *before = "";

    if (only) {
        add_listed(only, flavor, into);
        return;
    }
    (void)buf_add_text(into, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < models->count; i++) {
        if (models->list[i]->deleted)
            continue;
        (void)buf_add_text(into, before);
        before = ",";
        add_listed(models->list[i], flavor, into);
    }
    (void)buf_add_text(into, "]}");
}
