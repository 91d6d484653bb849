/* scene.c - see scene.h.
 *
 * Flow: scene_read -> read_system -> scene_set_topic
 *                  -> read_dialogue -> read_last -> collect_echoes
 */
#include "simulator/scene.h"

#include <string.h>

#include "base/alloc.h"
#include "simulator/words.h"

/* ---- values of a text ---- */

static struct str trim_marks(struct str text)
{
    text = str_trim(text);
    while (text.len > 0 && strchr("\"'*_`,;:-#>", text.at[0]))
        text = str_trim(str_make(text.at + 1, text.len - 1));
    while (text.len > 0 && strchr("\"'*_`,;:-.", text.at[text.len - 1]))
        text = str_trim(str_make(text.at, text.len - 1));
    return text;
}

void scene_copy(char ret_text[SCENE_TEXT], struct str at)
{
    size_t len = 0;

    at = trim_marks(at);
    len = at.len;
    if (len >= SCENE_TEXT) {
        len = SCENE_TEXT - 1;
        while (len > 0 && at.at[len] != ' ')
            len--;
    }
    for (size_t i = 0; i < len; i++)
        ret_text[i] = (unsigned char)at.at[i] < ' ' ? ' ' : at.at[i];
    ret_text[len] = '\0';
}

static struct str skip(struct str text, size_t count)
{
    return str_make(text.at + count, text.len - count);
}

/* Takes `key` and ':' (or " is ", " are ") off the start of a line; false when it does
 * not begin so. */
static bool take_key(struct str line, struct str key, struct str *ret_value)
{
    for (size_t i = 0; i < key.len; i++)
        if (i >= line.len || char_lower(line.at[i]) != key.at[i])
            return false;
    line = skip(line, key.len);
    while (line.len > 0 && strchr("\"*_ ", line.at[0]))
        line = skip(line, 1);
    if (words_start(line, ":"))
        *ret_value = str_trim(skip(line, 1));
    else if (words_start(line, "is "))
        *ret_value = str_trim(skip(line, 3));
    else if (words_start(line, "are "))
        *ret_value = str_trim(skip(line, 4));
    else
        return false;
    return ret_value->len > 0;
}

static struct str without_lead(struct str line, const char *lead)
{
    return words_start(line, lead) ? skip(line, strlen(lead)) : line;
}

struct str scene_find(struct str text, const char *keys)
{
    struct str value = {0};

    while (text.len > 0) {
        struct str line = trim_marks(str_cut(text, '\n', &text));
        struct str rest = str_of(keys);

        line = without_lead(without_lead(line, "your "), "the ");
        while (rest.len > 0)
            if (take_key(line, str_cut(rest, '|', &rest), &value))
                return value;
    }
    return str_make("", 0);
}

/* Index of the first of the marks, each a text; text.len if there is none. */
static size_t first_of(struct str text, const char *const *marks, size_t count)
{
    size_t first = text.len;

    for (size_t i = 0; i < count; i++) {
        size_t at = words_find(text, marks[i]);

        if (at < first)
            first = at;
    }
    return first;
}

struct str scene_role(struct str text)
{
    static const char *const ends[] = {
        " who ", " that ", " which ", " with ", " whose ", " in a ", " for ", ",",
        ".",     ";",      " (",      "\n",     " - ",     ":",      " and "};
    struct str role = trim_marks(text);

    role = without_lead(without_lead(without_lead(role, "the "), "a "), "an ");
    role = str_make(role.at, first_of(role, ends, sizeof ends / sizeof *ends));
    return role.len <= 40 ? str_trim(role) : str_make("", 0);
}

/* The run of capitalised words that the text begins with. */
struct str scene_name(struct str text)
{
    size_t at = 0;
    size_t end = 0;

    for (int count = 0; count < 4; count++) {
        struct str gap = {0};
        struct str word = word_next(text, &at, &gap);

        if (word.len == 0 || !char_is_upper(word.at[0]) || gap.len > (count ? 2U : 0U)
            || (gap.len == 2 && !str_is(gap, ". ")))
            break;
        if (count > 0 && (word_is(word, "you") || word_is(word, "your")))
            break;
        end = at;
    }
    return str_make(text.at, end);
}

/* ---- who, whom, what about ---- */

static void read_you_are(struct scene *scene, struct str text)
{
    size_t at = words_find(text, "you are ");
    struct str rest = {0};
    struct str name = {0};

    if (at == text.len)
        return;
    rest = str_make(text.at + at + 8, text.len - at - 8);
    name = scene_name(rest);
    scene_copy(scene->me, name);
    rest = str_make(rest.at + name.len, rest.len - name.len);
    if ((rest.len > 0 && strchr(",( ", rest.at[0])) || words_start(rest, "a ")
        || words_start(rest, "an ") || words_start(rest, "the "))
        scene_copy(scene->role, scene_role(rest));
    if (words_have(str_of(scene->role), "talking|speaking|taking part|playing|in this"))
        scene->role[0] = '\0';
}

