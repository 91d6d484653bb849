/* markup.c - see markup.h. */
#include "base/markup.h"

#include <string.h>

#include "base/utf8.h"

static const char *html_reference(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void put_html(struct buf *into, char c)
{
    const char *reference = html_reference(c);

    if (reference != NULL)
        (void)buf_add_text(into, reference); /* its overflow is asked for at the end */
    else
        (void)buf_add_char(into, c);
}

/* Raw HTML is allowed in Markdown: so < and & are references there too. */
static void put_markdown(struct buf *into, char c)
{
    if (c == '<' || c == '&')
        (void)buf_add_text(into, html_reference(c));
    else if (c == '\n' || c == '\t')
        (void)buf_add_char(into, ' ');
    else if (strchr("\\`*_[]#.!|~>:@$", c) != NULL)
        (void)buf_printf(into, "\\%c", c);
    else
        (void)buf_add_char(into, c);
}

static bool put_all(struct buf *into, struct str text, void (*put)(struct buf *, char))
{
    struct buf safe;

    buf_init(&safe, into->max);
    if (!utf8_harmless(text, true, &safe))
        into->overflowed = true;
    for (size_t i = 0; i < safe.len; i++)
        put(into, safe.at[i]);
    buf_done(&safe);
    return !into->overflowed;
}

bool markup_html(struct buf *into, struct str text)
{
    return put_all(into, text, put_html);
}

bool markup_markdown(struct buf *into, struct str text)
{
    return put_all(into, text, put_markdown);
}
