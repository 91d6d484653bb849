/* sim_control.h - what a test asks of the simulator itself, on the port it serves:
 * faults set, shown and taken away, and how many calls there are. Free of faults.
 */
#ifndef PARLEY_SIM_CONTROL_H
#define PARLEY_SIM_CONTROL_H

#include "simulator/sim_call.h"

#define SIM_CONTROL "/_parley/" /* all paths that begin so */

void sim_control_answer(struct sim_world *world, struct serve_request *http);

#endif
