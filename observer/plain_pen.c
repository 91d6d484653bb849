/* plain_pen.c - see plain_pen.h.
 *
 * Every add to the buffer may be cut when it is full; the results are not looked at,
 * because the buffer's `overflowed` tells whoever empties it.
 */
#include "plain_pen.h"

#include <string.h>

#include "base/utf8.h"

enum { HARMLESS_MAX_BYTES = 16 << 20, COLOURS = 6 };
static const char reset[] = "\033[0m";
static const char dim[] = "\033[2m";
static const char clear_line[] = "\r\033[K";

/* Legible on dark and on light backgrounds: no white, black or bright yellow. */
static const char *const colours[COLOURS] = {
    "\033[36m", /* cyan */
    "\033[35m", /* magenta */
    "\033[32m", /* green */
    "\033[33m", /* yellow, brown on many */
    "\033[94m", /* bright blue: the dark one drowns on black */
    "\033[31m", /* red */
};

void plain_pen_init(struct plain_pen *pen, const struct plain_look *look)
{
    *pen = (struct plain_pen){.look = *look};
    wrap_init(&pen->wrap, look->width, 0, 0);
}

void plain_pen_done(struct plain_pen *pen)
{
    wrap_done(&pen->wrap);
}

void plain_pen_put(struct plain_pen *pen, const char *text)
{
    size_t len = strlen(text);

    if (len == 0)
        return;
    (void)buf_add(pen->into, text, len);
    pen->mid_line = text[len - 1] != '\n';
}

unsigned plain_pen_name(struct plain_pen *pen, struct str text, int64_t seat)
{
    struct buf safe;
    unsigned columns;
    bool coloured = pen->look.colour && seat >= 1;

    buf_init(&safe, HARMLESS_MAX_BYTES);
    (void)utf8_harmless(text, false, &safe);
    columns = width_text(buf_str(&safe));
    if (coloured)
        plain_pen_put(pen, colours[(seat - 1) % COLOURS]);
    plain_pen_put(pen, buf_text(&safe));
    if (coloured)
        plain_pen_put(pen, reset);
    buf_done(&safe);
    return columns;
}

void plain_pen_begin(struct plain_pen *pen, unsigned indent, unsigned column)
{
    wrap_done(&pen->wrap);
    wrap_init(&pen->wrap, pen->look.width, indent, column);
    pen->mid_line = pen->mid_line || column > 0;
}

void plain_pen_text(struct plain_pen *pen, struct str text)
{
    struct buf safe;

    buf_init(&safe, HARMLESS_MAX_BYTES);
    (void)utf8_harmless(text, true, &safe);
    plain_pen_harmless(pen, buf_str(&safe));
    buf_done(&safe);
}

void plain_pen_harmless(struct plain_pen *pen, struct str text)
{
    (void)wrap_feed(&pen->wrap, text, pen->into);
    pen->mid_line = pen->mid_line || pen->wrap.started;
}

void plain_pen_end(struct plain_pen *pen)
{
    (void)wrap_end(&pen->wrap, pen->into);
    plain_pen_put(pen, "\n");
}

void plain_pen_break(struct plain_pen *pen)
{
    if (pen->mid_line)
        plain_pen_end(pen);
}

void plain_pen_status(struct plain_pen *pen, struct str status)
{
    size_t fits = width_fit(status, pen->look.width);

    if (status.len == 0) {
        plain_pen_clear_status(pen);
        return;
    }
    (void)buf_add_text(pen->into, clear_line);
    (void)buf_add_text(pen->into, pen->look.colour ? dim : "");
    (void)buf_add(pen->into, status.at, fits);
    (void)buf_add_text(pen->into, pen->look.colour ? reset : "");
    pen->status = true;
}

void plain_pen_clear_status(struct plain_pen *pen)
{
    if (pen->status)
        (void)buf_add_text(pen->into, clear_line);
    pen->status = false;
}
