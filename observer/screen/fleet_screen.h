/* fleet_screen.h - the fleet: who is at work, the model servers, the lanes, turns given
 * up, events; calls a second and how Redis is above them.
 */
#ifndef PARLEY_FLEET_SCREEN_H
#define PARLEY_FLEET_SCREEN_H

#include "observer/screen/screen.h"

struct source;

/* Host and source are borrowed while the screen lives; its model is its own, and fed by
 * the source while the screen is shown. Free it with its ops' free. */
struct screen fleet_screen_new(const struct screen_host *host,
                               const struct source *source);

#endif
