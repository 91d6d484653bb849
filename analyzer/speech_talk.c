/* speech_talk.c - see speech_talk.h.
 *
 * Flow: speech_talk_take -> word by word: the ring of its speaker, the groups of the
 *       turn -> which of those were said before -> they are remembered
 */
#include "analyzer/speech_talk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzer/speech.h"
#include "analyzer/word_scan.h"
#include "base/alloc.h"

enum {
    TURN_GRAMS_MAX = 2048, /* of one turn; the rest is not looked at */
    MEMORY_FIRST = 256,    /* slots for groups said before, a power of two */
    MEMORY_MAX = 16384     /* at most half of them in use */
};
static const uint32_t gram_step = 0x9E3779B1; /* spreads the bits of a hash */

struct gram {
    uint32_t hash; /* 0 free */
    uint32_t turn;
};
struct speech_talk {
    struct speech_voice *voices[TALK_SEATS]; /* owned; NULL nothing was told */
    struct gram *memory;
    size_t slots;
    size_t used;
    uint32_t turn; /* number of the turn being taken, from 1 */
    struct spread words;
    struct spread sentences;
};

struct speech_talk *speech_talk_new(void)
{
    struct speech_talk *talk = x_calloc(1, sizeof *talk);

    talk->slots = MEMORY_FIRST;
    talk->memory = x_calloc(talk->slots, sizeof *talk->memory);
    return talk;
}

void speech_talk_free(struct speech_talk *talk, struct ration *ration)
{
    if (talk == NULL)
        return;
    for (size_t i = 0; i < TALK_SEATS; i++) {
        if (talk->voices[i] != NULL)
            free(talk->voices[i]->name);
        free(talk->voices[i]);
    }
    spread_done(&talk->words, ration);
    spread_done(&talk->sentences, ration);
    free(talk->memory);
    free(talk);
}

static struct speech_voice *voice_of(struct speech_talk *talk, int64_t seat)
{
    struct speech_voice **voice;

    assert(seat >= 1 && seat <= TALK_SEATS);
    voice = &talk->voices[seat - 1];
    if (*voice == NULL)
        *voice = x_calloc(1, sizeof **voice);
    return *voice;
}

void speech_talk_name(struct speech_talk *talk, int64_t seat, const char *name)
{
    struct speech_voice *voice = voice_of(talk, seat);

    if (voice->name != NULL && strcmp(voice->name, name) == 0)
        return;
    free(voice->name);
    voice->name = x_strdup(name);
}

/* ---- diversity ---- */

static unsigned times_in(const uint32_t ring[TALK_RING], uint32_t word)
{
    unsigned times = 0;

    for (size_t i = 0; i < TALK_RING; i++)
        times += ring[i] == word;
    return times;
}

static void into_ring(struct speech_voice *voice, uint32_t word)
{
    uint32_t *place = &voice->ring[voice->at];

    if (*place != 0 && times_in(voice->ring, *place) == 1)
        voice->distinct--;
    *place = 0;
    voice->distinct += times_in(voice->ring, word) == 0;
    *place = word;
    voice->at = (voice->at + 1) % SPEECH_WINDOW;
    voice->words++;
    if (voice->words < SPEECH_WINDOW)
        return;
    voice->windows++;
    voice->distinct_sum += voice->distinct;
}

/* ---- repetition ---- */

static struct gram *slot_of(const struct speech_talk *talk, uint32_t hash)
{
    size_t at = (size_t)(hash * gram_step >> 8) & (talk->slots - 1);

    while (talk->memory[at].hash != 0 && talk->memory[at].hash != hash)
        at = (at + 1) & (talk->slots - 1);
    return &talk->memory[at];
}

/* Into a table of that size go those said at most so many turns ago. */
static void rebuild(struct speech_talk *talk, size_t slots, uint32_t turns)
{
    struct gram *old = talk->memory;
    size_t old_slots = talk->slots;

    talk->memory = x_calloc(slots, sizeof *talk->memory);
    talk->slots = slots;
    talk->used = 0;
    for (size_t i = 0; i < old_slots; i++) {
        if (old[i].hash == 0 || talk->turn - old[i].turn > turns)
            continue;
        *slot_of(talk, old[i].hash) = old[i];
        talk->used++;
    }
    free(old);
}

/* Makes room for one more: forgets what is old, then grows, then forgets sooner. */
static void make_room(struct speech_talk *talk)
{
    uint32_t turns = SPEECH_MEMORY_TURNS;

    if (talk->used * 2 < talk->slots)
        return;
    rebuild(talk, talk->slots, turns);
    if (talk->used * 4 >= talk->slots && talk->slots < MEMORY_MAX)
        rebuild(talk, 2 * talk->slots, turns);
    while (talk->used * 2 >= talk->slots && turns > 0)
        rebuild(talk, talk->slots, turns /= 2);
}

