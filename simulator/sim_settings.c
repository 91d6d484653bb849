/* sim_settings.c - see sim_settings.h. */
#include "simulator/sim_settings.h"

#include <stddef.h>

#include "simulator/sim_chat.h"

enum { STATUS_SERVER = 500 };

enum kind { KIND_INT, KIND_REAL, KIND_BOOL, KIND_TEXTS };
#define IGNORED   SIZE_MAX
#define AT(field) offsetof(struct sim_settings, field)

/* What is not stored does nothing here, but has a type all the same. */
static const struct setting {
    const char *name;
    enum kind kind;
    size_t offset;
} settings_known[] = {
    {"num_ctx", KIND_INT, AT(runner.num_ctx)},
    {"num_batch", KIND_INT, AT(runner.num_batch)},
    {"num_gpu", KIND_INT, AT(runner.num_gpu)},
    {"main_gpu", KIND_INT, AT(runner.main_gpu)},
    {"use_mmap", KIND_BOOL, AT(runner.use_mmap)},
    {"num_thread", KIND_INT, AT(runner.num_thread)},
    {"draft_num_predict", KIND_INT, AT(runner.draft_num_predict)},
    {"num_predict", KIND_INT, AT(num_predict)},
    {"seed", KIND_INT, AT(seed)},
    {"stop", KIND_TEXTS, AT(stops)},
    {"num_keep", KIND_INT, IGNORED},
    {"top_k", KIND_INT, IGNORED},
    {"repeat_last_n", KIND_INT, IGNORED},
    {"top_p", KIND_REAL, IGNORED},
    {"min_p", KIND_REAL, IGNORED},
    {"typical_p", KIND_REAL, IGNORED},
    {"temperature", KIND_REAL, IGNORED},
    {"repeat_penalty", KIND_REAL, IGNORED},
    {"presence_penalty", KIND_REAL, IGNORED},
    {"frequency_penalty", KIND_REAL, IGNORED},
};

bool sim_runner_fits(const struct sim_runner *loaded, const struct sim_runner *next)
{
    return loaded->num_ctx == next->num_ctx && loaded->num_batch == next->num_batch
           && (next->num_gpu < 0 || loaded->num_gpu == next->num_gpu)
           && loaded->main_gpu == next->main_gpu && loaded->use_mmap == next->use_mmap
           && loaded->num_thread == next->num_thread
           && loaded->draft_num_predict == next->draft_num_predict
           && loaded->no_shift == next->no_shift;
}

struct sim_settings sim_settings_default(void)
{
    return (struct sim_settings){
        .runner = {.num_ctx = SIM_NUM_CTX,
                   .num_batch = 512,
                   .num_gpu = -1,
                   .draft_num_predict = 4,
                   .use_mmap = -1},
        .num_predict = -1,
        .seed = -1,
    };
}

static bool is_wrong(struct sim_refusal *refusal, const struct setting *setting,
                     const char *type)
{
    return sim_refuse(refusal, STATUS_SERVER, "option \"%s\" must be of %s",
                      setting->name, type);
}

static bool read_texts(const json_t *value, const struct setting *setting,
                       struct sim_refusal *refusal)
{
    if (!json_is_array(value))
        return is_wrong(refusal, setting, "type array");
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!json_is_string(json_array_get(value, i)))
            return is_wrong(refusal, setting, "an array of strings");
    return true;
}

static bool check(const json_t *value, const struct setting *setting,
                  struct sim_refusal *refusal)
{
    switch (setting->kind) {
    case KIND_INT:
        return json_is_number(value) || is_wrong(refusal, setting, "type integer");
    case KIND_REAL:
        return json_is_number(value) || is_wrong(refusal, setting, "type float32");
    case KIND_BOOL:
        return json_is_boolean(value) || is_wrong(refusal, setting, "type boolean");
    case KIND_TEXTS:
        break;
    }
    return read_texts(value, setting, refusal);
}

/* The place of a setting; each is what its kind says. */
static void store(const json_t *value, const struct setting *setting,
                  struct sim_settings *settings)
{
    char *at = (char *)settings + setting->offset;
    double number = json_number_value(value);

    if (setting->offset == IGNORED)
        return;
    if (setting->kind == KIND_TEXTS)
        *(const json_t **)(void *)at = value;
    else if (setting->kind == KIND_BOOL)
        *(int64_t *)(void *)at = json_is_true(value);
    else if (number > -9e15 && number < 9e15)
        *(int64_t *)(void *)at =
            (int64_t)number; /* the fraction is cut off there too */
}

bool sim_settings_read(const json_t *options, struct sim_settings *settings,
                       struct sim_refusal *ret_refusal)
{
    for (size_t i = 0; i < sizeof settings_known / sizeof *settings_known; i++) {
        const struct setting *setting = &settings_known[i];
        const json_t *value = json_object_get(options, setting->name);

        if (value == NULL || json_is_null(value))
            continue;
        if (!check(value, setting, ret_refusal))
            return false;
        store(value, setting, settings);
    }
    if (settings->runner.num_ctx < SIM_NUM_CTX_MIN)
        settings->runner.num_ctx = SIM_NUM_CTX_MIN;
    return true;
}
