/* term.c - see term.h. The only file that sees curses, and of it only terminfo. */
#include "term.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
/* Macros of curses that would be in the way. */
#undef lines
#undef columns
#undef tab
#undef buttons

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "keymap.h"
#include "net/loop.h"
#include "term_keys.h"

enum {
    ESCAPE_MS = 50,  /* within that time the rest of a sequence comes, */
    PASTE_MS = 2000, /* and within that more of a paste, or its end */
    ROOM_MS = 500,   /* a terminal that takes nothing for so long is left alone */
    MODES_MAX_BYTES = 512,
    ROWS_DEFAULT = 24,
    COLS_DEFAULT = 80
};

/* What gives the terminal back. Static: a handler of SIGSEGV can trust nothing else. */
static struct {
    volatile sig_atomic_t taken;
    struct termios before;
    char leave[MODES_MAX_BYTES];
    size_t leave_len;
} kept;

static const int deaths[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
enum { DEATHS = sizeof deaths / sizeof *deaths };

struct terminal {
    struct term_options options;
    struct term_keys keys;
    struct loop_io input;
    struct loop_timer escape;
    struct loop_signal resized;
    struct loop_signal continued;
    struct loop_signal stopped;
    struct sigaction deaths_before[DEATHS];
    struct termios raw;
    bool may_stop;
    struct buf enter;
};

/* ---- what it can ---- */

static const char *capability(const char *name)
{
    const char *text = tigetstr(name);

    /* (char *)-1: not a capability; padding is for terminals of paper. */
    if (text == NULL || text == (const char *)-1 || strstr(text, "$<") != NULL)
        return NULL;
    return text;
}

/* Placing the cursor is what frame.c does by itself. */
static bool places_as_ecma48(void)
{
    const char *cup = capability("cup");
    const char *there = cup == NULL ? NULL : tparm(cup, 4, 9, 0, 0, 0, 0, 0, 0, 0);

    return there != NULL && strcmp(there, "\033[5;10H") == 0;
}

const char *term_unfit(void)
{
    const char *name = getenv("TERM");
    int found = 0;

    if (isatty(STDOUT_FILENO) != 1)
        return "standard output is no terminal";
    if (isatty(STDIN_FILENO) != 1)
        return "standard input is no terminal";
    if (tcgetpgrp(STDIN_FILENO) != getpgrp())
        return "not in the foreground of its terminal";
    if (name == NULL || name[0] == '\0')
        return "TERM is not set";
    if (strcmp(name, "dumb") == 0)
        return "TERM is dumb";
    if (setupterm(NULL, STDOUT_FILENO, &found) != OK)
        return "terminfo does not know this TERM (apt install ncurses-term)";
    if (!places_as_ecma48())
        return "this TERM does not place its cursor as ANSI terminals do";
    return NULL;
}

int term_colours(void)
{
    int count = tigetnum("colors");

    return count < 0 ? 0 : count;
}

bool term_speaks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        const char *dot;

        if (value == NULL || value[0] == '\0')
            continue;
        dot = strchr(value, '.');
        return dot != NULL
               && (strncasecmp(dot, ".UTF-8", 6) == 0
                   || strncasecmp(dot, ".UTF8", 5) == 0);
    }
    return false;
}

void term_size(unsigned *ret_rows, unsigned *ret_cols)
{
    struct winsize size = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){0};
    *ret_rows = size.ws_row == 0 ? ROWS_DEFAULT : size.ws_row;
    *ret_cols = size.ws_col == 0 ? COLS_DEFAULT : size.ws_col;
    if (*ret_rows > TERM_ROWS_MAX)
        *ret_rows = TERM_ROWS_MAX;
    if (*ret_cols > TERM_COLS_MAX)
        *ret_cols = TERM_COLS_MAX;
}

/* ---- taking it and giving it back ---- */

static void add_mode(struct buf *into, const char *text)
{
    if (text != NULL)
        (void)buf_add_text(into, text); /* one that is too long was never one */
}

/* DEC private modes: 7 wraps by itself, 25 the cursor, 1000 and 1006 the mouse, 2004
 * pastes in brackets, 2026 a frame is being drawn. */
