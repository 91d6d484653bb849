/* command_persona.c - `parley persona ID`: who takes part in a conversation, with which
 * model, and how each is doing.
 *
 * The cast tells who, the transcript what was said and by which model, the calls of the
 * last hour what failed.
 *
 * Flow: conversation and cast -> transcript -> calls -> a table or JSON
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "cli/column.h"
#include "cli/commands.h"
#include "cli/fleet.h"
#include "cli/pages.h"
#include "proto/cast.h"
#include "proto/json_write.h"
#include "proto/message.h"

/* A seat may be as long as a message, and six times that in JSON's escapes. */
enum { OUT_MAX_BYTES = SEATS_MAX * 6 * MESSAGE_MAX_BYTES, CELL_SIZE = 32 };
enum { TOKENS_MAX = 1 << 30 }; /* more is no count */

struct player {
    struct seat seat;
    int64_t turns;
    int64_t tokens; /* as far as they are known */
    int64_t calls;
    int64_t failed_calls;
    int64_t failed_probes; /* of these */
    char *endpoint;        /* owned: of the last turn, or NULL; as `model` */
    char *model;
    double first_ms;       /* of the last turn; -1 unknown */
    int64_t prompt_tokens; /* of the last turn; -1 unknown */
};
struct players {
    struct player at[SEATS_MAX];
    size_t count;
    char state[16];
    const char *id;
    bool bad; /* a seat of the cast cannot be read */
};

/* ---- from Redis ---- */

static void on_state(void *owner, const struct redis_answer *answer)
{
    struct players *players = owner;
    struct str state = answer->outcome == REDIS_OK ? answer->value->text : str_of("");

    (void)snprintf(players->state, sizeof players->state, "%s",
                   log_safe(state)); /* cut: not one of ours */
}

static void on_cast(void *owner, const struct redis_answer *answer)
{
    struct players *players = owner;

    if (answer->outcome != REDIS_OK)
        return;
    for (size_t i = 0; i < SEATS_MAX; i++) {
        struct player *player = &players->at[i];
        struct err ignored;
        char field[16];
        struct str json;

        fmt_into(field, sizeof field, "seat:%zu", i + 1);
        json = redis_field(answer->value, field);
        if (json.len == 0)
            return;
        if (!seat_parse(json, &player->seat, &ignored)) {
            players->bad = true;
            return;
        }
        player->first_ms = -1;
        player->prompt_tokens = -1;
        players->count = i + 1;
    }
}

static struct player *player_of(struct players *players, int64_t seat)
{
    return seat >= 1 && (size_t)seat <= players->count ? &players->at[seat - 1] : NULL;
}

static void replace(char **text, const char *by)
{
    free(*text);
    *text = by == NULL ? NULL : x_strdup(by);
}

static void on_line(void *owner, const struct redis_value *fields)
{
    struct player *player = player_of(owner, redis_field_i64(fields, "seat", 0));
    struct message message;
    struct err ignored;

    if (player == NULL || !str_is(redis_field(fields, "kind"), "turn")
        || !message_parse(redis_field(fields, "message"), &message, &ignored))
        return;
    player->turns++;
    if (message.tokens_generated > 0 && message.tokens_generated <= TOKENS_MAX)
        player->tokens += message.tokens_generated;
    player->first_ms = message.time_to_first_token_ms;
    player->prompt_tokens = message.prompt_tokens;
    replace(&player->endpoint, message.endpoint);
    replace(&player->model, message.model);
    message_done(&message);
}

static void on_call(void *owner, const struct redis_value *fields)
{
    struct players *players = owner;
    struct player *player = player_of(players, redis_field_i64(fields, "seat", 0));

    if (player == NULL || !str_is(redis_field(fields, "conversation"), players->id)
        || str_is(redis_field(fields, "outcome"), "lost"))
        return; /* a lost one says nothing of the persona's model */
    player->calls++;
    if (!str_is(redis_field(fields, "outcome"), "failed"))
        return;
    player->failed_calls++;
    player->failed_probes += str_is(redis_field(fields, "probe"), "1");
}

