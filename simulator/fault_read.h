/* fault_read.h - one rule from JSON and back; the short form of the command line. Pure.
 * For fault.c.
 */
#ifndef PARLEY_FAULT_READ_H
#define PARLEY_FAULT_READ_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "simulator/fault.h"

/* *ret_fault is the caller's (fault_done). ERR_USAGE names the field. */
MUST_USE bool fault_read(const json_t *rule, struct fault *ret_fault, struct err *err);
/* "cut=200@0.1,stall=5t,status=503" as a list of rules (the caller's). */
MUST_USE bool fault_read_words(struct str text, json_t **ret_rules, struct err *err);
/* The fields that were given, and rate and factor always. */
void fault_write(const struct fault *fault, struct buf *into);
/* The form of a kind that is meant where none is named; empty: it has none. */
struct str fault_first_form(enum fault_kind kind);

#endif