static void remember(struct speech_talk *talk, uint32_t hash)
{
    struct gram *slot;

    make_room(talk);
    if (talk->used * 2 >= talk->slots)
        return; /* a single turn fills it all */
    slot = slot_of(talk, hash);
    talk->used += slot->hash == 0;
    *slot = (struct gram){hash, talk->turn};
}

static bool was_said(const struct speech_talk *talk, uint32_t hash)
{
    const struct gram *slot = slot_of(talk, hash);

    return slot->hash == hash && talk->turn - slot->turn <= SPEECH_MEMORY_TURNS;
}

static void take_grams(struct speech_talk *talk, struct speech_voice *voice,
                       const uint32_t *grams, size_t count)
{
    voice->grams += (int64_t)count;
    for (size_t i = 0; i < count; i++)
        voice->repeated += was_said(talk, grams[i]);
    for (size_t i = 0; i < count; i++)
        remember(talk, grams[i]);
}

static uint32_t gram_of(const uint32_t words[SPEECH_GRAM])
{
    uint32_t hash = 0;

    for (size_t i = 0; i < SPEECH_GRAM; i++)
        hash = (hash ^ words[i]) * gram_step + (hash >> 15);
    return hash == 0 ? 1 : hash;
}

/* ---- name bleed ---- */

static size_t skip(struct str text, size_t at, const char *what)
{
    while (at < text.len && text.at[at] != '\0' && strchr(what, text.at[at]) != NULL)
        at++;
    return at;
}

/* "Ada:", "**Ada**:", "[Ada]: " at the beginning of a line. */
static bool begins_with_name(struct str line, const char *name)
{
    static const char before[] = " \t*_[(<>#\"";
    static const char after[] = " \t*_])>\"";
    size_t at = skip(line, 0, before);
    size_t len = strlen(name);

    if (len == 0 || line.len - at < len || strncasecmp(line.at + at, name, len) != 0)
        return false;
    at = skip(line, at + len, after);
    return at < line.len && line.at[at] == ':';
}

static bool line_bleeds(const struct speech_talk *talk, int64_t seat, struct str line)
{
    for (int64_t other = 1; other <= TALK_SEATS; other++) {
        const struct speech_voice *voice = talk->voices[other - 1];

        if (other != seat && voice != NULL && voice->name != NULL
            && begins_with_name(line, voice->name))
            return true;
    }
    return false;
}

static bool text_bleeds(const struct speech_talk *talk, int64_t seat, struct str text)
{
    while (text.len > 0) {
        struct str rest;
        struct str line = str_cut(text, '\n', &rest);

        if (memchr(line.at, ':', line.len) != NULL && line_bleeds(talk, seat, line))
            return true;
        text = rest;
    }
    return false;
}

/* ---- a turn ---- */

void speech_talk_take(struct speech_talk *talk, struct ration *ration, int64_t seat,
                      struct str text)
{
    struct speech_voice *voice = voice_of(talk, seat);
    struct word_scan scan = {.left = text};
    uint32_t last[SPEECH_GRAM] = {0};
    uint32_t grams[TURN_GRAMS_MAX];
    size_t gram_count = 0;
    int64_t words = 0;
    uint32_t word;

    talk->turn++;
    while (word_scan_next(&scan, &word)) {
        memmove(last, last + 1, (SPEECH_GRAM - 1) * sizeof *last);
        last[SPEECH_GRAM - 1] = word;
        into_ring(voice, word);
        if (++words >= SPEECH_GRAM && gram_count < TURN_GRAMS_MAX)
            grams[gram_count++] = gram_of(last);
    }
    take_grams(talk, voice, grams, gram_count);
    voice->turns++;
    voice->sentences += scan.sentences;
    voice->bled_turns += text_bleeds(talk, seat, text);
    spread_add(&talk->words, ration, (double)words);
    spread_add(&talk->sentences, ration, (double)scan.sentences);
}

const struct speech_voice *speech_talk_voice(const struct speech_talk *talk,
                                             int64_t seat)
{
    assert(seat >= 1 && seat <= TALK_SEATS);
    return talk->voices[seat - 1];
}

const struct spread *speech_talk_words(const struct speech_talk *talk)
{
    return &talk->words;
}

const struct spread *speech_talk_sentences(const struct speech_talk *talk)
{
    return &talk->sentences;
}
