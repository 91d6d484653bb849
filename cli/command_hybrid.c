/* command_hybrid.c - `parley hybrid [on|off|auto]`: tells the routers of a running
 * fleet which turns go to the cloud, or shows what they were told (docs/routing.md).
 */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/fleet.h"
#include "proto/json_write.h"

enum { LINE_MAX_BYTES = 4096 };

static bool is_mode(const char *word)
{
    return strcmp(word, "on") == 0 || strcmp(word, "off") == 0
           || strcmp(word, "auto") == 0;
}

struct mode {
    const struct config_loaded *loaded;
    struct buf line;
};

static void on_mode(void *owner, const struct redis_answer *answer)
{
    struct mode *mode = owner;
    bool is_set = answer->outcome == REDIS_OK && answer->value->kind == REDIS_TEXT;
    struct str word = is_set ? answer->value->text : str_of("");

    if (mode->loaded->values.json) {
        buf_add_text(&mode->line, "{\"hybrid\":");
        if (is_set)
            json_write_text(&mode->line, log_safe(word));
        else
            buf_add_text(&mode->line, "null");
        buf_add_char(&mode->line, '}');
    } else if (is_set) {
        buf_add_text(&mode->line, log_safe(word));
    } else {
        buf_add_text(&mode->line, "not set: as each process' options say (--hybrid, "
                                  "auto when not given)");
    }
}

/* Sets the mode that was given; shows the one that holds then. */
static bool set_and_show(struct fleet *fleet, const char *word, struct mode *mode,
                         struct err *err)
{
    char key[KEY_SIZE];
    const char *set[] = {"SET", key, word, NULL};
    const char *get[] = {"GET", key, NULL};

    (void)key_endpoint(&fleet->keys, "hybrid", NULL, key);
    return (word == NULL || fleet_ask(fleet, set, NULL, NULL, err))
           && fleet_ask(fleet, get, on_mode, mode, err);
}

int command_hybrid(const struct config_loaded *loaded, char **words, struct err *err)
{
    const char *word = loaded->rest == 1 ? words[0] : NULL;
    struct mode mode = {.loaded = loaded};
    struct fleet fleet;
    bool ok;

    if (loaded->rest > 1 || (word != NULL && !is_mode(word))) {
        err_set(err, ERR_USAGE,
                "'%.60s' is none of on, off, auto (without a word: "
                "shows what holds)",
                log_safe(str_of(words[0])));
        return err_exit_status(err);
    }
    if (!fleet_open(loaded, &fleet, err))
        return err_exit_status(err);
    buf_init(&mode.line, LINE_MAX_BYTES);
    ok = set_and_show(&fleet, word, &mode, err);
    if (ok)
        printf("%s\n", buf_text(&mode.line));
    buf_done(&mode.line);
    fleet_close(&fleet);
    return ok ? 0 : err_exit_status(err);
}
