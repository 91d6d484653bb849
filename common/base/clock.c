/* clock.c - see clock.h. */
#include "base/clock.h"

#include <assert.h>
#include <time.h>

static int64_t read_us(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);

    assert(failed == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

int64_t clock_wall_us(void)
{
    return read_us(CLOCK_REALTIME);
}

/* Days since 1970-01-01 of a date of the Gregorian calendar and back, by Howard
 * Hinnant's chrono-compatible algorithms (years begin in March). */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = yoe + era * 400 + (*month <= 2 ? 1 : 0);
}

void clock_format_us(int64_t wall_us, char ret_text[CLOCK_TEXT_SIZE])
{
    int64_t us = wall_us % 1000000;
    int64_t seconds = wall_us / 1000000;
    int64_t days;
    int64_t year;
    int64_t month;
    int64_t day;

    if (us < 0) {
        us += 1000000;
        seconds--;
    }
    days = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0);
    seconds -= days * 86400;
    date_from_days(days, &year, &month, &day);
    fmt_into(ret_text, CLOCK_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
             (int)year, (int)month, (int)day, (int)(seconds / 3600),
             (int)(seconds / 60 % 60), (int)(seconds % 60), (int)us);
}

/* "02-30" has the form of a date and is none. */
static bool is_date(const int64_t date[3])
{
    int64_t year;
    int64_t month;
    int64_t day;

    date_from_days(days_from_date(date[0], date[1], date[2]), &year, &month, &day);
    return month == date[1] && day == date[2];
}

static bool take_number(struct str *text, size_t digits, int64_t max, int64_t *ret)
{
    if (text->len < digits || text->at[0] == '-' /* "-0" */
        || !str_to_i64(str_make(text->at, digits), 0, max, ret))
        return false;
    *text = str_make(text->at + digits, text->len - digits);
    return true;
}

static bool take_char(struct str *text, char c)
{
    if (text->len == 0 || text->at[0] != c)
        return false;
    *text = str_make(text->at + 1, text->len - 1);
    return true;
}

static bool take_fraction(struct str *text, int64_t *ret_us)
{
    int64_t us = 0;
    int64_t scale = 100000;
    size_t digits = 0;

    while (text->len > digits && text->at[digits] >= '0' && text->at[digits] <= '9') {
        us += (text->at[digits] - '0') * scale;
        scale /= 10;
        digits++;
    }
    if (digits == 0 || digits > 9)
        return false;
    *text = str_make(text->at + digits, text->len - digits);
    *ret_us = us;
    return true;
}

static bool take_zone(struct str *text, int64_t *ret_seconds)
{
    int64_t sign = 1;
    int64_t hours;
    int64_t minutes;

    *ret_seconds = 0;
    if (take_char(text, 'Z'))
        return true;
    if (take_char(text, '-'))
        sign = -1;
    else if (!take_char(text, '+'))
        return false;
    if (!take_number(text, 2, 23, &hours) || !take_char(text, ':')
        || !take_number(text, 2, 59, &minutes))
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool clock_parse_us(struct str text, int64_t *ret_wall_us)
{
    int64_t date[3];
    int64_t time[3];
    int64_t us = 0;
    int64_t zone;

    if (!take_number(&text, 4, 9999, &date[0]) || !take_char(&text, '-')
        || !take_number(&text, 2, 12, &date[1]) || !take_char(&text, '-')
        || !take_number(&text, 2, 31, &date[2]) || !take_char(&text, 'T')
        || !take_number(&text, 2, 23, &time[0]) || !take_char(&text, ':')
        || !take_number(&text, 2, 59, &time[1]) || !take_char(&text, ':')
        || !take_number(&text, 2, 60, &time[2]))
        return false;
    if (take_char(&text, '.') && !take_fraction(&text, &us))
        return false;
    if (!take_zone(&text, &zone) || text.len != 0 || !is_date(date))
        return false;
    *ret_wall_us = ((days_from_date(date[0], date[1], date[2]) * 86400 + time[0] * 3600
                     + time[1] * 60 + time[2])
                    - zone)
                       * 1000000
                   + us;
    return true;
}