static void make_modes(struct terminal *term)
{
    struct buf leave;

    buf_init(&term->enter, MODES_MAX_BYTES);
    buf_init(&leave, MODES_MAX_BYTES);
    add_mode(&term->enter, capability("smcup"));
    add_mode(&term->enter, capability("smkx"));
    add_mode(&term->enter, "\033[?7l\033[?25l\033[?2004h");
    add_mode(&leave, "\033[?2026l\033[0m\033[?2004l");
    if (term->options.mouse) {
        add_mode(&term->enter, "\033[?1000h\033[?1006h");
        add_mode(&leave, "\033[?1006l\033[?1000l");
    }
    add_mode(&leave, "\033[?7h\033[?25h");
    add_mode(&leave, capability("rmkx"));
    add_mode(&leave,
             capability("rmcup") == NULL ? "\033[H\033[2J" : capability("rmcup"));
    memcpy(kept.leave, buf_text(&leave), leave.len);
    kept.leave_len = leave.len;
    buf_done(&leave);
}

/* Small, and only while the terminal takes it: a write to it may block for ever. */
static void write_modes(const char *bytes, size_t len)
{
    while (len > 0) {
        struct pollfd state = {.fd = STDOUT_FILENO, .events = POLLOUT};
        int ready = poll(&state, 1, ROOM_MS);
        ssize_t count = ready > 0 ? write(STDOUT_FILENO, bytes, len) : ready;

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return;
        bytes += count;
        len -= (size_t)count;
    }
}

static void take(struct terminal *term)
{
    kept.taken = 1;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN,
                    &term->raw); /* its loss shows as on_gone */
    write_modes(term->enter.at, term->enter.len);
}

/* Called from signal handlers too: only what is allowed there (POSIX 2.4.3). */
static void give_back(void)
{
    int before = errno;

    if (kept.taken == 0)
        return;
    kept.taken = 0;
    write_modes(kept.leave, kept.leave_len);
    /* A shell that took the terminal meanwhile has set it as it wants it. */
    if (tcgetpgrp(STDIN_FILENO) == getpgrp())
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &kept.before);
    errno = before;
}

static void make_raw(struct termios *mode)
{
    mode->c_iflag &=
        ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON);
    mode->c_oflag &= ~(tcflag_t)OPOST;
    mode->c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
    mode->c_cflag |= CS8;
    mode->c_cc[VMIN] = 1;
    mode->c_cc[VTIME] = 0;
}

/* ---- dying ---- */

static struct terminal *dying; /* whose handlers these are; NULL: none */

static void on_death(int number)
{
    give_back();
    for (size_t i = 0; i < DEATHS; i++)
        if (deaths[i] == number && dying != NULL)
            (void)sigaction(number, &dying->deaths_before[i], NULL);
    (void)raise(number); /* blocked in here: it comes when this returns */
}

static void watch_deaths(struct terminal *term)
{
    static bool registered;
    struct sigaction action = {.sa_handler = on_death};

    (void)sigemptyset(&action.sa_mask);
    dying = term;
    for (size_t i = 0; i < DEATHS; i++)
        (void)sigaction(deaths[i], &action, &term->deaths_before[i]);
    if (!registered)
        (void)atexit(give_back); /* no memory: x_alloc ends the process */
    registered = true;
}

static void unwatch_deaths(struct terminal *term)
{
    for (size_t i = 0; i < DEATHS; i++)
        (void)sigaction(deaths[i], &term->deaths_before[i], NULL);
    dying = NULL;
}

/* ---- keys ---- */

static void on_key(void *owner, int key)
{
    struct terminal *term = owner;

    term->options.on_key(term->options.owner, key);
}

static void on_paste(void *owner, int key)
{
    struct terminal *term = owner;

    term->options.on_paste(term->options.owner, key);
}

static void on_mouse(void *owner, enum term_mouse what, unsigned row, unsigned col)
{
    struct terminal *term = owner;

    if (!term->options.mouse)
        return;
    if (what == TERM_CLICK)
        term->options.on_click(term->options.owner, row, col);
    else
        term->options.on_wheel(term->options.owner, what == TERM_WHEEL_UP);
}

