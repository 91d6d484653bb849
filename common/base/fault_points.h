/* fault_points.h - the table of fault points: the named ones, and three for each
 * script.
 *
 * Flow: i = 0, 1, ... -> fault_points_get until it is false
 */
#ifndef PARLEY_FAULT_POINTS_H
#define PARLEY_FAULT_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { FAULT_POINT_SIZE = 64 };

struct fault_place {
    char name[FAULT_POINT_SIZE];
    const char *where; /* what has just happened, for people */
    bool fails;        /* has the action `fail` */
    bool cuts;         /* has the action `cut` */
};

/* The i-th point; false: there are no more. */
bool fault_points_get(size_t i, struct fault_place *ret_place);
bool fault_points_find(const char *name, struct fault_place *ret_place);
/* Markdown: a table of the named points and of what each script has, and a line with
 * the scripts' names. False: `to` cannot be written. */
bool fault_points_print(FILE *to);

#endif
