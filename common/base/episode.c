/* episode.c - see episode.h. */
#include "base/episode.h"

bool episode_on(struct episode *episode, int64_t now_ms)
{
    if (!episode->on) {
        episode->on = true;
        episode->told = false;
        episode->since_ms = now_ms;
    }
    if (episode->told_ms != 0 && now_ms - episode->told_ms < EPISODE_TELL_EVERY_MS)
        return false;
    episode->told = true;
    episode->told_ms = now_ms;
    return true;
}

bool episode_over(struct episode *episode)
{
    bool tell = episode->on && episode->told;

    episode->on = false;
    episode->told = false;
    return tell;
}

int64_t episode_ms(const struct episode *episode, int64_t now_ms)
{
    return episode->on ? now_ms - episode->since_ms : 0;
}
