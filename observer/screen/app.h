/* app.h - the full screen: joins a source, the screens, the terminal and the loop.
 *
 * It shows one screen at a time, with the bar or a prompt at the bottom, draws when
 * something changed, at most 30 times a second and only once the terminal has taken the
 * frame before; the rest of the time it waits.
 *
 * Flow: app_new -> source, screens (made by the caller, with app_events and app_host)
 *       -> app_run -> key -> action -> screen or app; changed -> draw -> frame
 */
#ifndef PARLEY_APP_H
#define PARLEY_APP_H

#include <stdbool.h>

#include "base/err.h"
#include "observer/source/source.h"
#include "screen.h"

struct app; /* opaque: the body is in app.c */
struct loop;

struct app_options {
    struct loop *loop;
    const char *color; /* "auto", "always", "never" */
    bool ascii;
    bool mouse;
    bool read_only;
    /* The user wants out by Ctrl-C; NULL: the app ends then, as by q. */
    void (*on_interrupt)(void *owner);
    /* The user wants out by q, and this must be asked first; NULL: nothing is asked. */
    const char *quit_question;
    /* It ends by itself when all is over and no key was ever pressed. */
    bool leaves_at_end;
    void *owner;
};

/* The caller owns it (app_free). */
struct app *app_new(const struct app_options *options);
/* Frees the screens, then the source. NULL is fine. */
void app_free(struct app *app);
const struct screen_host *app_host(const struct app *app);
const struct source_events *app_events(const struct app *app);
/* Both are owned by the app from now on. All before it runs. */
void app_set_source(struct app *app, struct source source);
void app_set_screen(struct app *app, enum screen_id id, struct screen screen);

bool app_has_screen(const struct app *app, enum screen_id id);
/* The conversation that the talk screen shows, before it is shown. */
void app_choose(struct app *app, const char *conversation);

/* Takes the terminal and shows that screen first, until the user or app_quit ends it.
 * q leads from the other screens back to it. */
MUST_USE bool app_run(struct app *app, enum screen_id first, struct err *err);
/* Prints that screen once, when the source has read what it needs: no terminal. */
MUST_USE bool app_print(struct app *app, enum screen_id id, struct area size,
                        struct err *err);

/* ---- while it runs ---- */
void app_quit(struct app *app);
/* All conversations have ended: says so, and ends where leaves_at_end holds. */
void app_ended(struct app *app);
void app_notice(struct app *app, enum pen pen, const char *text); /* any text */

#endif
