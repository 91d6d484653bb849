/* model_options.c - see model_options.h. */
#include "proto/model_options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "proto/json_get.h"
#include "proto/schema.h"

enum { DIGITS = 15 }; /* 0.9 stays 0.9 */

/* clang-format off */

static const struct model_option options[] = {
    {"num_ctx", NULL, API_OLLAMA, MODEL_OPTION_INT, .min = 256, .max = 4194304, .own = true, .runner = true},
    {"num_predict", "max_tokens", API_COMMON, MODEL_OPTION_INT, .min = 1, .max = 1000000, .own = true},
    {"temperature", "temperature", API_COMMON, MODEL_OPTION_REAL, .min = 0, .max = 5, .own = true},
    {"num_keep", NULL, API_OLLAMA, MODEL_OPTION_INT, .min = -1, .max = 4194304},
    {"top_k", "top_k", API_OTHERS, MODEL_OPTION_INT, .min = 0, .max = 1000000},
    {"top_p", "top_p", API_COMMON, MODEL_OPTION_REAL, .min = 0, .max = 1},
    {"min_p", "min_p", API_OTHERS, MODEL_OPTION_REAL, .min = 0, .max = 1},
    {"typical_p", "typical_p", API_OTHERS, MODEL_OPTION_REAL, .min = 0, .max = 1},
    {"repeat_last_n", NULL, API_OLLAMA, MODEL_OPTION_INT, .min = -1, .max = 4194304},
    {"repeat_penalty", "repeat_penalty", API_OTHERS, MODEL_OPTION_REAL, .min = 0, .max = 10},
    {"presence_penalty", "presence_penalty", API_COMMON, MODEL_OPTION_REAL, .min = -2, .max = 2},
    {"frequency_penalty", "frequency_penalty", API_COMMON, MODEL_OPTION_REAL, .min = -2, .max = 2},
    {"num_batch", NULL, API_OLLAMA, MODEL_OPTION_INT, .min = 1, .max = 1000000, .runner = true},
    {"num_gpu", NULL, API_OLLAMA, MODEL_OPTION_INT, .min = -1, .max = 100000, .runner = true},
    {"main_gpu", NULL, API_OLLAMA, MODEL_OPTION_INT, .min = 0, .max = 1000, .runner = true},
    {"use_mmap", NULL, API_OLLAMA, MODEL_OPTION_BOOL, .min = 0, .max = 0, .runner = true},
    {"num_thread", NULL, API_OLLAMA, MODEL_OPTION_INT, .min = 0, .max = 4096, .runner = true},
    {"draft_num_predict", NULL, API_OLLAMA, MODEL_OPTION_INT, .min = 0, .max = 1000, .runner = true},
};
/* clang-format on */

const struct model_option *model_option(size_t index)
{
    return index < sizeof options / sizeof *options ? &options[index] : NULL;
}

const struct model_option *model_option_find(struct str name)
{
    const struct model_option *option;

    for (size_t i = 0; (option = model_option(i)) != NULL; i++)
        if (str_is(name, option->name))
            return option;
    return NULL;
}

/* What people write who know other APIs, or who mean something with its own place. */
static const char *hint_for(const char *name)
{
    static const struct {
        const char *name;
        const char *hint;
    } hints[] = {
        {"seed", "the seed is the conversation's: --seed"},
        {"stop", "parley sets it: where another persona would speak"},
        {"max_tokens", "it is called num_predict"},
        {"max_completion_tokens", "it is called num_predict"},
        {"context_length", "it is called num_ctx"},
        {"repetition_penalty", "it is called repeat_penalty"},
        {"think", "it stands beside the options: think"},
        {"reasoning_effort", "it stands beside the options: think"},
        {"keep_alive", "it is an option of the programs: --keep-alive"},
    };

    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strcmp(hints[i].name, name) == 0)
            return hints[i].hint;
    return NULL;
}

static bool unknown(const char *name, struct err *err)
{
    struct nearest nearest = nearest_to(str_of(name));
    const struct model_option *option;
    const char *hint = hint_for(name);

    if (hint != NULL)
        return err_set(err, ERR_FORMAT, "%s is no option here: %s", name, hint);
    for (size_t i = 0; (option = model_option(i)) != NULL; i++)
        nearest_try(&nearest, option->name);
    return err_set(err, ERR_FORMAT, "%s: no such option%s%s%s", log_safe(str_of(name)),
                   nearest.name == NULL ? "" : ", did you mean ",
                   nearest.name == NULL ? "" : nearest.name,
                   nearest.name == NULL ? "" : "?");
}

