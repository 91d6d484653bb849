/* retry_after.c - see retry_after.h. */
#include "llm/retry_after.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

#define MS_A_SECOND 1000.0

static int64_t of_ms(double ms)
{
    if (isnan(ms))
        return -1;
    if (ms <= 0)
        return 0;
    return ms >= (double)RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : (int64_t)ceil(ms);
}

int64_t retry_after_of_seconds(double seconds)
{
    return of_ms(seconds * MS_A_SECOND);
}

int64_t retry_after_parse_seconds(struct str text)
{
    double seconds;

    if (!str_to_double(str_trim(text), -HUGE_VAL, HUGE_VAL, &seconds))
        return -1;
    return retry_after_of_seconds(seconds);
}

int64_t retry_after_parse_ms(struct str text)
{
    double ms;

    return str_to_double(str_trim(text), -HUGE_VAL, HUGE_VAL, &ms) ? of_ms(ms) : -1;
}

/* ---- dates ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

struct parts {
    int64_t year;
    int64_t month; /* from 1 */
    int64_t day;
    struct str time; /* "10:30:00" */
};

static bool take_month(struct str name, int64_t *ret_month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    if (name.len != 3)
        return false;
    for (size_t i = 0; i < 12; i++) {
        if (strncasecmp(names + 3 * i, name.at, 3) == 0) {
            *ret_month = (int64_t)i + 1;
            return true;
        }
    }
    return false;
}

static struct str next_part(struct str *rest)
{
    size_t len = 0;
    struct str part;

    while (rest->len > 0 && (rest->at[0] == ' ' || rest->at[0] == '-'))
        *rest = str_make(rest->at + 1, rest->len - 1);
    while (len < rest->len && rest->at[len] != ' ' && rest->at[len] != '-')
        len++;
    part = str_make(rest->at, len);
    *rest = str_make(rest->at + len, rest->len - len);
    return part;
}

/* RFC 850 has two digits of the year: the century that is not more than 50 years ahead
 * (RFC 9110, 5.6.7). */
static int64_t whole_year(int64_t year, int64_t now_us)
{
    char now[CLOCK_TEXT_SIZE];
    int64_t this_year;

    if (year > 99)
        return year;
    clock_format_us(now_us, now);
    if (!str_to_i64(str_make(now, 4), 0, 9999, &this_year))
        return year;
    year += this_year - this_year % 100;
    return year > this_year + 50 ? year - 100 : year;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" or
 * "Sun Nov  6 08:49:37 1994". The name of the day is not looked at. */
static bool read_parts(struct str text, struct parts *ret_parts)
{
    bool asctime = memchr(text.at, ',', text.len) == NULL;
    struct str rest = text;
    struct str year;
    struct str first;
    struct str second;

    (void)next_part(&rest); /* the day's name */
    first = next_part(&rest);
    second = next_part(&rest);
    if (asctime)
        ret_parts->time = next_part(&rest);
    year = next_part(&rest);
    if (!asctime)
        ret_parts->time = next_part(&rest);
    return take_month(asctime ? first : second, &ret_parts->month)
           && str_to_i64(asctime ? second : first, 1, 31, &ret_parts->day)
           && str_to_i64(year, 0, 9999, &ret_parts->year);
}

static int64_t parse_date(struct str header, int64_t now_us)
{
    char text[CLOCK_TEXT_SIZE];
    struct parts parts = {0};
    int64_t at_us;

    if (header.len == 0 || !read_parts(header, &parts) || parts.time.len != 8)
        return -1;
    fmt_into(text, sizeof text, "%04d-%02d-%02dT%.8sZ",
             (int)whole_year(parts.year, now_us), (int)parts.month, (int)parts.day,
             parts.time.at);
    if (!clock_parse_us(str_of(text), &at_us))
        return -1;
    return of_ms((double)(at_us - now_us) / 1e3);
}

int64_t retry_after_parse(struct str header, int64_t now_us)
{
    struct str text = str_trim(header);
    int64_t wait_ms = retry_after_parse_seconds(text);

    return wait_ms >= 0 ? wait_ms : parse_date(text, now_us);
}

/* ---- sentences ---- */

/* Behind what stands before the number, in whatever case; NULL when it does not. */
static const char *find_mark(struct str text, const char *mark)
{
    size_t len = strlen(mark);

    for (size_t i = 0; i + len <= text.len; i++) {
        if (strncasecmp(text.at + i, mark, len) == 0)
            return text.at + i + len;
    }
    return NULL;
}

/* Milliseconds of the unit a word names; 0 when it names none. */
static double unit_ms(struct str word)
{
    static const struct {
        const char *names[4];
        double ms;
    } units[] = {
        {{"ms", "millisecond", "milliseconds"}, 1},
        {{"s", "sec", "second", "seconds"}, MS_A_SECOND},
        {{"m", "min", "minute", "minutes"}, 60 * MS_A_SECOND},
        {{"h", "hour", "hours"}, 3600 * MS_A_SECOND},
        {{"d", "day", "days"}, 86400 * MS_A_SECOND},
    };

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        for (size_t n = 0; n < 4 && units[i].names[n] != NULL; n++) {
            if (str_is(word, units[i].names[n]))
                return units[i].ms;
        }
    }
    return 0;
}

/* One "<number><unit>" off the front, with blanks or not. */
static bool take_duration(struct str *text, double *ms)
{
    struct str rest = str_trim(*text);
    size_t number = 0;
    size_t word = 0;
    double value;
    double unit;

    while (number < rest.len && (is_digit(rest.at[number]) || rest.at[number] == '.'))
        number++;
    if (number == 0 || !is_digit(rest.at[number - 1])
        || !str_to_double(str_make(rest.at, number), 0, HUGE_VAL, &value))
        return false;
    rest = str_trim(str_make(rest.at + number, rest.len - number));
    while (word < rest.len && (rest.at[word] | 0x20) >= 'a'
           && (rest.at[word] | 0x20) <= 'z')
        word++;
    unit = unit_ms(str_make(rest.at, word));
    *ms += value * unit;
    *text = str_make(rest.at + word, rest.len - word);
    return unit > 0;
}

int64_t retry_after_find(struct str text)
{
    static const char *const marks[] = {"try again in ", "retry after ", "retry in "};
    double ms = 0;

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *at = text.len == 0 ? NULL : find_mark(text, marks[i]);
        struct str rest;

        if (at == NULL)
            continue;
        rest = str_make(at, text.len - (size_t)(at - text.at));
        if (!take_duration(&rest, &ms))
            continue;
        while (take_duration(&rest, &ms))
            continue;
        return of_ms(ms);
    }
    return -1;
}
