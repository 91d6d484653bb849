/* speech.c - see speech.h. What one conversation keeps is speech_talk.h's; here stand
 * the choice of conversations and what they come to together.
 */
#include "analyzer/speech.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/speech_talk.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "proto/message.h"

enum { SLOTS_FIRST = 512, ROWS_MAX = 1000, ID_SEED = 1, TALK_EXACT = 256 };

struct held {
    uint64_t hash; /* of its id */
    struct speech_talk *talk;
};
struct speech {
    enum speech_mode mode;
    uint64_t every;
    struct held *slots; /* open addressing, at most half full; talk NULL: free */
    size_t slot_count;
    size_t count;
    int64_t turns;       /* of those held */
    struct spread words; /* a turn */
    struct spread sentences;
    struct ration ration;
    struct ration talk_ration;        /* of each conversation's */
    struct speech_row rows[ROWS_MAX]; /* of the last summary */
    size_t row_count;
};

struct speech *speech_new(enum speech_mode mode)
{
    struct speech *speech = x_calloc(1, sizeof *speech);

    speech->mode = mode;
    speech->every = 1;
    speech->slot_count = SLOTS_FIRST;
    speech->slots = x_calloc(speech->slot_count, sizeof *speech->slots);
    speech->ration = (struct ration){.left_bytes = SIZE_MAX / 2, .exact_max = 10000};
    speech->talk_ration =
        (struct ration){.left_bytes = SIZE_MAX / 2, .exact_max = TALK_EXACT};
    return speech;
}

void speech_free(struct speech *speech)
{
    if (speech == NULL)
        return;
    for (size_t i = 0; i < speech->slot_count; i++)
        speech_talk_free(speech->slots[i].talk, &speech->talk_ration);
    free(speech->slots);
    spread_done(&speech->words, &speech->ration);
    spread_done(&speech->sentences, &speech->ration);
    free(speech);
}

/* ---- which conversations ---- */

static struct held *slot_of(const struct speech *speech, uint64_t hash)
{
    size_t at = (size_t)hash & (speech->slot_count - 1);

    while (speech->slots[at].talk != NULL && speech->slots[at].hash != hash)
        at = (at + 1) & (speech->slot_count - 1);
    return &speech->slots[at];
}

/* The upper half of the hash chooses, the lower finds the slot. */
static bool is_chosen(const struct speech *speech, uint64_t hash)
{
    return (hash >> 32) % speech->every == 0;
}

/* Puts those that are still chosen into a table of that size; the others are
 * forgotten. */
static void rebuild(struct speech *speech, size_t slot_count)
{
    struct held *old = speech->slots;
    size_t old_count = speech->slot_count;

    speech->slots = x_calloc(slot_count, sizeof *speech->slots);
    speech->slot_count = slot_count;
    speech->count = 0;
    speech->turns = 0;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].talk != NULL && is_chosen(speech, old[i].hash)) {
            *slot_of(speech, old[i].hash) = old[i];
            speech->count++;
            speech->turns += (int64_t)speech_talk_words(old[i].talk)->count;
        } else {
            speech_talk_free(old[i].talk, &speech->talk_ration);
        }
    }
    free(old);
}

static bool are_too_many(const struct speech *speech)
{
    return speech->mode == SPEECH_SAMPLE
           && (speech->count > SPEECH_CONVERSATIONS_MAX
               || (speech->turns > SPEECH_TURNS_MAX
                   && speech->count > SPEECH_CONVERSATIONS_MIN));
}

static void make_room(struct speech *speech)
{
    while (are_too_many(speech)) {
        speech->every *= 2;
        rebuild(speech, speech->slot_count);
    }
    if (speech->count * 2 > speech->slot_count)
        rebuild(speech, 2 * speech->slot_count);
}

/* NULL: it is not taken. */
static struct speech_talk *talk_of(struct speech *speech, const char *conversation)
{
    uint64_t hash = rng_hash(ID_SEED, str_of(conversation));
    struct held *slot;

    if (!is_chosen(speech, hash))
        return NULL;
    slot = slot_of(speech, hash);
    if (slot->talk == NULL) {
        *slot = (struct held){hash, speech_talk_new()};
        speech->count++;
        make_room(speech);
        slot = slot_of(speech, hash);
    }
    return slot->talk; /* NULL: it went when room was made */
}

void speech_take(struct speech *speech, const struct message *message)
{
    struct speech_talk *talk;

    if (message->seat < 1 || message->seat > SEATS_MAX)
        return;
    talk = talk_of(speech, message->conversation_id);
    if (talk == NULL)
        return;
    if (message->author != NULL)
        speech_talk_name(talk, message->seat, message->author);
    if (message->kind != MESSAGE_TURN || message->text == NULL || message->failed
        || message->fallback)
        return;
    speech_talk_take(talk, &speech->talk_ration, message->seat, str_of(message->text));
    if (++speech->turns > SPEECH_TURNS_MAX)
        make_room(speech);
}

/* ---- what they come to ---- */

/* Sums while rows are gathered; the ratios stand in the row only at the end. */
struct gathering {
    struct speech_summary summary;
    int64_t windows, distinct_sum, grams, repeated;
    double balance_sum;
    int64_t balanced; /* conversations with a balance */
    size_t rows;
    struct row_sums {
        int64_t windows, distinct_sum, grams, repeated;
        int64_t talk_turns, talk_words; /* of the conversations it speaks in */
    } sums[ROWS_MAX];
};

static double ratio(int64_t part, int64_t whole)
{
    return whole == 0 ? (double)NAN : (double)part / (double)whole;
}

