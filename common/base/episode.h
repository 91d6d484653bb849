/* episode.h - trouble that lasts: when to say so, so that a log stays readable.
 *
 * A line when it begins, one a minute while it lasts, one when it is over; trouble that
 * comes and goes within a minute gets no second pair of lines. Pure: the caller owns
 * the clock and writes the lines. Starts as {0}.
 */
#ifndef PARLEY_EPISODE_H
#define PARLEY_EPISODE_H

#include <stdbool.h>
#include <stdint.h>

enum { EPISODE_TELL_EVERY_MS = 60000 };

struct episode {
    int64_t since_ms; /* when it began; monotonic */
    int64_t told_ms;  /* when it was last told of; 0 never */
    bool on;
    bool told; /* this one was told of */
};

/* The trouble is there (again). True when a line is due. now_ms > 0. */
bool episode_on(struct episode *episode, int64_t now_ms);
/* It is over. True when a line is due; nothing when it was not on. */
bool episode_over(struct episode *episode);
/* How long it has lasted. */
int64_t episode_ms(const struct episode *episode, int64_t now_ms);

#endif
