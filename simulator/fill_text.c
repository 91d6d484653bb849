/* fill_text.c - see fill_text.h.
 *
 * Flow: fill_text_init -> read_topic, read_people, read_wanted
 *       fill_text_add -> kind by the property's name -> the kind's own function
 */
#include "simulator/fill_text.h"

#include <string.h>

#include "base/alloc.h"
#include "simulator/fill_words.h"
#include "simulator/talk_data.h"
#include "simulator/words.h"

enum { LAST_NAME_STRIDE = 7, TRADE_STRIDE = 4 }; /* coprime to the lists' lengths */

/* ---- what the prompt tells ---- */

static struct str until_any(struct str text, const char *marks)
{
    size_t len = 0;

    while (len < text.len && strchr(marks, text.at[len]) == NULL)
        len++;
    return str_make(text.at, len);
}

static void read_topic(struct fill_text *text, struct str prompt)
{
    struct str topic = scene_find(prompt, "topic|subject|theme");
    size_t at = words_find(prompt, "about ");

    if (topic.len == 0 && at < prompt.len) {
        topic = str_make(prompt.at + at + 6, prompt.len - at - 6);
        topic = until_any(topic, ".,;:!?\n\"");
    }
    scene_set_topic(&text->scene, topic);
}

/* "- Ada Quill: a lighthouse keeper who ...", "2. Bo Marlow, clockmaker". */
static bool read_person(struct fill_text *text, struct str line)
{
    struct fill_person *person = &text->people[text->people_count];
    struct str name = {0};
    size_t at = 0;

    while (at < line.len && strchr("-*0123456789.) \t", line.at[at]))
        at++;
    if (at == 0 || at == line.len)
        return false;
    line = str_make(line.at + at, line.len - at);
    name = scene_name(line);
    if (name.len == 0 || name.len >= SCENE_TEXT
        || (name.len < line.len && !strchr(":,- (", line.at[name.len])))
        return false;
    *person = (struct fill_person){0};
    scene_copy(person->name, name);
    scene_copy(person->role,
               scene_role(str_make(line.at + name.len, line.len - name.len)));
    person->role[0] = char_lower(person->role[0]);
    text->people_count++;
    return true;
}

/* The lines behind "Characters:", up to the first that names nobody. */
static void read_people(struct fill_text *text, struct str prompt)
{
    size_t at = words_find(prompt, "characters:");
    struct str rest = {0};

    if (at == prompt.len)
        return;
    rest = str_make(prompt.at + at + 11, prompt.len - at - 11);
    (void)str_cut(rest, '\n', &rest);
    while (rest.len > 0 && text->people_count < FILL_PEOPLE)
        if (!read_person(text, str_cut(rest, '\n', &rest)))
            return;
}

static void read_wanted(struct fill_text *text, struct str prompt)
{
    size_t at = words_find(prompt, "exactly ");
    size_t end = at + 8;
    int64_t wanted = 0;

    if (at == prompt.len)
        return;
    while (end < prompt.len && prompt.at[end] >= '0' && prompt.at[end] <= '9')
        end++;
    if (str_to_i64(str_make(prompt.at + at + 8, end - at - 8), 1, 1000, &wanted))
        text->wanted = (size_t)wanted;
}

void fill_text_init(struct fill_text *text, const struct talk_ask *ask, struct rng *rng)
{
    const struct sim_prompt *prompt = ask->prompt;

    *text = (struct fill_text){.ask = ask, .rng = rng};
    scene_read(&text->scene, prompt);
    for (size_t i = 0; i < prompt->count; i++) {
        if (text->scene.topic[0] == '\0')
            read_topic(text, prompt->messages[i].text);
        if (text->people_count == 0)
            read_people(text, prompt->messages[i].text);
        if (text->wanted == 0)
            read_wanted(text, prompt->messages[i].text);
    }
    text->first_name = rng_below(rng, fill_names.count);
    text->first_trade = rng_below(rng, domain_count - 1);
    grammar_init(&text->grammar, rng, &text->scene, &domains[domain_count - 1],
                 str_make("", 0));
}

/* ---- people ---- */

static bool is_taken(const struct fill_text *text, const char *name)
{
    for (size_t i = 0; i < text->people_count; i++)
        if (strcmp(text->people[i].name, name) == 0)
            return true;
    return false;
}

