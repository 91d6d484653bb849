/* str.h - views of text and the numbers in it.
 *
 * A struct str points into memory that someone else owns and need not end with a NUL.
 * Number parsers take the whole text or refuse it: no leading blanks, no rest.
 */
#ifndef PARLEY_STR_H
#define PARLEY_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct str {
    const char *at;
    size_t len;
};

struct str str_of(const char *text); /* NULL gives an empty view */
struct str str_make(const char *at, size_t len);
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *text);
bool str_starts(struct str a, const char *prefix);
/* Whether `word` stands somewhere in it, the case of ASCII aside; never when empty. */
bool str_has_nocase(struct str a, const char *word);
struct str str_trim(struct str a); /* without ASCII blanks at both ends */
/* Splits off what stands before the first `sep`; *rest is what comes behind it (empty
 * when there was none). Returns the piece. */
struct str str_cut(struct str text, char sep, struct str *rest);

MUST_USE bool str_to_i64(struct str s, int64_t min, int64_t max, int64_t *ret_value);
MUST_USE bool str_to_double(struct str s, double min, double max, double *ret_value);
/* Durations for people: "90" (seconds), "500ms", "20s", "5m", "1h30m", "1.5h", "7d". */
MUST_USE bool str_to_duration_ms(struct str s, int64_t *ret_ms);
/* "5m", "1h30m", "20s", "1.5s", "250ms": the shortest exact form. At least 32 bytes. */
void duration_format(int64_t ms, char *ret_text, size_t size);

/* As snprintf, but a text that does not fit is a mistake of ours (assert). */
void fmt_into(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
