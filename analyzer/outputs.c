/* outputs.c - see outputs.h. */
#include "analyzer/outputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "analyzer/picks.h"
#include "analyzer/plots.h"
#include "analyzer/report.h"
#include "analyzer/report_csv.h"
#include "analyzer/report_html.h"
#include "analyzer/report_json.h"
#include "analyzer/report_markdown.h"
#include "analyzer/report_table.h"
#include "base/fault.h"
#include "base/file.h"
#include "proto/config.h"

enum { REPORT_MAX_BYTES = 1 << 30, LINES_LEAST = 4 };

static bool is_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

/* How many forms would go to standard output, the tables aside. */
static int forms_to_stdout(const struct config *config)
{
    return config->json + config->markdown + is_stdout(config->out)
           + is_stdout(config->html) + is_stdout(config->csv)
           + is_stdout(config->csv_summary);
}

bool outputs_open(struct outputs *outputs, const struct config *config,
                  struct tally *tally, struct err *err)
{
    *outputs = (struct outputs){.config = config};
    if (forms_to_stdout(config) > 1)
        return err_set(err, ERR_USAGE,
                       "only one of --json, --markdown, --out -, --html -, --csv - and "
                       "--csv-summary - can go to standard output");
    if (config->csv != NULL) {
        if (!turn_rows_open(&outputs->rows, config->csv, err))
            return false;
        outputs->taps.rows = &outputs->rows;
    }
    if (config->plots != NULL || config->html != NULL)
        outputs->picks = outputs->taps.picks = picks_new();
    if (outputs->taps.rows != NULL || outputs->picks != NULL)
        turn_taps_open(&outputs->taps, tally);
    return true;
}

void outputs_done(struct outputs *outputs)
{
    if (outputs->taps.rows != NULL)
        turn_rows_drop(&outputs->rows);
    picks_free(outputs->picks);
    *outputs = (struct outputs){.config = NULL};
}

/* ---- standard output ---- */

static bool wants_color(const char *color)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if (strcmp(color, "auto") != 0)
        return strcmp(color, "always") == 0;
    return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0')
           && term != NULL && strcmp(term, "dumb") != 0;
}

/* A report that stands until the next one is not to scroll its beginning away. */
static void set_look(const struct outputs *outputs, struct report *report)
{
    const struct config *config = outputs->config;
    struct winsize size = {0};

    report->bold = wants_color(config->color);
    report->ascii = config->ascii;
    report->verbose = config->verbose;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        report->width = size.ws_col;
    report->lines =
        outputs->goes_on && size.ws_row > LINES_LEAST ? size.ws_row - 1U : 0;
}

static bool print(const struct buf *text, struct err *err)
{
    if (fwrite(buf_text(text), 1, text->len, stdout) != text->len
        || fflush(stdout) != 0)
        return err_set(err, ERR_SYSTEM, "standard output cannot be written");
    return true;
}

/* ---- one form ---- */

typedef void form(const struct report *report, struct buf *into);

static void form_json(const struct report *report, struct buf *into)
{
    if (!report_json(report, into))
        into->overflowed = true;
}

/* path: "-" is standard output. */
static bool put(const struct buf *text, const char *path, struct err *err)
{
    if (text->overflowed)
        return err_set(err, ERR_LIMIT, "the report is larger than %zu bytes",
                       text->max);
    return is_stdout(path) ? print(text, err) : file_write(path, buf_str(text), err);
}

/* path: NULL not wanted. */
static bool give(const struct report *report, form *make, const char *path,
                 struct err *err)
{
    struct buf text;
    bool ok;

    if (path == NULL)
        return true;
    buf_init(&text, REPORT_MAX_BYTES);
    make(report, &text);
    ok = put(&text, path, err);
    buf_done(&text);
    return ok;
}

/* ---- pictures ---- */

static bool give_html(const struct report *report, const struct plots *plots,
                      const char *path, struct err *err)
{
    struct buf html;
    bool ok;

    buf_init(&html, REPORT_MAX_BYTES);
    report_html(report, plots, &html);
    ok = put(&html, path, err);
    buf_done(&html);
    return ok;
}

/* A page may do without pictures and says so; whoever asked for pictures may not. */
static bool give_pictures(struct outputs *outputs, const struct report *report,
                          struct err *err)
{
    const struct config *config = outputs->config;
    struct plots plots = {.missing = ""};
    struct err why = {.code = ERR_NONE};
    bool ok = true;

    if (outputs->picks == NULL)
        return true;
    if (!plots_draw(&plots, report, &why)) {
        ok = config->plots == NULL;
        fmt_into(plots.missing, sizeof plots.missing, "%.200s", why.msg);
        fmt_into(outputs->note, sizeof outputs->note, "no pictures: %.400s\n", why.msg);
        if (!ok)
            *err = why;
    }
    if (ok && config->plots != NULL)
        ok = plots_write(&plots, config->plots, err);
    if (ok && config->html != NULL)
        ok = give_html(report, &plots, config->html, err);
    plots_done(&plots);
    return ok;
}

bool outputs_are_tables(const struct outputs *outputs)
{
    return forms_to_stdout(outputs->config) == 0;
}

bool outputs_show(struct outputs *outputs, struct report *report, struct err *err)
{
    const struct config *config = outputs->config;

    set_look(outputs, report);
    fault_point("analyze.write");
    return give(report, form_json, config->out, err)
           && give(report, form_json, config->json ? "-" : NULL, err)
           && give(report, report_markdown, config->markdown ? "-" : NULL, err)
           && give(report, report_table, outputs_are_tables(outputs) ? "-" : NULL, err);
}

bool outputs_finish(struct outputs *outputs, struct report *report, struct err *err)
{
    report->picks = outputs->picks;
    if (outputs->taps.rows != NULL && !turn_rows_end(&outputs->rows, err))
        return false;
    return give(report, report_csv, outputs->config->csv_summary, err)
           && give_pictures(outputs, report, err);
}