static void read_other(struct scene *scene, struct str text)
{
    static const char *const leads[] = {
        "talking with ", "talking to ", "speaking with ",
        "speaking to ",  "talk with ",  "talk to ",
        "speak with ",   "speak to ",   "conversation with "};

    for (size_t i = 0; i < sizeof leads / sizeof *leads && !scene->you[0]; i++) {
        size_t at = words_find(text, leads[i]) + strlen(leads[i]);

        if (at < text.len)
            scene_copy(scene->you, scene_name(str_make(text.at + at, text.len - at)));
    }
}

/* Nouns that tell a trait ("curiosity") do not fit where an adjective must stand. */
static bool is_adjective(struct str word)
{
    static const char *const noun_ends[] = {"ity", "ness", "ion",  "ence", "ance",
                                            "ism", "our",  "ment", "ship", "ing"};

    for (size_t i = 0; i < sizeof noun_ends / sizeof *noun_ends; i++) {
        size_t len = strlen(noun_ends[i]);

        if (word.len > len
            && words_start(str_make(word.at + word.len - len, len), noun_ends[i]))
            return false;
    }
    return word.len >= 3 && memchr(word.at, ' ', word.len) == NULL;
}

static void read_traits(struct scene *scene, struct str list)
{
    while (list.len > 0 && scene->trait_count < SCENE_TRAITS) {
        struct str trait = trim_marks(str_cut(list, ',', &list));
        char *to = scene->traits[scene->trait_count];

        trait = without_lead(trait, "and ");
        if (!is_adjective(trait))
            continue;
        scene_copy(to, trait);
        to[0] = char_lower(to[0]);
        scene->trait_count++;
    }
}

static void read_goal(struct scene *scene, struct str goal)
{
    static const char *const ends[] = {". ", "; ", "\n"};

    goal = without_lead(trim_marks(goal), "to ");
    goal = str_make(goal.at, first_of(goal, ends, sizeof ends / sizeof *ends));
    if (goal.len == 0 || goal.len >= SCENE_TEXT)
        return;
    scene_copy(scene->goal, goal);
    if (!char_is_upper(scene->goal[1])) /* "AI for all" stays as it is */
        scene->goal[0] = char_lower(scene->goal[0]);
}

static void read_words(struct scene *scene, struct str topic)
{
    size_t at = 0;

    while (scene->word_count < SCENE_WORDS) {
        struct str gap = {0};
        struct str word = word_next(topic, &at, &gap);

        if (word.len == 0)
            return;
        if (word.len >= 4 && !word_is_common(word))
            scene_copy(scene->words[scene->word_count++], word);
    }
}

/* A few words after an article go into a sentence as they are, the rest in quotes. */
void scene_set_topic(struct scene *scene, struct str topic)
{
    char text[SCENE_TEXT] = "";
    struct str gap = {0};
    struct str first = {0};
    size_t at = 0;

    topic = str_trim(topic);
    topic = str_make(topic.at, topic.len < 72 ? topic.len : 72);
    scene_copy(text, topic);
    read_words(scene, str_of(text));
    first = word_next(str_of(text), &at, &gap);
    if (first.len == 0)
        return;
    if (strpbrk(text, "?!.:;\"") || topic.len >= 72
        || words_have(first, "should|do|does|is|are|can|could|would|will")) {
        text[strcspn(text, "?!.:;\"")] = '\0';
        text[0] = char_lower(text[0]);
        fmt_into(scene->topic, SCENE_TEXT, "\xE2\x80\x9C%.80s\xE2\x80\x9D", text);
        return;
    }
    if (word_is_common(first)
        || (first.len > 4 && word_is(str_make(first.at + first.len - 3, 3), "ing")))
        text[0] = char_lower(text[0]);
    scene_copy(scene->topic, str_of(text));
}

static void read_system(struct scene *scene, struct str text)
{
    struct str style = scene_find(text, "style|speaking style|manner|voice");
    struct str role = scene_find(text, "role|profession|job");

    read_you_are(scene, text);
    read_other(scene, text);
    if (!scene->me[0])
        scene_copy(scene->me, scene_name(scene_find(text, "name")));
    if (role.len > 0)
        scene_copy(scene->role, scene_role(role));
    if (scene->role[0] && !char_is_upper(scene->role[1]))
        scene->role[0] = char_lower(scene->role[0]);
    read_traits(scene, scene_find(text, "traits|character|personality"));
    read_goal(scene, scene_find(text, "goal|aim|objective"));
    scene_set_topic(scene, scene_find(text, "topic|subject|theme|conversation topic"));
    if (style.len > 0) {
        scene->style = style.at;
        scene->style_len = style.len;
    }
}

