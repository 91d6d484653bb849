/* replay_play.c - see replay_play.h. */
#include "observer/source/replay_play.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Of two that are due at once, the one that comes first in the record. */
static bool before(const struct replay_play *play, size_t a, size_t b)
{
    if (play->due_us[a] != play->due_us[b])
        return play->due_us[a] < play->due_us[b];
    return a < b;
}

static void sink(struct replay_play *play, size_t at)
{
    size_t *heap = play->heap;

    for (;;) {
        size_t child = at * 2 + 1;
        size_t held = heap[at];

        if (child >= play->count)
            return;
        if (child + 1 < play->count && before(play, heap[child + 1], heap[child]))
            child++;
        if (!before(play, heap[child], held))
            return;
        heap[at] = heap[child];
        heap[child] = held;
        at = child;
    }
}

static void begin(struct replay_play *play)
{
    for (size_t i = 0; i < play->count; i++) {
        replay_talk_init(&play->plays[i], play->record,
                         play->talks == NULL ? i : play->talks[i], &play->hooks);
        play->due_us[i] = replay_talk_due(&play->plays[i]);
        play->heap[i] = i;
    }
    for (size_t i = play->count; i-- > 0;)
        sink(play, i);
}

static void end(struct replay_play *play)
{
    for (size_t i = 0; i < play->count; i++)
        replay_talk_done(&play->plays[i]);
}

void replay_play_init(struct replay_play *play, struct replay_record *record,
                      const size_t *talks, size_t count,
                      const struct replay_hooks *hooks)
{
    *play = (struct replay_play){.record = record, .hooks = *hooks};
    play->count = talks == NULL ? replay_record_talks(record) : count;
    if (talks != NULL) {
        play->talks = x_calloc(count, sizeof *talks);
        memcpy(play->talks, talks, count * sizeof *talks);
    }
    play->plays = x_calloc(play->count, sizeof *play->plays);
    play->heap = x_calloc(play->count, sizeof *play->heap);
    play->due_us = x_calloc(play->count, sizeof *play->due_us);
    begin(play);
}

void replay_play_done(struct replay_play *play)
{
    end(play);
    free(play->talks);
    free(play->plays);
    free(play->heap);
    free(play->due_us);
    *play = (struct replay_play){.record = NULL};
}

void replay_play_rewind(struct replay_play *play)
{
    end(play);
    begin(play);
}

int64_t replay_play_due(const struct replay_play *play)
{
    return play->count == 0 ? INT64_MAX : play->due_us[play->heap[0]];
}

bool replay_play_step(struct replay_play *play, int64_t now_us)
{
    size_t first;

    if (replay_play_due(play) > now_us || replay_play_due(play) == INT64_MAX)
        return false;
    first = play->heap[0];
    (void)replay_talk_step(&play->plays[first], now_us); /* it is due */
    play->due_us[first] = replay_talk_due(&play->plays[first]);
    sink(play, 0);
    return true;
}
