/* sentence.h - where a sentence ends, for cutting a reply that is too long. Pure. */
#ifndef PARLEY_SENTENCE_H
#define PARLEY_SENTENCE_H

#include <stddef.h>

#include "base/str.h"

/* The bytes up to and with the end of the last whole sentence, its closing quotes and
 * brackets included; 0: there is none. A sentence ends with . ! ? or an ellipsis before
 * a blank or the end, but not behind a single letter or a title such as "Mr."; and with
 * the stops of other scripts (wide ones, danda, Arabic, Armenian, Greek, Ethiopic,
 * Khmer, Burmese) anywhere. Scripts without any, such as Thai, have no sentences here.
 */
size_t sentence_end(struct str text);

#endif
