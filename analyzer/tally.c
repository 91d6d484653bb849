/* tally.c - see tally.h. */
#include "analyzer/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/activity.h"
#include "analyzer/names.h"
#include "base/alloc.h"
#include "proto/message.h"

enum { KEY_MAX_BYTES = 2 * MESSAGE_MAX_BYTES };

static void set_options(struct tally *tally, const struct tally_options *options)
{
    enum speech_mode mode = options == NULL ? SPEECH_SAMPLE : options->speech;

    goodput_init(&tally->goodput);
    tally->warmup = (struct warmup){.begin_us = -1, .until_us = -1};
    if (options != NULL) {
        tally->goodput = options->goodput;
        tally->warmup = options->warmup;
    }
    if (mode != SPEECH_NONE)
        tally->speech = speech_new(mode);
}

struct tally *tally_new(const struct tally_options *options)
{
    struct tally *tally = x_calloc(1, sizeof *tally);

    group_init(&tally->total);
    tally->personas = group_table_new(TALLY_ROWS_MAX);
    tally->models = group_table_new(TALLY_FEW_ROWS_MAX);
    tally->endpoints = group_table_new(TALLY_FEW_ROWS_MAX);
    tally->conversations = group_table_new(TALLY_ROWS_MAX);
    tally->total_ration =
        (struct ration){.left_bytes = SIZE_MAX / 2, .exact_max = TALLY_EXACT_TOTAL};
    tally->group_ration = (struct ration){.left_bytes = TALLY_GROUPS_BYTES,
                                          .exact_max = TALLY_EXACT_GROUP};
    calls_init(&tally->calls);
    cache_init(&tally->cache);
    tally->activity = activity_new();
    tally->names = names_new(TALLY_NAMES_MAX);
    buf_init(&tally->key, KEY_MAX_BYTES);
    set_options(tally, options);
    return tally;
}

void tally_free(struct tally *tally)
{
    if (tally == NULL)
        return;
    group_done(&tally->total, &tally->total_ration);
    group_table_free(tally->personas, &tally->group_ration);
    group_table_free(tally->models, &tally->group_ration);
    group_table_free(tally->endpoints, &tally->group_ration);
    group_table_free(tally->conversations, &tally->group_ration);
    for (size_t i = 0; i < TURN_CLASSES; i++) {
        if (tally->turn_indexes[i] != NULL)
            group_done(tally->turn_indexes[i], &tally->group_ration);
        free(tally->turn_indexes[i]);
    }
    calls_done(&tally->calls);
    cache_done(&tally->cache);
    activity_free(tally->activity);
    speech_free(tally->speech);
    names_free(tally->names);
    buf_done(&tally->key);
    free(tally->room);
    free(tally);
}

char *tally_room(struct tally *tally, size_t bytes)
{
    if (bytes <= tally->room_bytes)
        return tally->room;
    free(tally->room);
    tally->room_bytes = 2 * bytes;
    tally->room = x_malloc(tally->room_bytes);
    return tally->room;
}

/* ---- which groups a turn belongs to; NULL: it has no row ---- */

static void meet(struct tally *tally, struct str id)
{
    enum names_answer answer = names_add(tally->names, id);

    tally->conversation_count += answer == NAMES_NEW;
    tally->more_conversations = tally->more_conversations || answer == NAMES_FULL;
}

static struct group *conversation_of(struct tally *tally, struct str id)
{
    bool is_new;
    int64_t number = group_table_find(tally->conversations, id, &is_new);
    struct group *group;

    if (number == GROUP_NONE || is_new)
        meet(tally, id);
    if (number == GROUP_NONE)
        return NULL;
    group = group_table_at(tally->conversations, (size_t)number);
    group_prefetch(group);
    if (is_new)
        group->conversation.text = x_memdup(id.at, id.len);
    return group;
}

/* A key from a number and two texts: the length in front keeps "ab" + "c" and "a" +
 * "bc" apart; NULL is another key than "". */
static struct str make_key(struct tally *tally, int64_t number, const char *a,
                           const char *b)
{
    struct str first = str_of(a);
    int64_t head[2] = {number, a == NULL ? -1 : (int64_t)first.len};

    buf_clear(&tally->key);
    (void)buf_add(&tally->key, (const char *)head, sizeof head); /* fits, as the rest */
    (void)buf_add(&tally->key, first.at, first.len);
    (void)buf_add_char(&tally->key, b == NULL ? '0' : '1');
    (void)buf_add_str(&tally->key, str_of(b));
    return buf_str(&tally->key);
}

static struct group *find(struct group_table *table, struct str key, bool *ret_new)
{
    int64_t number = group_table_find(table, key, ret_new);

    return number == GROUP_NONE ? NULL : group_table_at(table, (size_t)number);
}

