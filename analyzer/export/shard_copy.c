/* shard_copy.c - see shard_copy.h.
 *
 * Flow: connect -> page of K:conversations -> each: hash, cast, transcript in pages
 *       -> K:calls and K:events in pages -> run.json
 */
#include "analyzer/export/shard_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/export/sink.h"
#include "analyzer/notes.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "base/version.h"
#include "net/entry_line.h"
#include "net/loop.h"
#include "net/redis_sync.h"
#include "proto/json_write.h"
#include "proto/keys.h"

enum {
    PAGE = 500,
    CONNECT_MS = 2000,
    ENTRY_ID_SIZE = 64,
    PART_MAX_BYTES = 256 << 20,
    LINE_MAX_BYTES = 8 << 20,
    RUN_ID_LETTERS = 6
};

struct copying {
    const struct shard_copy *copy;
    struct notes *notes;
    struct loop *loop;
    struct redis *redis;
    char *ids[PAGE]; /* owned: one page of K:conversations */
    size_t id_count;
    const char *id; /* of the conversation being read */
    bool found;
    bool all_ended;
    int64_t earliest_us; /* the first start; -1 none */
    size_t entries;      /* of the page that came last */
    char last[ENTRY_ID_SIZE];
    struct sink sink; /* of the file being written */
    void (*make_line)(const struct redis_value *entry, struct buf *line);
    struct buf line;
    struct buf names; /* these three: arrays of run.json, without brackets */
    struct buf stories;
    struct buf casts;
    size_t count;
    bool failed; /* the sink, in a callback */
    struct err err;
};

static bool ask(struct copying *copying, const struct str *argv, size_t argc,
                redis_on_answer *on_answer, struct err *err)
{
    struct redis_call call = {.argc = argc,
                              .argv = argv,
                              .on_answer = on_answer,
                              .owner = copying,
                              .again = true};

    if (!redis_sync_call(copying->loop, copying->redis, &call, err))
        return false;
    if (copying->failed)
        *err = copying->err;
    return !copying->failed;
}

static void remember_place(struct copying *copying, const struct redis_value *entries)
{
    struct str id;

    copying->entries = entries->count;
    if (entries->count == 0)
        return;
    id = redis_item_text(redis_item(entries, entries->count - 1), 0);
    if (id.len + 1 > sizeof copying->last) {
        copying->entries = 0; /* no id of Redis: an end rather than a circle */
        return;
    }
    memcpy(copying->last, id.at, id.len);
    copying->last[id.len] = '\0';
}

static bool read_stream(struct copying *copying, struct str key,
                        redis_on_answer *on_page, struct err *err)
{
    char from[ENTRY_ID_SIZE + 1] = "-";
    char count[8];

    fmt_into(count, sizeof count, "%d", PAGE);
    do {
        struct str argv[] = {str_of("XRANGE"), key,          str_of(from), str_of("+"),
                             str_of("COUNT"),  str_of(count)};

        copying->entries = 0;
        if (!ask(copying, argv, sizeof argv / sizeof *argv, on_page, err))
            return false;
        fmt_into(from, sizeof from, "(%s", copying->last);
    } while (copying->entries == PAGE);
    return true;
}

static void put_line(struct copying *copying, struct str line)
{
    if (copying->failed)
        return;
    copying->failed = !sink_write(&copying->sink, line, &copying->err)
                      || !sink_write(&copying->sink, str_of("\n"), &copying->err);
}

/* ---- one conversation ---- */

static void on_transcript_page(void *owner, const struct redis_answer *answer)
{
    struct copying *copying = owner;

    if (answer->outcome != REDIS_OK)
        return;
    for (size_t i = 0; i < answer->value->count; i++) {
        struct str json =
            redis_field(redis_item(redis_item(answer->value, i), 1), "message");

        if (json.len == 0 || memchr(json.at, '\n', json.len) != NULL)
            notes_add(copying->notes, "transcript of %s: an entry is no message",
                      log_safe(str_of(copying->id)));
        else
            put_line(copying, json);
    }
    remember_place(copying, answer->value);
}

static void on_conversation(void *owner, const struct redis_answer *answer)
{
    struct copying *copying = owner;
    int64_t created_us;

    if (answer->outcome != REDIS_OK)
        return;
    copying->found = redis_item_text(answer->value, 0).len > 0;
    if (!str_is(redis_item_text(answer->value, 0), "ended"))
        copying->all_ended = false;
    created_us = redis_item_i64(answer->value, 1, -1);
    if (created_us >= 0
        && (copying->earliest_us < 0 || created_us < copying->earliest_us))
        copying->earliest_us = created_us;
}

