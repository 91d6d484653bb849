/* keymap.c - see keymap.h. */
#include "keymap.h"

#include "base/str.h"

enum {
    MOVES = IN_WALL | IN_TALK | IN_FLEET | IN_HELP,
    FILTERS = IN_WALL | IN_FLEET,
    CTRL = 0x1F /* Ctrl-X is 'X' & CTRL */
};

/* clang-format off */
static const struct keymap_row rows[] = {
    {{'?', KEY_F1_HELP, 'h'},        ACTION_HELP, IN_SCREENS, "help", "this list"},
    {{'q'},                          ACTION_BACK, IN_SCREENS, "quit", "back out of a view; from a screen: quit"},
    {{'C' & CTRL},                   ACTION_INTERRUPT, IN_SCREENS, NULL, "quit; in parley run: end the run, twice: at once"},
    {{'1'},                          ACTION_WALL, IN_SCREENS, NULL, "the wall: all conversations"},
    {{'2'},                          ACTION_TALK, IN_SCREENS, NULL, "one conversation"},
    {{'3'},                          ACTION_FLEET, IN_SCREENS, NULL, "the fleet: processes, servers, lanes, events"},
    {{KEY_TAB},                      ACTION_NEXT_SCREEN, IN_SCREENS, "screens", "the next of these screens"},
    {{'L' & CTRL},                   ACTION_REDRAW, IN_SCREENS, NULL, "draw everything anew"},
    {{'Z' & CTRL},                   ACTION_SUSPEND, IN_SCREENS, NULL, "stop the observer, as any program; fg brings it back"},

    {{'k', KEY_CURSOR_UP},           ACTION_UP, MOVES, NULL, "up"},
    {{'j', KEY_CURSOR_DOWN},         ACTION_DOWN, MOVES, NULL, "down"},
    {{KEY_CURSOR_LEFT},              ACTION_LEFT, IN_TALK, NULL, "left, where lines are longer than the screen"},
    {{KEY_CURSOR_RIGHT},             ACTION_RIGHT, IN_TALK, NULL, "right"},
    {{KEY_PAGE_UP, 'b', 'B' & CTRL}, ACTION_PAGE_UP, MOVES, NULL, "a page up"},
    {{KEY_PAGE_DOWN, ' '},           ACTION_PAGE_DOWN, MOVES, NULL, "a page down"},
    {{'U' & CTRL},                   ACTION_HALF_UP, MOVES, NULL, "half a page up"},
    {{'D' & CTRL},                   ACTION_HALF_DOWN, MOVES, NULL, "half a page down"},
    {{'g', KEY_TO_HOME},             ACTION_TOP, MOVES, NULL, "to the top"},
    {{'G', KEY_TO_END},              ACTION_BOTTOM, MOVES, NULL, "to the bottom; a conversation is followed again"},
    {{KEY_RETURN},                   ACTION_OPEN, IN_WALL, "open", "show the selected conversation"},
    {{KEY_RETURN},                   ACTION_OPEN, IN_TALK, "json", "the selected message as it is stored (JSON)"},
    {{KEY_RETURN},                   ACTION_OPEN, IN_FLEET, NULL, "show the conversation of the selected event or turn given up"},
    {{'['},                          ACTION_TALK_BEFORE, IN_TALK, NULL, "the conversation above this one on the wall"},
    {{']'},                          ACTION_TALK_AFTER, IN_TALK, NULL, "the conversation below this one on the wall"},

    {{'/'},                          ACTION_SEARCH, IN_TALK, "search", "search"},
    {{'/'},                          ACTION_SEARCH, FILTERS, "filter", "show only what has this text; with ! before it: has it not"},
    {{'n'},                          ACTION_MATCH_AFTER, IN_TALK, NULL, "to the next one found"},
    {{'N'},                          ACTION_MATCH_BEFORE, IN_TALK, NULL, "to the one found before"},
    {{KEY_ESCAPE},                   ACTION_CLEAR, IN_SCREENS, NULL, "out of a view, a search, a filter"},
    {{'m'},                          ACTION_MARK, IN_TALK, NULL, "mark this turn, or take the mark away"},
    {{'\''},                         ACTION_MARK_AFTER, IN_TALK, NULL, "to the next mark"},

    {{'F'},                          ACTION_FOLLOW, IN_TALK, "follow", "follow what is said; scrolling up pauses it"},
    {{'w'},                          ACTION_WRAP, IN_TALK, "wrap", "wrap long lines, or not"},
    {{'t'},                          ACTION_TIMES, IN_TALK, "times", "times: none, of day, since the start"},
    {{'v'},                          ACTION_PANEL, IN_TALK, NULL, "the panel at the side"},
    {{'e'},                          ACTION_REQUEST, IN_TALK, "request", "the request that was sent to the model server for this turn"},
    {{'S'},                          ACTION_SAVE, IN_TALK, "save", "save this conversation to a file"},
    {{'o'},                          ACTION_SORT, IN_WALL, "sort", "sort by the next column"},
    {{'O'},                          ACTION_SORT_REVERSE, IN_WALL, NULL, "the other way round"},
    {{'f'},                          ACTION_STATES, IN_WALL, "states", "only those in one state: the next one"},

    {{'p'},                          ACTION_PAUSE, IN_WALL | IN_TALK | WITH_COMMANDS, "pause", "pause the conversation"},
    {{'r'},                          ACTION_RESUME, IN_WALL | IN_TALK | WITH_COMMANDS, "resume", "let it go on"},
    {{'x'},                          ACTION_STOP, IN_WALL | IN_TALK | WITH_COMMANDS, "stop", "end it"},
    {{'s'},                          ACTION_SAY, IN_TALK | WITH_COMMANDS, "say", "say something to the one selected, or to all"},
    {{'i'},                          ACTION_INJECT, IN_TALK | WITH_COMMANDS, "inject", "let something happen that all of them see"},
    {{'R'},                          ACTION_RETRY, IN_FLEET | WITH_COMMANDS, "retry", "ask for the selected dead turn again"},
    {{'D'},                          ACTION_DROP, IN_FLEET | WITH_COMMANDS, "drop", "drop the selected dead turn"},

    {{'p'},                          ACTION_HALT, IN_SCREENS | WITH_REPLAY, "pause", "let the replay stand still, or go on"},
    {{'+', '='},                     ACTION_FASTER, IN_SCREENS | WITH_REPLAY, "faster", "twice as fast"},
    {{'-'},                          ACTION_SLOWER, IN_SCREENS | WITH_REPLAY, "slower", "half as fast"},
    {{'>', '.'},                     ACTION_TURN_AFTER, IN_SCREENS | WITH_REPLAY, NULL, "to the next turn"},
    {{'<', ','},                     ACTION_TURN_BEFORE, IN_SCREENS | WITH_REPLAY, NULL, "back by a turn"},
};

