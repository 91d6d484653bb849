/* talk_search.c - see talk_search.h. */
#include "observer/screen/talk_search.h"

#include "base/utf8.h"

static const char regex_mark[] = "re:";
enum { REGEX_MARK_LEN = sizeof regex_mark - 1, REASON_SIZE = 128 };

void talk_search_init(struct talk_search *search)
{
    *search = (struct talk_search){0};
    buf_init(&search->wanted, TALK_SEARCH_MAX_BYTES);
}

void talk_search_done(struct talk_search *search)
{
    if (search->is_regex)
        regfree(&search->regex);
    search->is_regex = false;
    buf_done(&search->wanted);
}

bool talk_search_is_on(const struct talk_search *search)
{
    return search->wanted.len > 0;
}

bool talk_search_set(struct talk_search *search, struct str text, struct err *err)
{
    bool is_regex = str_starts(text, regex_mark);
    struct buf wanted;
    regex_t regex;

    buf_init(&wanted, TALK_SEARCH_MAX_BYTES);
    if (!buf_add_str(&wanted, text)) {
        buf_done(&wanted);
        return err_set(err, ERR_USAGE, "a search has at most %d bytes",
                       TALK_SEARCH_MAX_BYTES);
    }
    if (is_regex) {
        int why = regcomp(&regex, buf_text(&wanted) + REGEX_MARK_LEN,
                          REG_EXTENDED | REG_ICASE | REG_NEWLINE);
        char reason[REASON_SIZE];

        if (why != 0) {
            (void)regerror(why, &regex, reason, sizeof reason);
            buf_done(&wanted);
            return err_set(err, ERR_USAGE, "no regular expression: %s", reason);
        }
    }
    talk_search_done(search);
    search->wanted = wanted;
    search->is_regex = is_regex;
    if (is_regex)
        search->regex = regex;
    search->version++;
    return true;
}

/* ---- plain text ---- */

/* A letter's small form: the blocks where it lies at a fixed distance. */
static uint32_t fold(uint32_t point)
{
    bool latin = point >= 0xC0 && point <= 0xDE && point != 0xD7;
    bool greek = point >= 0x391 && point <= 0x3A9;

    if (point >= 'A' && point <= 'Z')
        return point + 0x20;
    if (latin || greek || (point >= 0x410 && point <= 0x42F))
        return point + 0x20;
    if (point >= 0x400 && point <= 0x40F)
        return point + 0x50;
    return point;
}

static size_t next_point(struct str text, size_t at, uint32_t *ret_point)
{
    unsigned used = utf8_decode(str_make(text.at + at, text.len - at), ret_point);

    return used == 0 ? 1 : used;
}

/* Bytes of the match that begins at `at`, 0 none. */
static size_t match_plain(struct str wanted, struct str text, size_t at)
{
    size_t from = at;
    size_t w = 0;

    while (w < wanted.len && at < text.len) {
        uint32_t a = 0;
        uint32_t b = 0;
        size_t wanted_bytes = next_point(wanted, w, &a);
        size_t text_bytes = next_point(text, at, &b);

        if (fold(a) != fold(b))
            return 0;
        w += wanted_bytes;
        at += text_bytes;
    }
    return w == wanted.len ? at - from : 0;
}

static bool find_plain(struct str wanted, struct str text, size_t from, size_t *ret_at,
                       size_t *ret_len)
{
    for (size_t at = from; at < text.len; at++) {
        size_t len = match_plain(wanted, text, at);

        if (len > 0) {
            *ret_at = at;
            *ret_len = len;
            return true;
        }
    }
    return false;
}

/* ---- regular expressions ---- */

static bool find_regex(const regex_t *regex, const struct buf *text, size_t from,
                       size_t *ret_at, size_t *ret_len)
{
    const char *all = buf_text(text);

    while (from < text->len) {
        bool begins = from == 0 || all[from - 1] == '\n';
        regmatch_t found;

        if (regexec(regex, all + from, 1, &found, begins ? 0 : REG_NOTBOL) != 0)
            return false;
        if (found.rm_eo > found.rm_so) {
            *ret_at = from + (size_t)found.rm_so;
            *ret_len = (size_t)(found.rm_eo - found.rm_so);
            return true;
        }
        from += (size_t)found.rm_eo + 1; /* an empty one: behind it */
    }
    return false;
}

bool talk_search_find(const struct talk_search *search, const struct buf *text,
                      size_t from, size_t *ret_at, size_t *ret_len)
{
    if (!talk_search_is_on(search))
        return false;
    if (search->is_regex)
        return find_regex(&search->regex, text, from, ret_at, ret_len);
    return find_plain(buf_str(&search->wanted), buf_str(text), from, ret_at, ret_len);
}

bool talk_search_find_before(const struct talk_search *search, const struct buf *text,
                             size_t before, size_t *ret_at, size_t *ret_len)
{
    size_t from = 0;
    size_t at;
    size_t len;
    bool found = false;

    while (talk_search_find(search, text, from, &at, &len) && at < before) {
        *ret_at = at;
        *ret_len = len;
        found = true;
        from = at + len;
    }
    return found;
}

size_t talk_search_count(const struct talk_search *search, const struct buf *text)
{
    size_t count = 0;
    size_t from = 0;
    size_t at;
    size_t len;

    while (talk_search_find(search, text, from, &at, &len)) {
        count++;
        from = at + len;
    }
    return count;
}
