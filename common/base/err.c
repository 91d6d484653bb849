/* err.c - see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[ERR_CODE_COUNT] = {
    [ERR_NONE] = "none",       [ERR_USAGE] = "usage",   [ERR_REDIS] = "redis",
    [ERR_MODEL] = "model",     [ERR_FORMAT] = "format", [ERR_LIMIT] = "limit",
    [ERR_TIMEOUT] = "timeout", [ERR_SYSTEM] = "system", [ERR_DENIED] = "denied",
};

const char *err_code_name(enum err_code code)
{
    return code < ERR_CODE_COUNT ? names[code] : "unknown";
}

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return false;
    err->code = code;
    va_start(args, format);
    (void)vsnprintf(err->msg, sizeof err->msg, format, args); /* cut is fine */
    va_end(args);
    return false;
}

bool err_sys(struct err *err, int errnum, const char *format, ...)
{
    va_list args;
    size_t used;

    if (err == NULL)
        return false;
    err->code = ERR_SYSTEM;
    va_start(args, format);
    (void)vsnprintf(err->msg, sizeof err->msg, format, args); /* cut is fine */
    va_end(args);
    used = strlen(err->msg);
    (void)snprintf(err->msg + used, sizeof err->msg - used, ": %s", strerror(errnum));
    return false;
}

bool err_wrap(struct err *err, const char *format, ...)
{
    char before[sizeof err->msg];
    char whole[2 * sizeof err->msg + 4];
    va_list args;

    if (err == NULL)
        return false;
    va_start(args, format);
    (void)vsnprintf(before, sizeof before, format, args); /* cut is fine */
    va_end(args);
    (void)snprintf(whole, sizeof whole, "%s: %s", before, err->msg);
    whole[sizeof err->msg - 1] = '\0';
    memcpy(err->msg, whole, strlen(whole) + 1);
    return false;
}

int err_exit_status(const struct err *err)
{
    switch (err->code) {
    case ERR_USAGE:
        return 2;
    case ERR_REDIS:
    case ERR_DENIED:
        return 3;
    case ERR_MODEL:
        return 4;
    default:
        return 1;
    }
}
