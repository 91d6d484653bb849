/* sweep.h - the most that ran at one moment: a line swept over starts and ends, in
 * bounded memory. Pure.
 *
 * Spans may come in any order within the last SWEEP_MAX / 2 starts and ends. When there
 * are SWEEP_MAX, the earlier half is swept for good; a span that begins before that
 * place is taken from there on, and sweep_late counts it: then the peak may be too low.
 */
#ifndef PARLEY_SWEEP_H
#define PARLEY_SWEEP_H

#include <stddef.h>
#include <stdint.h>

enum { SWEEP_MAX = 1 << 17 };

struct sweep;

struct sweep *sweep_new(void);
void sweep_free(struct sweep *sweep);
/* From start to end, start <= end, both >= 0. What ends at the moment at which another
 * starts does not run with it; a span without length runs with nobody. */
void sweep_span(struct sweep *sweep, int64_t start_us, int64_t end_us);
int64_t sweep_peak(struct sweep *sweep);
int64_t sweep_late(const struct sweep *sweep);

#endif
