/* replay_facts.h - what the hash of a recorded conversation said, out of its events and
 * turns. Without events: running from its first line on, and nobody knows when it
 * ended.
 */
#ifndef PARLEY_REPLAY_FACTS_H
#define PARLEY_REPLAY_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "observer/sight.h"
#include "observer/source/replay_parse.h"
#include "observer/source/replay_record.h"

void replay_facts_init(struct talk_facts *facts);
/* A line of the transcript. True: this is how we learn that it began. */
bool replay_facts_begin(struct talk_facts *facts, int64_t at_us,
                        const struct replay_limits *limits);
void replay_facts_turn(struct talk_facts *facts, const struct message *message,
                       int64_t at_us);
/* Who is to speak next; -1: nobody. */
void replay_facts_awaited(struct talk_facts *facts, int64_t seat);
/* True: something is another than before. */
bool replay_facts_event(struct talk_facts *facts, const struct replay_event *event,
                        const struct replay_limits *limits);

#endif
