/* names.c - see names.h.
 *
 * Flow: names_begin -> names_at -> try_frame (each name) -> try_forms
 */
#include "worker/names.h"

#include <string.h>

#include "base/utf8.h"

enum { TEXTS_MAX_BYTES = 1 << 20, NOTE_MAX_BYTES = 80, FORMS = 3 };

/* What is written around a name. */
static const struct frame {
    const char *open;
    const char *close;
} frames[] = {{"", ""}, {"**", "**"}, {"*", "*"}, {"__", "__"}, {"_", "_"}, {"[", "]"}};
enum { FRAME_COUNT = sizeof frames / sizeof *frames };

/* ---- who there is ---- */

void names_init(struct names *names)
{
    *names = (struct names){0};
    buf_init(&names->texts, TEXTS_MAX_BYTES);
}

void names_done(struct names *names)
{
    buf_done(&names->texts);
}

static struct str name_text(const struct names *names, const struct name *name)
{
    return str_make(names->texts.at + name->at, name->len);
}

/* Capitals to small letters, and what is often written one for the other. */
static uint32_t fold(uint32_t point)
{
    if ((point >= 'A' && point <= 'Z') || (point >= 0x391 && point <= 0x3A9)
        || (point >= 0x410 && point <= 0x42F)
        || (point >= 0xC0 && point <= 0xDE && point != 0xD7))
        return point + 32;
    if (point >= 0x400 && point <= 0x40F)
        return point + 80;
    switch (point) {
    case 0x2018:
    case 0x2019:
    case 0x02BC:
        return '\'';
    case 0x2010:
    case 0x2011:
        return '-';
    case 0x00A0:
    case 0x202F:
        return ' ';
    default:
        return point;
    }
}

static bool same(struct str a, struct str b)
{
    while (a.len > 0 && b.len > 0) {
        uint32_t one;
        uint32_t other;
        unsigned len = utf8_decode(a, &one);
        unsigned other_len = utf8_decode(b, &other);

        if (len == 0 || other_len == 0 || fold(one) != fold(other))
            return false;
        a = str_make(a.at + len, a.len - len);
        b = str_make(b.at + other_len, b.len - other_len);
    }
    return a.len == 0 && b.len == 0;
}

static struct name *find(struct names *names, struct str text)
{
    for (size_t i = 0; i < names->count; i++)
        if (same(name_text(names, &names->name[i]), text))
            return &names->name[i];
    return NULL;
}

static void add(struct names *names, struct str text, bool own)
{
    struct name *to = &names->name[names->count];

    if (text.len == 0 || find(names, text) != NULL)
        return;
    *to = (struct name){.at = names->texts.len, .len = text.len, .own = own};
    if (buf_add_str(&names->texts, text))
        names->count++;
}

static struct str without_titles(struct str name)
{
    struct str rest = name;
    struct str word = str_cut(name, ' ', &rest);

    while (rest.len > 0 && word.len > 0 && word.at[word.len - 1] == '.') {
        name = str_trim(rest);
        word = str_cut(name, ' ', &rest);
    }
    return name;
}

static struct str last_word(struct str name)
{
    size_t at = name.len;

    while (at > 0 && name.at[at - 1] != ' ')
        at--;
    return str_make(name.at + at, name.len - at);
}

static void add_person(struct names *names, const struct persona *persona, bool own)
{
    struct str whole = str_trim(str_of(persona->name));
    struct str name = without_titles(whole);
    struct name *known = find(names, whole);
    struct str rest;

    if (known != NULL)
        known->shared = known->own;
    add(names, whole, own);
    add(names, name, own);
    add(names, str_cut(name, ' ', &rest), own);
    if (own)
        add(names, last_word(name), true);
}

void names_begin(struct names *names, const struct cast *cast, int64_t seat)
{
    size_t own = (size_t)seat - 1;

    names->count = 0;
    buf_clear(&names->texts);
    /* The own names first: who shares one with another is not cut short by it. */
    if (own < cast->seat_count)
        add_person(names, &cast->seats[own].persona, true);
    for (size_t i = 0; i < cast->seat_count; i++)
        if (i != own)
            add_person(names, &cast->seats[i].persona, false);
    add(names, str_of("Narrator"), false);
}

/* ---- does one stand here? ---- */

/* Reads along a text. Each take_... is false where something else stands; `starved` is
 * set where the text ended before that was clear. */
struct cursor {
    struct str in;
    size_t at;
    bool all;
    bool starved;
};

static struct str left(const struct cursor *cursor)
{
    return str_make(cursor->in.at + cursor->at, cursor->in.len - cursor->at);
}

static bool starve(struct cursor *cursor)
{
    cursor->starved = true;
    return false;
}

static bool take(struct cursor *cursor, const char *text)
{
    struct str here = left(cursor);
    size_t len = strlen(text);
    size_t common = here.len < len ? here.len : len;

    if (common > 0 && memcmp(here.at, text, common) != 0)
        return false;
    if (here.len < len)
        return starve(cursor);
    cursor->at += len;
    return true;
}

