/* app_inside.h - the inside of app.h, for app.c and app_act.c only. */
#ifndef PARLEY_APP_INSIDE_H
#define PARLEY_APP_INSIDE_H

#include <stdint.h>

#include "app.h"
#include "bar.h"
#include "frame.h"
#include "help_screen.h"
#include "net/loop.h"
#include "observer/observer_out.h"
#include "term.h"

enum { APP_ROWS_MIN = 12, APP_COLS_MIN = 60 };

struct app {
    struct app_options options;
    struct screen_host host;
    struct source_events events;
    struct source source;
    struct screen screens[SCREEN_ID_COUNT];
    enum screen_id first, shown;
    bool talk_open;            /* the talk screen has a conversation */
    struct terminal *terminal; /* NULL: a frame is printed once */
    struct observer_out out;
    struct canvas *canvas;
    struct frame *frame;
    struct prompt *prompt;
    bool asked_by_app; /* what the prompt asks for is the app's own */
    struct help_screen help;
    bool help_open;
    struct bar bar;
    int64_t notice_ms; /* monotonic, as drawn_ms */
    int64_t drawn_ms;
    struct loop_timer draws;
    struct loop_timer tick;
    bool dirty;   /* something would be drawn otherwise */
    bool pressed; /* a key, ever */
    bool ended;
    bool over;
    struct err err;
};

void app_changed(struct app *app);

/* ---- app_act.c ---- */
unsigned app_where(const struct app *app); /* the keys that hold now */
void app_open(struct app *app, const char *conversation);
void app_on_key(void *owner, int key);
void app_on_paste(void *owner, int key);
void app_on_click(void *owner, unsigned row, unsigned col);
void app_on_wheel(void *owner, bool up);

#endif
