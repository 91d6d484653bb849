/* fill_words.h - lists for stories and personas; slots as in talk_data.h. */
#ifndef PARLEY_FILL_WORDS_H
#define PARLEY_FILL_WORDS_H

#include "simulator/talk_data.h"

extern const struct pool fill_names;
extern const struct pool fill_last_names;
extern const struct pool fill_traits;
extern const struct pool fill_goals;
extern const struct pool fill_styles;
extern const struct pool fill_settings;
extern const struct pool fill_situations;
extern const struct pool fill_habits; /* behind "who" */
extern const struct pool fill_titles;
extern const struct pool fill_phrases;
extern const struct pool fill_places;
extern const struct pool fill_countries;
extern const struct pool fill_languages;
extern const struct pool fill_colours;
extern const struct pool fill_moods;
extern const struct pool fill_animals;

#endif