static void on_cast(void *owner, const struct redis_answer *answer)
{
    struct copying *copying = owner;
    struct buf story;

    if (answer->outcome != REDIS_OK)
        return;
    buf_init(&story, PART_MAX_BYTES);
    if (entry_line_story(copying->id, answer->value, &story)) {
        buf_add_text(&copying->stories, copying->stories.len > 0 ? "," : "");
        buf_add_str(&copying->stories, buf_str(&story));
        buf_add_text(&copying->casts, copying->casts.len > 0 ? "," : "");
        entry_line_cast(copying->id, answer->value, &copying->casts);
    }
    buf_done(&story);
}

static bool copy_conversation(struct copying *copying, const char *id, struct err *err)
{
    const struct keys *keys = copying->copy->keys;
    char key[3][KEY_SIZE];
    struct str hash[] = {str_of("HMGET"), key_make(keys, "conversation", id, key[0]),
                         str_of("state"), str_of("created_at")};
    struct str cast[] = {str_of("HGETALL"), key_make(keys, "cast", id, key[1])};

    copying->id = id;
    copying->found = false;
    if (!ask(copying, hash, 4, on_conversation, err))
        return false;
    if (!copying->found) /* gone meanwhile, or never there */
        return true;
    buf_add_text(&copying->names, copying->count > 0 ? "," : "");
    json_write_text(&copying->names, id);
    copying->count++;
    return ask(copying, cast, 2, on_cast, err)
           && read_stream(copying, key_make(keys, "transcript", id, key[2]),
                          on_transcript_page, err);
}

/* ---- all of them ---- */

static void drop_ids(struct copying *copying)
{
    for (size_t i = 0; i < copying->id_count; i++)
        free(copying->ids[i]);
    copying->id_count = 0;
}

static void on_ids(void *owner, const struct redis_answer *answer)
{
    struct copying *copying = owner;

    drop_ids(copying);
    if (answer->outcome != REDIS_OK)
        return;
    for (size_t i = 0; i < answer->value->count && i < PAGE; i++) {
        struct str id = redis_item_text(answer->value, i);

        if (conversation_id_valid(id))
            copying->ids[copying->id_count++] = x_memdup(id.at, id.len);
        else
            notes_add(copying->notes, "skipped: '%s' is no conversation's id",
                      log_safe(id));
    }
    copying->entries = answer->value->count;
}

/* By place, not by score: one that is started meanwhile comes last and moves nobody. */
static bool copy_all(struct copying *copying, struct err *err)
{
    char key[KEY_SIZE];
    int64_t first = 0;
    size_t page;

    do {
        char from[24];
        char to[24];
        struct str argv[] = {str_of("ZRANGE"),
                             key_make(copying->copy->keys, "conversations", NULL, key),
                             str_of(""), str_of("")};

        fmt_into(from, sizeof from, "%lld", (long long)first);
        fmt_into(to, sizeof to, "%lld", (long long)first + PAGE - 1);
        argv[2] = str_of(from);
        argv[3] = str_of(to);
        copying->entries = 0;
        if (!ask(copying, argv, sizeof argv / sizeof *argv, on_ids, err))
            return false;
        page = copying->entries;
        first += PAGE;
        for (size_t i = 0; i < copying->id_count; i++)
            if (!copy_conversation(copying, copying->ids[i], err))
                return false;
    } while (page == PAGE);
    return true;
}

static bool copy_talks(struct copying *copying, struct err *err)
{
    const char *only = copying->copy->conversation;

    if (only == NULL)
        return copy_all(copying, err);
    if (!copy_conversation(copying, only, err))
        return false;
    return copying->found
           || err_set(err, ERR_USAGE, "no conversation %s in shard %s",
                      log_safe(str_of(only)), copying->copy->keys->shard);
}

/* ---- calls and events ---- */

static void on_entries(void *owner, const struct redis_answer *answer)
{
    struct copying *copying = owner;
    const char *only = copying->copy->conversation;

    if (answer->outcome != REDIS_OK)
        return;
    for (size_t i = 0; i < answer->value->count; i++) {
        const struct redis_value *fields = redis_item(redis_item(answer->value, i), 1);

        if (only != NULL && !str_is(redis_field(fields, "conversation"), only))
            continue;
        buf_clear(&copying->line);
        copying->make_line(fields, &copying->line);
        if (!copying->line.overflowed)
            put_line(copying, buf_str(&copying->line));
        else
            notes_add(copying->notes, "an entry of %lld MiB and more is left out",
                      (long long)LINE_MAX_BYTES >> 20);
    }
    remember_place(copying, answer->value);
}

