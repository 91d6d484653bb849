/* command_dead.c - `parley dead`: the turns that were given up because they may be what
 * killed the workers (K:dead). Lists and shows them; has one tried again, or its record
 * dropped, through the leader.
 *
 * Flow: list, show: XRANGE -> each record -> a row, lines or JSON
 *       retry, drop: XRANGE (its conversation) -> K:control -> the answer in words
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "cli/column.h"
#include "cli/commands.h"
#include "cli/fleet.h"
#include "cli/order.h"
#include "net/redis_value.h"
#include "proto/json_write.h"

enum {
    PAGE = 500,
    ID_SIZE = 48,
    VALID_MS = 5000,
    EXIT_REFUSED = 1,
    OUT_MAX_BYTES = 64 << 20, /* of a record */
    ID_COLUMN = 20,
    WHEN_COLUMN = 19
};

struct burials {
    struct fleet *fleet;
    bool json;
    struct buf out;
    size_t count;     /* of this page */
    bool any;         /* a record was listed */
    bool too_large;   /* one was, and is not shown */
    char id[ID_SIZE]; /* the last one read */
    char conversation[CONVERSATION_SIZE];
};

/* ---- showing ---- */

static void write_json(struct buf *out, struct str id, const struct redis_value *fields)
{
    static const char *const counts[] = {"turn", "issue", "seat", "lane", "deliveries"};
    static const char *const texts[] = {"request", "worker", "error", "text"};
    char at[CLOCK_TEXT_SIZE];

    clock_format_us(redis_field_i64(fields, "at", 0), at);
    buf_add_text(out, "{\"id\":");
    json_write_string(out, id);
    buf_add_text(out, ",\"conversation\":");
    json_write_string(out, redis_field(fields, "conversation"));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        buf_printf(out, ",\"%s\":", counts[i]);
        json_write_count(out, redis_field_i64(fields, counts[i], -1));
    }
    buf_add_text(out, ",\"at\":");
    json_write_text(out, at);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buf_printf(out, ",\"%s\":", texts[i]);
        json_write_string(out, redis_field(fields, texts[i]));
    }
    buf_add_text(out, "}\n");
}

static void write_row(struct buf *out, struct str id, const struct redis_value *fields)
{
    char at[CLOCK_TEXT_SIZE];

    clock_format_us(redis_field_i64(fields, "at", 0), at);
    column_add(out, id, ID_COLUMN);
    column_add(out, redis_field(fields, "conversation"), ID_COLUMN);
    buf_printf(out, "%6" PRId64 " %4" PRId64 " %4" PRId64 " %9" PRId64 "  ",
               redis_field_i64(fields, "turn", 0), redis_field_i64(fields, "seat", 0),
               redis_field_i64(fields, "lane", 0),
               redis_field_i64(fields, "deliveries", 0));
    column_add(out, str_of(at), WHEN_COLUMN);
    buf_add_char(out, '\n');
}

/* A time is told as one. */
static void write_value(struct buf *out, struct str field, struct str value)
{
    char text[CLOCK_TEXT_SIZE];
    int64_t at_us;

    if (str_is(field, "at") && str_to_i64(value, 0, INT64_MAX, &at_us)) {
        clock_format_us(at_us, text);
        value = str_of(text);
    }
    (void)utf8_harmless(value, false, out);
}

/* All it holds, whatever it is. */
static void write_lines(struct buf *out, struct str id,
                        const struct redis_value *fields)
{
    buf_printf(out, "%-13s %s\n", "id", log_safe(id));
    for (size_t i = 0; i + 1 < fields->count; i += 2) {
        column_add(out, redis_item_text(fields, i), 13);
        write_value(out, redis_item_text(fields, i), redis_item_text(fields, i + 1));
        buf_add_char(out, '\n');
    }
}

/* One by one: what a hostile record holds may fill the buffer. */
static void print_out(struct burials *burials)
{
    burials->too_large = burials->too_large || burials->out.overflowed;
    if (!burials->out.overflowed)
        (void)fwrite(buf_text(&burials->out), 1, burials->out.len, stdout);
    buf_clear(&burials->out);
}

static void on_records(void *owner, const struct redis_answer *answer)
{
    struct burials *burials = owner;

    burials->count = answer->outcome == REDIS_OK ? answer->value->count : 0;
    if (!burials->any && burials->count > 0 && !burials->json)
        printf("%-*s %-*s %6s %4s %4s %9s  %s\n", ID_COLUMN, "id", ID_COLUMN,
               "conversation", "turn", "seat", "lane", "delivered", "when");
    burials->any = burials->any || burials->count > 0;
    for (size_t i = 0; i < burials->count; i++) {
        const struct redis_value *entry = redis_item(answer->value, i);
        struct str id = redis_item_text(entry, 0);

        (void)snprintf(burials->id, ID_SIZE, "%.*s", (int)id.len, id.at); /* 41 most */
        if (burials->json)
            write_json(&burials->out, id, redis_item(entry, 1));
        else
            write_row(&burials->out, id, redis_item(entry, 1));
        print_out(burials);
    }
}

static bool all_shown(const struct burials *burials, struct err *err)
{
    return !burials->too_large
           || err_set(err, ERR_LIMIT, "a record is too large to be shown");
}

