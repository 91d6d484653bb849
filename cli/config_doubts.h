/* config_doubts.h - what a configuration may say and hardly means: `parley
 * check-config` tells it, and nothing else is changed by it.
 *
 * Where a fault is certain on every machine the config is refused as it is read
 * (proto/config.h); here stands what depends on this machine (a key that is not there)
 * or is allowed and does nothing (a mark without the strategy that heeds it).
 */
#ifndef PARLEY_CONFIG_DOUBTS_H
#define PARLEY_CONFIG_DOUBTS_H

#include <stddef.h>

#include "base/buf.h"
#include "proto/config.h"

/* Adds a line each, "FILE: endpoints.cloud.key_env: ...", harmless; returns how many.
 * Reads key files and the environment. */
size_t config_doubts(const struct config_loaded *loaded, struct buf *into);

#endif
