/* talk_seat.c - see talk_seat.h. */
#include "observer/model/talk_seat.h"

#include "proto/message.h"

enum { NAME_MAX_BYTES = 1024, WHO_MAX_BYTES = 16384 };

void talk_seat_init(struct talk_seat *seat)
{
    *seat = (struct talk_seat){.num_ctx = -1};
    buf_init(&seat->name, NAME_MAX_BYTES);
    buf_init(&seat->who, WHO_MAX_BYTES);
    buf_init(&seat->model, NAME_MAX_BYTES);
    buf_init(&seat->endpoint, NAME_MAX_BYTES);
    seat->last = talk_figures_unknown();
}

void talk_seat_done(struct talk_seat *seat)
{
    buf_done(&seat->name);
    buf_done(&seat->who);
    buf_done(&seat->model);
    buf_done(&seat->endpoint);
}

static void put(struct buf *into, struct str text)
{
    buf_clear(into);
    talk_line_say(into, text);
}

static void part(struct buf *into, const char *between, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    if (into->len > 0)
        (void)buf_add_text(into, between); /* one that is full is cut already */
    talk_line_say(into, str_of(text));
}

void talk_seat_meet(struct talk_seat *seat, const struct persona *persona)
{
    put(&seat->name, str_of(persona->name));
    buf_clear(&seat->who);
    part(&seat->who, "", persona->role);
    for (size_t i = 0; i < persona->trait_count; i++)
        part(&seat->who, i == 0 ? "; " : ", ", persona->traits[i]);
    part(&seat->who, "; wants: ", persona->goal);
    part(&seat->who, "; speaks: ", persona->style);
}

void talk_seat_wish(struct talk_seat *seat, struct str model, struct str endpoint,
                    int64_t num_ctx)
{
    if (model.len > 0 && seat->last_turn == 0)
        put(&seat->model, model);
    if (endpoint.len > 0 && seat->last_turn == 0)
        put(&seat->endpoint, endpoint);
    if (num_ctx > 0)
        seat->num_ctx = num_ctx;
}

void talk_seat_meet_turn(struct talk_seat *seat, const struct message *message)
{
    if (message->failed)
        return;
    if (message->num_ctx > 0)
        seat->num_ctx = message->num_ctx;
    put(&seat->model, str_of(message->model));
    put(&seat->endpoint, str_of(message->endpoint));
    if (seat->name.len == 0)
        put(&seat->name, str_of(message->author));
}

void talk_seat_count(struct talk_seat *seat, const struct talk_line *line)
{
    const struct talk_figures *took = &line->figures;

    seat->turns++;
    if (took->tokens >= 0) {
        seat->tokens += took->tokens;
        seat->counted++;
    }
    if (took->first_token_ms >= 0) {
        seat->first_token_sum_ms += took->first_token_ms;
        seat->first_tokens++;
    }
    if (line->turn > seat->last_turn) {
        seat->last_turn = line->turn;
        seat->last = *took;
    }
}

void talk_seat_recount(struct talk_seat *seat)
{
    seat->turns = 0;
    seat->tokens = 0;
    seat->counted = 0;
    seat->first_token_sum_ms = 0;
    seat->first_tokens = 0;
    seat->last_turn = 0;
    seat->last = talk_figures_unknown();
}

double talk_seat_first_token_ms(const struct talk_seat *seat)
{
    return seat->first_tokens == 0
               ? -1
               : seat->first_token_sum_ms / (double)seat->first_tokens;
}

int64_t talk_seat_context(const struct talk_seat *seat)
{
    if (seat->last.prompt_tokens < 0 || seat->last.tokens < 0)
        return -1;
    return seat->last.prompt_tokens + seat->last.tokens;
}
