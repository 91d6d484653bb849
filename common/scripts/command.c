/* command.c - see command.h. */
#include "scripts/command.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/utf8.h"
#include "net/redis.h"
#include "proto/json_write.h"

enum { RECORD_MAX_LETTERS = 41 };

bool command_send(struct redis *redis, const struct command_ask *ask, int64_t now_us,
                  char ret_id[COMMAND_ID_LETTERS + 1], struct err *err)
{
    char key[KEY_SIZE];
    char until[24];
    struct str argv[13];
    struct redis_call call = {.argc = 13, .argv = argv, .again = true};

    rng_id(ret_id, COMMAND_ID_LETTERS);
    fmt_into(until, sizeof until, "%lld",
             (long long)now_us + (long long)ask->valid_ms * 1000);
    argv[0] = str_of("XADD");
    argv[1] = key_make(ask->keys, "control", NULL, key);
    argv[2] = str_of("*");
    argv[3] = str_of("id");
    argv[4] = str_of(ret_id);
    argv[5] = str_of("command");
    argv[6] = str_of(ask->command);
    argv[7] = str_of("conversation");
    argv[8] = str_of(ask->conversation);
    argv[9] = str_of("valid_until");
    argv[10] = str_of(until);
    argv[11] = str_of("args");
    argv[12] = ask->args;
    return redis_send(redis, &call)
           || err_set(err, ERR_LIMIT, "too many commands are waiting for Redis");
}

/* ---- arguments ---- */

bool command_say_args(int64_t seat, struct str text, struct buf *into, struct err *err)
{
    text = str_trim(text);
    if (text.len == 0)
        return err_set(err, ERR_USAGE, "there is nothing to say");
    if (text.len > COMMAND_SAID_MAX_BYTES)
        return err_set(err, ERR_USAGE, "%zu bytes are too much to say: at most %d",
                       text.len, COMMAND_SAID_MAX_BYTES);
    if (!utf8_valid(text))
        return err_set(err, ERR_USAGE, "what is to be said is no UTF-8");
    buf_printf(into, "{\"kind\":\"%s\",\"seat\":", seat == 0 ? "event" : "whisper");
    if (seat == 0)
        buf_add_text(into, "null");
    else
        json_write_i64(into, seat);
    buf_add_text(into, ",\"text\":");
    json_write_string(into, text);
    return buf_add_char(into, '}')
           || err_set(err, ERR_LIMIT, "what is to be said is too long");
}

static size_t digits(struct str text)
{
    size_t count = 0;

    while (count < text.len && text.at[count] >= '0' && text.at[count] <= '9')
        count++;
    return count;
}

bool command_record_args(struct str record, struct buf *into, struct err *err)
{
    struct str sequence;
    struct str ms = str_cut(record, '-', &sequence);

    if (record.len > RECORD_MAX_LETTERS || ms.len == 0 || sequence.len == 0
        || digits(ms) < ms.len || digits(sequence) < sequence.len)
        return err_set(err, ERR_USAGE, "'%.60s' is not a record's id",
                       log_safe(record));
    return buf_printf(into, "{\"record\":\"%.*s\"}", (int)record.len, record.at)
           || err_set(err, ERR_LIMIT, "the record's id is too long");
}

/* ---- answers ---- */

struct telling {
    const char *command; /* "": any */
    const char *answer;  /* its first words */
    const char *words;
    bool done;
};
/* The first that fits is told. */
static const struct telling tellings[] = {
    {"pause", "OK", "is paused", true},
    {"pause", "DUP", "was paused already", true},
    {"resume", "OK", "goes on", true},
    {"resume", "DUP", "was running already", true},
    {"stop", "OK closing", "ends after the turn in flight", true},
    {"stop", "OK", "has ended", true},
    {"stop", "DUP", "was ended already, or is ending", true},
    {"say", "OK", "was told: the next turn asked for knows of it", true},
    {"retry", "OK", "goes on", true},
    {"retry", "DUP", "goes on already", true},
    {"drop", "OK", "the record is dropped", true},
    {"drop", "DUP", "the record was dropped already", true},
    {"", "OK", "done", true},
    {"", "DUP", "done already", true},
    {"", "GONE", "there is no such conversation", false},
    {"", "CLASH", "that id is another conversation's", false},
    {"", "NO late", "refused: the manager took too long", false},
    {"", "NO preparing", "refused: its story is still being written", false},
    {"", "NO paused", "refused: it is paused", false},
    {"", "NO running", "refused: it is running", false},
    {"", "NO closing", "refused: it is ending", false},
    {"retry", "NO ended", "refused: it has ended, and not at a turn given up", false},
    {"", "NO ended", "refused: it has ended", false},
    {"", "NO record", "refused: there is no such record any more", false},
    {"", "NO turn", "refused: it is past that turn", false},
    {"", "NO time", "refused: nothing is left of its time", false},
    {"retry", "NO", "refused: it must have failed at that turn", false},
};

static bool begins_with_words(struct str answer, const char *words)
{
    size_t len = strlen(words);

    return str_starts(answer, words) && (answer.len == len || answer.at[len] == ' ');
}

bool command_told(const char *command, struct str answer,
                  char ret_text[COMMAND_TEXT_SIZE])
{
    for (size_t i = 0; i < sizeof tellings / sizeof *tellings; i++) {
        const struct telling *telling = &tellings[i];

        if ((telling->command[0] != '\0' && strcmp(telling->command, command) != 0)
            || !begins_with_words(answer, telling->answer))
            continue;
        fmt_into(ret_text, COMMAND_TEXT_SIZE, "%s", telling->words);
        return telling->done;
    }
    if (str_starts(answer, "NO "))
        answer = str_make(answer.at + 3, answer.len - 3);
    (void)snprintf(ret_text, COMMAND_TEXT_SIZE, "refused: %s", log_safe(answer));
    return false; /* a text that is cut is still one */
}
