/* nearest.c - see nearest.h. */
#include "base/nearest.h"

enum { LETTERS_MAX = 64, TOO_FAR = 4 };

/* Levenshtein distance, bounded: names are short. */
static size_t distance(struct str a, struct str b)
{
    size_t row[LETTERS_MAX];

    if (a.len >= LETTERS_MAX || b.len >= LETTERS_MAX)
        return LETTERS_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = diagonal + (a.at[i - 1] == b.at[j - 1] ? 0 : 1);
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

            diagonal = row[j];
            row[j] = best < change ? best : change;
        }
    }
    return row[b.len];
}

struct nearest nearest_to(struct str word)
{
    return (struct nearest){.word = word, .away = TOO_FAR};
}

void nearest_try(struct nearest *nearest, const char *name)
{
    size_t away = distance(nearest->word, str_of(name));

    if (away >= nearest->away || 2 * away > nearest->word.len)
        return; /* half of a short word is another word */
    nearest->away = away;
    nearest->name = name;
}
