/* replay_pick.c - see replay_pick.h. */
#include "observer/source/replay_pick.h"

#include <string.h>

/* What stands before the closing quote of a text that begins at `from`; *ret_behind is
 * the place behind that quote (the line's end where there is none). */
static struct str text_at(struct str line, size_t from, size_t *ret_behind)
{
    size_t at = from;

    while (at < line.len && line.at[at] != '"')
        at += line.at[at] == '\\' ? 2 : 1;
    if (at > line.len)
        at = line.len;
    *ret_behind = at < line.len ? at + 1 : at;
    return str_make(line.at + from, at - from);
}

static size_t behind_blanks(struct str line, size_t at)
{
    while (at < line.len && (line.at[at] == ' ' || line.at[at] == '\t'))
        at++;
    return at;
}

static struct str number_at(struct str line, size_t from)
{
    size_t at = from;

    while (at < line.len && strchr("+-.0123456789eE", line.at[at]) != NULL
           && line.at[at] != '\0')
        at++;
    return str_make(line.at + from, at - from);
}

/* The index of the key that has no value yet; count: none of them. */
static size_t wanted(struct str key, const char *const *keys, const struct str *values,
                     size_t count)
{
    size_t i = 0;

    while (i < count && (values[i].at != NULL || !str_is(key, keys[i])))
        i++;
    return i;
}

void replay_pick(struct str line, const char *const *keys, struct str *values,
                 size_t count)
{
    size_t left = count;
    size_t at = 0;

    memset(values, 0, count * sizeof *values);
    while (left > 0 && at < line.len) {
        const char *quote = memchr(line.at + at, '"', line.len - at);
        struct str text;
        size_t colon;
        size_t index;

        if (quote == NULL)
            return;
        text = text_at(line, (size_t)(quote - line.at) + 1, &at);
        colon = behind_blanks(line, at);
        if (colon >= line.len || line.at[colon] != ':')
            continue;
        at = behind_blanks(line, colon + 1);
        index = wanted(text, keys, values, count);
        if (index == count)
            continue;
        left--;
        if (at < line.len && line.at[at] == '"')
            values[index] = text_at(line, at + 1, &at);
        else
            values[index] = number_at(line, at);
    }
}
