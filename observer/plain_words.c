/* plain_words.c - see plain_words.h. */
#include "plain_words.h"

#include <string.h>

#include "base/utf8.h"
#include "talk_state.h"

static const char *reason_text(const char *reason)
{
    static const char *const known[][2] = {
        {"turns", "all turns were spoken"},
        {"duration", "time is up"},
        {"stopped", "it was stopped"},
        {"failed", "it failed"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i][0], reason) == 0)
            return known[i][1];
    return reason;
}

static void describe_end(const struct talk_facts *facts, struct buf *line)
{
    (void)buf_add_text(line, "(ended: ");
    (void)utf8_harmless(str_of(reason_text(facts->reason)), false, line);
    (void)buf_printf(line, "; %lld turn%s", (long long)facts->turns,
                     facts->turns == 1 ? "" : "s");
    if (facts->tokens > 0)
        (void)buf_printf(line, ", %lld tokens", (long long)facts->tokens);
    if (facts->started_at_us >= 0 && facts->ended_at_us >= facts->started_at_us) {
        (void)buf_add_text(line, " in ");
        (void)talk_state_clock((facts->ended_at_us - facts->started_at_us) / 1000,
                               line);
    }
    (void)buf_add_text(line, ")\n");
}

void plain_words_state(const struct talk_facts *facts, const char *before,
                       struct buf *line)
{
    if (strcmp(facts->state, "ended") == 0)
        describe_end(facts, line);
    else if (strcmp(facts->state, "paused") == 0)
        (void)buf_add_text(line, "(paused)\n");
    else if (strcmp(facts->state, "closing") == 0)
        (void)buf_add_text(line, "(closing: what is being said may be finished)\n");
    else if (strcmp(facts->state, "running") == 0 && strcmp(before, "paused") == 0)
        (void)buf_add_text(line, "(it goes on)\n");
    else if (facts->state[0] == '\0')
        (void)buf_add_text(line, "(gone: Redis does not know this conversation)\n");
}
