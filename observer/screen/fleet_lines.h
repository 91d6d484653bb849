/* fleet_lines.h - the fleet screen's page as a list of lines: members, model servers,
 * lanes, turns given up, events, each under its heading; and how one line looks.
 *
 * Made anew for each frame out of the model. Lines below the headings can be selected;
 * a selection is kept by the line's key, as lines come and go.
 */
#ifndef PARLEY_FLEET_LINES_H
#define PARLEY_FLEET_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "observer/model/fleet.h"
#include "observer/screen/canvas.h"

enum fleet_line_kind {
    FLEET_LINE_HEAD, /* of a part; `text` */
    FLEET_LINE_NOTE, /* "none", "3 more"; `text` */
    FLEET_LINE_MEMBER,
    FLEET_LINE_SERVER,
    FLEET_LINE_LANE,
    FLEET_LINE_DEAD,
    FLEET_LINE_EVENT,
    FLEET_LINE_KIND_COUNT
};

enum { FLEET_KEY_SIZE = 80, FLEET_FILTER_SIZE = 128 };

struct fleet_line {
    enum fleet_line_kind kind;
    uint64_t number;  /* its place in the model's list; of an event its number */
    const char *text; /* ours, static */
};
struct fleet_lines {
    struct fleet_line *at; /* owned */
    size_t count;
    size_t capacity;
};

/* Events that pass the filter only (inverse: that do not); "": all. */
void fleet_lines_make(struct fleet_lines *lines, const struct fleet *fleet,
                      struct str filter, bool inverse);
void fleet_lines_done(struct fleet_lines *lines);
bool fleet_line_selectable(const struct fleet_line *line);
/* What it is known by from frame to frame: "member worker-1-1". */
void fleet_line_key(const struct fleet_line *line, const struct fleet *fleet,
                    char ret_key[FLEET_KEY_SIZE]);
/* In one row. */
void fleet_line_draw(const struct fleet_line *line, const struct fleet *fleet,
                     struct canvas *canvas, struct area row, int64_t now_us);

/* "12s", "5m", "3h", "4d"; "-" below 0. At least 24 bytes. */
const char *fleet_age(int64_t us, char *ret_text);
/* "812 B", "1.9 MiB"; "-" below 0. At least 24 bytes. */
const char *fleet_bytes(int64_t bytes, char *ret_text);

#endif
