/* report_html.c - see report_html.h.
 *
 * Flow: head with the policy and the style -> figures that matter -> summary ->
 * pictures
 *       -> tables -> settings -> formulas
 */
#include "analyzer/report_html.h"

#include <stdint.h>

#include "analyzer/formulas.h"
#include "analyzer/page.h"
#include "analyzer/page_html.h"
#include "analyzer/plots.h"
#include "analyzer/report_page.h"
#include "analyzer/report_style.h"
#include "analyzer/run_info.h"
#include "analyzer/tally.h"
#include "base/clock.h"
#include "base/markup.h"

enum { ROWS_SHOWN = 200, FORMULAS_MAX_BYTES = 256 * 1024, CAPTION_MAX_BYTES = 1024 };

static void put_escaped(struct buf *into, const char *before, const char *text,
                        const char *after)
{
    (void)buf_add_text(into, before);
    (void)markup_html(into, str_of(text));
    (void)buf_add_text(into, after);
}

static void put_head(const struct report *report, struct buf *into)
{
    const char *id = report->run == NULL ? report->source : report->run->run_id;

    (void)buf_add_text(into,
                       "<!doctype html>\n<html lang=\"en\">\n<head>\n"
                       "<meta charset=\"utf-8\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" "
                       "content=\"default-src 'none'; img-src data:; style-src '");
    (void)buf_add_text(into, report_style_hash());
    (void)buf_add_text(into, "'\">\n<meta name=\"viewport\" "
                             "content=\"width=device-width, initial-scale=1\">\n"
                             "<meta name=\"color-scheme\" content=\"light dark\">\n"
                             "<link rel=\"icon\" href=\"data:,\">\n");
    put_escaped(into, "<title>parley: ", id, "</title>\n<style>");
    (void)buf_add_text(into, report_style());
    (void)buf_add_text(into, "</style>\n</head>\n<body>\n<main>\n");
}

static void put_origin(const struct report *report, struct buf *into)
{
    char now[CLOCK_TEXT_SIZE];

    clock_format_us(report->now_us, now);
    put_escaped(into, "<header><h1>parley: analysis</h1>\n<p class=\"dim\">",
                report->source, "</p>\n<p class=\"dim\">");
    if (report->run != NULL) {
        put_escaped(into, "run ", report->run->run_id, ", ");
        put_escaped(into, "started ", report->run->started_at, ", ");
    }
    put_escaped(into, "made ", now, "</p></header>\n");
}

static void put_tile(struct buf *into, const char *value, const char *label)
{
    put_escaped(into, "<div class=\"tile\"><b>", value, "</b><span>");
    put_escaped(into, "", label, "</span></div>\n");
}

static void put_tiles(struct tally *tally, struct buf *into)
{
    const struct counts *counts = &tally->total.counts;
    struct spread *first = &tally->total.metrics[METRIC_TIME_TO_FIRST_TOKEN];

    (void)buf_add_text(into, "<div class=\"tiles\">\n");
    put_tile(into, page_count(tally->conversation_count), "conversations");
    put_tile(into, page_count(counts->turns), "turns");
    put_tile(into, page_count(counts->tokens_generated), "tokens generated");
    put_tile(into, page_number(group_rate(&tally->total, counts->tokens_generated)),
             "tokens/s in all");
    put_tile(into, page_span(spread_percentile(first, 50)), "first token, median");
    put_tile(into, page_span(spread_percentile(first, 95)), "first token, p95");
    (void)buf_add_text(into, "</div>\n");
}

static void put_figure(const struct report *report, const struct plots *plots,
                       enum picture picture, struct buf *into)
{
    struct buf caption;

    if (plots->svg[picture].len == 0)
        return;
    buf_init(&caption, CAPTION_MAX_BYTES);
    picture_caption(picture, report, &caption);
    put_escaped(into, "<section><h2>", picture_title(picture),
                "</h2>\n<figure class=\"plot\">\n");
    plots_inline(plots, picture, into);
    put_escaped(into, "\n<figcaption>", buf_text(&caption),
                "</figcaption></figure></section>\n");
    buf_done(&caption);
}

static void put_figures(const struct report *report, const struct plots *plots,
                        struct buf *into)
{
    for (enum picture p = 0; p < PICTURE_COUNT; p++)
        put_figure(report, plots, p, into);
    if (*plots->missing != '\0')
        put_escaped(into,
                    "<section><h2>Pictures</h2>\n<p class=\"words warn\">There are no "
                    "pictures: ",
                    plots->missing, ".</p></section>\n");
}

static void put_settings(const struct run_info *run, bool given, struct buf *into)
{
    (void)buf_add_text(into, "<div class=\"table\" tabindex=\"0\"><table><tbody>\n");
    for (size_t i = 0; i < run->setting_count; i++) {
        if (run->settings[i].given != given)
            continue;
        put_escaped(into, "<tr><td class=\"text\">", run->settings[i].key,
                    "</td><td class=\"text\">");
        put_escaped(into, "", run->settings[i].value, "</td></tr>\n");
    }
    (void)buf_add_text(into, "</tbody></table></div>\n");
}

static void put_config(const struct run_info *run, struct buf *into)
{
    if (run == NULL || run->setting_count == 0)
        return;
    (void)buf_add_text(into, "<section><h2>Settings of the run</h2>\n");
    put_settings(run, true, into);
    (void)buf_add_text(into, "<details><summary>Defaults</summary>\n");
    put_settings(run, false, into);
    (void)buf_add_text(into, "</details></section>\n");
}

static void put_formulas(struct buf *into)
{
    struct buf formulas;

    buf_init(&formulas, FORMULAS_MAX_BYTES);
    formulas_write(&formulas);
    put_escaped(into,
                "<section><h2>What the numbers mean</h2>\n<pre class=\"formulas\" "
                "tabindex=\"0\">",
                buf_text(&formulas), "</pre></section>\n");
    buf_done(&formulas);
}

void report_html(const struct report *report, const struct plots *plots,
                 struct buf *into)
{
    const struct report_wish wish = {.rows = ROWS_SHOWN, .verbose = true};
    struct page *page = report_page(report, &wish);

    put_head(report, into);
    put_origin(report, into);
    put_tiles(report->tally, into);
    page_html(page, 0, 1, into);
    put_figures(report, plots, into);
    page_html(page, 1, SIZE_MAX, into);
    put_config(report->run, into);
    put_formulas(into);
    (void)buf_add_text(into, "</main>\n</body>\n</html>\n");
    page_free(page);
}
