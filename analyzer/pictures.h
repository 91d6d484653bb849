/* pictures.h - what the pictures of a report show, as gnuplot's scripts. Pure.
 *
 * One script draws one picture in both formats, to "<name>.svg" and "<name>.png".
 * Their strokes and texts in plain black follow a page's colours where an SVG stands in
 * a page that says so (the HTML report does). Names come from models: gnuplot_text.
 */
#ifndef PARLEY_PICTURES_H
#define PARLEY_PICTURES_H

#include <stdbool.h>

#include "base/buf.h"

struct report;

enum picture {
    PICTURE_TIMELINE,
    PICTURE_OVER_TIME,
    PICTURE_TURN_INDEX,
    PICTURE_DISTRIBUTION,
    PICTURE_THROUGHPUT,
    PICTURE_COUNT
};

const char *picture_name(enum picture picture);  /* "timeline": of its files */
const char *picture_title(enum picture picture); /* for people */
/* Adds what is to be seen and what was left out, one or two sentences. */
void picture_caption(enum picture picture, const struct report *report,
                     struct buf *into);
/* Adds the script. False when the report has nothing to be drawn there: then nothing
 * was added. */
bool picture_script(enum picture picture, const struct report *report,
                    struct buf *into);

#endif
