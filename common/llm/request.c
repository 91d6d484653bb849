/* request.c - see request.h. */
#include "llm/request.h"

#include <math.h>

#include "proto/config.h"
#include "proto/endpoint.h"
#include "proto/seat_model.h"

struct llm_request request_of_seat(const struct config *config,
                                   const struct seat_model *seat, int64_t number)
{
    return (struct llm_request){
        .num_ctx = seat->num_ctx < 0 ? config->num_ctx : seat->num_ctx,
        .num_predict = seat->num_predict < 0 ? config->num_predict : seat->num_predict,
        .temperature =
            isnan(seat->temperature) ? config->temperature : seat->temperature,
        .seed = seat->seed < 0 ? -1 : seat->seed + number,
        .keep_alive = config->keep_alive,
        .options = seat->options == NULL ? config->options : seat->options,
        .think = seat->think == NULL ? config->think : seat->think,
    };
}

static int64_t clock_of(int64_t own_ms, int64_t tiers_ms, int64_t options_ms)
{
    int64_t ms = own_ms > 0 ? own_ms : tiers_ms > 0 ? tiers_ms : options_ms;

    return ms > 0 ? ms : 0; /* none, or unknown: the client's own */
}

void request_set_clocks(struct llm_request *request, const struct config *config,
                        const struct endpoint *endpoint)
{
    const struct endpoint_clocks *own = &endpoint->clocks;
    const struct endpoint_clocks *tier = &config->endpoints.tiers[endpoint->tier];

    request->connect_ms =
        clock_of(own->connect_ms, tier->connect_ms, config->connect_ms);
    request->first_token_ms =
        clock_of(own->first_token_ms, tier->first_token_ms, config->first_token_ms);
    request->between_tokens_ms = clock_of(
        own->between_tokens_ms, tier->between_tokens_ms, config->between_tokens_ms);
    request->total_ms = clock_of(own->total_ms, tier->total_ms, config->total_ms);
}