/* The next character, however many bytes of it are there. */
static bool take_point(struct cursor *cursor, uint32_t *ret_point)
{
    struct str here = left(cursor);
    unsigned len = utf8_decode(here, ret_point);

    if (len == 0)
        return here.len < 4 && starve(cursor);
    cursor->at += len;
    return true;
}

static bool take_name(struct cursor *cursor, struct str name)
{
    while (name.len > 0) {
        uint32_t wanted;
        uint32_t found;
        unsigned len = utf8_decode(name, &wanted);

        if (len == 0 || !take_point(cursor, &found) || fold(wanted) != fold(found))
            return false;
        name = str_make(name.at + len, name.len - len);
    }
    return true;
}

/* A blank, if one stands here. */
static bool pass_blank(struct cursor *cursor)
{
    size_t at = cursor->at;
    uint32_t point;

    if (take_point(cursor, &point) && fold(point) == ' ')
        return true;
    cursor->at = at;
    return false;
}

/* "(smiling)", with a blank before it, if it stands here. False: that is not clear. */
static bool pass_note(struct cursor *cursor, struct str *ret_note)
{
    size_t at = cursor->at;
    size_t start;

    *ret_note = str_of("");
    (void)pass_blank(cursor);
    start = cursor->at;
    if (!take(cursor, "(")) {
        cursor->at = at;
        return !cursor->starved;
    }
    for (; cursor->at < cursor->in.len && cursor->at - start < NOTE_MAX_BYTES;
         cursor->at++) {
        char c = cursor->in.at[cursor->at];

        if (c == ')') {
            cursor->at++;
            *ret_note = str_make(cursor->in.at + start, cursor->at - start);
            return true;
        }
        if (c == '\n' || c == '(')
            break;
    }
    if (cursor->at == cursor->in.len)
        return starve(cursor);
    cursor->at = at;
    return true;
}

/* What stands behind a colon says whether it was one: "Ben :)" greets. */
static bool ends_colon(struct cursor *cursor, bool spaced)
{
    if (cursor->at == cursor->in.len)
        return cursor->all || starve(cursor);
    if (!spaced)
        return cursor->in.at[cursor->at] != ')';
    return cursor->in.at[cursor->at] == ' ' || cursor->in.at[cursor->at] == '\n';
}

static bool take_colon(struct cursor *cursor)
{
    bool spaced = pass_blank(cursor);

    if (!cursor->starved && take(cursor, ":"))
        return ends_colon(cursor, spaced);
    return !cursor->starved && take(cursor, "\xEF\xBC\x9A");
}

/* The forms of a frame: colon inside; colon outside; a note inside and colon outside.
 */
static bool take_form(struct cursor *cursor, const struct frame *frame, unsigned form,
                      struct str *ret_note)
{
    if (form == 1 && !take(cursor, frame->close))
        return false;
    if (!pass_note(cursor, ret_note))
        return false;
    if (form == 2 && !take(cursor, frame->close))
        return false;
    return take_colon(cursor) && (form != 0 || take(cursor, frame->close));
}

/* Without any colon: "[Ada]", and "**Ada**" on a line of its own. */
static bool take_bare(struct cursor *cursor, const struct frame *frame)
{
    if (frame->open[0] == '[')
        return take(cursor, "]");
    return strcmp(frame->open, "**") == 0 && take(cursor, "**\n");
}

static void longer(struct names_found *found, const struct cursor *cursor,
                   const struct name *name, struct str note)
{
    if (cursor->at > found->len)
        *found = (struct names_found){
            .len = cursor->at, .own = name->own, .shared = name->shared, .note = note};
}

/* What stands behind the name. False: that is not clear yet. */
static bool try_forms(const struct name *name, const struct frame *frame,
                      const struct cursor *behind, struct names_found *found)
{
    unsigned forms = frame->open[0] == '\0' ? 1 : FORMS;

    for (unsigned form = 0; form <= forms; form++) {
        struct cursor cursor = *behind;
        struct str note = str_of("");
        bool fits = form == forms ? take_bare(&cursor, frame)
                                  : take_form(&cursor, frame, form, &note);

        if (fits)
            longer(found, &cursor, name, note);
        else if (cursor.starved && !cursor.all)
            return false;
    }
    return true;
}

static bool try_frame(const struct names *names, const struct frame *frame,
                      const struct cursor *start, struct names_found *found)
{
    struct cursor open = *start;

    if (!take(&open, frame->open))
        return !open.starved || open.all;
    for (size_t i = 0; i < names->count; i++) {
        const struct name *name = &names->name[i];
        struct cursor cursor = open;
        bool clear = take_name(&cursor, name_text(names, name))
                         ? try_forms(name, frame, &cursor, found)
                         : !cursor.starved || cursor.all;

        if (!clear)
            return false;
    }
    return true;
}

enum names_answer names_at(const struct names *names, struct str in, bool all,
                           struct names_found *ret_found)
{
    const struct cursor start = {.in = in, .all = all};
    struct names_found found = {0};

    for (size_t i = 0; i < FRAME_COUNT; i++)
        if (!try_frame(names, &frames[i], &start, &found))
            return NAMES_WAIT;
    if (found.len == 0)
        return NAMES_NONE;
    *ret_found = found;
    return NAMES_FOUND;
}