static struct group *persona_of(struct tally *tally, const struct message *message)
{
    bool is_new;
    struct group *group =
        find(tally->personas, make_key(tally, message->seat, message->author, NULL),
             &is_new);

    if (group == NULL)
        return NULL;
    if (is_new) {
        group->seat = message->seat;
        group->name = message->author == NULL ? NULL : x_strdup(message->author);
    }
    shared_take(&group->conversation, message->conversation_id);
    shared_take(&group->provider, message->provider);
    shared_take(&group->model, message->model);
    return group;
}

static struct group *model_of(struct tally *tally, const struct message *turn)
{
    bool is_new;
    struct group *group =
        find(tally->models, make_key(tally, 0, turn->provider, turn->model), &is_new);

    if (group != NULL && is_new) {
        shared_take(&group->provider, turn->provider);
        shared_take(&group->model, turn->model);
    }
    return group;
}

static struct group *endpoint_of(struct tally *tally, const struct message *turn)
{
    bool is_new;
    struct group *group = find(
        tally->endpoints, make_key(tally, 0, turn->provider, turn->endpoint), &is_new);

    if (group != NULL && is_new) {
        shared_take(&group->provider, turn->provider);
        group->endpoint = turn->endpoint == NULL ? NULL : x_strdup(turn->endpoint);
    }
    return group;
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whether the turn belongs where the seat's last one did: nearly always, and three
 * searches are saved. A text that a group does not have in common is NULL there. */
static bool is_kin(const struct kin *kin, const struct message *turn)
{
    return kin->persona != NULL && same(kin->persona->name, turn->author)
           && same(kin->persona->provider.text, turn->provider)
           && same(kin->persona->model.text, turn->model)
           && same(kin->model->provider.text, turn->provider)
           && same(kin->model->model.text, turn->model)
           && same(kin->endpoint->provider.text, turn->provider)
           && same(kin->endpoint->endpoint, turn->endpoint);
}

static struct kin kin_of(struct tally *tally, const struct message *turn)
{
    size_t seat = turn->seat > 0 && turn->seat <= SEATS_MAX ? (size_t)turn->seat : 0;
    struct kin kin = tally->kin[seat];

    if (is_kin(&kin, turn)) {
        shared_take(&kin.persona->conversation, turn->conversation_id);
        return kin;
    }
    kin = (struct kin){persona_of(tally, turn), model_of(tally, turn),
                       endpoint_of(tally, turn)};
    if (kin.persona != NULL && kin.model != NULL && kin.endpoint != NULL
        && kin.persona->seat == (int64_t)seat)
        tally->kin[seat] = kin;
    return kin;
}

/* 1 to 16 each for themselves, then 17-32, 33-64, ... */
static struct group *turn_index_of(struct tally *tally, int64_t number)
{
    int64_t last = TURN_CLASSES_SINGLE;
    size_t class = (size_t)(number - 1);
    struct group *group;

