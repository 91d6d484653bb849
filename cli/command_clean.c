/* command_clean.c - `parley clean`, the conversations: see clean.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/utf8.h"
#include "cli/clean.h"
#include "cli/commands.h"
#include "net/redis_sync.h"
#include "proto/json_write.h"
#include "scripts/scripts.h"

enum { TEXT_SIZE = 32, LINE_MAX_BYTES = 16384, EXIT_SOME_STAYED = 1 };

struct clean {
    struct fleet *fleet;
    const struct config *config;
    char *out;         /* owned: where the exports go; NULL: none are made */
    int64_t before_us; /* what ended before that is old enough */
    bool counting;     /* nothing is done yet */
    struct clean_item items[CLEAN_PAGE];
    size_t count; /* of items */
    size_t due;   /* found in all */
    size_t stayed;
    size_t failed;         /* of these: should have been removed */
    char state[TEXT_SIZE]; /* of the one looked at last */
};

/* ---- which ---- */

struct looking {
    struct clean *clean;
    struct clean_item *item;
};

static void on_talk(void *owner, const struct redis_answer *answer)
{
    struct looking *looking = owner;

    if (answer->outcome != REDIS_OK)
        return;
    (void)snprintf(looking->clean->state, TEXT_SIZE, "%s",
                   log_safe(redis_item_text(answer->value, 0)));
    looking->item->ended_us = redis_item_i64(answer->value, 1, 0);
    looking->item->turns = redis_item_i64(answer->value, 2, 0);
}

/* Reads the conversation into the next item; the caller counts it or not. */
static bool look(struct clean *clean, const char *id, struct err *err)
{
    struct clean_item *item = &clean->items[clean->count];
    struct looking looking = {clean, item};
    char key[KEY_SIZE];
    const char *words[] = {"HMGET", key, "state", "ended_at", "turns", NULL};

    *item = (struct clean_item){0};
    clean->state[0] = '\0';
    fmt_into(item->id, sizeof item->id, "%s", id);
    (void)key_make(&clean->fleet->keys, "conversation", id, key);
    return fleet_ask(clean->fleet, words, on_talk, &looking, err);
}

static bool has_ended(const struct clean *clean)
{
    return strcmp(clean->state, "ended") == 0;
}

/* ---- removing ---- */

static void tell(struct clean *clean, const struct clean_item *item, const char *what)
{
    char ended[CLOCK_TEXT_SIZE];
    struct buf line;

    clock_format_us(item->ended_us, ended);
    buf_init(&line, LINE_MAX_BYTES);
    if (clean->config->json) {
        buf_add_text(&line, "{\"conversation\":");
        json_write_text(&line, item->id);
        buf_printf(&line,
                   ",\"ended_at\":\"%s\",\"turns\":%" PRId64 ",\"folder\":", ended,
                   item->turns);
        json_write_text(&line, item->folder);
        buf_add_text(&line, ",\"result\":");
        json_write_text(&line, what);
        buf_add_char(&line, '}');
    } else {
        buf_printf(&line, "%-20s  %6" PRId64 " turns  ended %.19sZ  %s%s%s", item->id,
                   item->turns, ended, what, item->folder == NULL ? "" : ", kept in ",
                   item->folder == NULL ? "" : item->folder);
    }
    printf("%s\n", buf_text(&line));
    buf_done(&line);
}

static void on_forgotten(void *owner, const struct redis_answer *answer)
{
    char *word = owner;

    if (answer->outcome == REDIS_OK)
        (void)snprintf(word, TEXT_SIZE, "%s",
                       log_safe(redis_item_text(answer->value, 0)));
}

/* As redis_sync_call would, for a script. */
static bool forget(struct clean *clean, const char *id, char word[TEXT_SIZE],
                   struct err *err)
{
    static const char *const own[] = {"conversation", "cast", "transcript", "live"};
    const struct redis_script *script = script_get(SCRIPT_FORGET);
    const struct keys *keys = &clean->fleet->keys;
    char names[7][KEY_SIZE];
    struct str words[11] = {str_of("EVAL"), str_make(script->text, script->text_len),
                            str_of("7")};
    struct redis_call call = {.argc = 11,
                              .argv = words,
                              .on_answer = on_forgotten,
                              .owner = word,
                              .again = true};

    for (size_t i = 0; i < 4; i++)
        words[3 + i] = key_make(keys, own[i], id, names[i]);
    words[7] = key_make(keys, "conversations", NULL, names[4]);
    words[8] = key_make(keys, "due", NULL, names[5]);
    words[9] = key_make(keys, "asked", id, names[6]);
    words[10] = str_of(id);
    word[0] = '\0';
    return redis_sync_call(clean->fleet->loop, clean->fleet->redis, &call, err);
}

