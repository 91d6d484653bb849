/* command_start.c - start, stop, pause, resume: commands through K:control. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/fleet.h"
#include "cli/order.h"
#include "cli/wish_cast.h"
#include "proto/wish.h"

enum { VALID_MS = 5000, WISH_MAX_BYTES = 2 << 20, EXIT_REFUSED = 1 };

/* Asks and looks at the answer's first word: OK and DUP are well. */
static bool ask_fleet(struct fleet *fleet, const struct command_ask *ask,
                      char answer[COMMAND_ANSWER_SIZE], struct err *err)
{
    if (!order_wait(fleet->loop, fleet->redis, ask, answer, err))
        return false;
    if (str_starts(str_of(answer), "OK") || str_starts(str_of(answer), "DUP"))
        return true;
    if (str_is(str_of(answer), "GONE"))
        return err_set(err, ERR_FORMAT, "there is no conversation %s",
                       ask->conversation);
    return err_set(err, ERR_FORMAT, "%s %s was refused: it is %s", ask->command,
                   ask->conversation,
                   str_starts(str_of(answer), "NO ") ? answer + 3 : answer);
}

static bool start_one(struct fleet *fleet, const struct wish *wish, bool as_json,
                      struct err *err)
{
    struct command_ask ask = {
        .keys = &fleet->keys, .command = "start", .valid_ms = VALID_MS};
    char id[CONVERSATION_SIZE];
    char answer[COMMAND_ANSWER_SIZE];
    struct buf json;
    bool ok;

    conversation_id_make(&fleet->keys, id);
    buf_init(&json, WISH_MAX_BYTES);
    ok = wish_format(wish, &json)
         || err_set(err, ERR_LIMIT, "topic and story are too large");
    ask.conversation = id;
    ask.args = buf_str(&json);
    ok = ok && ask_fleet(fleet, &ask, answer, err);
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

/* The scripts' answers in words for people. */
static const char *told(const char *command, const char *answer)
{
    static const struct {
        const char *command;
        const char *answer;
        const char *words;
    } words[] = {
        {"pause", "OK", "is paused"},
        {"pause", "DUP", "was paused already"},
        {"resume", "OK", "goes on"},
        {"resume", "DUP", "was running already"},
        {"stop", "OK closing", "ends after the turn in flight"},
        {"stop", "OK", "has ended"},
        {"stop", "DUP", "was ended already, or is ending"},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].command, command) == 0
            && str_starts(str_of(answer), words[i].answer))
            return words[i].words;
    return answer;
}

static int control(const struct config_loaded *loaded, char **words,
                   const char *command, const char *args, struct err *err)
{
    struct command_ask ask = {
        .command = command, .args = str_of(args), .valid_ms = VALID_MS};
    struct fleet fleet;
    char answer[COMMAND_ANSWER_SIZE];
    bool ok = true;

    if (loaded->rest == 0) {
        err_set(err, ERR_USAGE, "which conversation? parley list shows their ids");
        return err_exit_status(err);
    }
    for (int i = 0; i < loaded->rest; i++)
        if (!conversation_id_valid(str_of(words[i]))) {
            err_set(err, ERR_USAGE, "'%.60s' is not a conversation's id", words[i]);
            return err_exit_status(err);
        }
    if (!fleet_open(loaded, &fleet, err))
        return err_exit_status(err);
    ask.keys = &fleet.keys;
    for (int i = 0; ok && i < loaded->rest; i++) {
        ask.conversation = words[i];
        ok = ask_fleet(&fleet, &ask, answer, err);
        if (ok)
            printf("%s %s\n", words[i], told(command, answer));
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
    return control(loaded, words, "pause", "", err);
}

int command_resume(const struct config_loaded *loaded, char **words, struct err *err)
{
    return control(loaded, words, "resume", "", err);
}
