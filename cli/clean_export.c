/* clean_export.c - conversations as files: see clean.h. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cli/clean.h"
#include "cli/pages.h"
#include "net/entry_line.h"
#include "proto/json_write.h"
#include "proto/schema.h"

enum { HASH_MAX_BYTES = 64 << 20, LINE_MAX_BYTES = 1 << 20 };

/* ---- one file ---- */

/* Written beside its place, moved there when it is whole and on the disk. */
struct copy {
    FILE *to; /* NULL: not open, or given up */
    char *path;
    char *beside;
    int failed; /* errno of what could not be written; 0: all was */
};

static bool copy_open(struct copy *copy, const char *folder, const char *name,
                      struct err *err)
{
    int fd;

    *copy = (struct copy){.path = path_join(folder, name)};
    copy->beside = x_printf("%s.XXXXXX", copy->path);
    fd = mkstemp(copy->beside);
    if (fd >= 0)
        copy->to = fdopen(fd, "w");
    if (copy->to != NULL)
        return true;
    err_sys(err, errno, "%s", copy->path);
    if (fd >= 0)
        (void)close(fd); /* nothing was written */
    return false;
}

static void copy_line(struct copy *copy, struct str line)
{
    if (copy->to != NULL
        && (fwrite(line.at, 1, line.len, copy->to) != line.len
            || fputc('\n', copy->to) == EOF))
        copy->failed = errno;
}

/* Keeps the file when `keep`; frees in every case. */
static bool copy_close(struct copy *copy, bool keep, struct err *err)
{
    bool ok = keep && copy->to != NULL && copy->failed == 0 && fflush(copy->to) == 0
              && fchmod(fileno(copy->to), (mode_t)file_mode()) == 0
              && fsync(fileno(copy->to)) == 0;

    if (!ok && copy->failed == 0)
        copy->failed = errno;
    if (copy->to != NULL && fclose(copy->to) != 0 && ok) {
        copy->failed = errno;
        ok = false;
    }
    ok = ok && rename(copy->beside, copy->path) == 0;
    if (!ok && keep)
        err_sys(err, copy->failed == 0 ? errno : copy->failed, "%s", copy->path);
    if (!ok && copy->beside != NULL)
        (void)unlink(copy->beside); /* it may not be there */
    free(copy->path);
    free(copy->beside);
    *copy = (struct copy){0};
    return ok || !keep;
}

/* ---- hashes ---- */

struct hash {
    struct buf json;
    const char *id;
    size_t fields;
};

/* As it is when it is JSON of its own, else a number, null or text. */
static void add_value(struct buf *json, struct str value)
{
    struct err ignored;
    json_t *parsed = NULL;
    int64_t number;

    if (value.len == 0)
        buf_add_text(json, "null");
    else if (str_to_i64(value, INT64_MIN, INT64_MAX, &number))
        buf_printf(json, "%lld", (long long)number);
    else if ((value.at[0] == '{' || value.at[0] == '[')
             && json_read(value, &parsed, &ignored))
        buf_add_str(json, value);
    else
        json_write_string(json, value);
    json_decref(parsed);
}

static void on_hash(void *owner, const struct redis_answer *answer)
{
    struct hash *hash = owner;

    if (answer->outcome != REDIS_OK)
        return;
    for (size_t i = 0; i + 1 < answer->value->count; i += 2) {
        buf_add_char(&hash->json, ',');
        json_write_string(&hash->json, redis_item_text(answer->value, i));
        buf_add_char(&hash->json, ':');
        add_value(&hash->json, redis_item_text(answer->value, i + 1));
        hash->fields++;
    }
}

/* False when Redis failed; trouble is told in the item. */
static bool export_hash(struct fleet *fleet, struct clean_item *item, const char *what,
                        struct err *err)
{
    struct hash hash = {.id = item->id};
    char key[KEY_SIZE];
    const char *words[] = {"HGETALL", key, NULL};
    char *name = x_printf("%s.json", what);
    char *path = path_join(item->folder, name);
    bool ok;

    (void)key_make(&fleet->keys, what, item->id, key);
    buf_init(&hash.json, HASH_MAX_BYTES);
    buf_add_text(&hash.json, "{\"id\":");
    json_write_text(&hash.json, item->id);
    ok = fleet_ask(fleet, words, on_hash, &hash, err);
    buf_add_text(&hash.json, "}\n");
    if (ok && hash.json.overflowed)
        err_set(&item->trouble, ERR_LIMIT, "%s would be too large", path);
    else if (ok && hash.fields == 0)
        err_set(&item->trouble, ERR_FORMAT, "Redis has no %s of it", what);
    else if (ok && !file_write(path, buf_str(&hash.json), &item->trouble))
        assert(item->trouble.code != ERR_NONE); /* it is told where all troubles are */
    buf_done(&hash.json);
    free(path);
    free(name);
    return ok;
}

