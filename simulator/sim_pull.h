/* sim_pull.h - a model being pulled: its progress in JSON lines, and there it is. In
 * the library are the families of models the simulator has (sim_models_in_library); a
 * client that goes away has pulled nothing.
 */
#ifndef PARLEY_SIM_PULL_H
#define PARLEY_SIM_PULL_H

struct serve_request;
struct sim_pull;
struct sim_world;

#define SIM_PULL_PATH "/api/pull"

/* Answers, at once or bit by bit; its data is what sim_pull_gone wants, or NULL. */
void sim_pull_start(struct sim_world *world, struct serve_request *http);
void sim_pull_gone(struct sim_pull *pull); /* NULL is fine */

#endif
