/* formulas.h - what each number of the report is, in words: part of the help. */
#ifndef PARLEY_FORMULAS_H
#define PARLEY_FORMULAS_H

struct buf;

/* Adds lines of at most 88 letters. */
void formulas_write(struct buf *into);

#endif
