/* pen.h - what things are drawn in, by their meaning.
 *
 * Screens name meanings, never colours. How a meaning looks is decided once, here, for
 * 256 colours, 16 colours and none (NO_COLOR): in each of them it can be told from
 * plain text, but nothing is told by colour alone. The background is the terminal's
 * own, light or dark.
 */
#ifndef PARLEY_PEN_H
#define PARLEY_PEN_H

#include <stdint.h>

enum pen {
    PEN_TEXT,     /* the terminal's own */
    PEN_DIM,      /* labels, what is old, events between turns */
    PEN_BOLD,     /* what the eye is to find first */
    PEN_HEAD,     /* titles and column heads */
    PEN_RULE,     /* lines between areas */
    PEN_BAR,      /* the bar at the bottom */
    PEN_KEY,      /* a key's name in the bar and the help */
    PEN_GOOD,     /* running, done */
    PEN_WARN,     /* paused, waiting, retried */
    PEN_BAD,      /* failed, lost */
    PEN_INFO,     /* preparing, closing */
    PEN_LIVE,     /* being spoken now */
    PEN_GRAPH,    /* charts */
    PEN_MATCH,    /* found by a search */
    PEN_MATCH_AT, /* found, and this is where n and N stand */
    PEN_MARK,     /* marked by the user */
    PEN_PERSONA_1,
    PEN_PERSONA_2,
    PEN_PERSONA_3,
    PEN_PERSONA_4,
    PEN_PERSONA_5,
    PEN_PERSONA_6,
    PEN_PERSONA_7,
    PEN_PERSONA_8,
    PEN_COUNT
};

enum pen_colours {
    PEN_MONO, /* bold, underline and reverse only */
    PEN_16,
    PEN_256,
    PEN_COLOURS_COUNT
};

/* Of a seat, counted from 1; they come round after eight. PEN_TEXT for none. */
enum pen pen_persona(int64_t seat);
/* The parameters of SGR (ECMA-48 8.3.117) that follow "\033[0": "" or ";1;36". */
const char *pen_sgr(enum pen pen, enum pen_colours colours);
/* How many colours are wanted. choice: "auto", "always", "never"; no_color: the
 * variable NO_COLOR, NULL when unset; terminal: how many the terminal has, from 0. */
enum pen_colours pen_choose(const char *choice, const char *no_color, int terminal);

#endif
