/* log.h - one line, one fact, to stderr (or the file given).
 *
 * Form: `time level process component text key=value ...`. Values that came from
 * outside go through log_safe() or "%s" of already escaped text: the sink escapes
 * control bytes once more, so nothing raw can reach a terminal.
 * Levels: error (someone must act), warn (we carry on, the text says how), info (life
 * cycle), debug (per component, `--trace redis,-timer`).
 */
#ifndef PARLEY_LOG_H
#define PARLEY_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVEL_COUNT };

const char *log_level_name(enum log_level level);
MUST_USE bool log_level_parse(const char *text, enum log_level *ret_level);

/* The process' name in each line ("worker-2-1"); copied, cut at 47 bytes. */
void log_set_name(const char *name);
void log_set_level(enum log_level level);
/* What would go to stderr goes there instead, a line without time and name, as it came
 * (not harmless): for a program whose terminal is a screen. NULL: to stderr again. */
void log_divert(void (*on_line)(void *owner, const char *text), void *owner);
/* Appends to that file from now on instead of stderr. */
MUST_USE bool log_open(const char *path, struct err *err);
/* Opens the file of log_open anew: it may have been moved away. */
void log_reopen(void);
/* Components whose debug lines are written whatever the level: "redis,http" or "all",
 * "-timer" takes one out again. */
void log_set_trace(const char *components);
bool log_wants(enum log_level level, const char *component);

void log_line(enum log_level level, const char *component, const char *format, ...)
    PRINTF_LIKE(3, 4);

#define log_error(component, ...) log_line(LOG_ERROR, component, __VA_ARGS__)
#define log_warn(component, ...)  log_line(LOG_WARN, component, __VA_ARGS__)
#define log_info(component, ...)  log_line(LOG_INFO, component, __VA_ARGS__)
#define log_debug(component, ...)                        \
    do {                                                 \
        if (log_wants(LOG_DEBUG, component))             \
            log_line(LOG_DEBUG, component, __VA_ARGS__); \
    } while (0)

#endif
