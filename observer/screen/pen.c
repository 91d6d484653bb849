/* pen.c - see pen.h. Colours of the 256 are those of xterm's cube, chosen to be legible
 * on black and on white. */
#include "pen.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { PERSONAS = PEN_PERSONA_8 - PEN_PERSONA_1 + 1 };

/* clang-format off */
static const char *const looks[PEN_COUNT][PEN_COLOURS_COUNT] = {
    [PEN_TEXT]      = {"", "", ""},
    [PEN_DIM]       = {";2", ";2", ";38;5;244"},
    [PEN_BOLD]      = {";1", ";1", ";1"},
    [PEN_HEAD]      = {";1;4", ";1;4", ";1;4"},
    [PEN_RULE]      = {";2", ";2", ";38;5;240"},
    [PEN_BAR]       = {";7", ";7", ";48;5;237;38;5;252"},
    [PEN_KEY]       = {";7;1", ";7;1", ";48;5;237;1;38;5;221"},
    [PEN_GOOD]      = {"", ";32", ";38;5;71"},
    [PEN_WARN]      = {";4", ";33", ";38;5;172"},
    [PEN_BAD]       = {";1;4", ";1;31", ";1;38;5;167"},
    [PEN_INFO]      = {"", ";36", ";38;5;73"},
    [PEN_LIVE]      = {";1", ";1", ";1"},
    [PEN_GRAPH]     = {"", ";36", ";38;5;67"},
    [PEN_MATCH]     = {";4", ";30;43", ";30;48;5;222"},
    [PEN_MATCH_AT]  = {";7;1", ";1;30;42", ";1;30;48;5;114"},
    [PEN_MARK]      = {";1;7", ";1;35", ";1;38;5;170"},
    [PEN_PERSONA_1] = {"", ";36", ";38;5;74"},
    [PEN_PERSONA_2] = {"", ";35", ";38;5;139"},
    [PEN_PERSONA_3] = {"", ";32", ";38;5;71"},
    [PEN_PERSONA_4] = {"", ";33", ";38;5;172"},
    [PEN_PERSONA_5] = {"", ";34", ";38;5;69"},
    [PEN_PERSONA_6] = {"", ";96", ";38;5;37"},
    [PEN_PERSONA_7] = {"", ";95", ";38;5;168"},
    [PEN_PERSONA_8] = {"", ";92", ";38;5;107"},
};
/* clang-format on */

enum pen pen_persona(int64_t seat)
{
    if (seat < 1)
        return PEN_TEXT;
    return (enum pen)(PEN_PERSONA_1 + (seat - 1) % PERSONAS);
}

const char *pen_sgr(enum pen pen, enum pen_colours colours)
{
    assert((unsigned)pen < PEN_COUNT && (unsigned)colours < PEN_COLOURS_COUNT);
    return looks[pen][colours];
}

enum pen_colours pen_choose(const char *choice, const char *no_color, int terminal)
{
    bool always = strcmp(choice, "always") == 0;

    if (strcmp(choice, "never") == 0)
        return PEN_MONO;
    if (!always && no_color != NULL && no_color[0] != '\0')
        return PEN_MONO;
    if (terminal >= 256)
        return PEN_256;
    return terminal >= 8 || always ? PEN_16 : PEN_MONO;
}