static bool read_players(struct fleet *fleet, struct players *players, struct err *err)
{
    char keys[4][KEY_SIZE];
    const char *state[] = {"HGET", keys[0], "state", NULL};
    const char *cast[] = {"HGETALL", keys[1], NULL};

    (void)key_make(&fleet->keys, "conversation", players->id, keys[0]);
    (void)key_make(&fleet->keys, "cast", players->id, keys[1]);
    (void)key_make(&fleet->keys, "transcript", players->id, keys[2]);
    (void)key_make(&fleet->keys, "calls", NULL, keys[3]);
    if (!fleet_ask(fleet, state, on_state, players, err)
        || !fleet_ask(fleet, cast, on_cast, players, err))
        return false;
    if (players->state[0] == '\0')
        return err_set(err, ERR_FORMAT, "there is no conversation %s", players->id);
    if (players->bad)
        return err_set(err, ERR_FORMAT, "the cast of %s cannot be read", players->id);
    if (players->count == 0)
        return err_set(err, ERR_FORMAT, "%s has no personas: it is %s", players->id,
                       strcmp(players->state, "preparing") == 0 ? "still being prepared"
                                                                : players->state);
    return pages_read(fleet, keys[2], "-", on_line, players, err)
           && pages_read(fleet, keys[3], "-", on_call, players, err);
}

static void players_done(struct players *players)
{
    for (size_t i = 0; i < players->count; i++) {
        seat_done(&players->at[i].seat);
        free(players->at[i].endpoint);
        free(players->at[i].model);
    }
}

/* ---- shown ---- */

/* What the last turn's prompt took of the context window; NAN unknown. */
static double context_used(const struct player *player)
{
    int64_t window = player->seat.model.num_ctx;

    return player->prompt_tokens < 0 || window <= 0
               ? (double)NAN
               : (double)player->prompt_tokens / (double)window;
}

/* Of the last turn, else what is wished for. */
static const char *model_of(const struct player *player)
{
    return player->model != NULL ? player->model : player->seat.model.model;
}

static const char *endpoint_of(const struct player *player)
{
    return player->endpoint != NULL ? player->endpoint : player->seat.model.endpoint;
}

enum { TEXT_COLUMNS = 4 };

static void texts_of(const struct player *player, struct str ret_texts[TEXT_COLUMNS])
{
    ret_texts[0] = str_of(player->seat.persona.name);
    ret_texts[1] = str_of(player->seat.persona.role);
    ret_texts[2] = str_of(model_of(player));
    ret_texts[3] = str_of(endpoint_of(player));
}

static void add_row(struct buf *out, const struct player *player, size_t seat,
                    const int widths[TEXT_COLUMNS])
{
    struct str texts[TEXT_COLUMNS];
    double used = context_used(player);
    char first[CELL_SIZE] = "-";
    char context[CELL_SIZE] = "-";

    if (player->first_ms >= 0)
        fmt_into(first, sizeof first, "%.0f", fmin(player->first_ms, 1e9));
    if (!isnan(used))
        fmt_into(context, sizeof context, "%.0f %%", fmin(used * 100, 1e9));
    texts_of(player, texts);
    buf_printf(out, "%4zu ", seat);
    for (int i = 0; i < TEXT_COLUMNS; i++)
        column_add(out, texts[i], widths[i]);
    buf_printf(out, "%5" PRId64 " %7" PRId64 " %6s %5s\n", player->turns,
               player->tokens, first, context);
}

static void add_marks(struct buf *out, const struct player *player, size_t seat)
{
    const char *fallback = player->seat.model.fallback;
    const char *between = "";

    if (!player->seat.spotlight && fallback == NULL && player->failed_calls == 0)
        return;
    buf_printf(out, "seat %zu: ", seat);
    if (player->seat.spotlight) {
        buf_add_text(out, "spotlight");
        between = ", ";
    }
    if (fallback != NULL) {
        buf_printf(out, "%sfallback %s", between, log_safe(str_of(fallback)));
        between = ", ";
    }
    if (player->failed_calls > 0)
        buf_printf(out, "%s%" PRId64 " of %" PRId64 " calls failed", between,
                   player->failed_calls, player->calls);
    if (player->failed_probes > 0)
        buf_printf(out, ", %" PRId64 " of them asked a server that was down",
                   player->failed_probes);
    buf_add_char(out, '\n');
}

