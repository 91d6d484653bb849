/* json_pretty.c - see json_pretty.h. */
#include "proto/json_pretty.h"

enum { INDENT = 2, DEPTH_SHOWN_MAX = 40 };

static bool new_line(struct buf *into, int depth)
{
    int shown = depth > DEPTH_SHOWN_MAX ? DEPTH_SHOWN_MAX : depth;

    return buf_printf(into, "\n%*s", shown < 0 ? 0 : INDENT * shown, "");
}

/* The bytes of the string that begins here, with its quotes as far as they are there.
 */
static size_t string_len(struct str json)
{
    size_t len = 1;

    while (len < json.len && json.at[len] != '"')
        len += json.at[len] == '\\' ? 2 : 1;
    return len < json.len ? len + 1 : json.len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static struct str skip_blanks(struct str json)
{
    while (json.len > 0 && is_blank(json.at[0]))
        json = str_make(json.at + 1, json.len - 1);
    return json;
}

static bool opens(struct str *json, int *depth, struct buf *into)
{
    char closing = json->at[0] == '{' ? '}' : ']';
    struct str rest = skip_blanks(str_make(json->at + 1, json->len - 1));

    if (rest.len > 0 && rest.at[0] == closing) {
        char both[] = {json->at[0], closing};

        *json = str_make(rest.at + 1, rest.len - 1);
        return buf_add(into, both, sizeof both);
    }
    ++*depth;
    if (!buf_add_char(into, json->at[0]) || !new_line(into, *depth))
        return false;
    *json = rest;
    return true;
}

/* One token; what it took is taken from *json. */
static bool token(struct str *json, int *depth, struct buf *into)
{
    char c = json->at[0];
    size_t len = 1;
    bool ok;

    if (c == '{' || c == '[')
        return opens(json, depth, into);
    if (c == '"')
        len = string_len(*json);
    if (c == '}' || c == ']')
        ok = new_line(into, --*depth) && buf_add_char(into, c);
    else if (c == ',')
        ok = buf_add_char(into, c) && new_line(into, *depth);
    else if (c == ':')
        ok = buf_add_text(into, ": ");
    else
        ok = is_blank(c) || buf_add(into, json->at, len);
    *json = str_make(json->at + len, json->len - len);
    return ok;
}

bool json_pretty(struct str json, struct buf *into)
{
    int depth = 0;

    while (json.len > 0)
        if (!token(&json, &depth, into))
            return false;
    return true;
}
