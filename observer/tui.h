/* tui.h - the full screen as a program: which screens there are and where their data
 * comes from; signals; the run that may have started it.
 */
#ifndef PARLEY_TUI_H
#define PARLEY_TUI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct config;
struct keys;
struct observe_replay;
struct redis_target;

struct tui_options {
    const struct config *config; /* --screen, --once, --size, --ascii, --color, ... */
    const struct observe_replay *replay; /* its record is taken; NULL: live, then */
    const struct redis_target *target;   /* these two are wanted */
    const struct keys *keys;
    const char *const *ids; /* valid ones; none: all there are */
    size_t id_count;
};

/* The exit status when a run started us and the terminal cannot do it: it shows plain
 * text instead then. */
enum { TUI_UNFIT_STATUS = 69 };

/* Why it cannot be shown on this terminal, as term_unfit; NULL: it can. A printed
 * screen
 * (--once) can always be. */
const char *tui_unfit(const struct config *config);
/* Shows until the user leaves, or prints one screen. */
MUST_USE bool tui_run(const struct tui_options *options, struct err *err);

#endif
