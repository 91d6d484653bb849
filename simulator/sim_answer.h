/* sim_answer.h - what is answered at once, by no model. */
#ifndef PARLEY_SIM_ANSWER_H
#define PARLEY_SIM_ANSWER_H

#include "base/buf.h"
#include "base/err.h"
#include "simulator/sim_chat.h"

struct serve_request;
struct sim_world;

#define SIM_ANSWER_MAX_BYTES ((size_t)4 << 20)

void sim_answer_json(struct serve_request *http, int status, const struct buf *body);
/* In the form of the API whose path was asked, and of its flavor. */
void sim_answer_error(const struct sim_world *world, struct serve_request *http,
                      int status, const char *text);
/* What tells the form of an error. */
struct sim_request sim_answer_form(const struct sim_world *world,
                                   const struct serve_request *http);

#endif
