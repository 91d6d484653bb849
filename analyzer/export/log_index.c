/* log_index.c - see log_index.h. Conversations are found by a table of their ids,
 * open-addressed; their lines are chained by number. */
#include "analyzer/export/log_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/lines.h"
#include "analyzer/notes.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "base/utf8.h"

enum { FIRST_SLOTS = 256, NO_LINE = -1 };

struct entry {
    int64_t offset;
    uint32_t len;
    int32_t next; /* the next line of the conversation, NO_LINE at the end */
};
struct chain {
    char *id; /* owned */
    int32_t head;
    int32_t tail;
};
struct log_index {
    struct lines lines; /* open while the index lives: its descriptor is read from */
    struct entry *entries;
    size_t count;
    size_t capacity;
    struct chain *chains;
    size_t chain_count;
    size_t chain_capacity;
    uint32_t *slots; /* chain number + 1; 0: free */
    size_t slot_count;
    char *line; /* read anew */
    size_t line_capacity;
};

/* ---- conversations ---- */

static size_t slot_of(const struct log_index *index, struct str id)
{
    size_t at = (size_t)rng_hash(1, id) & (index->slot_count - 1);

    while (index->slots[at] != 0 && !str_is(id, index->chains[index->slots[at] - 1].id))
        at = (at + 1) & (index->slot_count - 1);
    return at;
}

static void grow_slots(struct log_index *index)
{
    index->slot_count = index->slot_count == 0 ? FIRST_SLOTS : 2 * index->slot_count;
    free(index->slots);
    index->slots = x_calloc(index->slot_count, sizeof *index->slots);
    for (size_t i = 0; i < index->chain_count; i++)
        index->slots[slot_of(index, str_of(index->chains[i].id))] = (uint32_t)i + 1;
}

bool index_find(const struct log_index *index, struct str id, size_t *ret_conversation)
{
    size_t at = index->slot_count == 0 ? 0 : slot_of(index, id);

    if (index->slot_count == 0 || index->slots[at] == 0)
        return false;
    *ret_conversation = index->slots[at] - 1;
    return true;
}

static struct chain *chain_of(struct log_index *index, struct str id)
{
    size_t found;

    if (index_find(index, id, &found))
        return &index->chains[found];
    if (2 * (index->chain_count + 1) > index->slot_count)
        grow_slots(index);
    if (index->chain_count == index->chain_capacity) {
        index->chain_capacity = index->chain_capacity * 2 + 16;
        index->chains =
            x_realloc(index->chains, index->chain_capacity * sizeof *index->chains);
    }
    index->slots[slot_of(index, id)] = (uint32_t)index->chain_count + 1;
    index->chains[index->chain_count] =
        (struct chain){x_memdup(id.at, id.len), NO_LINE, NO_LINE};
    return &index->chains[index->chain_count++];
}

/* ---- the one pass ---- */

static bool keep(struct log_index *index, struct str id, const struct line *line,
                 struct err *err)
{
    struct chain *chain;

    if (index->count == INDEX_MAX_LINES)
        return err_set(err, ERR_LIMIT,
                       "more than %d lines: name the conversations that are wanted",
                       (int)INDEX_MAX_LINES);
    if (index->count == index->capacity) {
        index->capacity = index->capacity + index->capacity / 2 + 1024;
        index->entries =
            x_realloc(index->entries, index->capacity * sizeof *index->entries);
    }
    chain = chain_of(index, id);
    if (chain->tail == NO_LINE)
        chain->head = (int32_t)index->count;
    else
        index->entries[chain->tail].next = (int32_t)index->count;
    chain->tail = (int32_t)index->count;
    index->entries[index->count++] =
        (struct entry){line->offset, (uint32_t)line->text.len, NO_LINE};
    return true;
}

static void note_broken(struct notes *notes, const char *path, const struct line *line,
                        const char *why)
{
    notes_add(notes, "%s:%lld: skipped: %s", log_safe(str_of(path)),
              (long long)line->number, why);
}

static bool take(struct log_index *index, const char *path, const struct log_kind *kind,
                 const struct line *line, struct notes *notes, struct err *err)
{
    struct err broken = {0};
    struct str id;

    if (line->text.len == 0 && !line->too_long)
        return true;
    if (line->too_long) {
        note_broken(notes, path, line, "it is too long");
        return true;
    }
    if (kind->judge(kind->owner, line->text, &id, &broken))
        return keep(index, id, line, err);
    if (broken.code != ERR_NONE)
        note_broken(notes, path, line,
                    line->ended ? broken.msg : "the last line is cut off");
    return true;
}

bool index_build(const char *path, const struct log_kind *kind, struct notes *notes,
                 struct log_index **ret_index, struct err *err)
{
    struct log_index *index = x_calloc(1, sizeof *index);
    struct line line;
    bool ok = true;

    if (!lines_open(&index->lines, path, err)) {
        free(index);
        return false;
    }
    while (ok && lines_next(&index->lines, &line))
        ok = take(index, path, kind, &line, notes, err);
    if (!ok || !lines_check(&index->lines, path, err)) {
        index_free(index);
        return false;
    }
    *ret_index = index;
    return true;
}

void index_free(struct log_index *index)
{
    if (index == NULL)
        return;
    lines_close(&index->lines);
    for (size_t i = 0; i < index->chain_count; i++)
        free(index->chains[i].id);
    free(index->entries);
    free(index->chains);
    free(index->slots);
    free(index->line);
    free(index);
}

size_t index_count(const struct log_index *index)
{
    return index->chain_count;
}

const char *index_id(const struct log_index *index, size_t conversation)
{
    return index->chains[conversation].id;
}

/* ---- reading again ---- */

static bool read_again(struct log_index *index, const struct entry *entry,
                       struct err *err)
{
    size_t have = 0;

    if (entry->len >= index->line_capacity) {
        index->line_capacity = (size_t)entry->len + 1;
        index->line = x_realloc(index->line, index->line_capacity);
    }
    while (have < entry->len) {
        ssize_t got = pread(index->lines.fd, index->line + have, entry->len - have,
                            entry->offset + (int64_t)have);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(err, errno, "the log cannot be read again");
        if (got == 0)
            return err_set(err, ERR_SYSTEM, "the log became shorter while it was read");
        have += (size_t)got;
    }
    return true;
}

bool index_each(struct log_index *index, size_t conversation,
                bool (*on_line)(void *owner, struct str line, struct err *err),
                void *owner, struct err *err)
{
    int32_t at = index->chains[conversation].head;

    while (at != NO_LINE) {
        const struct entry *entry = &index->entries[at];

        if (!read_again(index, entry, err)
            || !on_line(owner, str_make(index->line, entry->len), err))
            return false;
        at = entry->next;
    }
    return true;
}
