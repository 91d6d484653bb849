/* pages.c - see pages.h.
 *
 * Flow: pages_read -> XREVRANGE: the last id -> XRANGE page after page, up to it
 */
#include "cli/pages.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 500, ENTRY_SIZE = 48 };

struct paging {
    void (*on_entry)(void *owner, const struct redis_value *fields);
    void *owner;
    char after[ENTRY_SIZE]; /* the last entry read: "" none */
    char last[ENTRY_SIZE];
    size_t count; /* of this page */
};

static void copy_id(char id[ENTRY_SIZE], const struct redis_value *entry)
{
    struct str text = redis_item_text(entry, 0);

    (void)snprintf(id, ENTRY_SIZE, "%.*s", (int)text.len, text.at); /* 41 at most */
}

static void on_last(void *owner, const struct redis_answer *answer)
{
    struct paging *paging = owner;

    if (answer->outcome == REDIS_OK && answer->value->count > 0)
        copy_id(paging->last, redis_item(answer->value, 0));
}

static void on_page(void *owner, const struct redis_answer *answer)
{
    struct paging *paging = owner;

    paging->count = answer->outcome == REDIS_OK ? answer->value->count : 0;
    for (size_t i = 0; i < paging->count; i++) {
        const struct redis_value *entry = redis_item(answer->value, i);

        copy_id(paging->after, entry);
        paging->on_entry(paging->owner, redis_item(entry, 1));
    }
}

bool pages_read(struct fleet *fleet, const char *key, const char *from,
                void (*on_entry)(void *owner, const struct redis_value *fields),
                void *owner, struct err *err)
{
    struct paging paging = {.on_entry = on_entry, .owner = owner};
    const char *last_words[] = {"XREVRANGE", key, "+", from, "COUNT", "1", NULL};
    char start[ENTRY_SIZE + 1];
    char count[16];

    if (!fleet_ask(fleet, last_words, on_last, &paging, err))
        return false;
    if (paging.last[0] == '\0')
        return true;
    fmt_into(count, sizeof count, "%d", PAGE);
    (void)snprintf(start, sizeof start, "%s", from);
    do {
        const char *words[] = {"XRANGE", key, start, paging.last, "COUNT", count, NULL};

        if (!fleet_ask(fleet, words, on_page, &paging, err))
            return false;
        fmt_into(start, sizeof start, "(%s", paging.after);
    } while (paging.count == PAGE);
    return true;
}