static void name_keys(struct terminal *term)
{
    static const struct {
        const char *name;
        int key;
    } named[] = {
        {"kcuu1", KEY_CURSOR_UP},   {"kcud1", KEY_CURSOR_DOWN},
        {"kcub1", KEY_CURSOR_LEFT}, {"kcuf1", KEY_CURSOR_RIGHT},
        {"kpp", KEY_PAGE_UP},       {"knp", KEY_PAGE_DOWN},
        {"khome", KEY_TO_HOME},     {"kend", KEY_TO_END},
        {"kdch1", KEY_DELETE},      {"kcbt", KEY_BACK_TAB},
        {"kf1", KEY_F1_HELP},
    };

    term_keys_init(&term->keys);
    term->keys.on_key = on_key;
    term->keys.on_paste = on_paste;
    term->keys.on_mouse = on_mouse;
    term->keys.owner = term;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        term_keys_name(&term->keys, capability(named[i].name), named[i].key);
}

static void on_input(struct loop_io *io, int events, void *owner)
{
    struct terminal *term = owner;
    char bytes[1024];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);

    (void)events;
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count <= 0) {
        loop_io_stop(io);
        term->options.on_gone(term->options.owner);
        return;
    }
    term_keys_feed(&term->keys, str_make(bytes, (size_t)count));
    if (term_keys_waiting(&term->keys))
        loop_timer_start(&term->escape, term->keys.pasting ? PASTE_MS : ESCAPE_MS);
    else
        loop_timer_stop(&term->escape);
}

static void on_escape(struct loop_timer *timer, void *owner)
{
    struct terminal *term = owner;

    (void)timer;
    term_keys_flush(&term->keys);
}

/* ---- signals ---- */

static void on_resized(struct loop_signal *signal, int number, void *owner)
{
    struct terminal *term = owner;

    (void)signal;
    (void)number;
    term->options.on_shown(term->options.owner);
}

/* Somebody may have used the terminal while we stood still. */
static void on_continued(struct loop_signal *signal, int number, void *owner)
{
    struct terminal *term = owner;

    (void)signal;
    (void)number;
    take(term);
    term->options.on_shown(term->options.owner);
}

static void on_stopped(struct loop_signal *signal, int number, void *owner)
{
    (void)signal;
    (void)number;
    term_suspend(owner);
}

void term_suspend(struct terminal *term)
{
    if (!term->may_stop)
        return;
    give_back();
    loop_signal_stop(&term->stopped);
    (void)kill(0, SIGTSTP); /* stands still here, until SIGCONT */
    loop_signal_start(&term->stopped, term->options.loop, SIGTSTP, on_stopped, term);
    take(term);
    term->options.on_shown(term->options.owner);
}

/* ---- life ---- */

bool term_open(const struct term_options *options, struct terminal **ret_term,
               struct err *err)
{
    struct terminal *term;
    struct sigaction now;

    if (tcgetattr(STDIN_FILENO, &kept.before) != 0)
        return err_sys(err, errno, "the terminal");
    term = x_calloc(1, sizeof *term);
    term->options = *options;
    term->raw = kept.before;
    make_raw(&term->raw);
    make_modes(term);
    name_keys(term);
    watch_deaths(term);
    take(term);
    loop_timer_init(&term->escape, options->loop, on_escape, term);
    loop_io_init(&term->input, options->loop, on_input, term);
    loop_io_watch(&term->input, STDIN_FILENO, LOOP_READ);
    loop_signal_start(&term->resized, options->loop, SIGWINCH, on_resized, term);
    loop_signal_start(&term->continued, options->loop, SIGCONT, on_continued, term);
    /* Who starts us with it ignored wants it ignored. */
    term->may_stop = sigaction(SIGTSTP, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
    if (term->may_stop)
        loop_signal_start(&term->stopped, options->loop, SIGTSTP, on_stopped, term);
    *ret_term = term;
    return true;
}

void term_close(struct terminal *term)
{
    if (term == NULL)
        return;
    loop_io_stop(&term->input);
    loop_timer_stop(&term->escape);
    loop_signal_stop(&term->resized);
    loop_signal_stop(&term->continued);
    loop_signal_stop(&term->stopped);
    give_back();
    unwatch_deaths(term);
    buf_done(&term->enter);
    free(term);
}