static void add_name(struct fill_text *text, size_t person, struct buf *into)
{
    size_t at = text->first_name + person;
    char name[SCENE_TEXT] = "";

    if (person < text->people_count) {
        (void)buf_add_text(into, text->people[person].name);
        return;
    }
    do {
        fmt_into(name, sizeof name, "%s %s", fill_names.lines[at % fill_names.count],
                 fill_last_names.lines[at * LAST_NAME_STRIDE % fill_last_names.count]);
        at += fill_names.count;
    } while (is_taken(text, name));
    (void)buf_add_text(into, name);
}

static const char *role_of(const struct fill_text *text, size_t person)
{
    size_t trade = (text->first_trade + TRADE_STRIDE * person) % (domain_count - 1);

    if (person < text->people_count && text->people[person].role[0])
        return text->people[person].role;
    return domains[trade].roles[(text->first_name + person / 2) % DOMAIN_ROLES];
}

static void add_role(struct fill_text *text, size_t person, struct buf *into)
{
    (void)buf_add_text(into, role_of(text, person));
}

/* ---- lines of a list ---- */

/* Another line each time, as long as there are some whose slots can be filled. */
static void add_line(struct fill_text *text, const struct pool *pool, struct buf *into)
{
    size_t start = rng_below(text->rng, pool->count);
    struct buf line;

    buf_init(&line, 4096);
    for (size_t i = 0; i < pool->count && line.len == 0; i++) {
        const char *at = pool->lines[(start + i) % pool->count];

        if (!grammar_was_used(&text->grammar, at)
            && grammar_expand(&text->grammar, at, &line))
            grammar_use(&text->grammar, at);
    }
    while (line.len == 0) /* every list has a line without a slot of the scene */
        (void)grammar_expand(&text->grammar,
                             pool->lines[rng_below(text->rng, pool->count)], &line);
    (void)buf_add_str(into, buf_str(&line));
    buf_done(&line);
}

static void add_description(struct fill_text *text, size_t person, struct buf *into)
{
    const char *role = role_of(text, person);

    (void)buf_printf(into, "%s %s who ",
                     strcmp(word_article(str_of(role)), "an") == 0 ? "An" : "A", role);
    add_line(text, &fill_habits, into);
}

static void add_message(struct fill_text *text, size_t person, struct buf *into)
{
    struct talk_ask ask = *text->ask;

    ask.seed += person + rng_below(text->rng, 1000);
    talk_reply(&ask, into);
}

/* A few words of the prompt, or of ours. */
static void add_words(struct fill_text *text, size_t person, struct buf *into)
{
    const struct scene *scene = &text->scene;

    (void)person;
    if (scene->word_count > 0 && rng_below(text->rng, 3) == 0) {
        (void)buf_add_text(into, scene->words[rng_below(text->rng, scene->word_count)]);
        (void)buf_add_char(into, ' ');
    }
    text->grammar.lower = true;
    add_line(text, &fill_phrases, into);
    text->grammar.lower = false;
}

/* ---- by the name of the property ---- */

static const struct fill_kind {
    const char *names; /* parts of the property's name, separated by '|' */
    void (*add)(struct fill_text *text, size_t person, struct buf *into);
    const struct pool *pool; /* if not `add` */
} kinds[] = {
    {"title|headline|subject", NULL, &fill_titles},
    {"name|author|speaker|hero", add_name, NULL},
    {"role|profession|occupation|job", add_role, NULL},
    {"trait|quality|adjective", NULL, &fill_traits},
    {"goal|aim|wish|want|motiv|plan", NULL, &fill_goals},
    {"style|manner|voice|tone", NULL, &fill_styles},
    {"situation|conflict|problem|opening", NULL, &fill_situations},
    {"setting|scene|world|background", NULL, &fill_settings},
    {"descri|biograph|about", add_description, NULL},
    {"message|text|reply|content|answer|comment|reason|expla|line|summary|thought|say",
     add_message, NULL},
    {"city|capital|town|place|location|village", NULL, &fill_places},
    {"country|nation|land", NULL, &fill_countries},
    {"language", NULL, &fill_languages},
    {"colo", NULL, &fill_colours},
    {"mood|emotion|feeling|sentiment", NULL, &fill_moods},
    {"animal|pet", NULL, &fill_animals},
};

void fill_text_add(struct fill_text *text, const char *property, size_t person,
                   struct buf *into)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!words_have(str_of(property), kinds[i].names))
            continue;
        if (kinds[i].add)
            kinds[i].add(text, person, into);
        else
            add_line(text, kinds[i].pool, into);
        return;
    }
    add_words(text, person, into);
}
