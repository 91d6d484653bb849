/* shard_pages.c - see shard_pages.h. */
#include "analyzer/shard_pages.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/notes.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "net/loop.h"
#include "net/redis_sync.h"
#include "proto/keys.h"

enum { CONNECT_MS = 2000, NUMBER_SIZE = 24 };

bool shard_pages_open(struct shard_pages *pages, const struct redis_target *target,
                      struct err *err)
{
    pages->loop = loop_new();
    return redis_sync_connect(pages->loop, target, CONNECT_MS, &pages->redis, err);
}

static void drop_ids(struct shard_pages *pages)
{
    for (size_t i = 0; i < pages->id_count; i++)
        free(pages->ids[i]);
    pages->id_count = 0;
}

void shard_pages_close(struct shard_pages *pages)
{
    drop_ids(pages);
    if (pages->redis != NULL)
        redis_free(pages->redis);
    loop_free(pages->loop);
    pages->redis = NULL;
    pages->loop = NULL;
}

bool shard_pages_ask(struct shard_pages *pages, const struct shard_question *question,
                     struct err *err)
{
    struct redis_call call = {.argc = question->argc,
                              .argv = question->argv,
                              .on_answer = question->on_answer,
                              .owner = question->owner,
                              .again = true};

    return redis_sync_call(pages->loop, pages->redis, &call, err);
}

/* ---- conversations ---- */

static void on_ids(void *owner, const struct redis_answer *answer)
{
    struct shard_pages *pages = owner;

    drop_ids(pages);
    if (answer->outcome != REDIS_OK)
        return;
    for (size_t i = 0; i < answer->value->count && i < SHARD_PAGE; i++) {
        struct str id = redis_item_text(answer->value, i);

        if (conversation_id_valid(id))
            pages->ids[pages->id_count++] = x_memdup(id.at, id.len);
        else
            notes_add(pages->notes, "skipped: '%s' is no conversation's id",
                      log_safe(id));
    }
    pages->entries = answer->value->count;
}

static bool ask_ids(struct shard_pages *pages, int64_t first, struct err *err)
{
    char key[KEY_SIZE];
    char from[NUMBER_SIZE];
    char to[NUMBER_SIZE];
    struct str argv[] = {str_of("ZRANGE"),
                         key_make(pages->keys, "conversations", NULL, key), str_of(""),
                         str_of("")};

    fmt_into(from, sizeof from, "%lld", (long long)first);
    fmt_into(to, sizeof to, "%lld", (long long)first + SHARD_PAGE - 1);
    argv[2] = str_of(from);
    argv[3] = str_of(to);
    pages->entries = 0;
    return shard_pages_ask(
        pages,
        &(struct shard_question){argv, sizeof argv / sizeof *argv, on_ids, pages}, err);
}

/* By place, not by score: one that is started meanwhile comes last and moves nobody. */
bool shard_pages_ids(struct shard_pages *pages,
                     bool (*on_id)(void *owner, const char *id, struct err *err),
                     void *owner, struct err *err)
{
    int64_t first = 0;
    size_t page;

    do {
        if (!ask_ids(pages, first, err))
            return false;
        page = pages->entries; /* streams that on_id reads change it */
        first += SHARD_PAGE;
        for (size_t i = 0; i < pages->id_count; i++)
            if (!on_id(owner, pages->ids[i], err))
                return false;
    } while (page == SHARD_PAGE);
    return true;
}

/* ---- streams ---- */

struct stream_page {
    struct shard_pages *pages;
    const struct shard_stream *stream;
    struct err err;
    bool failed; /* by on_entry, with `err` */
};

/* Moves to the page's last entry. */
static void remember_place(struct stream_page *page, const struct redis_value *entries)
{
    struct str id;

    page->pages->entries = entries->count;
    if (entries->count == 0)
        return;
    id = redis_item_text(redis_item(entries, entries->count - 1), 0);
    if (id.len + 1 > SHARD_PLACE_SIZE) {
        page->pages->entries = 0; /* no id of Redis: an end rather than a circle */
        return;
    }
    memcpy(page->stream->at, id.at, id.len);
    page->stream->at[id.len] = '\0';
}

static void on_page(void *owner, const struct redis_answer *answer)
{
    struct stream_page *page = owner;
    const struct shard_stream *stream = page->stream;

    if (answer->outcome != REDIS_OK)
        return;
    for (size_t i = 0; i < answer->value->count && !page->failed; i++) {
        const struct redis_value *entry = redis_item(answer->value, i);

        page->failed = !stream->on_entry(stream->owner, redis_item_text(entry, 0),
                                         redis_item(entry, 1), &page->err);
    }
    remember_place(page, answer->value);
}

bool shard_pages_stream(struct shard_pages *pages, const struct shard_stream *stream,
                        struct err *err)
{
    char from[SHARD_PLACE_SIZE + 1];
    char count[NUMBER_SIZE];
    struct stream_page page = {.pages = pages, .stream = stream};

    fmt_into(count, sizeof count, "%d", (int)SHARD_PAGE);
    do {
        struct str argv[] = {str_of("XRANGE"), stream->key,     str_of(""),
                             str_of("+"),      str_of("COUNT"), str_of(count)};

        fmt_into(from, sizeof from, "%s%s", stream->at[0] == '\0' ? "-" : "(",
                 stream->at);
        argv[2] = str_of(from);
        pages->entries = 0;
        if (!shard_pages_ask(pages,
                             &(struct shard_question){argv, sizeof argv / sizeof *argv,
                                                      on_page, &page},
                             err))
            return false;
        if (page.failed) {
            *err = page.err;
            return false;
        }
    } while (pages->entries == SHARD_PAGE);
    return true;
}
