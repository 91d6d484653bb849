/* message_field.c - see message_field.h. */
#include "proto/message_field.h"

#include "proto/message.h"

enum { MS_DECIMALS = 3, COST_DECIMALS = 6 }; /* what our clocks tell; parts of a cent */

#define AT(name) offsetof(struct message, name)

#define KEY(name) #name, ",\"" #name "\":", sizeof #name + 3

/* clang-format off */
static const struct message_field fields[] = {
    {KEY(conversation_id), FIELD_TEXT, AT(conversation_id), 0, 0, false},
    {KEY(sequence_number), FIELD_COUNT, AT(sequence_number), 1, 0, false},
    {KEY(seat), FIELD_COUNT, AT(seat), 1, 0, false},
    {KEY(author), FIELD_TEXT, AT(author), 0, 0, false},
    {KEY(tokens_generated), FIELD_COUNT, AT(tokens_generated), 0, 0, false},
    {KEY(generation_time_ms), FIELD_NUMBER, AT(generation_time_ms), 0, MS_DECIMALS, false},
    {KEY(prompt_tokens), FIELD_COUNT, AT(prompt_tokens), 0, 0, false},
    {KEY(time_to_first_token_ms), FIELD_NUMBER, AT(time_to_first_token_ms), 0, MS_DECIMALS, false},
    {KEY(tokens_per_second), FIELD_NUMBER, AT(tokens_per_second), 0, MS_DECIMALS, false},
    {KEY(queue_wait_ms), FIELD_NUMBER, AT(queue_wait_ms), 0, MS_DECIMALS, false},
    {KEY(endpoint_wait_ms), FIELD_NUMBER, AT(endpoint_wait_ms), 0, MS_DECIMALS, false},
    {KEY(routing_ms), FIELD_NUMBER, AT(routing_ms), 0, MS_DECIMALS, false},
    {KEY(attempts), FIELD_COUNT, AT(attempts), 0, 0, false},
    {KEY(issue), FIELD_COUNT, AT(issue), 1, 0, false},
    {KEY(provider), FIELD_TEXT, AT(provider), 0, 0, false},
    {KEY(endpoint), FIELD_TEXT, AT(endpoint), 0, 0, false},
    {KEY(model), FIELD_TEXT, AT(model), 0, 0, false},
    {KEY(finish_reason), FIELD_TEXT, AT(finish_reason), 0, 0, false},
    {KEY(chunks), FIELD_COUNT, AT(chunks), 0, 0, true},
    {KEY(longest_gap_ms), FIELD_NUMBER, AT(longest_gap_ms), 0, MS_DECIMALS, true},
    {KEY(prefill_ms), FIELD_NUMBER, AT(prefill_ms), 0, MS_DECIMALS, true},
    {KEY(decode_ms), FIELD_NUMBER, AT(decode_ms), 0, MS_DECIMALS, true},
    {KEY(load_ms), FIELD_NUMBER, AT(load_ms), 0, MS_DECIMALS, true},
    {KEY(worker_ms), FIELD_NUMBER, AT(worker_ms), 0, MS_DECIMALS, true},
    {KEY(prompt_cached_tokens), FIELD_COUNT, AT(prompt_cached_tokens), 0, 0, true},
    {KEY(num_ctx), FIELD_COUNT, AT(num_ctx), 1, 0, true},
    {KEY(cost), FIELD_NUMBER, AT(cost), 0, COST_DECIMALS, true},
};
/* clang-format on */

const struct message_field *message_field(size_t index)
{
    return index < sizeof fields / sizeof *fields ? &fields[index] : NULL;
}

void *message_field_in(struct message *message, const struct message_field *field)
{
    return (char *)message + field->offset;
}

const void *message_field_of(const struct message *message,
                             const struct message_field *field)
{
    return (const char *)message + field->offset;
}
