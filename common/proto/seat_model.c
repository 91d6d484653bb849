/* seat_model.c - see seat_model.h. */
#include "proto/seat_model.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/json_write.h"
#include "proto/model_options.h"

enum { DECIMALS = 6, FALLBACKS_MAX = 16 };

/* The numbers: a field, and how small they may be. */
static const struct number {
    const char *key;
    size_t offset;
    int64_t min;
} counts[] = {
    {"num_ctx", offsetof(struct seat_model, num_ctx), 1},
    {"num_predict", offsetof(struct seat_model, num_predict), 1},
    {"seed", offsetof(struct seat_model, seed), 0},
};
enum { COUNTS = sizeof counts / sizeof *counts };

void seat_model_init(struct seat_model *model)
{
    *model = (struct seat_model){
        .num_ctx = -1, .num_predict = -1, .temperature = (double)NAN, .seed = -1};
}

void seat_model_done(struct seat_model *model)
{
    free(model->provider);
    free(model->endpoint);
    free(model->model);
    free(model->fallback);
    free(model->options);
    free(model->think);
    seat_model_init(model);
}

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : x_strdup(text);
}

void seat_model_copy(struct seat_model *to, const struct seat_model *from)
{
    *to = *from; /* the numbers */
    to->provider = copy_text(from->provider);
    to->endpoint = copy_text(from->endpoint);
    to->model = copy_text(from->model);
    to->fallback = copy_text(from->fallback);
    to->options = copy_text(from->options);
    to->think = copy_text(from->think);
}

/* ---- writing ---- */

static void write_text(struct buf *into, const char *start, const char *text)
{
    buf_add_text(into, start);
    json_write_text(into, text);
}

static void write_options(struct buf *into, const struct seat_model *model)
{
    buf_add_text(into, ",\"options\":{\"num_ctx\":");
    json_write_count(into, model->num_ctx);
    buf_add_text(into, ",\"num_predict\":");
    json_write_count(into, model->num_predict);
    buf_add_text(into, ",\"temperature\":");
    json_write_number(into, model->temperature, DECIMALS);
    buf_add_text(into, ",\"seed\":");
    json_write_count(into, model->seed);
    if (model->options != NULL) {
        size_t len = strlen(model->options);

        assert(len > 2 && model->options[0] == '{' && model->options[len - 1] == '}');
        buf_add_char(into, ',');
        buf_add(into, model->options + 1, len - 2);
    }
    buf_add_char(into, '}');
}

bool seat_model_write(struct buf *into, const struct seat_model *model)
{
    write_text(into, "\"provider\":", model->provider);
    write_text(into, ",\"endpoint\":", model->endpoint);
    write_text(into, ",\"model\":", model->model);
    write_text(into, ",\"fallback\":", model->fallback);
    write_text(into, ",\"think\":", model->think);
    write_options(into, model);
    return !into->overflowed;
}

/* ---- reading ---- */

static bool is_there(const struct json_place *place)
{
    return place->value != NULL && !json_is_null(place->value);
}

static bool read_text(struct json_place place, char **text, struct err *err)
{
    char *found = NULL;

    if (!json_get_text_or_null(place, &found, err))
        return false;
    if (found == NULL)
        return true;
    free(*text);
    *text = found;
    return true;
}

/* One way to write it, as a flag has it: texts with commas between. */
static bool read_fallback(struct json_place place, char **text, struct err *err)
{
    size_t count = json_array_size(place.value);
    struct buf joined;

    if (!json_is_array(place.value))
        return read_text(place, text, err);
    if (count > FALLBACKS_MAX)
        return json_fail(&place, "at most 16 endpoints", err);
    buf_init(&joined, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        struct json_place item = json_item(&place, i);
        const char *one = json_string_value(item.value);

        if (one == NULL || *one == '\0' || strchr(one, ',') != NULL) {
            buf_done(&joined);
            return json_fail(&item, "ENDPOINT or ENDPOINT:MODEL", err);
        }
        buf_printf(&joined, "%s%s", i == 0 ? "" : ",", one);
    }
    free(*text);
    *text = count == 0 ? NULL : buf_take(&joined);
    buf_done(&joined);
    return true;
}

static bool read_think(struct json_place place, char **text, struct err *err)
{
    static const char *const words[] = {"true",   "false", "low",
                                        "medium", "high",  "max"};
    const char *word = json_string_value(place.value);

    if (!is_there(&place))
        return true;
    if (json_is_boolean(place.value))
        word = json_is_true(place.value) ? "true" : "false";
    for (size_t i = 0; word != NULL && i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0) {
            free(*text);
            *text = x_strdup(word);
            return true;
        }
    }
    return json_fail(&place, "true, false, low, medium, high or max", err);
}

/* Of an object that holds them: the seat's `options`, or a persona itself. */
static bool read_numbers(const struct json_place *object, struct seat_model *model,
                         struct err *err)
{
    struct json_place temperature = json_member(object, "temperature");

    for (size_t i = 0; i < COUNTS; i++) {
        struct json_place place = json_member(object, counts[i].key);
        int64_t *slot = (int64_t *)(void *)((char *)model + counts[i].offset);

        if (is_there(&place) && !json_get_count(place, counts[i].min, slot, err))
            return false;
    }
    return !is_there(&temperature)
           || json_get_number(temperature, 0, (double)NAN, &model->temperature, err);
}

/* The further options: all but the four above. */
static bool read_further(const struct json_place *place, struct seat_model *model,
                         struct err *err)
{
    json_t *further = json_copy((json_t *)(uintptr_t)place->value);
    char *options = NULL;
    bool ok;

    (void)json_object_del(further, "temperature"); /* it need not be there */
    for (size_t i = 0; i < COUNTS; i++)
        (void)json_object_del(further, counts[i].key);
    ok = model_options_take(further, &options, err);
    json_decref(further);
    if (!ok)
        return json_wrap(place, err);
    if (options == NULL)
        return true;
    free(model->options);
    model->options = options;
    return true;
}

static bool read_options(const struct json_place *object, struct seat_model *model,
                         struct err *err)
{
    struct json_place options = json_member(object, "options");

    if (!is_there(&options))
        return true;
    if (!json_is_object(options.value))
        return json_fail(&options, "an object with options", err);
    return read_numbers(&options, model, err) && read_further(&options, model, err);
}

bool seat_model_read(const struct json_place *object, struct seat_model *model,
                     struct err *err)
{
    return read_text(json_member(object, "provider"), &model->provider, err)
           && read_text(json_member(object, "endpoint"), &model->endpoint, err)
           && read_text(json_member(object, "model"), &model->model, err)
           && read_fallback(json_member(object, "fallback"), &model->fallback, err)
           && read_think(json_member(object, "think"), &model->think, err)
           && read_options(object, model, err) && read_numbers(object, model, err);
}
