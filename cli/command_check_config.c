/* command_check_config.c - `parley check-config`: whether a run by these options could
 * begin, without a word to any server; and what in them is hardly meant.
 *
 * Flow: the config was read and checked -> prefix and shard -> the plan of each seat
 *       -> doubts told
 */
#include <stdio.h>

#include "base/buf.h"
#include "cli/check_models.h"
#include "cli/commands.h"
#include "cli/config_doubts.h"
#include "cli/wish_cast.h"
#include "proto/keys.h"
#include "proto/wish.h"

enum { DOUBTS_MAX_BYTES = 1 << 20 };

static bool check_wish(const struct config_loaded *loaded, size_t *ret_warnings,
                       struct err *err)
{
    const struct config *config = &loaded->values;
    struct wish wish;
    bool ok;

    if (!wish_from_config(loaded, true, &wish, err))
        return false;
    ok = wish_cast_agrees(&wish, config, true, err)
         && check_plans(config, &wish, ret_warnings, err);
    wish_done(&wish);
    if (ok || err->code != ERR_MODEL || opt_given(&loaded->set, "model"))
        return ok;
    /* Nobody named that model: each run may name its own. */
    fprintf(stderr, "parley check-config: warning: no model.name, and %s\n", err->msg);
    *err = (struct err){0};
    (*ret_warnings)++;
    return true;
}

static void tell(const struct buf *doubts)
{
    struct str rest = buf_str(doubts);

    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);

        fprintf(stderr, "parley check-config: warning: %.*s\n", (int)line.len, line.at);
    }
}

int command_check_config(const struct config_loaded *loaded, char **words,
                         struct err *err)
{
    struct keys keys;
    struct buf doubts;
    size_t warnings = 0;
    size_t count;

    (void)words;
    if (!keys_init(&keys, loaded->values.prefix,
                   loaded->values.shard == NULL ? "0" : loaded->values.shard, err))
        return err_exit_status(err);
    if (!check_wish(loaded, &warnings, err)) {
        err->code = ERR_USAGE; /* nobody was asked: it is the config's fault */
        return err_exit_status(err);
    }
    buf_init(&doubts, DOUBTS_MAX_BYTES);
    count = config_doubts(loaded, &doubts) + warnings;
    tell(&doubts);
    buf_done(&doubts);
    if (count == 0)
        printf("the configuration is good (--show-config prints it)\n");
    else
        printf("the configuration can be used; %zu warning%s\n", count,
               count == 1 ? "" : "s");
    return 0;
}
