/* thinking.c - see thinking.h. The thoughts of one conversation are held at a time. */
#include "analyzer/export/thinking.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/export/log_index.h"
#include "base/alloc.h"
#include "proto/schema.h"

struct thought {
    int64_t turn;
    char *text; /* owned */
};
struct thinking {
    struct log_index *index;
    struct thought *thoughts; /* by turn, rising */
    size_t count;
    size_t capacity;
    char *id; /* owned: of the line judged last */
};

static const char *text_at(const json_t *call, const char *key)
{
    const char *text = json_string_value(json_object_get(call, key));

    return text == NULL ? "" : text;
}

/* A call of a turn that was done and has thoughts. */
static bool is_wanted(const json_t *call)
{
    return strcmp(text_at(call, "outcome"), "done") == 0
           && text_at(call, "thinking")[0] != '\0'
           && json_is_integer(json_object_get(call, "turn"));
}

static bool judge(void *owner, struct str line, struct str *ret_id, struct err *err)
{
    struct thinking *thinking = owner;
    json_t *call = NULL;
    bool ok;

    if (!json_read(line, &call, err))
        return false;
    ok = is_wanted(call);
    if (ok) {
        free(thinking->id);
        thinking->id = x_strdup(text_at(call, "conversation"));
        *ret_id = str_of(thinking->id);
    }
    json_decref(call);
    return ok;
}

bool thinking_open(const char *path, struct notes *notes,
                   struct thinking **ret_thinking, struct err *err)
{
    struct thinking *thinking = x_calloc(1, sizeof *thinking);
    struct log_kind kind = {judge, thinking};

    if (!index_build(path, &kind, notes, &thinking->index, err)) {
        thinking_free(thinking);
        return false;
    }
    *ret_thinking = thinking;
    return true;
}

static void forget(struct thinking *thinking)
{
    for (size_t i = 0; i < thinking->count; i++)
        free(thinking->thoughts[i].text);
    thinking->count = 0;
}

void thinking_free(struct thinking *thinking)
{
    if (thinking == NULL)
        return;
    forget(thinking);
    index_free(thinking->index);
    free(thinking->thoughts);
    free(thinking->id);
    free(thinking);
}

/* Calls come by their ends: mostly, but not always, in the order of the turns. */
static void keep(struct thinking *thinking, int64_t turn, const char *text)
{
    size_t at = thinking->count;

    if (thinking->count == thinking->capacity) {
        thinking->capacity = thinking->capacity * 2 + 16;
        thinking->thoughts = x_realloc(thinking->thoughts,
                                       thinking->capacity * sizeof *thinking->thoughts);
    }
    while (at > 0 && thinking->thoughts[at - 1].turn > turn)
        at--;
    if (at > 0 && thinking->thoughts[at - 1].turn == turn) {
        free(thinking->thoughts[at - 1].text);
        thinking->thoughts[at - 1].text = x_strdup(text);
        return;
    }
    memmove(thinking->thoughts + at + 1, thinking->thoughts + at,
            (thinking->count - at) * sizeof *thinking->thoughts);
    thinking->thoughts[at] = (struct thought){turn, x_strdup(text)};
    thinking->count++;
}

static bool on_line(void *owner, struct str line, struct err *err)
{
    json_t *call = NULL;

    if (!json_read(line, &call, err))
        return false;
    keep(owner, (int64_t)json_integer_value(json_object_get(call, "turn")),
         text_at(call, "thinking"));
    json_decref(call);
    return true;
}

bool thinking_turn_to(struct thinking *thinking, const char *conversation,
                      struct err *err)
{
    size_t found;

    forget(thinking);
    return !index_find(thinking->index, str_of(conversation), &found)
           || index_each(thinking->index, found, on_line, thinking, err);
}

static int by_turn(const void *key, const void *thought)
{
    int64_t turn = *(const int64_t *)key;
    int64_t other = ((const struct thought *)thought)->turn;

    return (turn > other) - (turn < other);
}

const char *thinking_of(const struct thinking *thinking, int64_t turn)
{
    const struct thought *found;

    if (thinking == NULL || thinking->count == 0)
        return NULL;
    found = bsearch(&turn, thinking->thoughts, thinking->count,
                    sizeof *thinking->thoughts, by_turn);
    return found == NULL ? NULL : found->text;
}
