/* survey.c - see survey.h. */
#include "analyzer/export/survey.h"

#include <stdlib.h>

#include "base/alloc.h"

void survey_init(struct survey *survey, const char *id)
{
    *survey = (struct survey){.id = id};
    for (int seat = 0; seat <= SEATS_MAX; seat++)
        survey->last[seat] = survey->first[seat] = -1;
}

void survey_done(struct survey *survey)
{
    free(survey->topic);
    for (int seat = 0; seat <= SEATS_MAX; seat++)
        free(survey->names[seat]);
    cast_done(&survey->cast);
    *survey = (struct survey){0};
}

bool survey_sees(const struct message *message, int64_t seat)
{
    if (seat == 0 || message->to == NULL || message->seat == seat)
        return true;
    for (size_t i = 0; i < message->to_count; i++)
        if (message->to[i] == seat)
            return true;
    return false;
}

bool survey_speaks(const struct message *message)
{
    return message->kind != MESSAGE_STORY && message->kind != MESSAGE_PERSONA
           && !message->failed && message->text != NULL
           && str_trim(str_of(message->text)).len > 0;
}

static bool is_seat(int64_t seat)
{
    return seat >= 1 && seat <= SEATS_MAX;
}

static void take_persona(struct survey *survey, const struct message *message)
{
    struct cast *cast = &survey->cast;
    size_t seat = (size_t)message->seat;

    if (!is_seat(message->seat))
        return;
    if (seat > cast->seat_count) {
        cast->seats = x_realloc(cast->seats, seat * sizeof *cast->seats);
        for (size_t i = cast->seat_count; i < seat; i++)
            seat_init(&cast->seats[i]);
        cast->seat_count = seat;
    }
    persona_done(&cast->seats[seat - 1].persona);
    persona_copy(&cast->seats[seat - 1].persona, &message->persona);
}

static void take_words(struct survey *survey, const struct message *message)
{
    int64_t own = is_seat(message->seat) ? message->seat : 0;

    if (own > 0 && message->kind == MESSAGE_TURN)
        survey->last[own] = survey->lines;
    for (int64_t seat = 1; seat <= SEATS_MAX; seat++) {
        if (survey->first[seat] >= 0 || !survey_sees(message, seat))
            continue;
        survey->first[seat] = survey->lines;
        survey->opens[seat] = seat == own && message->kind == MESSAGE_TURN;
    }
}

void survey_take(struct survey *survey, const struct message *message)
{
    int64_t seat = is_seat(message->seat) ? message->seat : 0;

    if (seat > survey->seats)
        survey->seats = seat;
    if (seat > 0 && survey->names[seat] == NULL && message->author != NULL)
        survey->names[seat] = x_strdup(message->author);
    if (message->kind == MESSAGE_STORY) {
        story_done(&survey->cast.story);
        story_copy(&survey->cast.story, &message->story);
        survey->has_story = true;
    } else if (message->kind == MESSAGE_PERSONA) {
        take_persona(survey, message);
    } else if (survey_speaks(message)) {
        take_words(survey, message);
    } else {
        survey->left.failed += message->failed;
        survey->left.empty += !message->failed;
    }
    survey->lines++;
}

bool survey_complete(const struct survey *survey)
{
    if (!survey->has_story || survey->cast.seat_count < (size_t)survey->seats)
        return false;
    for (size_t i = 0; i < survey->cast.seat_count; i++) {
        const struct persona *persona = &survey->cast.seats[i].persona;

        if (persona->name == NULL || persona->role == NULL)
            return false;
    }
    return survey->cast.seat_count > 0;
}

const char *survey_name(const struct survey *survey, int64_t seat)
{
    if (!is_seat(seat))
        return NULL;
    if ((size_t)seat <= survey->cast.seat_count
        && survey->cast.seats[seat - 1].persona.name != NULL)
        return survey->cast.seats[seat - 1].persona.name;
    return survey->names[seat];
}
