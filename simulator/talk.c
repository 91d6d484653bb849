/* talk.c - see talk.h.
 *
 * Flow: talk_reply -> scene_read, remember (what was said lately)
 *                  -> plan (how it begins, how it ends, how long)
 *                  -> say_from a pool, sentence by sentence -> trim to the limits
 */
#include "simulator/talk.h"

#include <string.h>

#include "base/rng.h"
#include "simulator/grammar.h"
#include "simulator/scene.h"
#include "simulator/talk_data.h"
#include "simulator/tokens.h"
#include "simulator/words.h"

enum {
    REMEMBERED = 26,         /* messages whose turns of phrase are not used again */
    REMEMBERED_BYTES = 2048, /* of each of them */
    HEARD = 6,               /* messages whose nouns are avoided */
    SEARCHED = 1000,         /* messages none of whose sentences is said again */
    WORN_BYTES = 1500,       /* as REMEMBERED, of a long reply */
    SAID_BYTES = 8192,       /* as SEARCHED, of it */
    MISSES_MAX = 6,          /* sentences that do not fit, in a row */
    CYCLE = 20,              /* messages until the phases begin again */
    PERCENT = 100
};

enum phase { PHASE_PROBE, PHASE_DISAGREE, PHASE_ODD, PHASE_MAKE_UP, PHASE_COUNT };
static const struct {
    enum pool_id reaction;
    enum pool_id body;
    unsigned ask;     /* percent of turns that end with a question... */
    unsigned propose; /* ...and with a proposal */
} phases[PHASE_COUNT] = {
    [PHASE_PROBE] = {POOL_TO_PROBING, POOL_PROBE, 55, 5},
    [PHASE_DISAGREE] = {POOL_TO_DISAGREEING, POOL_DISAGREE, 35, 5},
    [PHASE_ODD] = {POOL_TO_PROPOSING, POOL_ODD, 10, 65},
    [PHASE_MAKE_UP] = {POOL_TO_MAKING_UP, POOL_MAKE_UP, 25, 10},
};
static const enum pool_id answers[QUESTION_COUNT] = {
    [QUESTION_YES_NO] = POOL_ANSWER_YES_NO, [QUESTION_WHY] = POOL_ANSWER_WHY,
    [QUESTION_HOW] = POOL_ANSWER_HOW,       [QUESTION_WHAT] = POOL_ANSWER_WHAT,
    [QUESTION_WHO] = POOL_ANSWER_WHO,       [QUESTION_WHEN] = POOL_ANSWER_WHEN,
};

struct talk {
    const struct talk_ask *ask;
    struct rng rng;
    struct scene scene;
    struct grammar grammar;
    struct buf recent;   /* the last messages */
    size_t heard_from;   /* in it: the very last ones */
    struct buf text;     /* the reply */
    struct buf sentence; /* being tried */
    size_t tokens;       /* of the reply, with the end that is set aside */
    size_t target;
};

static bool chance(struct talk *talk, unsigned percent)
{
    return rng_below(&talk->rng, PERCENT) < percent;
}

/* ---- what was said before ---- */

static void remember(struct talk *talk)
{
    const struct sim_prompt *prompt = talk->ask->prompt;
    size_t first = prompt->count > REMEMBERED ? prompt->count - REMEMBERED : 0;

    for (size_t i = first; i < prompt->count; i++) {
        struct str text = prompt->messages[i].text;

        if (sim_prompt_is(&prompt->messages[i], "system"))
            continue;
        if (prompt->count - i == HEARD)
            talk->heard_from = talk->recent.len;
        text.len = text.len < REMEMBERED_BYTES ? text.len : REMEMBERED_BYTES;
        (void)buf_add_str(&talk->recent, text); /* sized for all of them */
        (void)buf_add_char(&talk->recent, '\n');
    }
}

/* The end of the reply that is being made: a long one may come back to a phrase. */
static struct str said_lately(const struct talk *talk, size_t bytes)
{
    size_t len = talk->text.len < bytes ? talk->text.len : bytes;

    return str_make(talk->text.at + talk->text.len - len, len);
}

static bool is_worn(const struct talk *talk, struct str piece)
{
    return text_has(buf_str(&talk->recent), piece)
           || text_has(said_lately(talk, WORN_BYTES), piece);
}

static bool was_said(const struct talk *talk, struct str sentence)
{
    const struct sim_prompt *prompt = talk->ask->prompt;
    size_t first = prompt->count > SEARCHED ? prompt->count - SEARCHED : 0;

    for (size_t i = first; i < prompt->count; i++)
        if (text_has(prompt->messages[i].text, sentence))
            return true;
    return text_has(said_lately(talk, SAID_BYTES), sentence);
}

