/* grammar.c - see grammar.h.
 *
 * Flow: grammar_expand -> add_slot -> slot_text -> scene, tool, or draw from a list
 */
#include "simulator/grammar.h"

#include <string.h>

#include "base/alloc.h"
#include "simulator/talk_data.h"
#include "simulator/words.h"

#define QUOTE "\xE2\x80\x9C"
enum { DRAW_TRIES = 8, LINE_MAX_BYTES = 1024 };

const struct domain *domain_of(struct str role)
{
    char padded[SCENE_TEXT + 3] = "";

    if (role.len > 0 && role.len < SCENE_TEXT) {
        fmt_into(padded, sizeof padded, " %.*s ", (int)role.len, role.at);
        for (size_t i = 0; i + 1 < domain_count; i++)
            if (words_have(str_of(padded), domains[i].keys))
                return &domains[i];
    }
    return &domains[domain_count - 1];
}

bool text_has(struct str text, struct str piece)
{
    const char *at = text.at;
    size_t left = text.len;

    while (piece.len > 0 && left >= piece.len) {
        const char *hit = memchr(at, piece.at[0], left - piece.len + 1);

        if (hit == NULL)
            return false;
        if (memcmp(hit, piece.at, piece.len) == 0)
            return true;
        left -= (size_t)(hit + 1 - at);
        at = hit + 1;
    }
    return false;
}

void grammar_init(struct grammar *grammar, struct rng *rng, const struct scene *scene,
                  const struct domain *domain, struct str recent)
{
    *grammar = (struct grammar){
        .rng = rng, .scene = scene, .domain = domain, .recent = recent};
    grammar->tool = domain->tools[rng_below(rng, DOMAIN_TOOLS)];
    if (scene->trait_count > 0)
        grammar->trait = scene->traits[rng_below(rng, scene->trait_count)];
}

bool grammar_was_used(const struct grammar *grammar, const char *text)
{
    for (size_t i = 0; i < grammar->used_count; i++)
        if (strcmp(grammar->used[i], text) == 0)
            return true;
    return false;
}

void grammar_use(struct grammar *grammar, const char *text)
{
    if (grammar->used_count < GRAMMAR_USED_MAX)
        grammar->used[grammar->used_count++] = text;
}

static const char *use(struct grammar *grammar, const char *text)
{
    grammar_use(grammar, text);
    return text;
}

/* A word not drawn before in this reply and, if luck allows, not heard lately. */
static const char *draw(struct grammar *grammar, const struct pool *pool)
{
    const char *fallback = NULL;

    for (int i = 0; i < DRAW_TRIES; i++) {
        const char *text = pool->lines[rng_below(grammar->rng, pool->count)];

        if (grammar_was_used(grammar, text))
            continue;
        if (!text_has(grammar->recent, str_of(text)))
            return use(grammar, text);
        fallback = text;
    }
    if (fallback == NULL)
        fallback = pool->lines[rng_below(grammar->rng, pool->count)];
    return use(grammar, fallback);
}

/* Another phrase or topic word each time; NULL when they are used up. */
static const char *draw_row(struct grammar *grammar, const char (*rows)[SCENE_TEXT],
                            size_t count)
{
    size_t start = count > 0 ? rng_below(grammar->rng, count) : 0;

    for (size_t i = 0; i < count; i++) {
        const char *text = rows[(start + i) % count];

        if (!grammar_was_used(grammar, text))
            return use(grammar, text);
    }
    return NULL;
}

static const char *scene_slot(const struct grammar *grammar, struct str name)
{
    const struct scene *scene = grammar->scene;
    const struct {
        const char *name;
        const char *text;
    } slots[] = {
        {"me", scene->me},       {"you", scene->you},     {"role", scene->role},
        {"goal", scene->goal},   {"topic", scene->topic}, {"trait", grammar->trait},
        {"tool", grammar->tool},
    };

    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        if (str_is(name, slots[i].name))
            return slots[i].text;
    return NULL;
}

static const char *slot_text(struct grammar *grammar, struct str name)
{
    const struct pool *words = pool_words(name);
    const struct scene *scene = grammar->scene;

    if (words)
        return draw(grammar, words);
    if (str_is(name, "echo"))
        return draw_row(grammar, scene->echoes, scene->echo_count);
    if (str_is(name, "seen"))
        return draw_row(grammar, scene->seen, scene->seen_count);
    if (str_is(name, "word"))
        return draw_row(grammar, scene->words, scene->word_count);
    return scene_slot(grammar, name);
}

static bool add_slot(struct grammar *grammar, struct str slot, struct buf *into)
{
    bool article = str_starts(slot, "a:");
    struct str name = article ? str_make(slot.at + 2, slot.len - 2) : slot;
    const char *text = slot_text(grammar, name);

    if (text == NULL || text[0] == '\0')
        return false;
    if (article)
        (void)buf_printf(into, "%s ", word_article(str_of(text)));
    return buf_add_text(into, text);
}

/* The first letter, also behind an opening quote. */
static void raise_first(char *text)
{
    if (strncmp(text, QUOTE, 3) == 0)
        text += 3;
    if (*text >= 'a' && *text <= 'z')
        *text = (char)(*text - 'a' + 'A');
}

bool grammar_expand(struct grammar *grammar, const char *line, struct buf *into)
{
    struct str rest = str_of(line);
    struct buf text;
    bool ok = true;

    buf_init(&text, LINE_MAX_BYTES);
    while (ok && rest.len > 0) {
        struct str slot = {0};

        ok = buf_add_str(&text, str_cut(rest, '{', &rest));
        if (ok && rest.len > 0) {
            slot = str_cut(rest, '}', &rest);
            ok = add_slot(grammar, slot, &text);
        }
    }
    if (ok) {
        if (!grammar->lower && (line[0] == '{' || strncmp(line, QUOTE "{", 4) == 0))
            raise_first(text.at);
        ok = buf_add_str(into, buf_str(&text));
    }
    buf_done(&text);
    return ok;
}

struct str grammar_mark(const char *line)
{
    struct str rest = str_of(line);
    struct str longest = {0};

    while (rest.len > 0) {
        struct str piece = str_cut(rest, '{', &rest);

        if (piece.len > longest.len)
            longest = piece;
        (void)str_cut(rest, '}', &rest);
    }
    return longest;
}
