/* talk_inside.h - the inside of talk_screen.h, for its files. */
#ifndef PARLEY_TALK_INSIDE_H
#define PARLEY_TALK_INSIDE_H

#include <stdbool.h>

#include "observer/screen/screen.h"
#include "observer/screen/talk_pager.h"
#include "observer/screen/talk_save.h"
#include "observer/screen/talk_view.h"
#include "observer/source/order.h"

struct talk_screen {
    const struct screen_host *host;
    const struct source *source;
    struct talk *talk; /* owned; NULL: none was chosen */
    struct talk_view view;
    struct talk_pager pager;
    struct area text;    /* where the transcript was drawn last */
    bool shown;          /* the source feeds the talk */
    bool is_narrow;      /* drawn last without room for a panel */
    bool panel_off;      /* on a wide screen */
    bool panel_over;     /* on a narrow one */
    bool awaits_request; /* e was pressed, it is not here yet */
    struct order order;  /* asked about; carried out on a yes */
    char *said;          /* owned; the order's text */
    char path[TALK_SAVE_PATH_MAX];
    char status[128];
};

/* In talk_papers.c. */
void talk_notice(const struct talk_screen *screen, enum pen pen, const char *text);
/* The selected line's message, in the pager. */
void talk_show_message(struct talk_screen *screen);
/* Asks for the request of the selected turn's seat; then, when it has come, shows it.
 */
void talk_want_request(struct talk_screen *screen);
void talk_show_request(struct talk_screen *screen);

/* In talk_keys.c. False: no such action. */
bool talk_keys_pager(struct talk_screen *screen, enum action action);
bool talk_keys_move(struct talk_screen *screen, enum action action);

/* In talk_order.c. Pause, resume, stop, say and inject: asks for the text or the yes.
 * False: no such action. */
bool talk_order_act(struct talk_screen *screen, enum action action);
/* The text or the yes was given. */
void talk_order_prompted(struct talk_screen *screen, enum prompt_kind kind,
                         struct str text);

#endif
