/* template.c - see template.h. */
#include "proto/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/embedded.h"
#include "base/file.h"
#include "base/utf8.h"

enum { TEMPLATE_MAX_BYTES = 1 << 18 };

static const struct template_value *find(const struct template_value *values,
                                         size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(name, values[i].name))
            return &values[i];
    return NULL;
}

/* The placeholder at the start of `text` ("{name}"); *ret_used counts its bytes. */
static bool placeholder(struct str text, struct str *ret_name, size_t *ret_used)
{
    const char *end = text.len < 2 ? NULL : memchr(text.at, '}', text.len);

    if (end == NULL || text.at[0] != '{')
        return false;
    *ret_name = str_make(text.at + 1, (size_t)(end - text.at) - 1);
    *ret_used = (size_t)(end - text.at) + 1;
    return true;
}

/* Whether the placeholder of `used` bytes at the start of `text` has its line to
 * itself; `start` is where the template began. */
static bool alone_on_line(const char *start, struct str text, size_t used)
{
    return (text.at == start || text.at[-1] == '\n') && used < text.len
           && text.at[used] == '\n';
}

bool template_fill(struct str text, const struct template_value *values, size_t count,
                   struct buf *into, struct err *err)
{
    const char *start = text.at;

    while (text.len > 0) {
        struct str rest;
        struct str plain = str_cut(text, '{', &rest);
        const struct template_value *value;
        struct str name;
        size_t used;

        buf_add_str(into, plain);
        if (plain.len == text.len)
            break;
        text = str_make(text.at + plain.len, text.len - plain.len);
        if (str_starts(text, "{{")) {
            buf_add_char(into, '{');
            text = str_make(text.at + 2, text.len - 2);
            continue;
        }
        if (!placeholder(text, &name, &used))
            return err_set(err, ERR_FORMAT, "a { without its } (write {{ for a brace)");
        value = find(values, count, name);
        if (value == NULL)
            return err_set(err, ERR_FORMAT, "unknown placeholder {%s}", log_safe(name));
        if (value->value.len == 0 && alone_on_line(start, text, used))
            used++;
        buf_add_str(into, value->value);
        text = str_make(text.at + used, text.len - used);
    }
    return !into->overflowed
           || err_set(err, ERR_LIMIT, "prompt larger than %zu bytes", into->max);
}

bool template_folder_check(const char *folder, struct err *err)
{
    return folder == NULL || file_exists(folder)
           || err_set(err, ERR_USAGE, "--prompts: there is no folder %s",
                      log_safe(str_of(folder)));
}

bool template_load(const char *folder, const char *built_in, char **ret_text,
                   struct err *err)
{
    const char *name = strrchr(built_in, '/') + 1;
    char *path;
    struct buf text;
    bool ok = true;

    if (!template_folder_check(folder, err))
        return false;
    path = folder == NULL ? NULL : path_join(folder, name);
    buf_init(&text, TEMPLATE_MAX_BYTES);
    if (path != NULL && file_exists(path))
        ok = file_slurp(path, &text, err);
    else
        buf_add_text(&text, embedded_find(built_in)->at);
    if (ok)
        *ret_text = buf_take(&text);
    buf_done(&text);
    free(path);
    return ok;
}
