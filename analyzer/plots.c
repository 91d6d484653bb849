/* plots.c - see plots.h. */
#include "analyzer/plots.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/gnuplot.h"
#include "base/alloc.h"
#include "base/file.h"

enum { SCRIPT_MAX_BYTES = 32 << 20, PICTURE_MAX_BYTES = 32 << 20, FOLDER_MODE = 0755 };

static bool take(const struct gnuplot *gnuplot, enum picture picture,
                 const char *ending, struct buf *into, struct err *err)
{
    char *name = x_printf("%s.%s", picture_name(picture), ending);
    bool ok = gnuplot_take(gnuplot, name, into, err);

    free(name);
    return ok;
}

static bool draw(const struct gnuplot *gnuplot, struct plots *plots,
                 enum picture picture, const struct report *report, struct err *err)
{
    struct buf script;
    bool ok = true;

    buf_init(&script, SCRIPT_MAX_BYTES);
    if (picture_script(picture, report, &script))
        ok = gnuplot_run(gnuplot, buf_str(&script), err)
             && take(gnuplot, picture, "svg", &plots->svg[picture], err)
             && take(gnuplot, picture, "png", &plots->png[picture], err);
    buf_done(&script);
    if (!ok && err->code != ERR_USAGE) /* no gnuplot: it is no picture's fault */
        err_wrap(err, "picture %s", picture_name(picture));
    return ok;
}

bool plots_draw(struct plots *plots, const struct report *report, struct err *err)
{
    struct gnuplot gnuplot = {.folder = NULL};
    bool ok;

    for (enum picture p = 0; p < PICTURE_COUNT; p++) {
        buf_init(&plots->svg[p], PICTURE_MAX_BYTES);
        buf_init(&plots->png[p], PICTURE_MAX_BYTES);
    }
    ok = gnuplot_open(&gnuplot, err);
    for (enum picture p = 0; ok && p < PICTURE_COUNT; p++)
        ok = draw(&gnuplot, plots, p, report, err);
    gnuplot_close(&gnuplot);
    return ok;
}

void plots_done(struct plots *plots)
{
    for (enum picture p = 0; p < PICTURE_COUNT; p++) {
        buf_done(&plots->svg[p]);
        buf_done(&plots->png[p]);
    }
}

static bool write_one(const char *folder, enum picture picture, const char *ending,
                      const struct buf *bytes, struct err *err)
{
    char *path;
    bool ok;

    if (bytes->len == 0)
        return true;
    path = x_printf("%s/%s.%s", folder, picture_name(picture), ending);
    ok = file_write(path, buf_str(bytes), err);
    free(path);
    return ok;
}

bool plots_write(const struct plots *plots, const char *folder, struct err *err)
{
    bool ok = file_make_folder(folder, FOLDER_MODE, err);

    for (enum picture p = 0; ok && p < PICTURE_COUNT; p++)
        ok = write_one(folder, p, "svg", &plots->svg[p], err)
             && write_one(folder, p, "png", &plots->png[p], err);
    return ok;
}

/* ---- into a page ---- */

/* If `at` begins with `start`, the end of what reaches to `end`, else NULL. */
static const char *skip(const char *at, const char *start, const char *end)
{
    const char *to;

    if (strncmp(at, start, strlen(start)) != 0)
        return NULL;
    to = strstr(at, end);
    return to == NULL ? NULL : to + strlen(end);
}

/* What stands before the name of an id inside a tag, else NULL. */
static const char *id_start(const char *at)
{
    static const char *const starts[] = {" id='", " id=\"", "href='#"};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(at, starts[i], strlen(starts[i])) == 0)
            return starts[i];
    return NULL;
}

void plots_inline(const struct plots *plots, enum picture picture, struct buf *into)
{
    const char *at = strstr(buf_text(&plots->svg[picture]), "<svg");
    bool in_tag = false;

    while (at != NULL && *at != '\0') {
        const char *behind = skip(at, "<title>", "</title>");
        const char *start = in_tag ? id_start(at) : NULL;

        if (behind == NULL)
            behind = skip(at, "<desc>", "</desc>");
        if (behind != NULL) {
            at = behind;
            continue;
        }
        if (start != NULL) {
            (void)buf_printf(into, "%s%s-", start, picture_name(picture));
            at += strlen(start);
            continue;
        }
        in_tag = *at == '<' || (in_tag && *at != '>');
        (void)buf_add_char(into, *at++);
    }
}
