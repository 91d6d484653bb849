/* sort.h - sorts numbers from 0 on in linear time: by their bits, from the lowest digit
 * of 11 bits to the highest. Thousands of lists are sorted for a report, and the time
 * of qsort with its calls would be a good part of it.
 */
#ifndef PARLEY_SORT_H
#define PARLEY_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Finite and not below 0: such floats lie in the order of their bits. */
void sort_values(float *values, size_t count);
/* Not below 0. */
void sort_times(int64_t *times, size_t count);

#endif
