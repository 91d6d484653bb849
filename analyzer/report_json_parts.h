/* report_json_parts.h - the parts of the JSON report that are about the whole: goodput,
 * activity over time, what counts are worth, cache, waste, cost, the talk, endings.
 */
#ifndef PARLEY_REPORT_JSON_PARTS_H
#define PARLEY_REPORT_JSON_PARTS_H

struct buf;
struct tally;

/* Adds pairs to an object that is open and not empty. */
void report_json_parts(struct tally *tally, struct buf *into);

#endif
