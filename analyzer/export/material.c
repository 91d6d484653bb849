/* material.c - see material.h. */
#include "analyzer/export/material.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/export/shard_copy.h"
#include "analyzer/export/sink.h"
#include "analyzer/notes.h"
#include "analyzer/where.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/utf8.h"
#include "proto/schema.h"

enum { RUN_MAX_BYTES = 64 << 20, COPY_BYTES = 1 << 16 };

static bool make_spool(struct material *material, struct err *err)
{
    const char *folder = getenv("TMPDIR");

    material->spool = x_printf("%s/parley-export-XXXXXX",
                               folder == NULL || *folder == '\0' ? "/tmp" : folder);
    if (mkdtemp(material->spool) != NULL)
        return true;
    err_sys(err, errno, "%s", material->spool);
    free(material->spool);
    material->spool = NULL;
    return false;
}

/* Returns how many bytes, -1 with the reason. */
static long long copy_bytes(int from, struct sink *to, struct err *err)
{
    char bytes[COPY_BYTES];
    long long count = 0;

    for (;;) {
        ssize_t got = read(from, bytes, sizeof bytes);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            err_sys(err, errno, "the input cannot be read");
        if (got < 0 || !sink_write(to, str_make(bytes, (size_t)got), err))
            return -1;
        if (got == 0)
            return count;
        count += got;
    }
}

/* A log that can be read once only. */
static bool spool_pipe(struct material *material, const char *path, struct notes *notes,
                       struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct sink sink;
    long long bytes;

    if (fd < 0)
        return err_sys(err, errno, "%s", log_safe(str_of(path)));
    if (!make_spool(material, err)) {
        (void)close(fd); /* only read */
        return false;
    }
    material->transcript = path_join(material->spool, "transcript.jsonl");
    bytes = -1;
    if (sink_open(&sink, material->transcript, err)) {
        bytes = copy_bytes(fd, &sink, err);
        if (bytes < 0)
            sink_drop(&sink);
        else if (!sink_close(&sink, err))
            bytes = -1;
    }
    (void)close(fd); /* only read */
    if (bytes >= 0)
        notes_add(notes, "the input is kept in %s meanwhile: %lld bytes",
                  material->transcript, bytes);
    return bytes >= 0;
}

static void read_run(struct material *material, const char *folder, struct notes *notes)
{
    char *path = path_join(folder, "run.json");
    struct err err = {0};
    struct buf text;
    const char *topic;

    buf_init(&text, RUN_MAX_BYTES);
    if (file_exists(path)
        && (!file_slurp(path, &text, &err)
            || !json_read(buf_str(&text), &material->run, &err)))
        notes_add(notes, "%s: %s", log_safe(str_of(path)), err.msg);
    topic = json_string_value(json_object_get(material->run, "topic"));
    if (topic != NULL && strstr(topic, "{i}") == NULL)
        material->topic = topic;
    buf_done(&text);
    free(path);
}

static bool find_files(struct material *material, const char *path, bool twice,
                       struct notes *notes, struct err *err)
{
    struct stat found;

    if (stat(path, &found) != 0)
        return err_sys(err, errno, "%s", log_safe(str_of(path)));
    if (S_ISDIR(found.st_mode)) {
        material->transcript = path_join(path, "transcript.jsonl");
        material->calls = path_join(path, "calls.jsonl");
        if (!file_exists(material->calls)) {
            free(material->calls);
            material->calls = NULL;
        }
        read_run(material, path, notes);
        return file_exists(material->transcript)
               || err_set(err, ERR_USAGE, "%s: there is no transcript.jsonl",
                          log_safe(str_of(path)));
    }
    if (twice && !S_ISREG(found.st_mode))
        return spool_pipe(material, path, notes, err);
    material->transcript = x_strdup(path);
    return true;
}

static bool copy_shard(struct material *material, const struct where *where,
                       const char *prefix, struct notes *notes, struct err *err)
{
    struct shard_copy copy = {.target = &where->redis,
                              .keys = &where->keys,
                              .prefix = prefix,
                              .conversation = where->conversation};
    size_t count;

    if (!make_spool(material, err))
        return false;
    copy.folder = material->spool;
    return shard_copy(&copy, notes, &count, err)
           && find_files(material, material->spool, false, notes, err);
}

bool material_find(const struct where *where, const char *prefix, bool twice,
                   struct notes *notes, struct material *ret_material, struct err *err)
{
    struct material material = {0};
    bool ok;

    if (where->path != NULL) {
        ok = find_files(&material, where->path, twice, notes, err);
        if (!ok && err->code == ERR_SYSTEM && material.spool == NULL)
            err->code = ERR_USAGE; /* what was named is not there */
    } else {
        ok = copy_shard(&material, where, prefix, notes, err);
    }
    if (ok)
        *ret_material = material;
    else
        material_done(&material);
    return ok;
}

void material_done(struct material *material)
{
    struct err ignored = {0};

    if (material->spool != NULL && !file_remove_tree(material->spool, &ignored))
        material->spool[0] = '\0'; /* what is left in /tmp harms nobody */
    free(material->spool);
    free(material->transcript);
    free(material->calls);
    json_decref(material->run);
    *material = (struct material){0};
}

const char *material_topic(void *owner, const char *conversation)
{
    struct material *material = owner;
    const json_t *casts = json_object_get(material->run, "casts");
    size_t count = json_array_size(casts);

    /* Casts and conversations come in about the same order: mostly it is the next. */
    for (size_t i = 0; i < count; i++) {
        size_t at = (material->cast + i) % count;
        const json_t *cast = json_array_get(casts, at);
        const char *id = json_string_value(json_object_get(cast, "conversation"));
        const char *topic = json_string_value(json_object_get(cast, "topic"));

        if (id == NULL || strcmp(id, conversation) != 0)
            continue;
        material->cast = at + 1;
        return topic == NULL ? material->topic : topic;
    }
    return material->topic;
}

const char *material_prompts(const struct material *material)
{
    const json_t *config = json_object_get(material->run, "config");

    const char *folder = json_string_value(json_object_get(config, "model.prompts"));

    return folder == NULL || *folder == '\0' ? NULL : folder;
}