static bool list(struct burials *burials, struct err *err)
{
    char key[KEY_SIZE];
    char from[ID_SIZE + 1] = "-";
    const char *words[] = {"XRANGE", key, from, "+", "COUNT", "500", NULL};

    (void)key_make(&burials->fleet->keys, "dead", NULL, key);
    do {
        if (!fleet_ask(burials->fleet, words, on_records, burials, err))
            return false;
        fmt_into(from, sizeof from, "(%s", burials->id);
    } while (burials->count == PAGE);
    if (!burials->any && !burials->json)
        printf("no turn was given up\n");
    return all_shown(burials, err);
}

static void on_record(void *owner, const struct redis_answer *answer)
{
    struct burials *burials = owner;
    const struct redis_value *entry;
    struct str conversation;

    burials->count = answer->outcome == REDIS_OK ? answer->value->count : 0;
    if (burials->count == 0)
        return;
    entry = redis_item(answer->value, 0);
    conversation = redis_field(redis_item(entry, 1), "conversation");
    if (conversation_id_valid(conversation))
        (void)snprintf(burials->conversation, CONVERSATION_SIZE, "%.*s",
                       (int)conversation.len, conversation.at); /* fits: it is valid */
    if (burials->json)
        write_json(&burials->out, redis_item_text(entry, 0), redis_item(entry, 1));
    else
        write_lines(&burials->out, redis_item_text(entry, 0), redis_item(entry, 1));
}

/* Its conversation and how it is shown; ERR_FORMAT when there is none. */
static bool find(struct burials *burials, const char *id, struct err *err)
{
    char key[KEY_SIZE];
    const char *words[] = {"XRANGE", key, id, id, NULL};

    (void)key_make(&burials->fleet->keys, "dead", NULL, key);
    burials->conversation[0] = '\0';
    buf_clear(&burials->out);
    if (!fleet_ask(burials->fleet, words, on_record, burials, err))
        return false;
    return burials->count > 0
           || err_set(err, ERR_FORMAT, "there is no record %s (parley dead list)", id);
}

static bool show(struct burials *burials, const char *id, struct err *err)
{
    if (!find(burials, id, err))
        return false;
    print_out(burials);
    return all_shown(burials, err);
}

/* ---- asking the leader ---- */

static bool order(struct burials *burials, const char *command, const char *id,
                  struct err *err)
{
    char answer[COMMAND_ANSWER_SIZE];
    char told[COMMAND_TEXT_SIZE];
    char args[ID_SIZE + 16];
    struct command_ask ask = {.keys = &burials->fleet->keys,
                              .command = command,
                              .conversation = burials->conversation,
                              .valid_ms = VALID_MS};

    if (!find(burials, id, err))
        return false;
    fmt_into(args, sizeof args, "{\"record\":\"%s\"}", id);
    ask.args = str_of(args);
    if (!order_wait(burials->fleet->loop, burials->fleet->redis, &ask, answer, err))
        return false;
    if (!command_told(command, str_of(answer), told))
        return err_set(err, ERR_FORMAT, "%s %s: %s", command, id, told);
    if (strcmp(command, "drop") == 0)
        printf("%s is dropped\n", id);
    else
        printf("%s: %s goes on\n", id, burials->conversation);
    return true;
}

/* ---- the command ---- */

static bool is_entry_id(const char *word)
{
    size_t ms = strspn(word, "0123456789");
    size_t seq = word[ms] == '-' ? strspn(word + ms + 1, "0123456789") : 0;

    return ms > 0 && seq > 0 && word[ms + 1 + seq] == '\0' && ms + seq < ID_SIZE - 8;
}

static bool check_words(const struct config_loaded *loaded, char **words,
                        struct err *err)
{
    const char *what = loaded->rest == 0 ? "" : words[0];
    bool lists = strcmp(what, "list") == 0;

    if (!lists && strcmp(what, "show") != 0 && strcmp(what, "retry") != 0
        && strcmp(what, "drop") != 0)
        return err_set(err, ERR_USAGE, "expected list, show, retry or drop");
    if (lists ? loaded->rest > 1 : loaded->rest < 2)
        return err_set(err, ERR_USAGE,
                       lists ? "list takes no id" : "which one? parley dead list");
    for (int i = 1; i < loaded->rest; i++)
        if (!is_entry_id(words[i]))
            return err_set(err, ERR_USAGE, "'%.60s' is not a record's id",
                           log_safe(str_of(words[i])));
    return true;
}

static bool run(struct burials *burials, const char *what, char **ids, int count,
                struct err *err)
{
    bool ok = true;

    if (strcmp(what, "list") == 0)
        return list(burials, err);
    for (int i = 0; ok && i < count; i++)
        ok = strcmp(what, "show") == 0 ? show(burials, ids[i], err)
                                       : order(burials, what, ids[i], err);
    return ok;
}

int command_dead(const struct config_loaded *loaded, char **words, struct err *err)
{
    struct fleet fleet;
    struct burials burials = {.fleet = &fleet, .json = loaded->values.json};
    bool ok;

    if (!check_words(loaded, words, err) || !fleet_open(loaded, &fleet, err))
        return err_exit_status(err);
    buf_init(&burials.out, OUT_MAX_BYTES);
    ok = run(&burials, words[0], words + 1, loaded->rest - 1, err);
    buf_done(&burials.out);
    fleet_close(&fleet);
    return ok ? 0 : EXIT_REFUSED;
}
