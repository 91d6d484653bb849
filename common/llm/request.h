/* request.h - the parts of a request that seats, endpoints and options tell: a seat's
 * own come first, then the options'. Pure.
 */
#ifndef PARLEY_LLM_REQUEST_H
#define PARLEY_LLM_REQUEST_H

#include <stdint.h>

#include "llm/llm.h"

struct config;
struct endpoint;
struct seat_model;

/* A request without messages, schema, stops and the place it goes to. `number` is added
 * to a seed, so that no two asks of a conversation share one. Texts are borrowed. */
struct llm_request request_of_seat(const struct config *config,
                                   const struct seat_model *seat, int64_t number);
/* The four clocks: the endpoint's own, else its tier's, else the options', else the
 * client's. */
void request_set_clocks(struct llm_request *request, const struct config *config,
                        const struct endpoint *endpoint);

#endif
