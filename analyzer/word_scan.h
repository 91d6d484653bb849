/* word_scan.h - the words of a text, one after the other, as hashes, and its sentences.
 * Pure; see speech_talk.h for what a word is.
 */
#ifndef PARLEY_WORD_SCAN_H
#define PARLEY_WORD_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct word_scan {
    struct str left;   /* of the text */
    bool open;         /* words since the last end of a sentence */
    int64_t sentences; /* ended so far; all of them once the text is over */
};

/* Starts with {.left = text}. False at the end; the hash is never 0. */
bool word_scan_next(struct word_scan *scan, uint32_t *ret_hash);

#endif
