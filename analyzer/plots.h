/* plots.h - all pictures of a report, drawn by gnuplot: as files, or as SVG for a page.
 */
#ifndef PARLEY_PLOTS_H
#define PARLEY_PLOTS_H

#include "analyzer/pictures.h"
#include "base/buf.h"
#include "base/err.h"

struct report;

/* Starts as {0}. */
struct plots {
    struct buf svg[PICTURE_COUNT]; /* empty: there was nothing to draw */
    struct buf png[PICTURE_COUNT];
    char missing[256]; /* why there are no pictures at all; "" there are */
};

/* Draws what there is to be drawn. Errors as gnuplot_run has them: ERR_USAGE means that
 * there is no gnuplot here. The caller owns them (plots_done), also after an error. */
MUST_USE bool plots_draw(struct plots *plots, const struct report *report,
                         struct err *err);
void plots_done(struct plots *plots);
/* Two files a picture into the folder, which is made when it is not there. */
MUST_USE bool plots_write(const struct plots *plots, const char *folder,
                          struct err *err);
/* Adds a drawn picture for the inside of an HTML page: only the <svg> element, without
 * titles of its own, its ids different from those of the other pictures. */
void plots_inline(const struct plots *plots, enum picture picture, struct buf *into);

#endif
