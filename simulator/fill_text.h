/* fill_text.h - the words behind fill.h: a text for a property's name.
 *
 * People of one document keep together: the person at index 1 has the same name and
 * trade wherever it appears, and where the prompt lists characters ("- Ada Quill: a
 * lighthouse keeper who ...") those are taken, in their order.
 */
#ifndef PARLEY_FILL_TEXT_H
#define PARLEY_FILL_TEXT_H

#include <stddef.h>

#include "base/rng.h"
#include "simulator/grammar.h"
#include "simulator/scene.h"
#include "simulator/talk.h"

enum { FILL_PEOPLE = 16 };
struct fill_person {
    char name[SCENE_TEXT];
    char role[SCENE_TEXT]; /* "" if the prompt did not tell */
};
struct fill_text {
    const struct talk_ask *ask;
    struct rng *rng;
    struct scene scene;
    struct grammar grammar;
    struct fill_person people[FILL_PEOPLE]; /* from the prompt */
    size_t people_count;
    size_t first_name; /* where the lists begin for this document */
    size_t first_trade;
    size_t wanted; /* "exactly 3 people": how many objects a list is to hold; 0: any */
};

/* Borrows ask and rng. */
void fill_text_init(struct fill_text *text, const struct talk_ask *ask,
                    struct rng *rng);
/* Adds a text for a property of that name; `person` is the index of the list item that
 * it belongs to. */
void fill_text_add(struct fill_text *text, const char *property, size_t person,
                   struct buf *into);

#endif