static bool same_name(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The number of the speaker's row, ROWS_MAX when all are taken. */
static size_t row_of(struct speech *speech, struct gathering *all, int64_t seat,
                     const char *name)
{
    size_t row = 0;

    while (
        row < all->rows
        && (speech->rows[row].seat != seat || !same_name(speech->rows[row].name, name)))
        row++;
    if (row == all->rows && row < ROWS_MAX) {
        all->rows++;
        speech->rows[row] = (struct speech_row){.name = name, .seat = seat};
    }
    return row;
}

/* Entropy of the words by speaker, by that of even shares; NAN below two speakers. */
static double balance_of(const struct speech_talk *talk, int64_t words)
{
    double entropy = 0;
    int speakers = 0;

    for (int64_t seat = 1; seat <= TALK_SEATS; seat++) {
        const struct speech_voice *voice = speech_talk_voice(talk, seat);
        double share = voice == NULL ? 0 : ratio(voice->words, words);

        speakers += voice != NULL; /* a silent one is one, too */
        if (share > 0)
            entropy -= share * log(share);
    }
    return speakers < 2 || words == 0 ? (double)NAN : entropy / log(speakers);
}

static void gather_voice(struct speech *speech, struct gathering *all,
                         const struct speech_voice *voice, size_t row)
{
    struct speech_row *into = &speech->rows[row];
    struct row_sums *sums = &all->sums[row];

    into->turns += voice->turns;
    into->words += voice->words;
    into->sentences += voice->sentences;
    into->bled_turns += voice->bled_turns;
    sums->windows += voice->windows;
    sums->distinct_sum += voice->distinct_sum;
    sums->grams += voice->grams;
    sums->repeated += voice->repeated;
}

static void gather_talk(struct speech *speech, struct gathering *all,
                        const struct speech_talk *talk)
{
    int64_t turns = 0;
    int64_t words = 0;
    double balance;

    for (int64_t seat = 1; seat <= TALK_SEATS; seat++) {
        const struct speech_voice *voice = speech_talk_voice(talk, seat);

        turns += voice == NULL ? 0 : voice->turns;
        words += voice == NULL ? 0 : voice->words;
    }
    for (int64_t seat = 1; seat <= TALK_SEATS; seat++) {
        const struct speech_voice *voice = speech_talk_voice(talk, seat);
        size_t row = voice == NULL ? ROWS_MAX : row_of(speech, all, seat, voice->name);

        if (voice != NULL) {
            all->windows += voice->windows;
            all->distinct_sum += voice->distinct_sum;
            all->grams += voice->grams;
            all->repeated += voice->repeated;
            all->summary.sentences += voice->sentences;
            all->summary.bled_turns += voice->bled_turns;
        }
        if (row == ROWS_MAX)
            continue;
        gather_voice(speech, all, voice, row);
        all->sums[row].talk_turns += turns;
        all->sums[row].talk_words += words;
    }
    all->summary.turns += turns;
    all->summary.words += words;
    all->summary.conversations++;
    balance = balance_of(talk, words);
    if (isnan(balance))
        return;
    all->balance_sum += balance;
    all->balanced++;
}

static int by_seat(const void *a, const void *b)
{
    const struct speech_row *x = a;
    const struct speech_row *y = b;

    if (x->seat != y->seat)
        return x->seat < y->seat ? -1 : 1;
    return strcmp(x->name == NULL ? "" : x->name, y->name == NULL ? "" : y->name);
}

static void finish_rows(struct speech *speech, const struct gathering *all)
{
    for (size_t i = 0; i < all->rows; i++) {
        struct speech_row *row = &speech->rows[i];
        const struct row_sums *sums = &all->sums[i];

        row->turn_share = ratio(row->turns, sums->talk_turns);
        row->word_share = ratio(row->words, sums->talk_words);
        row->diversity = ratio(sums->distinct_sum, sums->windows) / SPEECH_WINDOW;
        row->repetition = ratio(sums->repeated, sums->grams);
    }
    qsort(speech->rows, all->rows, sizeof *speech->rows, by_seat);
    speech->row_count = all->rows;
}

struct speech_summary speech_summary(struct speech *speech)
{
    struct gathering *all = x_calloc(1, sizeof *all);
    struct speech_summary summary;

    all->summary.mode = speech->mode;
    all->summary.every = (int64_t)speech->every;
    spread_done(&speech->words, &speech->ration);
    spread_done(&speech->sentences, &speech->ration);
    for (size_t i = 0; i < speech->slot_count; i++) {
        const struct speech_talk *talk = speech->slots[i].talk;

        if (talk == NULL)
            continue;
        gather_talk(speech, all, talk);
        spread_merge(&speech->words, &speech->ration, speech_talk_words(talk));
        spread_merge(&speech->sentences, &speech->ration, speech_talk_sentences(talk));
    }
    finish_rows(speech, all);
    summary = all->summary;
    summary.balance =
        all->balanced == 0 ? (double)NAN : all->balance_sum / (double)all->balanced;
    summary.diversity = ratio(all->distinct_sum, all->windows) / SPEECH_WINDOW;
    summary.repetition = ratio(all->repeated, all->grams);
    free(all);
    return summary;
}

struct spread *speech_words(struct speech *speech)
{
    return &speech->words;
}

struct spread *speech_sentences(struct speech *speech)
{
    return &speech->sentences;
}

size_t speech_rows(struct speech *speech, const struct speech_row **ret_rows)
{
    *ret_rows = speech->rows;
    return speech->row_count;
}