/* ---- streams ---- */

static void on_message(void *owner, const struct redis_value *fields)
{
    copy_line(owner, redis_field(fields, "message"));
}

static bool export_transcript(struct fleet *fleet, struct clean_item *item,
                              struct err *err)
{
    char key[KEY_SIZE];
    struct copy copy;
    bool ok;

    if (!copy_open(&copy, item->folder, "transcript.jsonl", &item->trouble)) {
        (void)copy_close(&copy, false, &item->trouble); /* frees */
        return true;
    }
    (void)key_make(&fleet->keys, "transcript", item->id, key);
    ok = pages_read(fleet, key, "-", on_message, &copy, err);
    (void)copy_close(&copy, ok, &item->trouble); /* it tells */
    return ok;
}

/* Events or calls of the whole page, in one reading. */
struct sorting {
    struct clean_item *items;
    size_t count;
    struct copy copies[CLEAN_PAGE];
    void (*make_line)(const struct redis_value *entry, struct buf *line);
    struct buf line;
};

static void on_entry(void *owner, const struct redis_value *fields)
{
    struct sorting *sorting = owner;
    struct str id = redis_field(fields, "conversation");

    for (size_t i = 0; i < sorting->count; i++) {
        if (!str_is(id, sorting->items[i].id))
            continue;
        buf_clear(&sorting->line);
        sorting->make_line(fields, &sorting->line);
        if (sorting->line.overflowed)
            sorting->copies[i].failed = EFBIG; /* no line of ours is so long */
        copy_line(&sorting->copies[i], buf_str(&sorting->line));
    }
}

static bool export_stream(struct fleet *fleet, struct sorting *sorting,
                          const char *what, struct err *err)
{
    char key[KEY_SIZE];
    char *name = x_printf("%s.jsonl", what);
    bool ok;

    for (size_t i = 0; i < sorting->count; i++)
        if (sorting->items[i].trouble.code == ERR_NONE)
            (void)copy_open(&sorting->copies[i], sorting->items[i].folder, name,
                            &sorting->items[i].trouble); /* it tells */
    buf_init(&sorting->line, LINE_MAX_BYTES);
    (void)key_make(&fleet->keys, what, NULL, key);
    ok = pages_read(fleet, key, "-", on_entry, sorting, err);
    buf_done(&sorting->line);
    for (size_t i = 0; i < sorting->count; i++) {
        struct clean_item *item = &sorting->items[i];

        (void)copy_close(&sorting->copies[i], ok && item->trouble.code == ERR_NONE,
                         &item->trouble); /* it tells */
    }
    free(name);
    return ok;
}

/* ---- all ---- */

/* The names in it are on the disk, too. */
static void sync_folder(struct clean_item *item)
{
    int fd = open(item->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        err_sys(&item->trouble, errno, "%s", item->folder);
    if (fd >= 0)
        (void)close(fd); /* only read */
}

static bool export_own(struct fleet *fleet, struct clean_item *item, struct err *err)
{
    static const char *const hashes[] = {"conversation", "cast"};

    for (size_t i = 0; i < 2 && item->trouble.code == ERR_NONE; i++)
        if (!export_hash(fleet, item, hashes[i], err))
            return false;
    return item->trouble.code != ERR_NONE || export_transcript(fleet, item, err);
}

bool clean_export(struct fleet *fleet, const char *out, struct clean_item *items,
                  size_t count, struct err *err)
{
    struct sorting events = {
        .items = items, .count = count, .make_line = entry_line_event};
    struct sorting calls = {
        .items = items, .count = count, .make_line = entry_line_call};
    bool ok = true;

    for (size_t i = 0; ok && i < count; i++) {
        items[i].folder = path_join(out, items[i].id);
        if (file_make_folder(items[i].folder, 0755, &items[i].trouble))
            ok = export_own(fleet, &items[i], err);
    }
    ok = ok && export_stream(fleet, &events, "events", err)
         && export_stream(fleet, &calls, "calls", err);
    for (size_t i = 0; i < count; i++) {
        if (ok && items[i].trouble.code == ERR_NONE)
            sync_folder(&items[i]);
        if (ok && items[i].trouble.code == ERR_NONE)
            continue;
        free(items[i].folder);
        items[i].folder = NULL;
    }
    return ok;
}
