/* restart.c - see restart.h. */
#include "cli/restart.h"

void restart_died(struct restart *restart, const struct restart_death *death)
{
    restart->excused = death->excused;
    restart->final = death->final;
    if (death->excused)
        return;
    restart->unready = death->ready ? 0 : restart->unready + 1;
    restart->fruitless = death->turns > restart->turns ? 1 : restart->fruitless + 1;
    restart->turns = death->turns;
}

bool restart_hopeless(const struct restart *restart)
{
    return !restart->excused
           && (restart->final || restart->fruitless >= RESTART_DEATHS_MAX);
}

int64_t restart_wait_ms(const struct restart *restart, double unit)
{
    int64_t wait_ms = RESTART_FIRST_MS;

    if (!restart->excused && restart->unready == 0)
        return 0;
    if (restart->excused)
        wait_ms = RESTART_EXCUSED_MS;
    for (int i = 1; !restart->excused && i < restart->unready; i++)
        if (wait_ms < RESTART_MOST_MS)
            wait_ms *= 2;
    if (wait_ms > RESTART_MOST_MS)
        wait_ms = RESTART_MOST_MS;
    return wait_ms - (int64_t)((double)wait_ms / 2 * unit);
}
