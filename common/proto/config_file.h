/* config_file.h - the config file: JSON, a section an object, a key an option. */
#ifndef PARLEY_CONFIG_FILE_H
#define PARLEY_CONFIG_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/opt.h"
#include "proto/endpoint.h"

/* Puts the file's values in (OPT_FILE), and its endpoints into the list. err
 * (ERR_USAGE): "<path>: <key>: '<value>' is not <what is allowed>". */
MUST_USE bool config_read_file(struct opt_set *set, const char *path,
                               struct endpoint_list *endpoints, struct err *err);

#endif
