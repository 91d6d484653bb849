/* log.c - see log.h. Each line is formatted whole and written with one write(2), so
 * that processes sharing a file do not mix their lines. */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { PATH_BYTES = 4096, LINE_MAX_BYTES = 4096, NAME_SIZE = 48, TRACE_SIZE = 128 };

static const char *const level_names[LOG_LEVEL_COUNT] = {[LOG_ERROR] = "error",
                                                         [LOG_WARN] = "warn",
                                                         [LOG_INFO] = "info",
                                                         [LOG_DEBUG] = "debug"};

static enum log_level wanted = LOG_INFO;
static char process_name[NAME_SIZE] = "parley";
static char trace[TRACE_SIZE];
static int sink = STDERR_FILENO;
static void (*diverted)(void *owner, const char *text); /* instead of stderr; or NULL */
static void *diverted_owner;
static char file_path[PATH_BYTES];

const char *log_level_name(enum log_level level)
{
    return level < LOG_LEVEL_COUNT ? level_names[level] : "unknown";
}

bool log_level_parse(const char *text, enum log_level *ret_level)
{
    for (int i = 0; i < LOG_LEVEL_COUNT; i++)
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    return false;
}

void log_set_name(const char *name)
{
    (void)snprintf(process_name, sizeof process_name, "%s", name); /* cut is fine */
}

void log_set_level(enum log_level level)
{
    wanted = level;
}

bool log_open(const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (fd < 0)
        return err_sys(err, errno, "log file %s", path);
    if (sink != STDERR_FILENO)
        (void)close(sink); /* only written to; nothing is lost */
    sink = fd;
    if (path != file_path)
        (void)snprintf(file_path, sizeof file_path, "%s", path); /* cut: no reopening */
    return true;
}

void log_reopen(void)
{
    struct err err = {0};

    if (file_path[0] != '\0' && !log_open(file_path, &err))
        log_error("log", "%s", err.msg); /* the old one stays */
}

void log_divert(void (*on_line)(void *owner, const char *text), void *owner)
{
    diverted = on_line;
    diverted_owner = owner;
}

void log_set_trace(const char *components)
{
    (void)snprintf(trace, sizeof trace, "%s", components); /* cut is fine */
}

/* The last word that names the component, or "all", decides. */
static bool traced(const char *component)
{
    struct str rest = str_of(trace);
    bool on = false;

    while (rest.len > 0) {
        struct str word = str_cut(rest, ',', &rest);
        bool minus = str_starts(word, "-");

        if (minus)
            word = str_make(word.at + 1, word.len - 1);
        if (str_is(word, "all") || str_is(word, component))
            on = !minus;
    }
    return on;
}

bool log_wants(enum log_level level, const char *component)
{
    return level <= wanted
           || (level == LOG_DEBUG && trace[0] != '\0' && traced(component));
}

void log_line(enum log_level level, const char *component, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    char time[CLOCK_TEXT_SIZE];
    struct buf line;
    va_list args;

    if (!log_wants(level, component))
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format,
                    args); /* a cut line is better than none */
    va_end(args);
    if (diverted != NULL && sink == STDERR_FILENO) {
        diverted(diverted_owner, text);
        return;
    }
    clock_format_us(clock_wall_us(), time);
    buf_init(&line, (size_t)8 * LINE_MAX_BYTES);
    buf_printf(&line, "%s %-5s %s ", time, level_names[level], process_name);
    if (strcmp(process_name, component) != 0) /* "run run" would say it twice */
        buf_printf(&line, "%s ", component);
    utf8_harmless(str_of(text), false, &line);
    buf_add_char(&line, '\n');
    if (write(sink, line.at, line.len) < 0) {
        /* The log is gone: there is nobody left to tell. */
    }
    buf_done(&line);
}
