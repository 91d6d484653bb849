/* report_html.h - the report as one HTML file that needs nothing else: no script, no
 * outside request, its own style, pictures inside it as SVG. Light and dark.
 *
 * Its own Content-Security-Policy allows the one style sheet and nothing else. Names,
 * models and reasons are escaped; settings are shown without passwords.
 */
#ifndef PARLEY_REPORT_HTML_H
#define PARLEY_REPORT_HTML_H

#include "analyzer/report.h"

struct buf;
struct plots;

/* `plots` as drawn (plots.h). What does not fit into `into` shows there (overflowed).
 */
void report_html(const struct report *report, const struct plots *plots,
                 struct buf *into);

#endif