static bool remove_one(struct clean *clean, struct clean_item *item, struct err *err)
{
    char word[TEXT_SIZE];

    if (item->trouble.code != ERR_NONE) {
        clean->stayed++;
        clean->failed++;
        fprintf(stderr, "parley clean: %s stays, it could not be exported: %s\n",
                item->id, item->trouble.msg);
        return true;
    }
    if (clean->config->dry_run) {
        clean->stayed++;
        tell(clean, item, "would be removed");
        return true;
    }
    if (!forget(clean, item->id, word, err))
        return false;
    if (strcmp(word, "NO") == 0) {
        clean->stayed++;
        clean->failed++;
        fprintf(stderr, "parley clean: %s stays, it goes on\n", item->id);
        return true;
    }
    tell(clean, item, "removed");
    return true;
}

/* Exports and removes the items, and lets go of them. */
static bool settle(struct clean *clean, struct err *err)
{
    bool ok = true;

    clean->due += clean->count;
    if (clean->out != NULL && !clean->counting && !clean->config->dry_run)
        ok = clean_export(clean->fleet, clean->out, clean->items, clean->count, err);
    for (size_t i = 0; i < clean->count; i++) {
        if (clean->counting)
            clean->stayed++;
        else
            ok = ok && remove_one(clean, &clean->items[i], err);
        free(clean->items[i].folder);
    }
    clean->count = 0;
    return ok;
}

/* ---- all of them ---- */

struct ids {
    char at[CLEAN_PAGE][CONVERSATION_SIZE];
    size_t count;
};

static void on_ids(void *owner, const struct redis_answer *answer)
{
    struct ids *ids = owner;

    ids->count = answer->outcome == REDIS_OK ? answer->value->count : 0;
    if (ids->count > CLEAN_PAGE)
        ids->count = CLEAN_PAGE;
    for (size_t i = 0; i < ids->count; i++) {
        struct str id = redis_item_text(answer->value, i);

        fmt_into(ids->at[i], CONVERSATION_SIZE, "%.*s",
                 conversation_id_valid(id) ? (int)id.len : 0, id.at);
    }
}

static bool may_remove(const struct clean *clean)
{
    return !clean->counting && !clean->config->dry_run;
}

static void on_left(void *owner, const struct redis_answer *answer)
{
    *(int64_t *)owner = answer->outcome == REDIS_OK ? answer->value->integer : 0;
}

/* A name without a state: forgotten when nothing is behind it. What is left of one
 * whose hash is gone (thrown out by a full Redis) cannot be exported whole: it stays.
 */
static bool take_nameless(struct clean *clean, const char *id, struct err *err)
{
    char keys[3][KEY_SIZE];
    const char *words[] = {"EXISTS", keys[0], keys[1], keys[2], NULL};
    char word[TEXT_SIZE];
    int64_t left = 0;

    (void)key_make(&clean->fleet->keys, "conversation", id, keys[0]);
    (void)key_make(&clean->fleet->keys, "cast", id, keys[1]);
    (void)key_make(&clean->fleet->keys, "transcript", id, keys[2]);
    if (!fleet_ask(clean->fleet, words, on_left, &left, err))
        return false;
    if (left == 0 || clean->out == NULL)
        return forget(clean, id, word, err);
    clean->stayed++;
    clean->failed++;
    fprintf(stderr, "parley clean: %s stays, Redis has only parts of it\n", id);
    return true;
}

static bool take_page(struct clean *clean, const struct ids *ids, struct err *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < ids->count; i++) {
        const struct clean_item *item = &clean->items[clean->count];

        if (ids->at[i][0] == '\0') {
            clean->stayed++; /* not a name of ours */
            continue;
        }
        ok = look(clean, ids->at[i], err);
        if (has_ended(clean) && item->ended_us <= clean->before_us)
            clean->count++;
        else if (ok && clean->state[0] == '\0' && may_remove(clean))
            ok = take_nameless(clean, ids->at[i], err);
        else
            clean->stayed++;
    }
    return ok && settle(clean, err);
}

/* What was removed is not in the set any more: the next page begins behind those that
 * stayed. */
