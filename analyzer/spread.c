/* spread.c - see spread.h.
 *
 * Flow: spread_add* -> values, doubled as they come -> over exact_max or over the
 *       ration: all into a sketch -> spread_percentile
 */
#include "analyzer/spread.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/sort.h"
#include "base/alloc.h"
#include "base/stats.h"

/* Bucket i holds the values in (GAMMA^(i-1), GAMMA^i]; its middle 2 GAMMA^i /
 * (GAMMA + 1) is off by at most (GAMMA - 1) / (GAMMA + 1) < SPREAD_ERROR. */
#define GAMMA 1.01
enum { SLOT_ZERO = -2000, SLOT_MAX = 3000, VALUES_FIRST = 4, SKETCH_STEP = 64 };

struct sketch {
    int first; /* the slot of counts[0] */
    int count; /* slots that there is room for */
    uint32_t counts[];
};

/* Values below GAMMA^SLOT_ZERO (2.3e-9) are taken for 0. */
int spread_slot(double value)
{
    static const double per_slot = 0.00995033085316808285; /* log(GAMMA) */
    double slot;

    if (value <= 0)
        return SLOT_ZERO;
    slot = ceil(log(value) / per_slot);
    return slot <= SLOT_ZERO ? SLOT_ZERO : slot >= SLOT_MAX ? SLOT_MAX : (int)slot;
}

static double slot_middle(int slot)
{
    return slot == SLOT_ZERO ? 0 : 2 * pow(GAMMA, slot) / (GAMMA + 1);
}

static bool ration_take(struct ration *ration, size_t bytes)
{
    if (ration->left_bytes < bytes)
        return false;
    ration->left_bytes -= bytes;
    return true;
}

static size_t sketch_bytes(int count)
{
    return sizeof(struct sketch) + (size_t)count * sizeof(uint32_t);
}

static void drop_values(struct spread *spread, struct ration *ration)
{
    ration->left_bytes += spread->capacity * sizeof *spread->values;
    free(spread->values);
    spread->values = NULL;
    spread->capacity = 0;
}

static void drop_sketch(struct spread *spread, struct ration *ration)
{
    if (spread->sketch != NULL)
        ration->left_bytes += sketch_bytes(spread->sketch->count);
    free(spread->sketch);
    spread->sketch = NULL;
}

void spread_done(struct spread *spread, struct ration *ration)
{
    drop_values(spread, ration);
    drop_sketch(spread, ration);
    *spread = (struct spread){.count = 0};
}

/* Makes room for a slot; false when the ration is used up. */
static bool sketch_reach(struct spread *spread, struct ration *ration, int slot)
{
    struct sketch *old = spread->sketch;
    struct sketch *wider;
    int first = slot - SKETCH_STEP / 2;
    int end = slot + SKETCH_STEP / 2;

    if (old != NULL) {
        first = first < old->first ? first : old->first;
        end = end > old->first + old->count ? end : old->first + old->count;
    }
    if (!ration_take(ration, sketch_bytes(end - first)))
        return false;
    wider = x_calloc(1, sketch_bytes(end - first));
    wider->first = first;
    wider->count = end - first;
    if (old != NULL)
        memcpy(wider->counts + (old->first - first), old->counts,
               (size_t)old->count * sizeof *old->counts);
    drop_sketch(spread, ration);
    spread->sketch = wider;
    return true;
}

/* A count that would pass the end of its range stays there. */
static void sketch_add(struct spread *spread, struct ration *ration, int slot,
                       uint32_t times)
{
    struct sketch *sketch = spread->sketch;
    uint32_t *count;

    if (sketch == NULL || (unsigned)(slot - sketch->first) >= (unsigned)sketch->count) {
        if (!sketch_reach(spread, ration, slot)) {
            drop_sketch(spread, ration);
            spread->blind = true;
            return;
        }
        sketch = spread->sketch;
    }
    count = &sketch->counts[slot - sketch->first];
    *count = *count > UINT32_MAX - times ? UINT32_MAX : *count + times;
}

static void change_to_sketch(struct spread *spread, struct ration *ration, size_t held)
{
    float *values = spread->values;

    spread->values = NULL;
    ration->left_bytes += spread->capacity * sizeof *values;
    spread->capacity = 0;
    for (size_t i = 0; i < held && !spread->blind; i++)
        sketch_add(spread, ration, spread_slot((double)values[i]), 1);
    free(values);
}

static bool values_grow(struct spread *spread, struct ration *ration)
{
    uint32_t capacity = spread->capacity == 0 ? VALUES_FIRST : 2 * spread->capacity;

    if (capacity > ration->exact_max)
        capacity = (uint32_t)ration->exact_max;
    if (capacity == spread->capacity
        || !ration_take(ration, (capacity - spread->capacity) * sizeof *spread->values))
        return false;
    spread->values = x_realloc(spread->values, capacity * sizeof *spread->values);
    spread->capacity = capacity;
    return true;
}

static void keep(struct spread *spread, struct ration *ration, double value, int slot)
{
    size_t held = (size_t)spread->count;

    if (spread->sketch == NULL) {
        if (held < spread->capacity || values_grow(spread, ration)) {
            spread->values[held] = (float)value;
            spread->sorted = false;
            return;
        }
        change_to_sketch(spread, ration, held);
    }
    if (!spread->blind)
        sketch_add(spread, ration, slot, 1);
}

