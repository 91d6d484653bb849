/* replay_fleet.c - see replay_fleet.h. */
#include "observer/source/replay_fleet.h"

#include <math.h>
#include <string.h>

#include "observer/model/fleet.h"

/* Cut to fit. */
static void put(char *into, size_t size, struct str text)
{
    size_t len = text.len < size ? text.len : size - 1;

    memcpy(into, text.at, len);
    into[len] = '\0';
}

/* NULL: there are too many. */
static struct fleet_member *member_of(struct replay_fleet *view, struct str name)
{
    struct fleet_member *member;

    for (size_t i = 0; i < view->member_count; i++)
        if (str_is(name, view->members[i].name))
            return &view->members[i];
    if (view->member_count == FLEET_MEMBERS_MAX || name.len == 0
        || name.len >= FLEET_NAME_SIZE)
        return NULL;
    member = &view->members[view->member_count++];
    *member = (struct fleet_member){.pid = -1,
                                    .lane = -1,
                                    .busy = -1,
                                    .slots = -1,
                                    .turns = -1,
                                    .heard_us = -1,
                                    .since_us = -1,
                                    .turns_per_second = NAN};
    put(member->name, sizeof member->name, name);
    return member;
}

static struct fleet_server *server_of(struct replay_fleet *view,
                                      const struct replay_call *call)
{
    struct fleet_server *server;

    for (size_t i = 0; i < view->server_count; i++)
        if (str_is(call->endpoint, view->servers[i].name))
            return &view->servers[i];
    if (view->server_count == FLEET_SERVERS_MAX || call->endpoint.len == 0
        || call->endpoint.len >= FLEET_NAME_SIZE)
        return NULL;
    server = &view->servers[view->server_count++];
    *server = (struct fleet_server){.window = -1,
                                    .held = -1,
                                    .waiting = -1,
                                    .retry_us = -1,
                                    .latency_ms = -1,
                                    .first_token_ms = NAN};
    put(server->name, sizeof server->name, call->endpoint);
    put(server->tier, sizeof server->tier, call->tier);
    return server;
}

static void on_call(void *owner, const struct replay_call *call)
{
    struct replay_fleet *view = owner;
    struct fleet_member *member = member_of(view, call->worker);
    struct fleet_server *server = server_of(view, call);
    bool done = str_is(call->outcome, "done");
    struct fleet_call told = {.at_us = call->ended_us,
                              .wasted = !done,
                              .first_token_ms =
                                  call->first_token_ms < 0 ? NAN : call->first_token_ms,
                              .tokens = call->tokens};

    if (member != NULL) {
        /* Stories are a manager's calls, turns a worker's. */
        put(member->kind, sizeof member->kind,
            str_of(call->turn < 0 ? "manager" : "worker"));
        member->calls++;
        member->calls_failed += !done;
    }
    if (server != NULL) {
        server->ok += done;
        server->failed += str_is(call->outcome, "failed");
        if (!done)
            put(server->error, sizeof server->error, call->error);
    }
    put(told.server, sizeof told.server, call->endpoint);
    fleet_take_call(view->fleet, &told);
    view->moved = true;
}

static void on_event(void *owner, const struct replay_event *event)
{
    struct replay_fleet *view = owner;
    struct fleet_event told = {.at_us = event->at_us, .turn = event->turn};

    put(told.event, sizeof told.event, event->event);
    put(told.conversation, sizeof told.conversation, str_of(event->conversation));
    put(told.state, sizeof told.state, event->state);
    put(told.reason, sizeof told.reason, event->reason);
    fleet_take_event(view->fleet, &told);
}

/* The record leaves out what events tell of a turn: its line tells the same. */
static void on_said(void *owner, const struct replay_talk *talk, struct str kind,
                    struct str document, const struct message *message)
{
    struct replay_fleet *view = owner;
    struct fleet_event told = {.at_us = talk->at_us};

    (void)kind;
    (void)document;
    if (message == NULL)
        return;
    told.turn = message->sequence_number;
    put(told.event, sizeof told.event, str_of("dialogue.progress"));
    put(told.conversation, sizeof told.conversation, str_of(talk->id));
    put(told.state, sizeof told.state, str_of(talk->facts.state));
    fleet_take_event(view->fleet, &told);
}

static void on_facts(void *owner, const struct replay_talk *talk)
{
    struct replay_fleet *view = owner;

    /* Its first fact: it has begun, or is being prepared. */
    if (talk->next == 0) {
        view->begun++;
        view->moved = true;
    }
}

void replay_fleet_init(struct replay_fleet *view, struct replay_record *record,
                       struct fleet *fleet)
{
    const struct replay_hooks hooks = {.owner = view,
                                       .on_said = on_said,
                                       .on_facts = on_facts,
                                       .on_call = on_call,
                                       .on_event = on_event};

    *view = (struct replay_fleet){.fleet = fleet, .moved = true};
    replay_play_init(&view->play, record, NULL, 0, &hooks);
    fleet_forget(fleet);
}

void replay_fleet_done(struct replay_fleet *view)
{
    replay_play_done(&view->play);
    view->fleet = NULL;
}

void replay_fleet_rewind(struct replay_fleet *view)
{
    view->member_count = 0;
    view->server_count = 0;
    view->begun = 0;
    view->moved = true;
    replay_play_rewind(&view->play);
    fleet_forget(view->fleet);
}

void replay_fleet_flush(struct replay_fleet *view, int64_t now_us)
{
    const struct fleet_totals totals = {.memory_bytes = -1,
                                        .memory_max_bytes = -1,
                                        .conversations = view->begun,
                                        .redis_commands = -1,
                                        .recorded = true};

    if (!view->moved)
        return;
    view->moved = false;
    fleet_take_members(view->fleet, view->members, view->member_count, 0, now_us);
    fleet_take_servers(view->fleet, view->servers, view->server_count, 0);
    fleet_take_totals(view->fleet, &totals);
}
