/* wish_equip.c - what a seat gets of a wish: wish_equip of wish.h. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "proto/endpoint.h"
#include "proto/wish.h"

const char *wish_model(const struct wish *wish, int64_t seat)
{
    const char *own = seat >= 1 && seat <= SEATS_MAX ? wish->models[seat] : NULL;

    return own != NULL ? own : wish->model.model;
}

static void put_text(char **slot, const char *text)
{
    char *copy = text == NULL ? NULL : x_strdup(text); /* it may be in the old text */

    free(*slot);
    *slot = copy;
}

static void fill_text(char **slot, const char *text)
{
    if (*slot == NULL)
        put_text(slot, text);
}

static void fill_count(int64_t *slot, int64_t count)
{
    if (*slot == -1)
        *slot = count;
}

/* "x", or "cloud:x", which says where, too. */
static void take_model(const struct endpoint_list *endpoints, const char *text,
                       struct seat_model *model)
{
    const char *name = NULL;
    const struct endpoint *endpoint = endpoint_of_model(endpoints, text, &name);

    put_text(&model->model, name);
    if (endpoint == NULL)
        return;
    put_text(&model->endpoint, endpoint->name);
    put_text(&model->provider, endpoint->provider);
}

/* The seat has named its endpoint: a model of another one is none for it. */
static void choose_model(const struct endpoint_list *endpoints, const char *text,
                         struct seat_model *model)
{
    const struct endpoint *own = endpoint_find(endpoints, str_of(model->endpoint));
    const char *name = NULL;
    const struct endpoint *other =
        text == NULL ? NULL : endpoint_of_model(endpoints, text, &name);

    if (other != NULL && other != own)
        name = NULL;
    if (own != NULL && (name == NULL || !endpoint_serves(own, name)))
        name = own->model_count > 0 ? own->models[0] : NULL;
    put_text(&model->model, name);
}

static void choose(const struct wish *wish, int64_t seat,
                   const struct endpoint_list *endpoints, struct seat_model *model)
{
    const char *text = wish_model(wish, seat);

    if (model->model != NULL && model->endpoint == NULL)
        take_model(endpoints, model->model, model);
    if (model->model == NULL && model->endpoint != NULL) {
        choose_model(endpoints, text, model);
        return;
    }
    if (model->endpoint == NULL && model->provider == NULL) {
        fill_text(&model->endpoint, wish->model.endpoint);
        fill_text(&model->provider, wish->model.provider);
    }
    if (model->model == NULL && text != NULL)
        take_model(endpoints, text, model);
}

void wish_equip(const struct wish *wish, int64_t seat,
                const struct endpoint_list *endpoints, struct seat *to)
{
    const struct seat_model *from = &wish->model;
    struct seat_model *model = &to->model;

    choose(wish, seat, endpoints, model);
    fill_text(&model->fallback, from->fallback);
    fill_text(&model->options, from->options);
    fill_text(&model->think, from->think);
    fill_count(&model->num_ctx, from->num_ctx);
    fill_count(&model->num_predict, from->num_predict);
    if (isnan(model->temperature))
        model->temperature = from->temperature;
    model->seed = from->seed;
    to->structured = to->structured || wish->structured;
}
