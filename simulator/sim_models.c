/* sim_models.c - see sim_models.h. */
#include "simulator/sim_models.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "proto/json_write.h"

#define USUAL                                                         \
    "llama3.2:latest,llama3.2:3b,llama3.2:1b,llama3.1:8b,qwen2.5:7b," \
    "qwen2.5:0.5b,qwen3:4b,mistral:latest,gemma2:2b,phi3:mini,tiny:latest"
#define MODIFIED_US INT64_C(1767225600000000) /* 2026-01-01: they never change */

/* What is said of a model whose name begins so. */
struct sim_family {
    const char *prefix;
    const char *family;
    const char *parameters;
    const char *quantization;
    int64_t bytes;
    int64_t context;
    bool thinks;
};
static const struct sim_family families[] = {
    {"llama3.2:1b", "llama", "1.2B", "Q8_0", 1321098329, 131072, false},
    {"llama3.2", "llama", "3.2B", "Q4_K_M", 2019393189, 131072, false},
    {"llama3.1", "llama", "8.0B", "Q4_K_M", 4920753328, 131072, false},
    {"qwen2.5:0.5b", "qwen2", "494.03M", "Q4_K_M", 397821319, 32768, false},
    {"qwen2.5", "qwen2", "7.6B", "Q4_K_M", 4683087332, 32768, false},
    {"qwen3", "qwen3", "4.0B", "Q4_K_M", 2620788019, 40960, true},
    {"mistral", "llama", "7.2B", "Q4_0", 4113301824, 32768, false},
    {"gemma2", "gemma2", "2.6B", "Q4_0", 1629518495, 8192, false},
    {"phi3", "phi3", "3.8B", "Q4_0", 2176178913, 131072, false},
    {"tiny", "llama", "15.2M", "F16", 30408704, 4096, false},
    {"", "llama", "8.0B", "Q4_K_M", 4920753328, 131072, false},
};

static const struct sim_family *family_of(struct str name)
{
    size_t i = 0;

    while (!str_starts(name, families[i].prefix)) /* the last one fits all */
        i++;
    return &families[i];
}

static void add_model(struct sim_models *models, struct str name)
{
    struct sim_model *model = NULL;
    bool tagged = false;

    for (size_t i = 0; i < name.len; i++)
        tagged = tagged || name.at[i] == ':';
    if (name.len == 0 || sim_models_find(models, name))
        return;
    models->list = x_realloc(models->list, (models->count + 1) * sizeof(*models->list));
    model = &models->list[models->count++];
    *model = (struct sim_model){.family = family_of(name)};
    model->name = x_printf("%.*s%s", (int)name.len, name.at, tagged ? "" : ":latest");
    for (unsigned i = 0; i < 4; i++)
        fmt_into(model->digest + (size_t)16 * i, 17, "%016llx",
                 (unsigned long long)rng_hash(i, str_of(model->name)));
}

static void add_names(struct sim_models *models, struct str names)
{
    while (names.len > 0)
        add_model(models, str_trim(str_cut(names, ',', &names)));
}

void sim_models_init(struct sim_models *models, const char *more)
{
    *models = (struct sim_models){0};
    add_names(models, str_of(USUAL));
    add_names(models, str_of(more));
}

void sim_models_done(struct sim_models *models)
{
    for (size_t i = 0; i < models->count; i++)
        free(models->list[i].name);
    free(models->list);
    *models = (struct sim_models){0};
}

struct sim_model *sim_models_find(const struct sim_models *models, struct str name)
{
    char *latest = x_printf("%.*s:latest", (int)name.len, name.at);
    struct sim_model *found = NULL;

    for (size_t i = 0; i < models->count && !found; i++)
        if (str_is(name, models->list[i].name)
            || str_is(str_of(latest), models->list[i].name))
            found = &models->list[i];
    free(latest);
    return found;
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
    (void)buf_add_text(into, "{\"models\":[");
    for (size_t i = 0; i < models->count; i++) {
        const struct sim_model *model = &models->list[i];

        (void)buf_add_text(into, i == 0 ? "{" : ",{");
        add_name(model, into);
        (void)buf_add_char(into, ',');
        add_time("modified_at", MODIFIED_US, into);
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
        const struct sim_model *model = &models->list[i];
        long long size = (long long)model->family->bytes;

        if (model->busy == 0 && model->expires_us <= now_us)
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
                 model->expires_us == SIM_FOREVER ? INT64_C(10413792000000000)
                                                  : model->expires_us,
                 into);
        (void)buf_printf(into, ",\"size_vram\":%lld,\"context_length\":%lld}", size,
                         (long long)model->num_ctx);
    }
    (void)buf_add_text(into, "]}");
}

bool sim_model_thinks(const struct sim_model *model)
{
    return model->family->thinks;
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
                     "\"%s.context_length\":%lld},"
                     "\"capabilities\":[\"completion\"%s],",
                     family->family, family->family, (long long)family->context,
                     family->thinks ? ",\"thinking\"" : "");
    add_time("modified_at", MODIFIED_US, into);
    (void)buf_add_char(into, '}');
}

static void add_listed(const struct sim_model *model, struct buf *into)
{
    long long context = (long long)model->family->context;

    (void)buf_add_text(into, "{\"id\":");
    (void)json_write_text(into, model->name);
    /* vLLM has the length under the one name, llama-server under the other. */
    (void)buf_printf(into,
                     ",\"object\":\"model\",\"created\":%lld,\"owned_by\":\"library\","
                     "\"max_model_len\":%lld,\"meta\":{\"n_ctx_train\":%lld}}",
                     (long long)(MODIFIED_US / 1000000), context, context);
}

void sim_models_list(const struct sim_models *models, const struct sim_model *only,
                     struct buf *into)
{
    if (only) {
        add_listed(only, into);
        return;
    }
    (void)buf_add_text(into, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < models->count; i++) {
        if (i > 0)
            (void)buf_add_char(into, ',');
        add_listed(&models->list[i], into);
    }
    (void)buf_add_text(into, "]}");
}
