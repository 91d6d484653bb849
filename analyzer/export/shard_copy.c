/* shard_copy.c - see shard_copy.h.
 *
 * Flow: connect -> each conversation: hash, cast, transcript -> K:events and K:calls
 *       -> run.json
 */
#include "analyzer/export/shard_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/export/sink.h"
#include "analyzer/notes.h"
#include "analyzer/shard_pages.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "base/version.h"
#include "net/entry_line.h"
#include "proto/json_write.h"
#include "proto/keys.h"

enum { PART_MAX_BYTES = 256 << 20, LINE_MAX_BYTES = 8 << 20, RUN_ID_LETTERS = 6 };

struct copying {
    const struct shard_copy *copy;
    struct notes *notes;
    struct shard_pages pages;
    const char *id; /* of the conversation being read */
    bool found;
    bool all_ended;
    int64_t earliest_us; /* the first start; -1 none */
    struct sink sink;    /* of the file being written */
    void (*make_line)(const struct redis_value *entry, struct buf *line);
    struct buf line;
    struct buf names; /* these three: arrays of run.json, without brackets */
    struct buf stories;
    struct buf casts;
    size_t count;
};

static bool ask(struct copying *copying, const struct str *argv, size_t argc,
                redis_on_answer *on_answer, struct err *err)
{
    const struct shard_question question = {argv, argc, on_answer, copying};

    return shard_pages_ask(&copying->pages, &question, err);
}

static bool read_stream(struct copying *copying, struct str key,
                        bool (*on_entry)(void *owner, struct str id,
                                         const struct redis_value *fields,
                                         struct err *err),
                        struct err *err)
{
    char at[SHARD_PLACE_SIZE] = "";
    const struct shard_stream stream = {key, at, on_entry, copying};

    return shard_pages_stream(&copying->pages, &stream, err);
}

static bool put_line(struct copying *copying, struct str line, struct err *err)
{
    return sink_write(&copying->sink, line, err)
           && sink_write(&copying->sink, str_of("\n"), err);
}

/* ---- one conversation ---- */

static bool on_message(void *owner, struct str id, const struct redis_value *fields,
                       struct err *err)
{
    struct copying *copying = owner;
    struct str json = redis_field(fields, "message");

    (void)id;
    if (json.len > 0 && memchr(json.at, '\n', json.len) == NULL)
        return put_line(copying, json, err);
    notes_add(copying->notes, "transcript of %s: an entry is no message",
              log_safe(str_of(copying->id)));
    return true;
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

static bool copy_conversation(void *owner, const char *id, struct err *err)
{
    struct copying *copying = owner;
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
           && read_stream(copying, key_make(keys, "transcript", id, key[2]), on_message,
                          err);
}

/* ---- all of them ---- */

static bool copy_talks(struct copying *copying, struct err *err)
{
    const char *only = copying->copy->conversation;

    if (only == NULL)
        return shard_pages_ids(&copying->pages, copy_conversation, copying, err);
    if (!copy_conversation(copying, only, err))
        return false;
    return copying->found
           || err_set(err, ERR_USAGE, "no conversation %s in shard %s",
                      log_safe(str_of(only)), copying->copy->keys->shard);
}

/* ---- calls and events ---- */

static bool on_entry(void *owner, struct str id, const struct redis_value *fields,
                     struct err *err)
{
    struct copying *copying = owner;
    const char *only = copying->copy->conversation;

    (void)id;
    if (only != NULL && !str_is(redis_field(fields, "conversation"), only))
        return true;
    buf_clear(&copying->line);
    copying->make_line(fields, &copying->line);
    if (!copying->line.overflowed)
        return put_line(copying, buf_str(&copying->line), err);
    notes_add(copying->notes, "an entry of %lld MiB and more is left out",
              (long long)LINE_MAX_BYTES >> 20);
    return true;
}

static bool copy_entries(struct copying *copying, struct err *err)
{
    char key[KEY_SIZE];
    bool calls = copying->make_line == entry_line_call;

    return read_stream(
        copying, key_make(copying->copy->keys, calls ? "calls" : "events", NULL, key),
        on_entry, err);
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
    buf_printf(into,
               ",\"exit_status\":%s,\"pid\":null,\"seed\":null,\"redis\":{\"url\":",
               copying->all_ended ? "0" : "null");
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
    struct copying copying = {.copy = copy,
                              .notes = notes,
                              .pages = {.keys = copy->keys, .notes = notes},
                              .earliest_us = -1,
                              .all_ended = true};
    bool ok;

    buf_init(&copying.line, LINE_MAX_BYTES);
    buf_init(&copying.names, PART_MAX_BYTES);
    buf_init(&copying.stories, PART_MAX_BYTES);
    buf_init(&copying.casts, PART_MAX_BYTES);
    ok = shard_pages_open(&copying.pages, copy->target, err)
         && copy_files(&copying, err);
    if (ok)
        *ret_conversations = copying.count;
    shard_pages_close(&copying.pages);
    buf_done(&copying.line);
    buf_done(&copying.names);
    buf_done(&copying.stories);
    buf_done(&copying.casts);
    return ok;
}
