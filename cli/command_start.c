/* command_start.c - start, stop, pause, resume, say: commands through K:control. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/fleet.h"
#include "cli/order.h"
#include "cli/wish_cast.h"
#include "proto/wish.h"

enum { WISH_MAX_BYTES = 2 << 20, EXIT_REFUSED = 1 };

/* Asks; *ret_told says in words how it went when it went well. */
static bool ask_fleet(struct fleet *fleet, const struct command_ask *ask,
                      char ret_told[COMMAND_TEXT_SIZE], struct err *err)
{
    char answer[COMMAND_ANSWER_SIZE];

    if (!order_wait(fleet->loop, fleet->redis, ask, answer, err))
        return false;
    if (strcmp(answer, "GONE") == 0)
        return err_set(err, ERR_FORMAT, "there is no conversation %s",
                       ask->conversation);
    return command_told(ask->command, str_of(answer), ret_told)
           || err_set(err, ERR_FORMAT, "%s %s: %s", ask->command, ask->conversation,
                      ret_told);
}

static bool start_one(struct fleet *fleet, const struct wish *wish, bool as_json,
                      struct err *err)
{
    struct command_ask ask = {
        .keys = &fleet->keys, .command = "start", .valid_ms = COMMAND_VALID_MS};
    char id[CONVERSATION_SIZE];
    char told[COMMAND_TEXT_SIZE];
    struct buf json;
    bool ok;

    conversation_id_make(&fleet->keys, id);
    buf_init(&json, WISH_MAX_BYTES);
    ok = wish_format(wish, &json)
         || err_set(err, ERR_LIMIT, "topic and story are too large");
    ask.conversation = id;
    ask.args = buf_str(&json);
    ok = ok && ask_fleet(fleet, &ask, told, err);
    if (ok)
        printf(as_json ? "{\"conversation\":\"%s\"}\n" : "%s\n", id);
    buf_done(&json);
    return ok;
}

int command_start(const struct config_loaded *loaded, char **words, struct err *err)
{
    const struct config *config = &loaded->values;
    struct fleet fleet;
    struct wish wish;
    bool ok = true;

    (void)words;
    /* What is wrong with the wish is told before Redis is asked. */
    if (!wish_from_config(loaded, false, &wish, err))
        return err_exit_status(err);
    if (!wish_cast_agrees(&wish, config, false, err)
        || !fleet_open(loaded, &fleet, err)) {
        wish_done(&wish);
        return err_exit_status(err);
    }
    for (int64_t i = 1; ok && i <= config->conversations; i++) {
        wish_set_number(&wish, config, i, config->seed);
        ok = start_one(&fleet, &wish, config->json, err);
    }
    fleet_close(&fleet);
    wish_done(&wish);
    return ok ? 0 : err_exit_status(err);
}

static int control(const struct config_loaded *loaded, char **words,
                   const char *command, const char *args, struct err *err)
{
    struct command_ask ask = {
        .command = command, .args = str_of(args), .valid_ms = COMMAND_VALID_MS};
    struct fleet fleet;
    char told[COMMAND_TEXT_SIZE];
    bool ok = true;

    if (loaded->rest == 0) {
        err_set(err, ERR_USAGE, "which conversation? parley list shows their ids");
        return err_exit_status(err);
    }
    for (int i = 0; i < loaded->rest; i++)
        if (!conversation_id_valid(str_of(words[i]))) {
            err_set(err, ERR_USAGE, "'%.60s' is not a conversation's id",
                    log_safe(str_of(words[i])));
            return err_exit_status(err);
        }
    if (!fleet_open(loaded, &fleet, err))
        return err_exit_status(err);
    ask.keys = &fleet.keys;
    for (int i = 0; ok && i < loaded->rest; i++) {
        ask.conversation = words[i];
        ok = ask_fleet(&fleet, &ask, told, err);
        if (ok)
            printf("%s %s\n", words[i], told);
    }
    fleet_close(&fleet);
    return ok ? 0 : EXIT_REFUSED;
}

int command_stop(const struct config_loaded *loaded, char **words, struct err *err)
{
    return control(
        loaded, words, "stop",
        loaded->values.after_turn ? "{\"mode\":\"grace\"}" : "{\"mode\":\"now\"}", err);
}

int command_pause(const struct config_loaded *loaded, char **words, struct err *err)
{
    return control(loaded, words, "pause",
                   loaded->values.cancel ? "{\"cancel\":true}" : "", err);
}

int command_resume(const struct config_loaded *loaded, char **words, struct err *err)
{
    return control(loaded, words, "resume", "", err);
}

/* ---- say ---- */

/* The words behind the id, a blank between them. */
static bool join(char *const *words, int count, struct buf *into)
{
    bool ok = true;

    for (int i = 1; ok && i < count; i++)
        ok = (i == 1 || buf_add_char(into, ' ')) && buf_add_text(into, words[i]);
    return ok;
}

static bool say_args(const struct config_loaded *loaded, char *const *words,
                     int64_t seat, struct buf *args, struct err *err)
{
    struct buf text;
    bool ok;

    if (loaded->rest == 0)
        return err_set(err, ERR_USAGE,
                       "which conversation? parley list shows their ids");
    if (!conversation_id_valid(str_of(words[0])))
        return err_set(err, ERR_USAGE, "'%.60s' is not a conversation's id",
                       log_safe(str_of(words[0])));
    buf_init(&text, COMMAND_SAID_MAX_BYTES);
    ok = join(words, loaded->rest, &text)
             ? command_say_args(seat, buf_str(&text), args, err)
             : err_set(err, ERR_USAGE, "that is too much to say: at most %d bytes",
                       COMMAND_SAID_MAX_BYTES);
    buf_done(&text);
    return ok;
}

static bool say_it(const struct config_loaded *loaded, const char *id, struct str args,
                   struct err *err)
{
    struct fleet fleet;
    struct command_ask ask = {.keys = &fleet.keys,
                              .command = "say",
                              .conversation = id,
                              .args = args,
                              .valid_ms = COMMAND_VALID_MS};
    char told[COMMAND_TEXT_SIZE];
    bool ok;

    if (!fleet_open(loaded, &fleet, err))
        return false;
    ok = ask_fleet(&fleet, &ask, told, err);
    if (ok)
        printf("%s %s\n", id, told);
    fleet_close(&fleet);
    return ok;
}

static int say(const struct config_loaded *loaded, char **words, int64_t seat,
               struct err *err)
{
    struct buf args;
    bool ok;

    buf_init(&args, WISH_MAX_BYTES);
    ok = say_args(loaded, words, seat, &args, err)
         && say_it(loaded, words[0], buf_str(&args), err);
    buf_done(&args);
    if (ok)
        return 0;
    return err->code == ERR_FORMAT ? EXIT_REFUSED : err_exit_status(err);
}

int command_say(const struct config_loaded *loaded, char **words, struct err *err)
{
    return say(loaded, words, loaded->values.to, err);
}

int command_inject(const struct config_loaded *loaded, char **words, struct err *err)
{
    return say(loaded, words, 0, err);
}
