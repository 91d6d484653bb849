/* clean.h - `parley clean`: removes what is over, once there is a copy of it.
 *
 * Flow: ids, a page at a time -> those that ended long enough ago -> exported ->
 * forgotten (script `forget`, which takes ended ones only) -> told, one by one
 */
#ifndef PARLEY_CLEAN_H
#define PARLEY_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/fleet.h"
#include "proto/config.h"
#include "proto/keys.h"

/* So many at once: each has two files open while events and calls are read. */
enum { CLEAN_PAGE = 64 };

struct clean_item {
    char id[CONVERSATION_SIZE];
    int64_t ended_us;
    int64_t turns;
    char *folder;       /* owned: where its copy is; NULL: there is none */
    struct err trouble; /* why there is none */
};

/* Writes a folder "<out>/<id>" for each: conversation.json, cast.json, transcript.jsonl
 * and, as far as Redis still has them, events.jsonl and calls.jsonl; each file whole on
 * the disk or not there. Sets folder or trouble of each; false when Redis failed. */
MUST_USE bool clean_export(struct fleet *fleet, const char *out,
                           struct clean_item *items, size_t count, struct err *err);
/* `parley clean --runs`: folders of runs that ended so long ago; never the newest,
 * never one that is alive. The exit status. */
int clean_runs(const struct config *config, struct err *err);
/* Asks on the terminal, when there is one and --yes was not given. True: go on. */
bool clean_asked(const struct config *config, size_t count, const char *what,
                 const char *where);

#endif
