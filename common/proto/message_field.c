/* message_field.c - see message_field.h. */
#include "proto/message_field.h"

#include "proto/message.h"

#define TEXT(name)                                           \
    {                                                        \
#name, FIELD_TEXT, offsetof(struct message, name), 0 \
    }
#define COUNT(name, min)                                        \
    {                                                           \
#name, FIELD_COUNT, offsetof(struct message, name), min \
    }
#define NUMBER(name)                                           \
    {                                                          \
#name, FIELD_NUMBER, offsetof(struct message, name), 0 \
    }

static const struct message_field fields[] = {
    TEXT(conversation_id),
    COUNT(sequence_number, 1),
    COUNT(seat, 1),
    TEXT(author),
    COUNT(tokens_generated, 0),
    NUMBER(generation_time_ms),
    COUNT(prompt_tokens, 0),
    NUMBER(time_to_first_token_ms),
    NUMBER(tokens_per_second),
    NUMBER(queue_wait_ms),
    NUMBER(endpoint_wait_ms),
    NUMBER(routing_ms),
    COUNT(attempts, 0),
    COUNT(issue, 1),
    TEXT(provider),
    TEXT(endpoint),
    TEXT(model),
    TEXT(finish_reason),
};

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