static const struct {
    int key;
    const char *name;
} names[] = {
    {KEY_TAB, "Tab"},            {KEY_RETURN, "Enter"},
    {KEY_ESCAPE, "Esc"},         {KEY_RUBOUT, "Backspace"},
    {' ', "Space"},              {KEY_CURSOR_UP, "Up"},
    {KEY_CURSOR_DOWN, "Down"},   {KEY_CURSOR_LEFT, "Left"},
    {KEY_CURSOR_RIGHT, "Right"}, {KEY_PAGE_UP, "PgUp"},
    {KEY_PAGE_DOWN, "PgDn"},     {KEY_TO_HOME, "Home"},
    {KEY_TO_END, "End"},         {KEY_DELETE, "Del"},
    {KEY_BACK_TAB, "Shift-Tab"}, {KEY_F1_HELP, "F1"},
};
/* clang-format on */

const struct keymap_row *keymap_rows(size_t *ret_count)
{
    *ret_count = sizeof rows / sizeof *rows;
    return rows;
}

bool keymap_holds(const struct keymap_row *row, unsigned where)
{
    unsigned needs = row->where & (WITH_COMMANDS | WITH_REPLAY);

    return (row->where & where & IN_SCREENS) != 0 && (where & needs) == needs;
}

enum action keymap_find(int key, unsigned where)
{
    for (size_t i = 0; key != KEY_NONE && i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < sizeof rows[i].keys / sizeof *rows[i].keys; k++)
            if (rows[i].keys[k] == key && keymap_holds(&rows[i], where))
                return rows[i].action;
    return ACTION_NONE;
}

const char *keymap_name(int key, char *ret_name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].key == key) {
            fmt_into(ret_name, KEYMAP_NAME_SIZE, "%s", names[i].name);
            return ret_name;
        }
    if (key > 0 && key < ' ')
        fmt_into(ret_name, KEYMAP_NAME_SIZE, "Ctrl-%c", key + '@');
    else
        fmt_into(ret_name, KEYMAP_NAME_SIZE, "%c", key);
    return ret_name;
}

bool keymap_steps(enum action action, int64_t page, int64_t *ret_by)
{
    page = page < 1 ? 1 : page;
    switch (action) {
    case ACTION_UP:
        *ret_by = -1;
        return true;
    case ACTION_DOWN:
        *ret_by = 1;
        return true;
    case ACTION_PAGE_UP:
        *ret_by = -page;
        return true;
    case ACTION_PAGE_DOWN:
        *ret_by = page;
        return true;
    case ACTION_HALF_UP:
        *ret_by = -(page + 1) / 2;
        return true;
    case ACTION_HALF_DOWN:
        *ret_by = (page + 1) / 2;
        return true;
    default:
        return false;
    }
}
