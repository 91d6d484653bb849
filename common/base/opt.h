/* opt.h - options from one table: flags, environment, help, and where a value is from.
 *
 * A table of rows (name, kind, place in the struct, bounds, default, help) yields the
 * flags, PARLEY_* variables, --help and --show-config. The config file is read by
 * proto/config.c, which puts its values in through opt_put. A later source never
 * overwrites a stronger one: flag > environment > file > default. No two rows share a
 * place, and at most one is seated.
 */
#ifndef PARLEY_OPT_H
#define PARLEY_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum opt_kind {
    OPT_FLAG,     /* bool */
    OPT_INT,      /* int64_t */
    OPT_REAL,     /* double */
    OPT_DURATION, /* int64_t, milliseconds */
    OPT_TEXT,     /* char *, owned; NULL when empty */
    OPT_CHOICE,   /* char *, one of `choices` */
    OPT_RANGE,    /* struct opt_range: "20..60", or one number for both ends */
    OPT_SEATED,   /* char *[OPT_SEATS + 1]: "NAME" for all, "2=NAME" for seat 2 */
    OPT_KIND_COUNT
};
enum { OPT_SEATS = 16, OPT_NONE = -1 }; /* OPT_NONE: what "none" is stored as */

struct opt_range {
    int64_t low;
    int64_t high;
};

struct opt_row {
    const char *flag; /* "turns": --turns, PARLEY_TURNS */
    const char *key;  /* "conversation.max_turns" in the file; NULL: not there */
    const char *env;  /* one more variable, weaker than PARLEY_*; or NULL */
    enum opt_kind kind;
    bool none;     /* "none" is a value */
    size_t offset; /* in the struct of values */
    double min;    /* of numbers; durations in ms */
    double max;
    const char *choices;  /* "auto|plain|json" */
    const char *fallback; /* default as text; NULL: empty */
    unsigned commands;    /* bits: who takes it */
    const char *value;    /* "N", "URL": for the help */
    const char *help;
    const char *group; /* of the first row of a group: its heading in the help */
    const char *bare;  /* what the flag alone means; NULL: it wants a value */
    bool repeats;      /* OPT_TEXT: a flag given again adds to it, behind a comma */
};

enum opt_source { OPT_DEFAULT, OPT_FILE, OPT_ENV, OPT_FLAG_GIVEN, OPT_SOURCE_COUNT };

enum { OPT_ROWS_MAX = 160 };
struct opt_set {
    const struct opt_row *rows;
    size_t count;
    void *values;                             /* borrowed */
    enum opt_source from[OPT_ROWS_MAX];       /* by row */
    enum opt_source seat_from[OPT_SEATS + 1]; /* by slot of the one OPT_SEATED row */
    char *file;                               /* owned: the config file that was read */
};

/* Puts the defaults in. A default that breaks its own row is a mistake of ours. */
void opt_init(struct opt_set *set, const struct opt_row *rows, size_t count,
              void *values);
/* Frees what the values own. */
void opt_done(struct opt_set *set);
/* `where` names the place for the message: "--turns", "PARLEY_TURNS", "a.json: key".
 * Also a value that a stronger source overrules must be one that the row allows. */
MUST_USE bool opt_put(struct opt_set *set, size_t row, const char *text,
                      enum opt_source source, const char *where, struct err *err);
/* PARLEY_<FLAG> and the rows' own variables; empty ones count as not given. */
MUST_USE bool opt_read_environment(struct opt_set *set, unsigned command,
                                   struct err *err);
/* A line for each variable PARLEY_* that names no row, of whatever command, with the
 * nearest name. is_known, which may be NULL, tells which of them mean something else.
 */
void opt_strange_variables(const struct opt_set *set, bool (*is_known)(struct str name),
                           struct buf *into);
/* Takes `--flag value`, `--flag=value`, `--flag`; the others stay in
 * argv[0..*ret_rest).
 * "--" ends the flags. Unknown ones: ERR_USAGE with the nearest name. */
MUST_USE bool opt_read_flags(struct opt_set *set, unsigned command, int argc,
                             char **argv, int *ret_rest, struct err *err);

/* Index of the row with that key or flag, or count when there is none. */
size_t opt_by_key(const struct opt_set *set, const char *key);
size_t opt_by_flag(const struct opt_set *set, const char *flag);
bool opt_given(const struct opt_set *set, const char *flag); /* not from the default */
/* Where the value is from, for messages: "--turns", "PARLEY_TURNS", "a.json: key". */
void opt_where(const struct opt_set *set, size_t row, struct buf *into);

/* What a row allows, for messages: "a whole number from 1 to 16". */
void opt_allowed(const struct opt_row *row, struct buf *into);
/* The value as text that opt_put would take; a seated row's names with blanks between.
 */
void opt_value(const struct opt_set *set, size_t row, struct buf *into);
/* "key  value  (where from)" lines, one such line, and the options part of --help: at
 * most 80 columns, in groups. */
void opt_show(const struct opt_set *set, unsigned command, struct buf *into);
void opt_show_line(struct buf *into, const char *key, const char *value,
                   const char *from);
void opt_help(const struct opt_set *set, unsigned command, struct buf *into);

#endif
