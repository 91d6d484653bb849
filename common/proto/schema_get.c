/* schema_get.c - our own schemas by name: parsed once, kept for ever. */
#include <assert.h>
#include <string.h>

#include "base/embedded.h"
#include "base/str.h"
#include "proto/schema.h"

enum { SCHEMAS_MAX = 32, NAME_BYTES = 64 };

struct known {
    char name[NAME_BYTES];
    json_t *schema; /* NULL: this place is free */
    char *text;     /* as a model server is sent it; NULL: not asked for yet */
};

/* A schema that is not there, or is broken, is a mistake of ours. */
static void read_embedded(const char *name, struct known *known)
{
    char path[NAME_BYTES + 32];
    const struct embedded_file *file;
    struct err err = {0};
    bool ok;

    fmt_into(path, sizeof path, "schemas/%s.schema.json", name);
    file = embedded_find(path);
    ok = json_read(str_make(file->at, file->len), &known->schema, &err);
    assert(ok);
    fmt_into(known->name, NAME_BYTES, "%s", name);
}

static struct known *find(const char *name)
{
    static struct known all[SCHEMAS_MAX];
    size_t i = 0;

    while (all[i].schema != NULL && strcmp(all[i].name, name) != 0) {
        i++;
        assert(i < SCHEMAS_MAX);
    }
    if (all[i].schema == NULL)
        read_embedded(name, &all[i]);
    return &all[i];
}

const json_t *schema_get(const char *name)
{
    return find(name)->schema;
}

const char *schema_for_model(const char *name)
{
    struct known *known = find(name);
    json_t *bare;

    if (known->text != NULL)
        return known->text;
    bare = json_copy(known->schema);
    (void)json_object_del(bare, "$schema"); /* each schema has both: a test says so */
    (void)json_object_del(bare, "$id");
    known->text = json_dumps(bare, JSON_COMPACT);
    assert(known->text != NULL);
    json_decref(bare);
    return known->text;
}
