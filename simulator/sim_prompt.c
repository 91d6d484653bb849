/* sim_prompt.c - see sim_prompt.h. */
#include "simulator/sim_prompt.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "simulator/tokens.h"

void sim_prompt_done(struct sim_prompt *prompt)
{
    free(prompt->messages);
    *prompt = (struct sim_prompt){0};
}

void sim_prompt_add(struct sim_prompt *prompt, const char *role, struct str text)
{
    struct sim_message *at = NULL;

    /* Grown at each power of two. */
    if ((prompt->count & (prompt->count + 1)) == 0)
        prompt->messages = x_realloc(prompt->messages, (2 * prompt->count + 2)
                                                           * sizeof(*prompt->messages));
    at = &prompt->messages[prompt->count++];
    at->role = role;
    at->text = text;
}

bool sim_prompt_is(const struct sim_message *message, const char *role)
{
    return strcmp(message->role, role) == 0;
}

static size_t message_tokens(const struct sim_message *message)
{
    return tokens_count(str_of(message->role)) + tokens_count(message->text)
           + tokens_count(str_of("\n\n"));
}

size_t sim_prompt_tokens(const struct sim_prompt *prompt)
{
    size_t total = 0;

    for (size_t i = 0; i < prompt->count; i++)
        total += message_tokens(&prompt->messages[i]);
    return total;
}

void sim_prompt_fit(struct sim_prompt *prompt, size_t max_tokens)
{
    size_t total = sim_prompt_tokens(prompt);
    size_t kept = 0;

    for (size_t i = 0; i < prompt->count; i++) {
        struct sim_message *message = &prompt->messages[i];
        bool fixed = sim_prompt_is(message, "system") || i + 1 == prompt->count;

        if (total > max_tokens && !fixed)
            total -= message_tokens(message);
        else
            prompt->messages[kept++] = *message;
    }
    prompt->count = kept;
}

void sim_prompt_render(const struct sim_prompt *prompt, struct buf *into)
{
    for (size_t i = 0; i < prompt->count; i++) {
        (void)buf_add_text(into, prompt->messages[i].role); /* a full buffer tells */
        (void)buf_add_char(into, '\n');
        (void)buf_add_str(into, prompt->messages[i].text);
        (void)buf_add_char(into, '\n');
    }
}

size_t sim_prompt_common_tokens(struct str before, struct str now)
{
    size_t count = 0;
    size_t at = 0;

    for (;;) {
        struct str token = tokens_first(str_make(now.at + at, now.len - at));

        if (token.len == 0 || at + token.len > before.len
            || memcmp(before.at + at, token.at, token.len) != 0)
            return count;
        at += token.len;
        count++;
    }
}
