/* sort.c - see sort.h. */
#include "analyzer/sort.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, FEW = 48 };

/* From `from` to `to`, in the order of one digit; equal ones stay as they were. */
static void pass(const uint64_t *from, uint64_t *to, size_t count, unsigned shift)
{
    size_t start[DIGITS] = {0};
    size_t sum = 0;

    for (size_t i = 0; i < count; i++)
        start[from[i] >> shift & (DIGITS - 1)]++;
    for (size_t d = 0; d < DIGITS; d++) {
        size_t here = start[d];

        start[d] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[start[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

static void sort_few(uint64_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        size_t at = i;

        for (; at > 0 && keys[at - 1] > key; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

/* Sorts keys by what they are above the least; the result is in `keys`. */
static void sort_keys(uint64_t *keys, uint64_t *scratch, size_t count)
{
    uint64_t least = keys[0];
    uint64_t most = keys[0];
    uint64_t *from = keys;
    uint64_t *to = scratch;

    if (count <= FEW) {
        sort_few(keys, count);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        least = keys[i] < least ? keys[i] : least;
        most = keys[i] > most ? keys[i] : most;
    }
    for (size_t i = 0; i < count; i++)
        keys[i] -= least;
    for (unsigned shift = 0; shift < 64 && (most - least) >> shift > 0;
         shift += DIGIT_BITS) {
        uint64_t *other = from;

        pass(from, to, count, shift);
        from = to;
        to = other;
    }
    for (size_t i = 0; i < count; i++)
        keys[i] = from[i] + least;
}

void sort_values(float *values, size_t count)
{
    uint64_t *keys;

    if (count < 2)
        return;
    keys = x_malloc(2 * count * sizeof *keys);
    for (size_t i = 0; i < count; i++) {
        float value = values[i] + 0.0F; /* -0 becomes 0 */
        uint32_t bits;

        memcpy(&bits, &value, sizeof bits);
        keys[i] = bits;
    }
    sort_keys(keys, keys + count, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)keys[i];

        memcpy(&values[i], &bits, sizeof bits);
    }
    free(keys);
}

void sort_times(int64_t *times, size_t count)
{
    uint64_t *keys;

    if (count < 2)
        return;
    keys = x_malloc(2 * count * sizeof *keys);
    for (size_t i = 0; i < count; i++)
        keys[i] = (uint64_t)times[i];
    sort_keys(keys, keys + count, count);
    for (size_t i = 0; i < count; i++)
        times[i] = (int64_t)keys[i];
    free(keys);
}
