/* scene.h - what the simulator understands of a prompt: who it is, whom it talks to,
 * about what, and what was said last. Pure; never fails: what is not there is empty.
 *
 * It reads lines such as "You are Ada Quill, lighthouse keeper.", "Topic: the last
 * lamp", "Your goal: ...", "Traits: ...", "You are talking with Bo." wherever they
 * stand in the system text, and takes a leading "Bo Marlow:" off what the other said.
 */
#ifndef PARLEY_SCENE_H
#define PARLEY_SCENE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "simulator/sim_prompt.h"

enum {
    SCENE_TEXT = 120,  /* bytes of a value, NUL included */
    SCENE_TRAITS = 6,  /* adjectives of the persona that are kept */
    SCENE_WORDS = 8,   /* words of the topic */
    SCENE_ECHOES = 24, /* phrases of the other's last message to choose from */
    SCENE_SEEN = 8     /* things it spoke of */
};

enum question {
    QUESTION_NONE,
    QUESTION_YES_NO,
    QUESTION_WHY,
    QUESTION_HOW,
    QUESTION_WHAT,
    QUESTION_WHO,
    QUESTION_WHEN, /* and where */
    QUESTION_COUNT
};

struct scene {
    char me[SCENE_TEXT];    /* full name */
    char you[SCENE_TEXT];   /* the other's first name */
    char role[SCENE_TEXT];  /* "lighthouse keeper", without an article */
    char goal[SCENE_TEXT];  /* "find the missing key", without a full stop */
    char topic[SCENE_TEXT]; /* fits behind "about": a noun phrase, or in quotes */
    char traits[SCENE_TRAITS][SCENE_TEXT];
    size_t trait_count;
    char words[SCENE_WORDS][SCENE_TEXT]; /* of the topic */
    size_t word_count;
    char echoes[SCENE_ECHOES][SCENE_TEXT]; /* 2-5 words each, of the last message */
    size_t echo_count;
    char seen[SCENE_SEEN][SCENE_TEXT]; /* what stood behind "a" or "an" in it */
    size_t seen_count;
    const char *style; /* borrowed from the prompt: "" or the style's text on */
    size_t style_len;
    struct str last;        /* what the other said last; empty at the very beginning */
    enum question question; /* that it ends with */
    bool proposed;          /* it holds a proposal */
    bool objected;          /* it disagrees */
    size_t said;            /* messages of the dialogue so far */
    size_t said_by_me;
};

void scene_read(struct scene *scene, const struct sim_prompt *prompt);
/* Fills `topic` and `words`; an empty text leaves them. */
void scene_set_topic(struct scene *scene, struct str topic);
/* Whether the style or the role has one of these words, separated by '|'. */
bool scene_has(const struct scene *scene, const char *words);
/* Text of `at` cut to SCENE_TEXT at a word's end, trimmed, unquoted, one line. */
void scene_copy(char ret_text[SCENE_TEXT], struct str at);
/* The value of a line "<key>: value" or "Your <key> is value"; empty if there is none.
 * `keys` separated by '|'. */
struct str scene_find(struct str text, const char *keys);
/* The up to four capitalised words that the text begins with. */
struct str scene_name(struct str text);
/* What stands before " who ", a comma, a full stop...: "a lighthouse keeper who" gives
 * "lighthouse keeper". */
struct str scene_role(struct str text);

#endif
