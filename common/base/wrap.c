/* wrap.c - see wrap.h. */
#include "base/wrap.h"

#include "base/utf8.h"

enum { WORD_MAX_BYTES = 4096, NARROW_INDENT = 2, EMPTY_LINE = 2 };

void wrap_init(struct wrap *wrap, unsigned width, unsigned indent, unsigned column)
{
    *wrap = (struct wrap){.width = width, .indent = indent, .column = column};
    if (width > 0 && indent > width / 2)
        wrap->indent = width > 2 * NARROW_INDENT ? NARROW_INDENT : 0;
    buf_init(&wrap->word, WORD_MAX_BYTES);
}

void wrap_done(struct wrap *wrap)
{
    buf_done(&wrap->word);
}

static bool add_blanks(struct buf *into, unsigned count)
{
    return buf_printf(into, "%*s", (int)count, "");
}

static bool new_line(struct wrap *wrap, struct buf *into)
{
    wrap->column = wrap->indent;
    return buf_add_char(into, '\n') && add_blanks(into, wrap->indent);
}

/* What is due before the next word: line ends, a blank, or a break because the word
 * does not fit. */
static bool write_gap(struct wrap *wrap, struct buf *into)
{
    bool blank = wrap->blank && wrap->started;
    unsigned lines = wrap->started ? wrap->lines : 0;

    wrap->blank = false;
    wrap->lines = 0;
    if (wrap->width == 0)
        return !(blank || lines > 0) || buf_add_char(into, ' ');
    if (lines > 0)
        return (lines < EMPTY_LINE || buf_add_char(into, '\n')) && new_line(wrap, into);
    if (wrap->column + (blank ? 1 : 0) + wrap->word_columns > wrap->width
        && wrap->column > wrap->indent)
        return new_line(wrap, into);
    wrap->column += blank ? 1 : 0;
    return !blank || buf_add_char(into, ' ');
}

/* A word longer than a line is cut where the line ends. */
static bool write_pieces(struct wrap *wrap, struct str word, struct buf *into)
{
    while (word.len > 0) {
        unsigned columns;
        size_t used = width_next(word, &columns);

        if (wrap->width > 0 && wrap->column + columns > wrap->width
            && wrap->column > wrap->indent && !new_line(wrap, into))
            return false;
        if (!buf_add(into, word.at, used))
            return false;
        wrap->column += columns;
        word = str_make(word.at + used, word.len - used);
    }
    return true;
}

static bool write_word(struct wrap *wrap, struct buf *into)
{
    bool ok;

    wrap->cluster = (struct width_cluster){0};
    if (wrap->word.len == 0)
        return true;
    ok = write_gap(wrap, into) && write_pieces(wrap, buf_str(&wrap->word), into);
    wrap->started = true;
    wrap->word_columns = 0;
    buf_clear(&wrap->word);
    return ok;
}

/* Closing punctuation, small kana and long marks stay with what they follow. */
static bool may_begin_line(uint32_t point)
{
    static const uint32_t never[] = {
        0x3001, 0x3002, 0x3005, 0x3009, 0x300B, 0x300D, 0x300F, 0x3011, 0x3015, 0x30FB,
        0x30FC, 0xFF01, 0xFF09, 0xFF0C, 0xFF0E, 0xFF1A, 0xFF1B, 0xFF1F, 0xFF5D,
    };

    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (never[i] == point)
            return false;
    return width_point(point) == 2 || point >= 0x80 || point == '('
           || (point >= '0' && point <= '9') || (point >= 'A' && point <= 'Z')
           || (point >= 'a' && point <= 'z');
}

/* Adds a point that is no blank; the word before it ends where a line may break. */
static bool add_point(struct wrap *wrap, struct str piece, uint32_t point,
                      struct buf *into)
{
    struct width_cluster before = wrap->cluster;
    bool joined = width_join(&wrap->cluster, point);
    bool wide = before.columns == 2 || wrap->cluster.columns == 2;

    if (wrap->word.len + piece.len > WORD_MAX_BYTES
        || (!joined && wide && wrap->word.len > 0 && may_begin_line(point))) {
        struct width_cluster now = wrap->cluster;

        if (!write_word(wrap, into))
            return false;
        wrap->cluster = now;
    }
    wrap->word_columns += wrap->cluster.columns - (joined ? before.columns : 0);
    return buf_add_str(&wrap->word, piece);
}

bool wrap_feed(struct wrap *wrap, struct str text, struct buf *into)
{
    while (text.len > 0) {
        uint32_t point = 0;
        unsigned used = utf8_decode(text, &point);
        bool ok = true;

        used = used == 0 ? 1 : used;
        if (point == '\n' || point == ' ' || point == '\t') {
            ok = write_word(wrap, into);
            wrap->blank = true;
            if (point == '\n' && wrap->lines < EMPTY_LINE)
                wrap->lines++;
        } else {
            ok = add_point(wrap, str_make(text.at, used), point, into);
        }
        if (!ok)
            return false;
        text = str_make(text.at + used, text.len - used);
    }
    return true;
}

bool wrap_end(struct wrap *wrap, struct buf *into)
{
    bool ok = write_word(wrap, into);

    wrap->blank = false;
    wrap->lines = 0;
    return ok;
}
