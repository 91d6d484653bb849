/* help_screen.h - the keys that hold on a screen, made from the table (keymap.h). */
#ifndef PARLEY_HELP_SCREEN_H
#define PARLEY_HELP_SCREEN_H

#include <stdbool.h>

#include "canvas.h"
#include "keymap.h"

struct help_screen {
    unsigned where;   /* the screen it is about: as keymap_find */
    const char *name; /* "wall" */
    unsigned top;     /* the first line that is shown */
    unsigned room;    /* lines that were shown last */
};

void help_screen_draw(struct help_screen *help, struct canvas *canvas,
                      struct area area);
/* Scrolls; false: not an action of its own. */
bool help_screen_act(struct help_screen *help, enum action action);

#endif