/* The way of nearly all values of a long log. */
static inline bool count_in_sketch(struct sketch *sketch, int slot)
{
    uint32_t *count;

    if (sketch == NULL || (unsigned)(slot - sketch->first) >= (unsigned)sketch->count)
        return false;
    count = &sketch->counts[slot - sketch->first];
    *count += *count < UINT32_MAX;
    return true;
}

static inline void add(struct spread *spread, struct ration *ration, double value,
                       int slot)
{
    double from_first;

    if (!count_in_sketch(spread->sketch, slot) && !spread->blind)
        keep(spread, ration, value, slot);
    if (spread->count == 0)
        spread->first = spread->min = spread->max = value;
    spread->min = value < spread->min ? value : spread->min;
    spread->max = value > spread->max ? value : spread->max;
    from_first = value - spread->first;
    spread->squares += from_first * from_first;
    spread->sum += value;
    spread->count++;
}

void spread_add_row(struct spread *spreads, size_t count, struct ration *ration,
                    const double *values, const int *slots)
{
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            add(&spreads[i], ration, values[i], slots[i]);
}

void spread_add(struct spread *spread, struct ration *ration, double value)
{
    assert(isfinite(value) && value >= 0);
    add(spread, ration, value, spread_slot(value));
}

/* The sum of (v - first)^2 around another first. */
static double squares_around(const struct spread *spread, double first)
{
    double apart = spread->first - first;
    double count = (double)spread->count;

    return spread->squares + 2 * apart * (spread->sum - count * spread->first)
           + count * apart * apart;
}

static void merge_sketch(struct spread *spread, struct ration *ration,
                         const struct sketch *from)
{
    if (spread->sketch == NULL && !spread->blind)
        change_to_sketch(spread, ration, (size_t)spread->count);
    for (int i = 0; i < from->count && !spread->blind; i++)
        if (from->counts[i] > 0)
            sketch_add(spread, ration, from->first + i, from->counts[i]);
}

void spread_merge(struct spread *spread, struct ration *ration,
                  const struct spread *from)
{
    if (from->count == 0)
        return;
    if (from->values != NULL) {
        for (size_t i = 0; i < (size_t)from->count; i++)
            spread_add(spread, ration, (double)from->values[i]);
        return;
    }
    if (from->blind) {
        drop_values(spread, ration);
        drop_sketch(spread, ration);
        spread->blind = true;
    } else {
        merge_sketch(spread, ration, from->sketch);
    }
    if (spread->count == 0) {
        spread->first = from->first;
        spread->min = from->min;
        spread->max = from->max;
    }
    spread->min = fmin(spread->min, from->min);
    spread->max = fmax(spread->max, from->max);
    spread->squares += squares_around(from, spread->first);
    spread->sum += from->sum;
    spread->count += from->count;
}

double spread_mean(const struct spread *spread)
{
    return spread->count == 0 ? (double)NAN : spread->sum / (double)spread->count;
}

double spread_std(const struct spread *spread)
{
    double count = (double)spread->count;
    double apart;

    if (spread->count == 0)
        return (double)NAN;
    apart = spread->sum / count - spread->first;
    return sqrt(fmax(spread->squares / count - apart * apart, 0));
}

double spread_min(const struct spread *spread)
{
    return spread->count == 0 ? (double)NAN : spread->min;
}

double spread_max(const struct spread *spread)
{
    return spread->count == 0 ? (double)NAN : spread->max;
}

static double sketch_percentile(const struct spread *spread, double percent)
{
    double rank = percent / 100 * (double)(spread->count - 1);
    const struct sketch *sketch = spread->sketch;
    double below = 0;

    for (int i = 0; i < sketch->count; i++) {
        below += (double)sketch->counts[i];
        if (below > rank)
            return slot_middle(sketch->first + i);
    }
    return spread->max;
}

static void sort(struct spread *spread)
{
    if (!spread->sorted)
        sort_values(spread->values, (size_t)spread->count);
    spread->sorted = true;
}

double spread_percentile(struct spread *spread, double percent)
{
    double value;

    if (spread->count == 0 || spread->blind)
        return (double)NAN;
    if (percent <= 0 || percent >= 100) /* the ends are known exactly */
        return percent <= 0 ? spread->min : spread->max;
    if (spread->sketch != NULL) {
        value = sketch_percentile(spread, percent);
    } else {
        sort(spread);
        value = stats_percentile(spread->values, (size_t)spread->count, percent);
    }
    /* Rounding may have passed an end of the exact range. */
    return fmin(fmax(value, spread->min), spread->max);
}

static int64_t sketch_count_to(const struct sketch *sketch, double value)
{
    int last = spread_slot(value) - sketch->first;
    int64_t count = 0;

    for (int i = 0; i < sketch->count && i <= last; i++)
        count += sketch->counts[i];
    return count;
}

int64_t spread_count_to(struct spread *spread, double value)
{
    size_t low = 0;
    size_t high = (size_t)spread->count;

    if (spread->count == 0 || spread->blind || value < spread->min)
        return 0;
    if (value >= spread->max)
        return (int64_t)spread->count;
    if (spread->sketch != NULL)
        return sketch_count_to(spread->sketch, value);
    sort(spread);
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (spread->values[middle] <= (float)value)
            low = middle + 1;
        else
            high = middle;
    }
    return (int64_t)low;
}

bool spread_approximate(const struct spread *spread)
{
    return spread->sketch != NULL;
}
