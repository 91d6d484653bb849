/* sentence.c - see sentence.h. */
#include "worker/sentence.h"

#include <stdbool.h>
#include <string.h>

/* What ends a sentence, and whether it does wherever it stands: else a blank must
 * follow. */
static const struct stop {
    const char *text;
    bool wide;
} stops[] = {
    {".", false},
    {"!", false},
    {"?", false},
    {"\xE2\x80\xA6", false}, /* ellipsis */
    {"\xE3\x80\x82", true},  /* ideographic full stop */
    {"\xEF\xBC\x81", true},  /* fullwidth ! */
    {"\xEF\xBC\x8E", true},  /* fullwidth . */
    {"\xEF\xBC\x9F", true},  /* fullwidth ? */
    {"\xEF\xBD\xA1", true},  /* halfwidth ideographic full stop */
    {"\xE0\xA5\xA4", true},  /* danda: Hindi, Bengali and others */
    {"\xE0\xA5\xA5", true},  /* double danda */
    {"\xD8\x9F", true},      /* Arabic ? */
    {"\xDB\x94", true},      /* Urdu full stop */
    {"\xD6\x89", true},      /* Armenian full stop */
    {"\xCD\xBE", true},      /* Greek ? */
    {"\xE1\x8D\xA2", true},  /* Ethiopic full stop */
    {"\xE1\x81\x8B", true},  /* Burmese full stop */
    {"\xE1\x9F\x94", true},  /* Khmer full stop */
    {"\xE2\x80\xBC", false}, /* !! */
    {"\xE2\x81\x89", false}, /* !? */
};

/* Quotes as many languages close them, guillemets, brackets of all widths. */
static const char *const closers[] = {"\"",
                                      "'",
                                      ")",
                                      "]",
                                      "*",
                                      "_",
                                      "`",
                                      "\xE2\x80\x9D",
                                      "\xE2\x80\x9C",
                                      "\xE2\x80\x99",
                                      "\xE2\x80\x98",
                                      "\xC2\xBB",
                                      "\xE2\x80\xBA",
                                      "\xE3\x80\x8D",
                                      "\xE3\x80\x8F",
                                      "\xEF\xBC\x89",
                                      "\xE3\x80\x91",
                                      "\xE3\x80\x8B"};

static const char *const titles[] = {"Mr", "Mrs",  "Ms", "Dr",
                                     "St", "Prof", "vs", "etc"};

static struct str from(struct str text, size_t at)
{
    return str_make(text.at + at, text.len - at);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool blank_at(struct str text, size_t at)
{
    return at == text.len || text.at[at] == ' ' || text.at[at] == '\t'
           || text.at[at] == '\n' || text.at[at] == '\r';
}

/* The full stop at `at` stands behind an abbreviation. */
static bool abbreviates(struct str text, size_t at)
{
    size_t start = at;

    if (text.at[at] != '.')
        return false;
    while (start > 0 && is_letter(text.at[start - 1]))
        start--;
    if (at - start == 1 && text.at[start] != 'I')
        return true;
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (str_is(str_make(text.at + start, at - start), titles[i]))
            return true;
    return false;
}

static size_t skip_closers(struct str text, size_t at)
{
    size_t i = 0;

    while (i < sizeof closers / sizeof *closers) {
        if (str_starts(from(text, at), closers[i])) {
            at += strlen(closers[i]);
            i = 0;
        } else {
            i++;
        }
    }
    return at;
}

/* Where a sentence that ends with the stop at `at` ends; 0: none does. */
static size_t end_at(struct str text, size_t at)
{
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        size_t end;

        if (text.at[at] != stops[i].text[0] /* most are not: a long text has no other */
            || !str_starts(from(text, at), stops[i].text))
            continue;
        end = skip_closers(text, at + strlen(stops[i].text));
        return stops[i].wide || (blank_at(text, end) && !abbreviates(text, at)) ? end
                                                                                : 0;
    }
    return 0;
}

size_t sentence_end(struct str text)
{
    size_t at = text.len;

    while (at > 0) {
        size_t end = end_at(text, --at);

        if (end > 0)
            return end;
    }
    return 0;
}