/* ---- one sentence ---- */

/* Expands a line into talk->sentence if it is new and short enough. */
static bool try_line(struct talk *talk, const char *line, size_t max_tokens)
{
    size_t used = talk->grammar.used_count;
    struct str sentence = {0};

    buf_clear(&talk->sentence);
    if (grammar_expand(&talk->grammar, line, &talk->sentence)) {
        sentence = buf_str(&talk->sentence);
        if (tokens_count(sentence) < max_tokens && !was_said(talk, sentence))
            return true;
    }
    talk->grammar.used_count = used;
    return false;
}

/* A sentence of the pool of fewer than max_tokens; first among the lines that have not
 * been used lately. False when none fits. */
static bool find_sentence(struct talk *talk, const struct pool *pool, size_t max_tokens,
                          bool worn_too)
{
    size_t start = rng_below(&talk->rng, pool->count);

    for (size_t i = 0; i < pool->count; i++) {
        const char *line = pool->lines[(start + i) % pool->count];

        if ((worn_too || !is_worn(talk, grammar_mark(line)))
            && try_line(talk, line, max_tokens))
            return true;
    }
    return false;
}

static void add_sentence(struct talk *talk, struct str sentence)
{
    if (talk->text.len > 0)
        (void)buf_add_char(&talk->text, ' ');
    (void)buf_add_str(&talk->text, sentence); /* sized by the token limit */
}

/* Says a sentence of the pool if one fits into what is left. */
static bool say_from(struct talk *talk, const struct pool *pool, bool worn_too)
{
    size_t left = talk->ask->max_tokens - talk->tokens;

    if (talk->tokens >= talk->ask->max_tokens
        || !find_sentence(talk, pool, left + 1, worn_too))
        return false;
    add_sentence(talk, buf_str(&talk->sentence));
    talk->tokens += tokens_count(buf_str(&talk->sentence));
    return true;
}

/* ---- the plan of a turn ---- */

static enum phase phase_of(const struct scene *scene)
{
    size_t at = scene->said % CYCLE;

    if (at < 6)
        return PHASE_PROBE;
    if (at < 12)
        return PHASE_DISAGREE;
    return at < 16 ? PHASE_ODD : PHASE_MAKE_UP;
}

static enum pool_id beginning_of(struct talk *talk)
{
    const struct scene *scene = &talk->scene;

    if (scene->said == 0)
        return POOL_FIRST;
    if (scene->question != QUESTION_NONE && chance(talk, 88))
        return answers[scene->question];
    if (scene->said_by_me == 0)
        return POOL_HELLO;
    if (scene->seen_count > 0 && chance(talk, 25))
        return POOL_SEEN;
    if (scene->proposed && chance(talk, 75))
        return POOL_TO_PROPOSAL;
    if (scene->objected && chance(talk, 60))
        return POOL_TO_OBJECTION;
    return phases[phase_of(scene)].reaction;
}

static struct pool sayings_of(const struct domain *domain)
{
    return (struct pool){domain->sayings, DOMAIN_SAYINGS};
}

static struct pool body_of(struct talk *talk)
{
    unsigned poetic =
        scene_has(&talk->scene, "poet|metaphor|lyric|dream|flower") ? 25 : 0;
    uint64_t roll = rng_below(&talk->rng, PERCENT + poetic);

    if (chance(talk, 22) && talk->scene.seen_count > 0)
        return *pool_get(POOL_SEEN);
    if (roll < 38)
        return *pool_get(phases[phase_of(&talk->scene)].body);
    if (roll < 56)
        return sayings_of(talk->grammar.domain);
    if (roll < 68)
        return *pool_get(POOL_TRADE);
    if (roll < 84)
        return *pool_get(POOL_TOPIC);
    if (roll < 92)
        return *pool_get(POOL_SELF);
    return *pool_get(POOL_IMAGE);
}

/* The last sentence, made first so that there is room for it; "" for none. */
static void set_end_aside(struct talk *talk, struct buf *ret_end)
{
    enum phase phase = phase_of(&talk->scene);
    unsigned ask = phases[phase].ask;
    size_t room = talk->ask->max_tokens * 2 / 3;
    uint64_t roll = rng_below(&talk->rng, PERCENT);
    enum pool_id pool = POOL_ASK;

    if (scene_has(&talk->scene, "question|curious|socratic|inspector|journalist"))
        ask += 15;
    if (roll >= ask + phases[phase].propose)
        return;
    if (roll >= ask)
        pool = POOL_PROPOSE;
    if (find_sentence(talk, pool_get(pool), room, false)) {
        (void)buf_add_str(ret_end, buf_str(&talk->sentence));
        talk->tokens += tokens_count(buf_str(&talk->sentence));
    }
}