static bool wrong(const struct model_option *option, const json_t *value,
                  struct err *err)
{
    char allowed[80] = "true or false";

    if (option->kind != MODEL_OPTION_BOOL)
        fmt_into(allowed, sizeof allowed, "a %s from %.15g to %.15g",
                 option->kind == MODEL_OPTION_INT ? "whole number" : "number",
                 option->min, option->max);
    if (json_is_number(value))
        return err_set(err, ERR_FORMAT, "%s: %.15g is not %s", option->name,
                       json_number_value(value), allowed);
    return err_set(err, ERR_FORMAT, "%s is %s, not %s", option->name,
                   json_type_name(value), allowed);
}

bool model_option_check(const char *name, const json_t *value, struct err *err)
{
    const struct model_option *option = model_option_find(str_of(name));
    double number = json_number_value(value);
    int64_t whole;
    bool fits;

    if (option == NULL)
        return unknown(name, err);
    if (option->kind == MODEL_OPTION_BOOL)
        fits = json_is_boolean(value);
    else if (option->kind == MODEL_OPTION_INT)
        fits = json_is_whole(value, &whole);
    else
        fits = json_is_number(value);
    if (fits && option->kind != MODEL_OPTION_BOOL)
        fits = number >= option->min && number <= option->max;
    return fits || wrong(option, value, err);
}

bool model_options_take(const json_t *object, char **ret_options, struct err *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return err_set(err, ERR_FORMAT, "%s, not an object with options",
                       json_type_name(object));
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        const struct model_option *option = model_option_find(str_of(name));

        if (option != NULL && option->own)
            return err_set(err, ERR_FORMAT, "%s has a place of its own, beside options",
                           name);
        if (!model_option_check(name, value, err))
            return false;
    }
    *ret_options = NULL;
    if (json_object_size(object) > 0) {
        *ret_options = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS
                                              | JSON_REAL_PRECISION(DIGITS));
        assert(*ret_options != NULL); /* it came from JSON */
    }
    return true;
}

bool model_options_parse(struct str json, char **ret_options, struct err *err)
{
    json_t *document = NULL;
    bool ok;

    if (!json_read(json, &document, err))
        return false;
    ok = model_options_take(document, ret_options, err);
    json_decref(document);
    return ok;
}

/* ---- who shares a model ---- */

/* Null when it is not there: then it is the server's default. */
static json_t *runner_options(const struct runner_use *use)
{
    struct err err = {0};
    json_t *document = NULL;
    bool ok = use->options == NULL || json_read(str_of(use->options), &document, &err);

    assert(ok); /* they were checked when they came in */
    if (document == NULL)
        document = json_object();
    json_object_set_new(document, "num_ctx", json_integer(use->num_ctx));
    return document;
}

static void show_value(const json_t *value, char *text, size_t size)
{
    if (value == NULL)
        fmt_into(text, size, "the default");
    else if (json_is_boolean(value))
        fmt_into(text, size, "%s", json_is_true(value) ? "true" : "false");
    else
        fmt_into(text, size, "%.15g", json_number_value(value));
}

static bool differ(const struct runner_use *a, const struct runner_use *b,
                   const struct model_option *option, const json_t *const values[2],
                   struct err *err)
{
    char shown[2][32];

    show_value(values[0], shown[0], sizeof shown[0]);
    show_value(values[1], shown[1], sizeof shown[1]);
    return err_set(
        err, ERR_USAGE,
        "%s and %s share the model %s but not its %s (%s and %s): the server "
        "would load it anew at every turn",
        a->who, b->who, log_safe(str_of(a->model)), option->name, shown[0], shown[1]);
}

/* Null is the default of the server, whatever that is. */
static bool same_value(const json_t *a, const json_t *b)
{
    int64_t numbers[2];

    if (json_is_whole(a, &numbers[0]) && json_is_whole(b, &numbers[1]))
        return numbers[0] == numbers[1]; /* 7 is 7.0 */
    return a == b || json_equal(a, b);
}

bool model_options_agree(const struct runner_use *a, const struct runner_use *b,
                         struct err *err)
{
    json_t *all[2] = {runner_options(a), runner_options(b)};
    const struct model_option *option;
    bool ok = true;

    for (size_t i = 0; ok && (option = model_option(i)) != NULL; i++) {
        const json_t *values[2] = {json_object_get(all[0], option->name),
                                   json_object_get(all[1], option->name)};

        if (option->runner && !same_value(values[0], values[1]))
            ok = differ(a, b, option, values, err);
    }
    json_decref(all[0]);
    json_decref(all[1]);
    return ok;
}