static void show_table(const struct players *players, struct buf *out)
{
    enum { FIGURES = 26, SEAT_COLUMN = 5 };
    static const char *const titles[TEXT_COLUMNS] = {"name", "role", "model",
                                                     "endpoint"};
    int widths[TEXT_COLUMNS];

    for (int k = 0; k < TEXT_COLUMNS; k++)
        widths[k] = column_width(str_of(titles[k]));
    for (size_t i = 0; i < players->count; i++) {
        struct str texts[TEXT_COLUMNS];

        texts_of(&players->at[i], texts);
        for (int k = 0; k < TEXT_COLUMNS; k++)
            if (column_width(texts[k]) > widths[k])
                widths[k] = column_width(texts[k]);
    }
    column_fit(widths, TEXT_COLUMNS,
               COLUMNS_USUAL - FIGURES - SEAT_COLUMN - TEXT_COLUMNS);
    buf_add_text(out, "seat ");
    for (int k = 0; k < TEXT_COLUMNS; k++)
        column_add(out, str_of(titles[k]), widths[k]);
    buf_printf(out, "%5s %7s %6s %5s\n", "turns", "tokens", "1st ms", "ctx");
    for (size_t i = 0; i < players->count; i++)
        add_row(out, &players->at[i], i + 1, widths);
    for (size_t i = 0; i < players->count; i++)
        add_marks(out, &players->at[i], i + 1);
}

static void write_player(struct buf *out, const struct player *player, size_t seat)
{
    const struct seat *from = &player->seat;
    const struct {
        const char *name;
        const char *text;
    } texts[] = {
        {"name", from->persona.name},       {"role", from->persona.role},
        {"driver", from->driver},           {"provider", from->model.provider},
        {"endpoint", from->model.endpoint}, {"model", from->model.model},
        {"fallback", from->model.fallback}, {"last_endpoint", player->endpoint},
        {"last_model", player->model},
    };
    const struct {
        const char *name;
        int64_t count;
    } counts[] = {
        {"turns", player->turns},
        {"tokens_generated", player->tokens},
        {"calls", player->calls},
        {"failed_calls", player->failed_calls},
        {"prompt_tokens", player->prompt_tokens},
        {"num_ctx", from->model.num_ctx},
    };

    buf_printf(out, "{\"seat\":%zu", seat);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buf_printf(out, ",\"%s\":", texts[i].name);
        json_write_text(out, texts[i].text);
    }
    buf_printf(out, ",\"spotlight\":%s", from->spotlight ? "true" : "false");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        buf_printf(out, ",\"%s\":", counts[i].name);
        json_write_count(out, counts[i].count);
    }
    buf_add_text(out, ",\"time_to_first_token_ms\":");
    json_write_number(out, player->first_ms < 0 ? (double)NAN : player->first_ms, 3);
    buf_add_text(out, ",\"context_used\":");
    json_write_number(out, context_used(player), 4);
    buf_add_char(out, '}');
}

static void show_json(const struct players *players, struct buf *out)
{
    buf_printf(out, "{\"conversation\":\"%s\",\"state\":", players->id);
    json_write_text(out, players->state);
    buf_add_text(out, ",\"personas\":[");
    for (size_t i = 0; i < players->count; i++) {
        buf_add_text(out, i == 0 ? "" : ",");
        write_player(out, &players->at[i], i + 1);
    }
    buf_add_text(out, "]}\n");
}

int command_persona(const struct config_loaded *loaded, char **words, struct err *err)
{
    struct players players = {.id = loaded->rest == 1 ? words[0] : NULL};
    struct fleet fleet;
    struct buf out;
    bool ok;

    if (loaded->rest != 1)
        err_set(err, ERR_USAGE, "expected one conversation's id (parley list)");
    else if (!conversation_id_valid(str_of(words[0])))
        err_set(err, ERR_USAGE, "'%s' is not a conversation's id (parley list)",
                log_safe(str_of(words[0])));
    if (err->msg[0] != '\0')
        return err_exit_status(err);
    if (!fleet_open(loaded, &fleet, err))
        return err_exit_status(err);
    buf_init(&out, OUT_MAX_BYTES);
    ok = read_players(&fleet, &players, err);
    fleet_close(&fleet);
    if (ok && loaded->values.json)
        show_json(&players, &out);
    else if (ok)
        show_table(&players, &out);
    (void)fwrite(buf_text(&out), 1, out.len, stdout);
    players_done(&players);
    buf_done(&out);
    return ok ? 0 : err_exit_status(err);
}
