/* keymap.h - the keys of the observer: one table of key, action, where it holds and
 * what the help says. The bar at the bottom and the help screen are made from it.
 */
#ifndef PARLEY_KEYMAP_H
#define PARLEY_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum action {
    ACTION_NONE,
    /* carried out by the app */
    ACTION_HELP,
    ACTION_BACK, /* q: out of a view, then out of the program */
    ACTION_WALL,
    ACTION_TALK,
    ACTION_FLEET,
    ACTION_NEXT_SCREEN,
    ACTION_TALK_BEFORE, /* the conversation above this one on the wall */
    ACTION_TALK_AFTER,
    ACTION_REDRAW,
    ACTION_SUSPEND,
    ACTION_INTERRUPT, /* Ctrl-C */
    /* moving: offered to the screen that is shown, as all below */
    ACTION_UP,
    ACTION_DOWN,
    ACTION_LEFT,
    ACTION_RIGHT,
    ACTION_PAGE_UP,
    ACTION_PAGE_DOWN,
    ACTION_HALF_UP,
    ACTION_HALF_DOWN,
    ACTION_TOP,
    ACTION_BOTTOM,
    ACTION_OPEN,  /* Enter */
    ACTION_CLEAR, /* Esc: out of a search, a filter, a view */
    /* finding */
    ACTION_SEARCH, /* "/": a search, on the wall and among events a filter */
    ACTION_MATCH_AFTER,
    ACTION_MATCH_BEFORE,
    ACTION_MARK,
    ACTION_MARK_AFTER,
    /* how it is shown */
    ACTION_WRAP,
    ACTION_TIMES,
    ACTION_FOLLOW,
    ACTION_PANEL,
    ACTION_REQUEST,
    ACTION_SAVE,
    ACTION_SORT,
    ACTION_SORT_REVERSE,
    ACTION_STATES,
    /* commands to the fleet; not in a read-only observer, not in a replay */
    ACTION_PAUSE,
    ACTION_RESUME,
    ACTION_STOP,
    ACTION_SAY,
    ACTION_INJECT,
    ACTION_RETRY,
    ACTION_DROP,
    /* a replay's clock: offered to the source */
    ACTION_HALT, /* p: stand still, go on */
    ACTION_FASTER,
    ACTION_SLOWER,
    ACTION_TURN_AFTER,
    ACTION_TURN_BEFORE,
    ACTION_COUNT
};

/* Where a key holds: bits. */
enum keymap_where {
    IN_WALL = 1,
    IN_TALK = 2,
    IN_FLEET = 4,
    IN_HELP = 8,
    IN_SCREENS = IN_WALL | IN_TALK | IN_FLEET | IN_HELP,
    WITH_COMMANDS = 16, /* only where commands can be given */
    WITH_REPLAY = 32    /* only in a replay */
};

/* Keys that are no characters; characters are their code points. */
enum keymap_key {
    KEY_NONE = 0,
    KEY_TAB = 0x09,
    KEY_RETURN = 0x0D,
    KEY_ESCAPE = 0x1B,
    KEY_RUBOUT = 0x7F, /* Backspace, whatever the terminal sends */
    KEY_CURSOR_UP = 0x110001,
    KEY_CURSOR_DOWN,
    KEY_CURSOR_LEFT,
    KEY_CURSOR_RIGHT,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_TO_HOME,
    KEY_TO_END,
    KEY_DELETE,
    KEY_BACK_TAB,
    KEY_F1_HELP
};

struct keymap_row {
    int keys[4]; /* the first is the one that is told; 0: no more */
    enum action action;
    unsigned where;    /* enum keymap_where */
    const char *brief; /* "pause"; for the bar; NULL: not there */
    const char *help;  /* a sentence without its full stop */
};

/* The table, in the order of the help. */
const struct keymap_row *keymap_rows(size_t *ret_count);
/* Whether a row holds there; `where` as in keymap_find. */
bool keymap_holds(const struct keymap_row *row, unsigned where);
/* What a key means; `where`: the screen's bit, with WITH_COMMANDS or WITH_REPLAY added
 * when they hold. ACTION_NONE: nothing. */
enum action keymap_find(int key, unsigned where);
/* How far an action moves in a list of which `page` rows are shown, at least 1; false:
 * it is none that moves by rows, or by pages of them. */
bool keymap_steps(enum action action, int64_t page, int64_t *ret_by);
/* "Ctrl-L", "PgUp", "Space", "?"; ASCII. At least KEYMAP_NAME_SIZE bytes. */
enum { KEYMAP_NAME_SIZE = 16 };
const char *keymap_name(int key, char *ret_name);

#endif
