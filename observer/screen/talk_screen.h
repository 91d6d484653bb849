/* talk_screen.h - one conversation: transcript, the turn being spoken, a panel. */
#ifndef PARLEY_TALK_SCREEN_H
#define PARLEY_TALK_SCREEN_H

#include "observer/screen/screen.h"

struct source;

/* Host and source are borrowed while the screen lives; its model is its own, and fed by
 * the source while the screen is shown. Free it with its ops' free. */
struct screen talk_screen_new(const struct screen_host *host,
                              const struct source *source);

#endif