static bool copy_entries(struct copying *copying, struct err *err)
{
    char key[KEY_SIZE];
    bool calls = copying->make_line == entry_line_call;

    return read_stream(
        copying, key_make(copying->copy->keys, calls ? "calls" : "events", NULL, key),
        on_entries, err);
}

/* One file of the folder, filled by `fill`. */
static bool write_file(struct copying *copying, const char *name,
                       bool (*fill)(struct copying *copying, struct err *err),
                       struct err *err)
{
    char *path = path_join(copying->copy->folder, name);
    bool ok = sink_open(&copying->sink, path, err);

    free(path);
    if (!ok)
        return false;
    if (fill(copying, err))
        return sink_close(&copying->sink, err);
    sink_drop(&copying->sink);
    return false;
}

/* ---- run.json ---- */

static void write_head(const struct copying *copying, struct buf *into)
{
    const struct shard_copy *copy = copying->copy;
    char id[RUN_ID_LETTERS + 1];
    char now[CLOCK_TEXT_SIZE];
    char start[CLOCK_TEXT_SIZE];
    char *url = redis_target_text(copy->target);
    int64_t now_us = clock_wall_us();

    rng_id(id, RUN_ID_LETTERS);
    clock_format_us(now_us, now);
    clock_format_us(copying->earliest_us < 0 ? now_us : copying->earliest_us, start);
    buf_printf(into,
               "{\"schema_version\":\"1.0\",\"run_id\":\"%s\",\"started_at\":\"%s\","
               "\"ended_at\":",
               id, start);
    json_write_text(into, copying->all_ended ? now : NULL);
    buf_printf(into, ",\"exit_status\":%s,\"pid\":%d,\"seed\":null,\"redis\":{\"url\":",
               copying->all_ended ? "0" : "null", (int)getpid());
    json_write_text(into, url);
    buf_add_text(into, ",\"prefix\":");
    json_write_text(into, copy->prefix);
    buf_add_text(into, ",\"shard\":");
    json_write_text(into, copy->keys->shard);
    buf_add_text(into, ",\"private\":false},\"versions\":{\"parley\":");
    json_write_text(into, version_number());
    buf_add_text(into, "},\"config\":{},\"sources\":{}");
    free(url);
}

static bool write_run(struct copying *copying, struct err *err)
{
    char *path = path_join(copying->copy->folder, "run.json");
    struct buf json;
    bool ok;

    buf_init(&json, (size_t)3 * PART_MAX_BYTES);
    write_head(copying, &json);
    buf_printf(&json, ",\"conversations\":[%s],\"stories\":[%s],\"casts\":[%s]}\n",
               buf_text(&copying->names), buf_text(&copying->stories),
               buf_text(&copying->casts));
    ok = !json.overflowed && !copying->names.overflowed && !copying->stories.overflowed
         && !copying->casts.overflowed;
    ok = ok ? file_write(path, buf_str(&json), err)
            : err_set(err, ERR_LIMIT, "%s would be too large", path);
    buf_done(&json);
    free(path);
    return ok;
}

static bool copy_files(struct copying *copying, struct err *err)
{
    if (!write_file(copying, "transcript.jsonl", copy_talks, err))
        return false;
    copying->make_line = entry_line_event;
    if (!write_file(copying, "events.jsonl", copy_entries, err))
        return false;
    copying->make_line = entry_line_call;
    return write_file(copying, "calls.jsonl", copy_entries, err)
           && write_run(copying, err);
}

bool shard_copy(const struct shard_copy *copy, struct notes *notes,
                size_t *ret_conversations, struct err *err)
{
    struct copying copying = {
        .copy = copy, .notes = notes, .earliest_us = -1, .all_ended = true};
    bool ok;

    buf_init(&copying.line, LINE_MAX_BYTES);
    buf_init(&copying.names, PART_MAX_BYTES);
    buf_init(&copying.stories, PART_MAX_BYTES);
    buf_init(&copying.casts, PART_MAX_BYTES);
    copying.loop = loop_new();
    ok = redis_sync_connect(copying.loop, copy->target, CONNECT_MS, &copying.redis, err)
         && copy_files(&copying, err);
    if (ok)
        *ret_conversations = copying.count;
    drop_ids(&copying);
    if (copying.redis != NULL)
        redis_free(copying.redis);
    loop_free(copying.loop);
    buf_done(&copying.line);
    buf_done(&copying.names);
    buf_done(&copying.stories);
    buf_done(&copying.casts);
    return ok;
}
