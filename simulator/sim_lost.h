/* sim_lost.h - what a server says to a path that it does not have: each in its own way,
 * as its users have reported it (LM Studio even with status 200).
 */
#ifndef PARLEY_SIM_LOST_H
#define PARLEY_SIM_LOST_H

struct flavor;
struct serve_request;

void sim_lost_answer(const struct flavor *flavor, struct serve_request *http);

#endif
