/* sweep.c - see sweep.h. An edge is its time doubled, and 1 more where something
 * starts: in rising order ends come before starts of the same moment.
 */
#include "analyzer/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/sort.h"
#include "base/alloc.h"

enum { EDGES_FIRST = 256 };

struct sweep {
    int64_t *edges;
    size_t count;
    size_t capacity;
    size_t sorted;    /* so many at the front are in order */
    int64_t swept_us; /* what is before was swept for good, -1 nothing */
    int64_t running;  /* there */
    int64_t peak;     /* up to there */
    int64_t late;
};

struct sweep *sweep_new(void)
{
    struct sweep *sweep = x_calloc(1, sizeof *sweep);

    sweep->swept_us = -1;
    return sweep;
}

void sweep_free(struct sweep *sweep)
{
    if (sweep == NULL)
        return;
    free(sweep->edges);
    free(sweep);
}

static void sort(struct sweep *sweep)
{
    if (sweep->sorted < sweep->count)
        sort_times(sweep->edges, sweep->count);
    sweep->sorted = sweep->count;
}

/* Walks over the first edges; what runs behind them, and the most that ran. */
static int64_t walk(const struct sweep *sweep, size_t edges, int64_t *ret_running)
{
    int64_t running = sweep->running;
    int64_t peak = sweep->peak;

    for (size_t i = 0; i < edges; i++) {
        running += (sweep->edges[i] & 1) != 0 ? 1 : -1;
        if (running > peak)
            peak = running;
    }
    *ret_running = running;
    return peak;
}

static void sweep_half(struct sweep *sweep)
{
    size_t half = sweep->count / 2;

    sort(sweep);
    sweep->swept_us = sweep->edges[half - 1] / 2;
    sweep->peak = walk(sweep, half, &sweep->running);
    sweep->count -= half;
    memmove(sweep->edges, sweep->edges + half, sweep->count * sizeof *sweep->edges);
    sweep->sorted = sweep->count;
}

static void add_edge(struct sweep *sweep, int64_t edge)
{
    if (sweep->count == sweep->capacity) {
        sweep->capacity = sweep->capacity * 2 + EDGES_FIRST;
        sweep->edges = x_realloc(sweep->edges, sweep->capacity * sizeof *sweep->edges);
    }
    sweep->edges[sweep->count++] = edge;
}

void sweep_span(struct sweep *sweep, int64_t start_us, int64_t end_us)
{
    if (sweep->count + 2 > SWEEP_MAX)
        sweep_half(sweep);
    if (start_us < sweep->swept_us) {
        sweep->late++;
        start_us = sweep->swept_us;
    }
    if (start_us >= end_us)
        return;
    add_edge(sweep, 2 * start_us + 1);
    add_edge(sweep, 2 * end_us);
}

int64_t sweep_peak(struct sweep *sweep)
{
    int64_t running;

    sort(sweep);
    return walk(sweep, sweep->count, &running);
}

int64_t sweep_late(const struct sweep *sweep)
{
    return sweep->late;
}
