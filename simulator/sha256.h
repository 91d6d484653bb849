/* sha256.h - the hash SHA-256 (FIPS 180-4), so that the ledger can tell prompts apart
 * without keeping them. Pure.
 */
#ifndef PARLEY_SHA256_H
#define PARLEY_SHA256_H

#include "base/str.h"

enum { SHA256_TEXT_SIZE = 65 };
/* In small hexadecimal letters. */
void sha256_text(struct str bytes, char ret_text[SHA256_TEXT_SIZE]);

#endif
