/* live_talk_ask.c - what live_talk.c asks Redis, and the answers that are the talk's:
 * pages, requests, the cast. See live_talk_inside.h.
 */
#include "base/log.h"
#include "net/redis.h"
#include "observer/source/live_talk_inside.h"
#include "proto/cast.h"
#include "proto/keys.h"

enum { NUMBER_SIZE = 24 };

bool live_talk_ask(struct live_talk *live, const struct str *words, size_t count,
                   redis_on_answer *on_answer)
{
    const struct redis_call call = {
        .argc = count, .argv = words, .on_answer = on_answer, .owner = live};

    return redis_send(live->options.redis, &call);
}

struct str live_talk_key(const struct live_talk *live, const char *what,
                         char key[KEY_SIZE])
{
    return key_make(live->options.keys, what, live->talk->id, key);
}

bool live_talk_range(struct live_talk *live, const struct live_range *range,
                     redis_on_answer *on_answer)
{
    char key[KEY_SIZE];
    char id[TAIL_ID_SIZE];
    char border[TAIL_ID_SIZE + 1];
    char count[NUMBER_SIZE];
    struct str words[] = {str_of(range->backwards ? "XREVRANGE" : "XRANGE"),
                          live_talk_key(live, "transcript", key),
                          str_of(range->backwards ? "+" : "-"),
                          str_of(range->backwards ? "-" : "+"),
                          str_of("COUNT"),
                          {0}};

    if (range->from != NULL) {
        tail_id_format(range->from, id);
        fmt_into(border, sizeof border, "(%s", id);
        words[2] = str_of(border);
    }
    fmt_into(count, sizeof count, "%d", range->count);
    words[5] = str_of(count);
    return live_talk_ask(live, words, sizeof words / sizeof *words, on_answer);
}

void live_talk_read(struct live_talk *live, struct talk_state *state,
                    const struct tail_id *id, const struct redis_value *fields)
{
    live->from = (struct talk_from){*id, (int64_t)(id->ms * 1000)};
    talk_state_transcript(state, redis_field(fields, "kind"),
                          redis_field(fields, "message"));
}

bool live_talk_entry(const struct redis_value *reply, size_t i, struct tail_id *ret_id,
                     const struct redis_value **ret_fields)
{
    const struct redis_value *entry = redis_item(reply, i);

    *ret_fields = redis_item(entry, 1);
    return tail_id_parse(redis_item_text(entry, 0), ret_id);
}

/* ---- pages and requests, when the talk asks ---- */

static void on_page(void *owner, const struct redis_answer *answer)
{
    struct live_talk *live = owner;
    size_t count = answer->outcome == REDIS_OK ? answer->value->count : 0;
    const struct redis_value *fields;
    struct tail_id id;

    live->use = USE_PAGE;
    live->page_full = false;
    for (size_t i = 0; i < count && !live->page_full; i++) {
        struct talk_state once; /* knows of no turn before: they come in any order */

        if (!live_talk_entry(answer->value, i, &id, &fields))
            continue;
        talk_state_init(&once, live->talk->id, live_talk_on_sight, live);
        live_talk_read(live, &once, &id, fields);
        talk_state_done(&once);
    }
    talk_page_end(live->talk,
                  answer->outcome == REDIS_OK && count < TALK_PAGE && !live->page_full);
}

void live_talk_want_page(void *owner, bool older, const struct tail_id *from)
{
    struct live_talk *live = owner;
    const struct live_range range = {older, from, TALK_PAGE};

    if (!live_talk_range(live, &range, on_page))
        talk_page_end(live->talk, false);
}

static void on_asked(void *owner, const struct redis_answer *answer)
{
    struct live_talk *live = owner;
    struct str text = {0};

    if (--live->requests > 0)
        return; /* meanwhile another seat's was asked for */
    if (answer->outcome == REDIS_OK && answer->value->kind == REDIS_TEXT)
        text = answer->value->text;
    talk_take_asked(live->talk, live->talk->asked.seat, text);
}

void live_talk_want_asked(void *owner, int64_t seat)
{
    struct live_talk *live = owner;
    char key[KEY_SIZE];
    char field[NUMBER_SIZE];

    fmt_into(field, sizeof field, "%lld", (long long)seat);
    {
        const struct str words[] = {str_of("HGET"), live_talk_key(live, "asked", key),
                                    str_of(field)};

        if (live_talk_ask(live, words, 3, on_asked))
            live->requests++;
        else
            talk_take_asked(live->talk, seat, str_of(""));
    }
}

/* ---- the cast ---- */

static void take_wish(struct live_talk *live, int64_t number, struct str json)
{
    struct err err = {0};
    struct seat seat;

    if (json.len == 0)
        return;
    if (!seat_parse(json, &seat, &err)) {
        log_debug("talk", "seat=%lld cannot be read: %s", (long long)number, err.msg);
        return;
    }
    talk_take_wish(live->talk, number, str_of(seat.model.model),
                   str_of(seat.model.endpoint), seat.model.num_ctx);
    seat_done(&seat);
}

static void on_cast(void *owner, const struct redis_answer *answer)
{
    struct live_talk *live = owner;

    live->has_cast = answer->outcome == REDIS_OK;
    for (size_t i = 0; live->has_cast && i < answer->value->count; i++)
        take_wish(live, (int64_t)i + 1, redis_item_text(answer->value, i));
}

void live_talk_ask_cast(struct live_talk *live)
{
    char key[KEY_SIZE];
    char fields[SEATS_MAX][NUMBER_SIZE];
    struct str words[SEATS_MAX + 2] = {str_of("HMGET"),
                                       live_talk_key(live, "cast", key)};

    for (int i = 0; i < SEATS_MAX; i++) {
        fmt_into(fields[i], sizeof fields[i], "seat:%d", i + 1);
        words[i + 2] = str_of(fields[i]);
    }
    live->has_cast = live_talk_ask(live, words, SEATS_MAX + 2, on_cast);
}