    if (number > TURN_CLASSES_SINGLE) {
        for (class = TURN_CLASSES_SINGLE; (number - 1) / 2 >= last; class ++)
            last *= 2;
    }
    if (tally->turn_indexes[class] != NULL)
        return tally->turn_indexes[class];
    group = tally->turn_indexes[class] = x_malloc(sizeof *group);
    group_init(group);
    group->first_turn = class < TURN_CLASSES_SINGLE ? number : last + 1;
    group->last_turn = class < TURN_CLASSES_SINGLE ? number
                       : last > INT64_MAX / 2      ? INT64_MAX
                                                   : 2 * last;
    return group;
}

/* ---- messages ---- */

static void count_in(struct tally *tally, struct group *group,
                     const struct message *turn, const struct measured *measured)
{
    if (group != NULL)
        group_count(group, &tally->group_ration, turn, measured);
}

static void count_or_pass(struct tally *tally, struct group_table *table,
                          struct group *group, const struct message *turn,
                          const struct measured *measured)
{
    if (group == NULL)
        group_table_pass(table);
    count_in(tally, group, turn, measured);
}

/* Where no record of calls tells when they ran, the turns' own do: the last call of
 * each ended at about the time at which its response was written. */
static void take_activity(struct tally *tally, const struct message *turn,
                          const struct measured *measured)
{
    double generation_ms = measured->value[METRIC_GENERATION_TIME];
    double first_ms = measured->value[METRIC_TIME_TO_FIRST_TOKEN];
    int64_t end_us = turn->queue_timestamp_us;

    activity_turn(tally->activity, end_us, first_ms);
    if (tally->activity_from_calls || isnan(generation_ms)
        || (double)end_us < generation_ms * 1000)
        return;
    activity_call(tally->activity,
                  &(struct activity_call){end_us - (int64_t)(generation_ms * 1000),
                                          end_us, first_ms, turn->tokens_generated});
}

static void count_turn(struct tally *tally, struct group *conversation,
                       const struct message *turn)
{
    struct measured measured;
    struct kin kin = kin_of(tally, turn);

    measure(turn, &measured);
    group_count(&tally->total, &tally->total_ration, turn, &measured);
    count_or_pass(tally, tally->personas, kin.persona, turn, &measured);
    count_or_pass(tally, tally->models, kin.model, turn, &measured);
    count_or_pass(tally, tally->endpoints, kin.endpoint, turn, &measured);
    count_in(tally, turn_index_of(tally, turn->sequence_number), turn, &measured);
    count_or_pass(tally, tally->conversations, conversation, turn, &measured);
    goodput_count(&tally->goodput, measured.value, turn->tokens_generated);
    cache_turn(&tally->cache, turn);
    take_activity(tally, turn, &measured);
    if (tally->tap.on_turn != NULL)
        tally->tap.on_turn(tally->tap.owner, turn);
}

static void span(struct tally *tally, struct group *conversation, int64_t at_us)
{
    group_span(&tally->total, at_us);
    if (conversation != NULL)
        group_span(conversation, at_us);
}

/* What is left out as warm-up changes no count; time then begins where it ends. */
static bool is_warmup(struct tally *tally, const struct message *message)
{
    struct warmup *warmup = &tally->warmup;
    int64_t at_us = message->queue_timestamp_us;

    if (!warmup_wanted(warmup))
        return false;
    warmup_begin(warmup, at_us);
    if (message->kind != MESSAGE_TURN)
        return true;
    if (warmup_takes_turn(warmup, at_us))
        return true;
    group_span(&tally->total, warmup->until_us);
    return false;
}

void tally_message(struct tally *tally, const struct message *message)
{
    struct group *conversation =
        conversation_of(tally, str_of(message->conversation_id));

    if (message->kind == MESSAGE_PERSONA)
        (void)persona_of(tally, message); /* listed even if it never speaks */
    if (tally->speech != NULL && message->kind == MESSAGE_PERSONA)
        speech_take(tally->speech, message);
    if (is_warmup(tally, message))
        return;
    span(tally, conversation, message->queue_timestamp_us);
    if (message->kind != MESSAGE_TURN)
        return;
    count_turn(tally, conversation, message);
    if (tally->speech != NULL)
        speech_take(tally->speech, message);
}

/* ---- calls ---- */

void tally_calls_follow(struct tally *tally)
{
    tally->activity_from_calls = true;
}

void tally_expect_calls(struct tally *tally)
{
    calls_expect(&tally->calls);
}

void tally_call(struct tally *tally, const struct call *call)
{
    tally_expect_calls(tally);
    if (warmup_takes_call(&tally->warmup, call->ended_us)
        || !calls_take(&tally->calls, call) || !tally->activity_from_calls
        || str_is(call->outcome, "lost"))
        return;
    activity_call(tally->activity, &(struct activity_call){
                                       call->started_us, call->ended_us,
                                       call->first_token_ms, call->tokens_generated});
}

/* ---- states ---- */

static void replace(char **kept, struct str text)
{
    if (text.len == 0)
        return;
    free(*kept);
    *kept = x_memdup(text.at, text.len);
}

static void count_ending(struct tally *tally, struct str reason)
{
    char word[WORD_SIZE];
    struct ending *ending = tally->endings;
    struct ending *end = tally->endings + tally->ending_count;

    word_copy(reason, word);
    while (ending < end && strcmp(ending->reason, word) != 0)
        ending++;
    if (ending == end && tally->ending_count == ENDINGS_MAX)
        ending--;
    if (ending == end) {
        tally->ending_count++;
        word_copy(tally->ending_count == ENDINGS_MAX ? str_of("others") : str_of(word),
                  ending->reason);
    }
    ending->conversations++;
}

void tally_cut_off(struct tally *tally)
{
    for (size_t i = 0; i < group_table_count(tally->conversations); i++) {
        struct group *group = group_table_at(tally->conversations, i);

        if (group->state == NULL || strcmp(group->state, "ended") == 0)
            continue;
        free(group->state);
        group->state = NULL;
    }
}

void tally_state(struct tally *tally, struct str conversation, struct str state,
                 struct str reason)
{
    struct group *group = conversation_of(tally, conversation);

    /* The last turn's event says that it is ended, the one behind it says why. */
    if (str_is(state, "ended") && reason.len > 0
        && names_mark(tally->names, conversation))
        count_ending(tally, reason);
    if (group == NULL)
        return;
    replace(&group->state, state);
    replace(&group->reason, reason);
}

void tally_begin(struct tally *tally, struct str conversation, int64_t at_us)
{
    struct group *group = conversation_of(tally, conversation);

    if (!warmup_wanted(&tally->warmup))
        span(tally, group, at_us);
}
