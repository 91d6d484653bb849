/* picks.c - see picks.h. */
#include "analyzer/picks.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"

struct picks *picks_new(void)
{
    struct picks *picks = x_calloc(1, sizeof *picks);

    picks->early = x_calloc(PICKS_EARLY, sizeof *picks->early);
    picks->even = x_calloc(PICKS_EVEN, sizeof *picks->even);
    picks->every = 1;
    return picks;
}

void picks_free(struct picks *picks)
{
    if (picks == NULL)
        return;
    for (size_t i = 0; i < picks->row_count; i++) {
        free(picks->rows[i].conversation);
        free(picks->rows[i].name);
    }
    free(picks->early);
    free(picks->even);
    free(picks);
}

static bool is_row(const struct pick_row *row, struct str conversation, int64_t seat)
{
    return row->seat == seat && str_is(conversation, row->conversation);
}

/* False when the turn belongs to none and there is no room for one more. */
static bool find_row(struct picks *picks, struct str conversation, int64_t seat,
                     const char *name, unsigned *ret_row)
{
    struct pick_row *row;

    for (size_t i = 0; i < picks->row_count; i++) {
        if (!is_row(&picks->rows[i], conversation, seat))
            continue;
        *ret_row = (unsigned)i;
        return true;
    }
    if (picks->row_count == PICKS_ROWS)
        return false;
    row = &picks->rows[picks->row_count];
    row->conversation = x_memdup(conversation.at, conversation.len);
    row->name = name == NULL ? NULL : x_strdup(name);
    row->seat = seat;
    *ret_row = (unsigned)picks->row_count++;
    return true;
}

/* Half of them go: each second one, so that the first stays the first. */
static void thin(struct picks *picks)
{
    size_t kept = 0;

    for (size_t i = 0; i < picks->even_count; i += 2)
        picks->even[kept++] = picks->even[i];
    picks->even_count = kept;
    picks->every *= 2;
}

void picks_take(struct picks *picks, const struct pick *pick, struct str conversation,
                int64_t seat, const char *name)
{
    unsigned row;

    if (picks->early_count < PICKS_EARLY && pick->end_us >= 0
        && find_row(picks, conversation, seat, name, &row)) {
        picks->early[picks->early_count] = *pick;
        picks->early[picks->early_count++].row = row;
    }
    if (picks->even_count == PICKS_EVEN)
        thin(picks);
    if (picks->seen++ % picks->every == 0)
        picks->even[picks->even_count++] = *pick;
}

size_t picks_conversations(const struct picks *picks)
{
    size_t count = 0;

    for (size_t i = 0; i < picks->row_count; i++) {
        size_t before = 0;

        while (before < i
               && !str_is(str_of(picks->rows[before].conversation),
                          picks->rows[i].conversation))
            before++;
        count += before == i;
    }
    return count;
}
