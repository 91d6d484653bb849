/* words.c - see words.h. */
#include "simulator/words.h"

#include <string.h>

/* Sorted by nothing but sense; one space around each word makes the search exact. */
static const char common_words[] =
    " a an the this that these those some any each every all both few many much more"
    " most other another such same own no not nor none nobody nothing something "
    "anything"
    " i me my mine we us our ours you your yours he him his she her hers it its they"
    " them their theirs who whom whose which what when where why how whether myself"
    " yourself itself themselves am is are was were be been being do does did done "
    "doing"
    " have has had having will would shall should can could may might must ought let"
    " lets and or but if then than so because while until since though although unless"
    " as at by for from in into of off on onto out over to under up upon with within"
    " without about above across after against along among around before behind below"
    " beneath beside between beyond down during except inside like near past through"
    " toward towards via per here there now never ever always often sometimes again "
    "once"
    " twice only just even still yet already almost also too very quite rather really"
    " perhaps maybe indeed certainly surely well oh ah yes get got go going gone went"
    " come came make makes made take takes took taken give gives gave given say says"
    " said tell tells told ask asks asked think thinks thought know knows knew known"
    " mean means meant want wants wanted need needs keep keeps kept put puts see sees"
    " saw seen seem seems one two i'm i've i'd i'll you're you've you'd you'll it's"
    " that's there's don't doesn't didn't isn't aren't wasn't won't can't couldn't"
    " wouldn't shouldn't let's we're we've he's she's they're what's who's either"
    " neither instead else enough less least exactly simply someone everyone anyone"
    " thing things way kind sort lot bit start begin conversation please reply answer"
    " word words last next first good great best better bad new old real full single "
    "person people man woman ";

static const char hinge_words[] = " and or but to i me you it he she they we while when"
                                  " if that which who is are was were as than ";

char char_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool char_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* ASCII, and the lead bytes of accented, Greek and Cyrillic letters. */
static bool is_letter(char c)
{
    char lower = char_lower(c);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9')
           || ((unsigned char)c >= 0xC3 && (unsigned char)c <= 0xDF);
}

static bool is_inner(struct str text, size_t at)
{
    unsigned char c = (unsigned char)text.at[at];

    if (is_letter(text.at[at]) || (c >= 0x80 && c < 0xC0))
        return true;
    return (c == '\'' || c == '-') && at + 1 < text.len && is_letter(text.at[at + 1]);
}

struct str word_next(struct str text, size_t *at, struct str *ret_gap)
{
    size_t from = *at;
    size_t start = from;
    size_t end = 0;

    while (start < text.len && !is_letter(text.at[start]))
        start++;
    end = start;
    while (end < text.len && is_inner(text, end))
        end++;
    *ret_gap = str_make(text.at + from, start - from);
    *at = end;
    return str_make(text.at + start, end - start);
}

bool word_is(struct str word, const char *lower)
{
    for (size_t i = 0; i < word.len; i++)
        if (lower[i] == '\0' || char_lower(word.at[i]) != lower[i])
            return false;
    return lower[word.len] == '\0';
}

static bool is_listed(struct str word, const char *list)
{
    char padded[16] = " ";

    if (word.len == 0 || word.len > sizeof padded - 3)
        return false;
    for (size_t i = 0; i < word.len; i++)
        padded[i + 1] = char_lower(word.at[i]);
    padded[word.len + 1] = ' ';
    padded[word.len + 2] = '\0';
    return strstr(list, padded) != NULL;
}

bool word_is_common(struct str word)
{
    return word.len == 0 || is_listed(word, common_words);
}

bool word_is_hinge(struct str word)
{
    return is_listed(word, hinge_words);
}

bool words_start(struct str text, const char *needle)
{
    size_t len = strlen(needle);

    return len <= text.len && word_is(str_make(text.at, len), needle);
}

size_t words_find(struct str text, const char *needle)
{
    size_t len = strlen(needle);

    for (size_t at = 0; at + len <= text.len; at++)
        if (words_start(str_make(text.at + at, text.len - at), needle))
            return at;
    return text.len;
}

bool words_have(struct str text, const char *needles)
{
    struct str rest = str_of(needles);

    while (rest.len > 0) {
        struct str needle = str_cut(rest, '|', &rest);
        char copy[64] = "";

        if (needle.len == 0 || needle.len >= sizeof copy)
            continue;
        memcpy(copy, needle.at, needle.len);
        if (words_find(text, copy) < text.len)
            return true;
    }
    return false;
}

const char *word_article(struct str word)
{
    char first = word.len > 0 ? char_lower(word.at[0]) : '\0';

    if (words_start(word, "uni") || words_start(word, "use")
        || words_start(word, "one"))
        return "a";
    if (words_start(word, "hour") || words_start(word, "honest")
        || words_start(word, "honor") || words_start(word, "honour")
        || words_start(word, "heir"))
        return "an";
    return first != '\0' && strchr("aeiou", first) ? "an" : "a";
}
