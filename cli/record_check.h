/* record_check.h - is what was written down still in Redis? Internal to record.c.
 *
 * Asked after each reconnect: for each stream the last entry at or before our cursor.
 * Where that is not the cursor's own, what lies between is gone from Redis (the tail of
 * its file was lost, an older copy took over): the lines made of it are taken out, the
 * cursor goes back, and what follows is read. A stream of which nothing is left is no
 * such case: it was trimmed, or all is gone, and then the files are all there is.
 *
 * Flow: reconnect -> record_check -> a question for each stream -> cut -> read on
 */
#ifndef PARLEY_RECORD_CHECK_H
#define PARLEY_RECORD_CHECK_H

#include <stdbool.h>

struct record;

/* The reader's on_ready. */
void record_on_ready(void *record, bool restarted);
void record_check(struct record *record);

#endif
