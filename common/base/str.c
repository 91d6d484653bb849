/* str.c - see str.h. */
#include "base/str.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NUMBER_MAX_LETTERS = 63 };

struct str str_make(const char *at, size_t len)
{
    return (struct str){at == NULL ? "" : at, at == NULL ? 0 : len};
}

struct str str_of(const char *text)
{
    return str_make(text, text == NULL ? 0 : strlen(text));
}

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool str_is(struct str a, const char *text)
{
    return str_eq(a, str_of(text));
}

bool str_starts(struct str a, const char *prefix)
{
    size_t len = strlen(prefix);

    return a.len >= len && memcmp(a.at, prefix, len) == 0;
}

bool str_has_nocase(struct str a, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; len > 0 && i + len <= a.len; i++)
        if (strncasecmp(a.at + i, word, len) == 0)
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str str_trim(struct str a)
{
    while (a.len > 0 && is_blank(a.at[0])) {
        a.at++;
        a.len--;
    }
    while (a.len > 0 && is_blank(a.at[a.len - 1]))
        a.len--;
    return a;
}

struct str str_cut(struct str text, char sep, struct str *rest)
{
    const char *found = text.len == 0 ? NULL : memchr(text.at, sep, text.len);
    size_t len = found == NULL ? text.len : (size_t)(found - text.at);

    *rest = found == NULL ? str_make(text.at + text.len, 0)
                          : str_make(found + 1, text.len - len - 1);
    return str_make(text.at, len);
}

/* strtoll and strtod want a NUL behind and skip blanks: copy, and look at the start. */
static bool number_text(struct str s, char copy[NUMBER_MAX_LETTERS + 1])
{
    if (s.len == 0 || s.len > NUMBER_MAX_LETTERS || isspace((unsigned char)s.at[0])
        || s.at[0] == '+')
        return false;
    memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    return strlen(copy) == s.len;
}

bool str_to_i64(struct str s, int64_t min, int64_t max, int64_t *ret_value)
{
    char copy[NUMBER_MAX_LETTERS + 1];
    char *end;
    long long value;

    if (!number_text(s, copy))
        return false;
    errno = 0;
    value = strtoll(copy, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

bool str_to_double(struct str s, double min, double max, double *ret_value)
{
    char copy[NUMBER_MAX_LETTERS + 1];
    char *end;
    double value;

    if (!number_text(s, copy) || strpbrk(copy, "xXpPnN") != NULL)
        return false; /* no hexadecimal, no NaN, no infinity */
    errno = 0;
    value = strtod(copy, &end);
    if (errno != 0 || *end != '\0' || value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

static bool unit_ms(struct str unit, double *ret_ms)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (str_is(unit, units[i].name)) {
            *ret_ms = units[i].ms;
            return true;
        }
    return false;
}

static size_t count_while(struct str s, bool digits)
{
    size_t n = 0;

    while (n < s.len
           && ((s.at[n] >= '0' && s.at[n] <= '9') || s.at[n] == '.') == digits)
        n++;
    return n;
}

bool str_to_duration_ms(struct str s, int64_t *ret_ms)
{
    static const double longest_ms = 3650.0 * 86400e3;
    double total = 0;
    double number;
    double factor;

    if (str_to_double(s, 0, longest_ms / 1e3, &number)) {
        *ret_ms = (int64_t)(number * 1e3 + 0.5);
        return true;
    }
    if (s.len == 0)
        return false;
    while (s.len > 0) {
        size_t digits = count_while(s, true);
        size_t letters = count_while(str_make(s.at + digits, s.len - digits), false);

        if (!str_to_double(str_make(s.at, digits), 0, longest_ms, &number)
            || !unit_ms(str_make(s.at + digits, letters), &factor))
            return false;
        total += number * factor;
        if (total > longest_ms)
            return false;
        s = str_make(s.at + digits + letters, s.len - digits - letters);
    }
    *ret_ms = (int64_t)(total + 0.5);
    return true;
}

void duration_format(int64_t ms, char *ret_text, size_t size)
{
    int64_t hours = ms / 3600000;
    int64_t minutes = ms / 60000 % 60;
    int64_t rest_ms = ms % 60000;
    int used = 0;

    assert(size >= 32);
    if (ms > 0 && ms < 1000) {
        fmt_into(ret_text, size, "%lldms", (long long)ms);
        return;
    }
    ret_text[0] = '\0';
    if (hours > 0)
        used +=
            snprintf(ret_text + used, size - (size_t)used, "%lldh", (long long)hours);
    if (minutes > 0)
        used +=
            snprintf(ret_text + used, size - (size_t)used, "%lldm", (long long)minutes);
    if (rest_ms > 0 || used == 0)
        (void)snprintf(ret_text + used, size - (size_t)used, "%.10gs",
                       (double)rest_ms / 1e3);
}

void fmt_into(char *buffer, size_t size, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(buffer, size, format, args);
    va_end(args);
    assert(len >= 0 && (size_t)len < size);
}