static bool take_all(struct clean *clean, bool counting, struct err *err)
{
    struct ids ids;
    char key[KEY_SIZE];

    clean->counting = counting;
    clean->due = clean->stayed = 0;
    (void)key_make(&clean->fleet->keys, "conversations", NULL, key);
    do {
        char from[TEXT_SIZE];
        char to[TEXT_SIZE];
        const char *words[] = {"ZRANGE", key, from, to, NULL};

        fmt_into(from, sizeof from, "%zu", clean->stayed);
        fmt_into(to, sizeof to, "%zu", clean->stayed + CLEAN_PAGE - 1);
        if (!fleet_ask(clean->fleet, words, on_ids, &ids, err)
            || !take_page(clean, &ids, err))
            return false;
    } while (ids.count == CLEAN_PAGE);
    return true;
}

static bool take_given(struct clean *clean, char **ids, int count, struct err *err)
{
    clean->counting = false;
    for (int i = 0; i < count; i++) {
        if (!look(clean, ids[i], err))
            return false;
        if (!has_ended(clean)) {
            clean->failed++;
            fprintf(stderr, "parley clean: %s stays, %s%s\n", ids[i],
                    clean->state[0] == '\0' ? "there is no such conversation"
                                            : "it is ",
                    clean->state);
            continue;
        }
        clean->count++;
        if (clean->count == CLEAN_PAGE && !settle(clean, err))
            return false;
    }
    return settle(clean, err);
}

bool clean_asked(const struct config *config, size_t count, const char *what,
                 const char *where)
{
    char answer[16];

    if (config->yes || config->dry_run || count == 0 || isatty(STDIN_FILENO) == 0)
        return true;
    fprintf(stderr, "Remove %zu %s from %s%s? [y/N] ", count, what, where,
            config->no_export ? ", without keeping a copy" : "");
    return fgets(answer, sizeof answer, stdin) != NULL
           && (answer[0] == 'y' || answer[0] == 'Y');
}

static bool asks(const struct clean *clean)
{
    return !clean->config->yes && !clean->config->dry_run && isatty(STDIN_FILENO) != 0;
}

/* Where it would be asked, all are counted first. */
static bool take(struct clean *clean, char **ids, int count, struct err *err)
{
    char *where = redis_target_text(&clean->fleet->target);
    bool go_on = true;
    bool ok = true;

    if (count > 0)
        go_on = clean_asked(clean->config, (size_t)count, "ended conversations", where);
    else if (asks(clean)) {
        ok = take_all(clean, true, err);
        go_on =
            ok && clean_asked(clean->config, clean->due, "ended conversations", where);
    }
    free(where);
    clean->stayed = 0;
    if (!ok || !go_on)
        return ok;
    return count > 0 ? take_given(clean, ids, count, err) : take_all(clean, false, err);
}

/* ---- the command ---- */

/* --out alone, when it is not empty: run.out of a config file is a run's folder. */
static bool find_out(const struct config_loaded *loaded, struct clean *clean,
                     struct err *err)
{
    size_t row = opt_by_flag(&loaded->set, "out");
    char *runs = NULL;

    if (clean->config->no_export)
        return true;
    if (loaded->set.from[row] == OPT_FLAG_GIVEN && clean->config->out != NULL) {
        clean->out = x_strdup(clean->config->out);
        return true;
    }
    if (!fleet_runs_folder(&runs, err))
        return false;
    clean->out = x_printf("%.*s/exports", (int)(strrchr(runs, '/') - runs), runs);
    free(runs);
    return true;
}

static bool ids_are_good(char **ids, int count, struct err *err)
{
    for (int i = 0; i < count; i++)
        if (!conversation_id_valid(str_of(ids[i])))
            return err_set(err, ERR_USAGE, "'%.60s' is not a conversation's id",
                           log_safe(str_of(ids[i])));
    return true;
}

int command_clean(const struct config_loaded *loaded, char **words, struct err *err)
{
    const struct config *config = &loaded->values;
    struct clean clean = {.config = config};
    struct fleet fleet;
    bool ok;

    if (config->runs)
        return loaded->rest == 0 ? clean_runs(config, err)
                                 : (err_set(err, ERR_USAGE, "--runs takes no ids"), 2);
    if (!ids_are_good(words, loaded->rest, err) || !find_out(loaded, &clean, err)
        || !fleet_open(loaded, &fleet, err)) {
        free(clean.out);
        return err_exit_status(err);
    }
    clean.fleet = &fleet;
    clean.before_us = clock_wall_us() - config->older_than_ms * 1000;
    ok = take(&clean, words, loaded->rest, err);
    if (ok && clean.due == 0 && !config->json)
        fprintf(stderr, "parley clean: nothing to remove\n");
    fleet_close(&fleet);
    free(clean.out);
    if (!ok)
        return err_exit_status(err);
    return clean.failed > 0 ? EXIT_SOME_STAYED : 0;
}
