/* turn_taps.h - what is made of single turns while the log is read: rows of --csv,
 * and the choice that pictures show.
 */
#ifndef PARLEY_TURN_TAPS_H
#define PARLEY_TURN_TAPS_H

struct message;
struct picks;
struct tally;
struct turn_rows;

/* Both may be NULL; must outlive the reading. */
struct turn_taps {
    struct turn_rows *rows;
    struct picks *picks;
};

/* From now on the tally's turns come here. */
void turn_taps_open(struct turn_taps *taps, struct tally *tally);

#endif
