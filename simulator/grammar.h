/* grammar.h - fills the slots of a line: from the scene, the trade or a word list.
 * Pure: the same generator state and scene give the same words.
 */
#ifndef PARLEY_GRAMMAR_H
#define PARLEY_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/rng.h"
#include "base/str.h"
#include "simulator/scene.h"

struct domain;

enum { GRAMMAR_USED_MAX = 64 };
struct grammar {
    struct rng *rng;
    const struct scene *scene;
    const struct domain *domain;
    const char *tool;  /* the same one throughout a reply, as is the trait */
    const char *trait; /* NULL: none is known */
    struct str recent; /* words in here are not drawn if others are left */
    const char *used[GRAMMAR_USED_MAX]; /* drawn already */
    size_t used_count;
    bool lower; /* a slot at the start of a line gets no capital */
};

/* The trade whose keys the role matches; never NULL. */
const struct domain *domain_of(struct str role);
/* Borrows all three for its lifetime. */
void grammar_init(struct grammar *grammar, struct rng *rng, const struct scene *scene,
                  const struct domain *domain, struct str recent);
/* Adds the filled line, with a capital where it starts with a slot. False, and `into`
 * as it was, when the scene lacks what a slot wants. */
bool grammar_expand(struct grammar *grammar, const char *line, struct buf *into);
/* What must not be drawn again. `text` must outlive the grammar. */
void grammar_use(struct grammar *grammar, const char *text);
bool grammar_was_used(const struct grammar *grammar, const char *text);
/* The longest piece of a line between its slots: tells whether a text has used it. */
struct str grammar_mark(const char *line);
/* Whether `text` has `piece`, exactly. */
bool text_has(struct str text, struct str piece);

#endif
