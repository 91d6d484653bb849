/* replay_wall.c - see replay_wall.h. */
#include "observer/source/replay_wall.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "observer/model/wall.h"

struct replay_cast {
    char *setting; /* owned, as the names; NULL not told yet */
    char *names[SEATS_MAX];
    size_t count;
};

static struct replay_cast *cast_of(struct replay_wall *view,
                                   const struct replay_talk *talk)
{
    return &view->casts[talk - view->play.plays];
}

static void take_cast(struct replay_wall *view, const struct replay_talk *talk)
{
    const struct replay_cast *cast = cast_of(view, talk);
    struct str names[SEATS_MAX];
    struct wall_cast told = {
        .setting = str_of(cast->setting), .names = names, .name_count = cast->count};

    for (size_t i = 0; i < cast->count; i++)
        names[i] = str_of(cast->names[i]);
    wall_take_cast(view->wall, str_of(talk->id), &told);
}

static void take_facts(struct replay_wall *view, const struct replay_talk *talk,
                       int64_t now_us)
{
    const struct wall_facts facts = {.talk = talk->facts,
                                     .attempts = talk->attempts,
                                     .issue = -1,
                                     .failures = talk->failures,
                                     .seats = (int64_t)cast_of(view, talk)->count,
                                     .calling = talk->calling};

    wall_take_facts(view->wall, str_of(talk->id), &facts, now_us);
}

static void meet(struct replay_wall *view, const struct replay_talk *talk)
{
    if (wall_find(view->wall, str_of(talk->id)) != NULL)
        return;
    (void)wall_take_id(view->wall, str_of(talk->id), talk->at_us / 1000); /* or full */
    wall_take_count(view->wall, ++view->begun, talk->at_us);
}

static void on_facts(void *owner, const struct replay_talk *talk)
{
    struct replay_wall *view = owner;

    meet(view, talk);
    take_facts(view, talk, talk->at_us);
}

static void learn(struct replay_cast *cast, const struct message *message)
{
    size_t seat = (size_t)(message->seat - 1);

    if (message->kind == MESSAGE_STORY) {
        free(cast->setting);
        cast->setting = x_strdup(message->story.setting);
    }
    if (message->kind != MESSAGE_PERSONA || message->seat < 1 || seat >= SEATS_MAX)
        return;
    free(cast->names[seat]);
    cast->names[seat] = x_strdup(message->persona.name);
    if (cast->count <= seat)
        cast->count = seat + 1;
}

static void on_cast(struct replay_wall *view, const struct replay_talk *talk,
                    struct str document)
{
    struct message message;

    if (!message_parse(document, &message, NULL))
        return; /* of no use on the wall; the talk's screen tells of it */
    learn(cast_of(view, talk), &message);
    message_done(&message);
    take_cast(view, talk);
}

static void on_said(void *owner, const struct replay_talk *talk, struct str kind,
                    struct str document, const struct message *message)
{
    struct replay_wall *view = owner;

    meet(view, talk);
    if (str_is(kind, "story") || str_is(kind, "persona"))
        on_cast(view, talk, document);
    if (message != NULL) {
        const struct wall_turn turn = {.turn = message->sequence_number,
                                       .queue_wait_ms = message->queue_wait_ms,
                                       .tokens_per_second = message->tokens_per_second,
                                       .context_truncated = message->context_truncated,
                                       .fallback = message->fallback,
                                       .failed = message->failed};

        wall_take_turn(view->wall, str_of(talk->id), &turn);
    }
}

void replay_wall_init(struct replay_wall *view, struct replay_record *record,
                      struct wall *wall)
{
    const struct replay_hooks hooks = {
        .owner = view, .on_said = on_said, .on_facts = on_facts};

    *view = (struct replay_wall){.wall = wall};
    view->casts = x_calloc(replay_record_talks(record), sizeof *view->casts);
    replay_play_init(&view->play, record, NULL, 0, &hooks);
    wall_take_redis(wall, true, str_of("a recorded run"));
    wall_take_count(wall, 0, replay_record_first_us(record));
}

static void forget_casts(struct replay_wall *view)
{
    for (size_t i = 0; i < view->play.count; i++) {
        struct replay_cast *cast = &view->casts[i];

        free(cast->setting);
        for (size_t seat = 0; seat < cast->count; seat++)
            free(cast->names[seat]);
        *cast = (struct replay_cast){.setting = NULL};
    }
}

void replay_wall_done(struct replay_wall *view)
{
    forget_casts(view);
    free(view->casts);
    replay_play_done(&view->play);
    *view = (struct replay_wall){.wall = NULL};
}

void replay_wall_rewind(struct replay_wall *view, int64_t now_us)
{
    forget_casts(view);
    view->begun = 0;
    replay_play_rewind(&view->play);
    wall_take_count(view->wall, 0, now_us);
}

void replay_wall_freshen(struct replay_wall *view, int64_t now_us)
{
    for (size_t i = 0; i < view->play.count; i++) {
        const struct replay_talk *talk = &view->play.plays[i];

        if (talk->facts.state[0] != '\0' && strcmp(talk->facts.state, "ended") != 0)
            take_facts(view, talk, now_us);
    }
}
