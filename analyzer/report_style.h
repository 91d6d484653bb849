/* report_style.h - how the HTML report looks: one style sheet for light and dark, for
 * narrow and wide screens and for paper.
 *
 * gnuplot's pictures are black on white; inside the page their black becomes the text's
 * colour and their white nothing, which presentation attributes allow without script.
 */
#ifndef PARLEY_REPORT_STYLE_H
#define PARLEY_REPORT_STYLE_H

const char *report_style(void);
/* "sha256-...": of the style's bytes, for a Content-Security-Policy (CSP Level 3, 6.7).
 * A test works it out again. */
const char *report_style_hash(void);

#endif
