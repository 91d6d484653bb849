/* replay_fleet.h - feeds the fleet screen out of a record: what calls and events tell.
 *
 * Members and servers are those that calls name, with what was counted of their calls.
 * Beats, lanes, breakers and Redis' memory were never written down: unknown.
 */
#ifndef PARLEY_REPLAY_FLEET_H
#define PARLEY_REPLAY_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observer/model/fleet_facts.h"
#include "observer/source/replay_play.h"

struct fleet;

struct replay_fleet {
    struct fleet *fleet; /* borrowed; NULL: nobody watches */
    struct replay_play play;
    struct fleet_member members[FLEET_MEMBERS_MAX];
    size_t member_count;
    struct fleet_server servers[FLEET_SERVERS_MAX];
    size_t server_count;
    int64_t begun; /* conversations that have begun */
    bool moved;    /* something of them is not handed over yet */
};

void replay_fleet_init(struct replay_fleet *view, struct replay_record *record,
                       struct fleet *fleet);
void replay_fleet_done(struct replay_fleet *view); /* zeroed is fine */
void replay_fleet_rewind(struct replay_fleet *view);
/* Hands over what has changed since the last time. */
void replay_fleet_flush(struct replay_fleet *view, int64_t now_us);

#endif