bool scene_has(const struct scene *scene, const char *words)
{
    return words_have(str_make(scene->style, scene->style_len), words)
           || words_have(str_of(scene->role), words);
}

/* ---- what was said ---- */

/* One of several beginnings, separated by '|'. */
static bool starts_with_one(struct str text, const char *beginnings)
{
    struct str rest = str_of(beginnings);

    while (rest.len > 0) {
        struct str start = str_cut(rest, '|', &rest);
        size_t same = 0;

        while (same < start.len && same < text.len
               && char_lower(text.at[same]) == start.at[same])
            same++;
        if (same == start.len)
            return true;
    }
    return false;
}

static enum question question_of(struct str sentence)
{
    static const struct {
        const char *first; /* the sentence begins so, or a part behind a comma */
        enum question kind;
    } cues[] = {
        {"why|how come|what makes|what reason", QUESTION_WHY},
        {"how many|how much|how far|how long|what|which", QUESTION_WHAT},
        {"how", QUESTION_HOW},
        {"whom|whose|who", QUESTION_WHO},
        {"when|where", QUESTION_WHEN},
    };
    struct str part = {0};

    while (sentence.len > 0) {
        part = str_trim(str_cut(sentence, ',', &sentence));
        for (size_t i = 0; i < sizeof cues / sizeof *cues; i++)
            if (starts_with_one(part, cues[i].first))
                return cues[i].kind;
        if (starts_with_one(part, "is |are |do |does |did |can |could |would |will "
                                  "|shall |should |have |has |was |were |may |must "))
            return QUESTION_YES_NO;
    }
    return QUESTION_YES_NO;
}

/* The kind of question that the text ends with. */
static enum question last_question(struct str text)
{
    size_t start = 0;

    text = str_trim(text);
    if (text.len == 0 || text.at[text.len - 1] != '?')
        return QUESTION_NONE;
    for (size_t i = text.len - 1; i > 0 && start == 0; i--)
        if (strchr(".!?\n", text.at[i - 1]))
            start = i;
    return question_of(str_make(text.at + start, text.len - start));
}

/* What the other is quoted for must be its own words, not what it quotes from us. */
static bool said_by_me(const struct sim_prompt *prompt, struct str phrase)
{
    size_t seen = 0;

    for (size_t i = prompt->count; i > 0 && seen < 3; i--) {
        const struct sim_message *message = &prompt->messages[i - 1];
        char lower[SCENE_TEXT] = "";

        if (!sim_prompt_is(message, "assistant") || phrase.len >= sizeof lower)
            continue;
        for (size_t k = 0; k < phrase.len; k++)
            lower[k] = char_lower(phrase.at[k]);
        if (words_find(message->text, lower) < message->text.len)
            return true;
        seen++;
    }
    return false;
}

static bool is_plain_gap(struct str gap)
{
    return gap.len == 1 && gap.at[0] == ' ';
}

static void add_echo(struct scene *scene, const struct sim_prompt *prompt,
                     struct str phrase)
{
    char *to = NULL;

    if (scene->echo_count == SCENE_ECHOES || phrase.len < 8 || phrase.len >= 48
        || said_by_me(prompt, phrase))
        return;
    to = scene->echoes[scene->echo_count++];
    scene_copy(to, phrase);
    /* The capital of a sentence's first word is not the phrase's. */
    if (phrase.at == scene->last.at || strchr(".!?:\n\x9C", phrase.at[-2]))
        to[0] = char_lower(to[0]);
}

static bool is_telling(struct str word)
{
    return word.len >= 4 && !word_is_common(word);
}

/* Whether a phrase that ends at `at` is whole: no telling word follows at once. */
static bool ends_here(struct str text, size_t at)
{
    struct str gap = {0};
    struct str next = word_next(text, &at, &gap);

    return next.len == 0 || !is_plain_gap(gap) || !is_telling(next);
}

/* All whole runs of 2 to 5 words from `from` on that begin and end with a word that
 * shows something, without a comma or a quote inside. */
static void echoes_from(struct scene *scene, const struct sim_prompt *prompt,
                        struct str text, size_t from)
{
    size_t at = from;
    size_t start = 0;
    struct str gap = {0};
    struct str word = word_next(text, &at, &gap);

