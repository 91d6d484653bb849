/* screen.h - what a screen gives to the app that shows it, and what it may ask of it.
 *
 * A screen draws out of its model and turns actions into changes of what it shows. It
 * knows no terminal, no Redis and no clock: `now_us` is the source's (1970, Redis' or
 * the replay's own), so that a replay's frame is the same each time.
 *
 * Flow: source -> model -> host.changed -> draw; key -> act -> host.changed -> draw
 *       act -> host.ask_line -> prompted
 */
#ifndef PARLEY_SCREEN_H
#define PARLEY_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "canvas.h"
#include "keymap.h"
#include "prompt.h"

struct source; /* source/source.h */

enum screen_id { SCREEN_WALL, SCREEN_TALK, SCREEN_FLEET, SCREEN_ID_COUNT };

/* All but name, show, draw, act and free may be NULL. `self` is struct screen's. */
struct screen_ops {
    const char *name; /* "wall" */
    unsigned where;   /* its bit of enum keymap_where */
    /* It comes up, it goes: watch the source or stop it. */
    void (*show)(void *self, bool shown);
    /* All of the area, which is blank. Called when something changed and each second
     * (by the source's clock, which may stand still). */
    void (*draw)(void *self, struct canvas *canvas, struct area area, int64_t now_us);
    /* A key's action; false: not mine. ACTION_BACK and ACTION_CLEAR are offered too:
     * true means that there was a view or a search to leave. */
    bool (*act)(void *self, enum action action, int64_t now_us);
    /* What was asked for by ask_line or ask_yes was given; text is borrowed, and empty
     * for a yes. Not called when it was cancelled. */
    void (*prompted)(void *self, enum prompt_kind kind, struct str text);
    /* A few words for the bar, "paused, 12 new"; NULL or "": none. Made harmless there.
     */
    const char *(*status)(void *self);
    /* The conversation to be shown from now on (the talk's). */
    void (*open)(void *self, const char *conversation);
    /* Moves the selection by so many rows; the conversation that is selected then,
     * NULL: none (the wall's). By 0: asks only. Valid until the next call. */
    const char *(*step)(void *self, int rows);
    /* A click with the mouse, within the area drawn last. */
    void (*click)(void *self, unsigned row, unsigned col, int64_t now_us);
    void (*free)(void *self);
};

struct screen {
    const struct screen_ops *ops; /* NULL: there is no such screen */
    void *self;
};

/* What the app does for screens; outlives them. All may be called at any time, also
 * from the ops above. Texts are copied. */
struct screen_host {
    void *owner;
    /* It would draw something else now. */
    void (*changed)(void *owner);
    /* A line in the bar for some seconds; made harmless there. */
    void (*notice)(void *owner, enum pen pen, const char *text);
    void (*ask_line)(void *owner, enum prompt_kind kind, const char *label,
                     struct str initial);
    void (*ask_yes)(void *owner, enum prompt_kind kind, const char *question);
    /* Shows that conversation in the talk screen. */
    void (*open)(void *owner, const char *conversation);
    bool read_only; /* commands are not to be given; their keys are not offered */
};

#endif
