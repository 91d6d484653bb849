/* histogram.c - see histogram.h. */
#include "analyzer/histogram.h"

#include <assert.h>
#include <math.h>

#include "analyzer/spread.h"

/* The least of 1, 2, 5, 10, ... times a power of ten that is not below `width`. */
static double round_width(double width)
{
    static const double steps[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(width)));
    size_t i = 0;

    while (i < 3 && steps[i] * power < width * (1 - 1e-9))
        i++;
    return steps[i] * power;
}

size_t histogram_make(struct spread *spread, size_t wanted,
                      struct bin ret_bins[HISTOGRAM_BINS_MAX])
{
    double most = spread_percentile(spread, 99);
    double least = spread->min;
    int64_t before = 0;
    size_t count = 0;
    double width;

    assert(wanted >= 2 && wanted <= HISTOGRAM_BINS_MAX - 2);
    if (isnan(most))
        return 0;
    /* More bins than about twice the square root of the values would show their noise.
     */
    wanted = (size_t)fmin((double)wanted, fmax(2, 2 * sqrt((double)spread->count)));
    width = round_width(fmax(most - least, fmax(most, 1e-6) / 1000) / (double)wanted);
    for (double from = floor(least / width) * width; from < most || count == 0;
         from += width) {
        int64_t so_far = spread_count_to(spread, from + width);

        if (count == HISTOGRAM_BINS_MAX - 1)
            break;
        ret_bins[count++] = (struct bin){from, from + width, so_far - before};
        before = so_far;
    }
    if (before < (int64_t)spread->count)
        ret_bins[count] = (struct bin){ret_bins[count - 1].to, spread->max,
                                       (int64_t)spread->count - before};
    return count + (before < (int64_t)spread->count);
}