    if (!is_telling(word))
        return;
    start = at - word.len;
    for (int count = 2; count <= 5; count++) {
        word = word_next(text, &at, &gap);
        if (word.len == 0 || !is_plain_gap(gap) || word_is_hinge(word))
            return;
        if (is_telling(word) && ends_here(text, at))
            add_echo(scene, prompt, str_make(text.at + start, at - start));
    }
}

/* "a stubborn kind", "a pinch of": the thing itself has not been named yet. */
static bool is_filler(struct str word)
{
    static const char *const fillers[] = {
        "of",    "one", "kind",  "sort", "bit",  "lot",  "deal",   "way", "part",
        "thing", "man", "woman", "few",  "time", "case", "person", "name"};

    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        if (word_is(word, fillers[i]))
            return true;
    return false;
}

/* Behind "a" or "an" up to the next common word: "stuffed heron". Not "pinch of". */
static void seen_from(struct scene *scene, struct str text, size_t from)
{
    struct str gap = {0};
    struct str word = {0};
    size_t start = from;
    size_t end = from;

    for (int count = 0; count < 3; count++) {
        size_t at = end;

        word = word_next(text, &at, &gap);
        if (!is_plain_gap(gap) || word.len < 3 || word_is_common(word))
            break;
        start = count == 0 ? at - word.len : start;
        end = at;
    }
    if (end - start < 4 || end - start > 32 || scene->seen_count == SCENE_SEEN
        || (is_plain_gap(gap) && is_filler(word)) || char_is_upper(text.at[start])
        || text.at[end - 1] == 's' || memchr(text.at + start, '\'', end - start))
        return;
    scene_copy(scene->seen[scene->seen_count++],
               str_make(text.at + start, end - start));
}

static void collect_echoes(struct scene *scene, const struct sim_prompt *prompt)
{
    struct str text = scene->last;
    struct str before = {0};
    size_t at = 0;
    bool quoted = false;

    while (at < text.len) {
        size_t from = at;
        struct str gap = {0};
        struct str word = word_next(text, &at, &gap);
        /* A run that begins in the middle of a phrase would be only a part of it. */
        bool fresh = !is_plain_gap(gap) || !is_telling(before);

        if (words_have(gap, "\xE2\x80\x9C") || memchr(gap.at, '"', gap.len))
            quoted = true;
        if (words_have(gap, "\xE2\x80\x9D"))
            quoted = false;
        if (word.len > 0 && !quoted && fresh)
            echoes_from(scene, prompt, text, from);
        if (!quoted && (word_is(word, "a") || word_is(word, "an")))
            seen_from(scene, text, at);
        before = word;
    }
}

/* "Bo Marlow: Good evening." is Good evening, said by Bo. */
static struct str without_speaker(struct scene *scene, struct str text)
{
    struct str name = scene_name(text);

    if (name.len == 0 || name.len >= text.len || text.at[name.len] != ':')
        return text;
    scene_copy(scene->you, name);
    return str_trim(str_make(text.at + name.len + 1, text.len - name.len - 1));
}

/* Whoever drives us may say so instead of being somebody: "Begin the conversation." */
static bool is_stage_direction(struct str text)
{
    if (text.len > 2 && text.at[0] == '(' && text.at[text.len - 1] == ')')
        return true;
    return text.len < 400
           && words_have(text,
                         "begin the conversation|start the conversation|speak first"
                         "|open the conversation|begin the dialogue|your turn"
                         "|opening line|you begin|you start|begin now");
}

static void read_dialogue(struct scene *scene, const struct sim_prompt *prompt)
{
    for (size_t i = 0; i < prompt->count; i++) {
        const struct sim_message *message = &prompt->messages[i];
        bool mine = sim_prompt_is(message, "assistant");

        if (sim_prompt_is(message, "system")
            || (!mine && is_stage_direction(str_trim(message->text))))
            continue;
        scene->said++;
        scene->said_by_me += mine;
        if (!mine)
            scene->last = without_speaker(scene, str_trim(message->text));
    }
    scene->you[strcspn(scene->you, " ")] = '\0';
    scene->question = last_question(scene->last);
    scene->proposed = words_have(scene->last, "i propose|let us |suppose we|my proposal"
                                              "|shall we|what if we|i suggest");
    scene->objected =
        words_have(scene->last, "i disagree|nonsense|i object|not convinced"
                                "|i doubt|no, |wrong|cannot agree");
    collect_echoes(scene, prompt);
}

void scene_read(struct scene *scene, const struct sim_prompt *prompt)
{
    *scene = (struct scene){.style = ""};
    for (size_t i = 0; i < prompt->count; i++)
        if (sim_prompt_is(&prompt->messages[i], "system"))
            read_system(scene, prompt->messages[i].text);
    read_dialogue(scene, prompt);
}
