/* clock.h - the only place that reads a clock.
 *
 * Two clocks: monotonic for waits and durations, wall (UTC) for stamps that people and
 * other machines read. Cores never call these: they get the time as an argument.
 */
#ifndef PARLEY_CLOCK_H
#define PARLEY_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_us(void); /* microseconds since 1970, UTC */

enum { CLOCK_TEXT_SIZE = 32 };
/* "2026-01-31T10:30:00.123456Z" (RFC 3339). */
void clock_format_us(int64_t wall_us, char ret_text[CLOCK_TEXT_SIZE]);
/* Reads the same form, with 0 to 9 digits of fraction; 'Z' or +hh:mm. Only days that
 * the calendar has; second 60 is the next minute's first. */
MUST_USE bool clock_parse_us(struct str text, int64_t *ret_wall_us);

#endif
