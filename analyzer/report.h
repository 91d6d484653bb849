/* report.h - what all reports are made from. */
#ifndef PARLEY_REPORT_H
#define PARLEY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct picks;
struct run_info;
struct tally;

struct report {
    struct tally *tally; /* percentiles are worked out where they are asked for */
    const char *source;  /* the folder, the file, the Redis URL */
    const struct run_info *run; /* NULL unknown */
    const struct picks *picks;  /* single turns for pictures; NULL: none wanted */
    int64_t now_us;             /* UTC: when it was made */
    /* Standard output: */
    bool bold;      /* titles in bold, colours by meaning, for a terminal */
    bool ascii;     /* charts without block elements */
    bool verbose;   /* all percentiles */
    unsigned width; /* columns, 0 unknown */
    unsigned lines; /* of the tables, the rest is left out; 0: all of them */
};

#endif
