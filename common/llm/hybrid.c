/* hybrid.c - see hybrid.h. */
#include "llm/hybrid.h"

#include <assert.h>
#include <string.h>

#include "proto/config.h"

/* What makes half of a prompt's measures full, and what each weighs: docs/routing.md.
 */
#define LETTERS_FULL    600.0
#define QUESTIONS_FULL  3.0
#define NUMBERS_FULL    5.0
#define LONG_SHARE_FULL 0.3
#define SPEAKERS_FULL   4.0

enum {
    LONG_WORD = 9,        /* letters of a rare long word */
    SPEAKERS_WITHIN = 12, /* messages, the last ones */
    NAME_MAX_BYTES = 80
};

static const char *const mode_names[HYBRID_MODE_COUNT] = {
    [HYBRID_OFF] = "off", [HYBRID_ON] = "on", [HYBRID_AUTO] = "auto"};

const char *hybrid_mode_name(enum hybrid_mode mode)
{
    assert((unsigned)mode < HYBRID_MODE_COUNT);
    return mode_names[mode];
}

bool hybrid_mode_parse(struct str name, enum hybrid_mode *ret_mode)
{
    for (unsigned i = 0; i < HYBRID_MODE_COUNT; i++) {
        if (str_is(name, mode_names[i])) {
            *ret_mode = (enum hybrid_mode)i;
            return true;
        }
    }
    return false;
}

/* ---- complexity ---- */

static double full(double value, double most)
{
    return value >= most ? 1.0 : value / most;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Letters of ASCII, and all bytes of the others. */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

struct measures {
    size_t letters; /* characters of all kinds */
    size_t questions;
    size_t numbers; /* runs of digits */
    size_t words;
    size_t long_words;
};

/* The characters of the word at *at, which is moved behind it. */
static size_t word_letters(struct str text, size_t *at)
{
    size_t letters = 0;

    for (; *at < text.len && is_letter(text.at[*at]); ++*at)
        letters += begins_character(text.at[*at]);
    return letters;
}

static struct measures measure(struct str text)
{
    struct measures found = {0};
    size_t at = 0;

    while (at < text.len) {
        size_t letters = word_letters(text, &at);

        found.letters += letters;
        found.words += letters > 0;
        found.long_words += letters >= LONG_WORD;
        if (at == text.len)
            break;
        found.questions += text.at[at] == '?';
        found.numbers +=
            is_digit(text.at[at]) && (at == 0 || !is_digit(text.at[at - 1]));
        if (!is_letter(text.at[at])) {
            found.letters++;
            at++;
        }
    }
    return found;
}

/* "Ada: words" -> "Ada"; empty when nobody is named. */
static struct str speaker_of(struct str text)
{
    struct str rest;
    struct str name = str_cut(text, ':', &rest);

    if (name.len == text.len || name.len > NAME_MAX_BYTES
        || memchr(name.at, '\n', name.len) != NULL)
        return str_of("");
    return name;
}

static bool is_among(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

/* Different names before the last messages of others. */
static size_t speakers(const struct llm_message *messages, size_t count)
{
    struct str names[SPEAKERS_WITHIN];
    size_t found = 0;
    size_t first = count > SPEAKERS_WITHIN ? count - SPEAKERS_WITHIN : 0;

    for (size_t i = first; i < count; i++) {
        struct str name = speaker_of(messages[i].text);

        if (strcmp(messages[i].role, "user") == 0 && name.len > 0
            && !is_among(names, found, name))
            names[found++] = name;
    }
    return found;
}

double hybrid_complexity(const struct llm_message *messages, size_t count)
{
    struct measures last = {0};
    double long_share;
    double others;

    for (size_t i = count; i > 0; i--) {
        if (strcmp(messages[i - 1].role, "user") == 0) {
            last = measure(messages[i - 1].text);
            break;
        }
    }
    long_share = last.words == 0 ? 0 : (double)last.long_words / (double)last.words;
    others = (double)speakers(messages, count);
    return 0.30 * full((double)last.letters, LETTERS_FULL)
           + 0.20 * full((double)last.questions, QUESTIONS_FULL)
           + 0.15 * full((double)last.numbers, NUMBERS_FULL)
           + 0.20 * full(long_share, LONG_SHARE_FULL)
           + 0.15 * full(others > 1 ? others - 1 : 0, SPEAKERS_FULL);
}

/* ---- the choice ---- */

static bool is_listed(const char *seats, int64_t seat)
{
    struct str rest = str_of(seats);

    while (rest.len > 0) {
        int64_t number;

        if (str_to_i64(str_trim(str_cut(rest, ',', &rest)), 1, INT64_MAX, &number)
            && number == seat)
            return true;
    }
    return false;
}

/* The mark of a turn that deserves the better model, NULL when it has none. */
static const char *mark_of(const struct config *config,
                           const struct hybrid_question *question)
{
    bool is_turn = question->seat > 0;

    if (is_turn
        && (question->spotlight || is_listed(config->hybrid_seats, question->seat)))
        return "mark_seat";
    if (config->hybrid_opening && (!is_turn || question->turn == 1))
        return "mark_opening";
    if (is_turn && config->hybrid_closing && question->closing)
        return "mark_closing";
    if (is_turn && config->hybrid_every > 0
        && question->turn % config->hybrid_every == 0)
        return "mark_every";
    return NULL;
}

static bool is_bad(const struct config *config, const struct hybrid_record *record)
{
    return record->down || record->error_rate > config->hybrid_error_rate
           || (config->hybrid_latency_ms > 0
               && record->latency_ms > (double)config->hybrid_latency_ms);
}

/* Why an unmarked turn should go to the cloud, NULL when it should not. */
static const char *reason_of(const struct config *config,
                             const struct hybrid_question *question,
                             const struct hybrid_record record[TIER_COUNT])
{
    if (question->seat > 0
        && hybrid_complexity(question->messages, question->message_count)
               >= config->hybrid_complexity)
        return "complexity";
    return is_bad(config, &record[TIER_LOCAL]) ? "record" : NULL;
}

static struct hybrid_answer local(const char *route, bool stand_in)
{
    return (struct hybrid_answer){TIER_LOCAL, route, stand_in};
}

struct hybrid_answer hybrid_choose(const struct config *config, enum hybrid_mode mode,
                                   const struct hybrid_question *question,
                                   const struct hybrid_record record[TIER_COUNT])
{
    double spent = record[TIER_LOCAL].spent_today + record[TIER_CLOUD].spent_today;
    bool over = config->hybrid_cost_cap > 0 && spent >= config->hybrid_cost_cap;
    const char *reason;

    if (mode == HYBRID_OFF)
        return local("off", false);
    reason = mark_of(config, question);
    if (reason == NULL && mode == HYBRID_AUTO) {
        reason = reason_of(config, question, record);
        if (reason != NULL && is_bad(config, &record[TIER_CLOUD]))
            return local("record", !over);
    }
    if (reason == NULL)
        return local("background", !over);
    if (over)
        return local("cost_cap", false);
    return (struct hybrid_answer){TIER_CLOUD, reason, true};
}
