/* report.h - what all reports are made from. */
#ifndef PARLEY_REPORT_H
#define PARLEY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_info;
struct tally;

struct report {
    struct tally *tally; /* percentiles are worked out where they are asked for */
    const char *source;  /* the folder, the file, the Redis URL */
    const struct run_info *run; /* NULL unknown */
    int64_t now_us;             /* UTC: when it was made */
    bool bold;                  /* headers in bold, for a terminal */
};

#endif
