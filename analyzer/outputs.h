/* outputs.h - where a report goes: standard output, and the files that were asked for.
 *
 * At most one form goes to standard output: JSON, Markdown or one whose file is "-"; if
 * none does, the tables.
 *
 * Flow: outputs_open (before the log is read: some are written meanwhile)
 *       -> outputs_show, again while a run is watched -> outputs_finish -> outputs_done
 */
#ifndef PARLEY_OUTPUTS_H
#define PARLEY_OUTPUTS_H

#include <stdbool.h>

#include "analyzer/turn_rows.h"
#include "analyzer/turn_taps.h"
#include "base/err.h"

struct config;
struct report;
struct tally;

struct outputs {
    const struct config *config; /* borrowed */
    struct turn_rows rows;       /* open if asked for */
    struct turn_taps taps;
    struct picks *picks; /* owned; NULL: no pictures are wanted */
    bool goes_on;        /* another report will take this one's place on the terminal */
    char note[512];      /* for the person, "" nothing: why pictures are missing */
};

/* ERR_USAGE when two forms would go to standard output. Must stay where it is until
 * outputs_done; on failure nothing is left to be done. */
MUST_USE bool outputs_open(struct outputs *outputs, const struct config *config,
                           struct tally *tally, struct err *err);
/* Standard output is for the tables. */
bool outputs_are_tables(const struct outputs *outputs);
/* What goes to standard output, as it stands, and the JSON of --out. Sets the colours,
 * columns, lines and letters of the report. */
MUST_USE bool outputs_show(struct outputs *outputs, struct report *report,
                           struct err *err);
/* All other files. */
MUST_USE bool outputs_finish(struct outputs *outputs, struct report *report,
                             struct err *err);
/* What was begun and not finished is removed. */
void outputs_done(struct outputs *outputs);

#endif