static void plan_length(struct talk *talk)
{
    size_t span = talk->ask->max_tokens - talk->ask->min_tokens;

    if (scene_has(&talk->scene, "terse|short|brief|laconic|blunt|few words|curt"))
        span /= 3;
    talk->target = talk->ask->min_tokens + rng_below(&talk->rng, span + 1);
}

/* Something that was said before, or a few words, where nothing new fits. */
static bool say_anything(struct talk *talk)
{
    return say_from(talk, pool_get(POOL_SHORT), false)
           || say_from(talk, pool_get(POOL_TOPIC), true)
           || say_from(talk, pool_get(POOL_IMAGE), true)
           || say_from(talk, pool_get(POOL_SHORT), true);
}

/* Until the target is reached or nothing fits any more. */
static void say_body(struct talk *talk)
{
    int missed = 0;

    while (talk->tokens < talk->target && missed < MISSES_MAX) {
        struct pool pool = body_of(talk);

        missed = say_from(talk, &pool, false) ? 0 : missed + 1;
        if (missed == MISSES_MAX && talk->tokens < talk->ask->min_tokens
            && say_anything(talk))
            missed = 0;
    }
}

/* ---- the limits ---- */

/* When no sentence fits the limits: exactly so many tokens, and a full stop. */
static void cut_to(struct talk *talk, size_t count)
{
    struct str kept = tokens_take(buf_str(&talk->text), count > 1 ? count - 1 : count);
    struct str text = str_trim(kept);

    talk->text.len = text.len;
    talk->text.at[text.len] = '\0';
    if (count > 1)
        (void)buf_add_char(&talk->text, '.');
}

static void fill_up(struct talk *talk)
{
    struct pool pool = {0};

    while (tokens_count(buf_str(&talk->text)) < talk->ask->min_tokens) {
        pool = body_of(talk);
        buf_clear(&talk->sentence);
        if (grammar_expand(&talk->grammar,
                           pool.lines[rng_below(&talk->rng, pool.count)],
                           &talk->sentence))
            add_sentence(talk, buf_str(&talk->sentence));
    }
}

static void keep_limits(struct talk *talk)
{
    size_t count = tokens_count(buf_str(&talk->text));

    if (count < talk->ask->min_tokens)
        fill_up(talk);
    if (tokens_count(buf_str(&talk->text)) > talk->ask->max_tokens)
        cut_to(talk, talk->ask->max_tokens);
}

/* ---- the turn ---- */

static void talk_init(struct talk *talk, const struct talk_ask *ask)
{
    uint64_t seed = ask->seed;
    struct str heard = {0};

    for (size_t i = 0; i < ask->prompt->count; i++)
        seed = rng_hash(seed, ask->prompt->messages[i].text);
    talk->ask = ask;
    rng_init(&talk->rng, seed);
    buf_init(&talk->recent, (size_t)REMEMBERED * (REMEMBERED_BYTES + 1));
    buf_init(&talk->text, 64 * (ask->max_tokens + 256));
    buf_init(&talk->sentence, 4096);
    scene_read(&talk->scene, ask->prompt);
    remember(talk);
    heard = str_make(talk->recent.at + talk->heard_from,
                     talk->recent.len - talk->heard_from);
    grammar_init(&talk->grammar, &talk->rng, &talk->scene,
                 domain_of(str_of(talk->scene.role)), heard);
}

void talk_reply(const struct talk_ask *ask, struct buf *into)
{
    struct talk talk = {0};
    struct buf end;

    talk_init(&talk, ask);
    buf_init(&end, 4096);
    plan_length(&talk);
    set_end_aside(&talk, &end);
    if (!say_from(&talk, pool_get(beginning_of(&talk)), false))
        (void)say_from(&talk, pool_get(POOL_SHORT), false);
    say_body(&talk);
    if (end.len > 0)
        add_sentence(&talk, buf_str(&end));
    keep_limits(&talk);
    (void)buf_add_str(into, buf_str(&talk.text));
    buf_done(&end);
    buf_done(&talk.recent);
    buf_done(&talk.text);
    buf_done(&talk.sentence);
}
