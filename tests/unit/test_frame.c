/* test_frame.c - frames replayed into a small terminal: what stands there is the
 * canvas, also in terminals that take the width of characters otherwise. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "base/buf.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "base/width.h"
#include "observer/screen/canvas.h"
#include "observer/screen/frame.h"

enum { ROWS = 6, COLS = 24, CELL_BYTES = 64, OUT_MAX_BYTES = 1 << 20, FRAMES = 400 };

/* What a terminal thinks of widths. */
enum opinion {
    AGREES,
    NARROW,  /* each character takes one column, marks and joiners none */
    UNJOINED /* joined emoji stand side by side */
};

struct tty_cell {
    char bytes[CELL_BYTES]; /* "": the right half of a wide one */
    char pen[32];           /* the parameters of SGR */
};
struct tty {
    struct tty_cell cells[ROWS][COLS];
    unsigned row, col;
    char pen[32];
    bool cursor, drawing;
    enum opinion opinion;
    struct width_cluster cluster; /* what was written last, at: */
    unsigned last_row, last_col;
    bool last;
};

/* ---- the terminal ---- */

static void blank(struct tty_cell *cell)
{
    memcpy(cell->bytes, " ", 2);
}

static bool is_wide(const struct tty *tty, unsigned row, unsigned col)
{
    return col + 1 < COLS && tty->cells[row][col + 1].bytes[0] == '\0';
}

static void put(struct tty *tty, struct str bytes, unsigned columns)
{
    struct tty_cell *cell;

    if (tty->col + columns > COLS)
        tty->col = COLS - columns; /* it does not wrap */
    for (unsigned i = 0; i < columns; i++) {
        if (is_wide(tty, tty->row, tty->col + i))
            blank(&tty->cells[tty->row][tty->col + i + 1]);
        if (tty->cells[tty->row][tty->col + i].bytes[0] == '\0')
            blank(&tty->cells[tty->row][tty->col + i - 1]);
        blank(&tty->cells[tty->row][tty->col + i]);
    }
    cell = &tty->cells[tty->row][tty->col];
    memcpy(cell->bytes, bytes.at, bytes.len);
    cell->bytes[bytes.len] = '\0';
    memcpy(cell->pen, tty->pen, sizeof cell->pen);
    if (columns == 2) {
        cell[1].bytes[0] = '\0';
        memcpy(cell[1].pen, tty->pen, sizeof cell->pen);
    }
    tty->last_row = tty->row;
    tty->last_col = tty->col;
    tty->last = true;
    tty->col += columns;
}

/* One more code point of the character before; it may have become wide. */
static void join(struct tty *tty, struct str bytes)
{
    struct tty_cell *cell = &tty->cells[tty->last_row][tty->last_col];
    size_t len = strlen(cell->bytes);

    assert_true(tty->last);
    if (len + bytes.len < CELL_BYTES) {
        memcpy(cell->bytes + len, bytes.at, bytes.len);
        cell->bytes[len + bytes.len] = '\0';
    }
    if (tty->opinion == AGREES && tty->cluster.columns == 2
        && !is_wide(tty, tty->last_row, tty->last_col)) {
        char whole[CELL_BYTES];

        memcpy(whole, cell->bytes, sizeof whole);
        tty->col = tty->last_col;
        put(tty, str_of(whole), 2);
    }
}

static void write_point(struct tty *tty, struct str bytes, uint32_t point)
{
    unsigned columns = width_point(point);
    bool joined = width_join(&tty->cluster, point);

    if (tty->opinion != AGREES)
        joined = columns == 0 && tty->last;
    if (joined)
        join(tty, bytes);
    else
        put(tty, bytes, columns == 0 || tty->opinion == NARROW ? 1 : columns);
}

static void clear(struct tty *tty)
{
    for (unsigned i = 0; i < ROWS * COLS; i++) {
        blank(&tty->cells[i / COLS][i % COLS]);
        memcpy(tty->cells[i / COLS][i % COLS].pen, "0", 2);
    }
}

/* A sequence without its ESC [: only those that frame.h names may come. */
static void obey(struct tty *tty, const char *sequence, char final)
{
    unsigned row = 1;
    unsigned col = 1;

    tty->last = false;
    tty->cluster = (struct width_cluster){0};
    if (final == 'm') {
        memcpy(tty->pen, sequence, strlen(sequence) + 1);
    } else if (final == 'H') {
        if (sequence[0] != '\0')
            assert_int_equal(sscanf(sequence, "%u;%u", &row, &col), 2);
        assert_in_range(row, 1, ROWS);
        assert_in_range(col, 1, COLS);
        tty->row = row - 1;
        tty->col = col - 1;
    } else if (final == 'G') {
        assert_int_equal(sscanf(sequence, "%u", &col), 1);
        assert_in_range(col, 1, COLS);
        tty->col = col - 1;
    } else if (final == 'J' && strcmp(sequence, "2") == 0) {
        clear(tty);
    } else if (strcmp(sequence, "?25") == 0 && (final == 'h' || final == 'l')) {
        tty->cursor = final == 'h';
    } else if (strcmp(sequence, "?2026") == 0 && (final == 'h' || final == 'l')) {
        assert_int_equal(tty->drawing, final == 'l');
        tty->drawing = final == 'h';
    } else {
        fail_msg("a sequence nobody means: %s%c", sequence, final);
    }
}

static size_t read_sequence(struct tty *tty, struct str text)
{
    char sequence[32];
    size_t len = 0;

    assert_true(text.len > 2 && text.at[1] == '[');
    while (2 + len < text.len && text.at[2 + len] >= 0x20 && text.at[2 + len] <= 0x3F)
        len++;
    assert_in_range(len, 0, sizeof sequence - 1);
    assert_true(2 + len < text.len);
    memcpy(sequence, text.at + 2, len);
    sequence[len] = '\0';
    obey(tty, sequence, text.at[2 + len]);
    return len + 3;
}

static void tty_write(struct tty *tty, struct str text)
{
    while (text.len > 0) {
        uint32_t point = 0;
        size_t used = utf8_decode(text, &point);

        assert_int_not_equal(used, 0);
        if (point == 0x1B) {
            used = read_sequence(tty, text);
        } else {
            assert_true(tty->drawing && point >= ' ' && (point < 0x7F || point > 0x9F));
            write_point(tty, str_make(text.at, used), point);
        }
        text = str_make(text.at + used, text.len - used);
    }
    assert_false(tty->drawing);
}

/* ---- drawings by chance ---- */

static const char *const texts[] = {
    "plain words",
    "a",
    "          ",
    "na\xC3\xAFve caf\x65\xCC\x81",
    "\xE4\xBD\xA0\xE5\xA5\xBD ok",
    "\xF0\x9F\x98\x80!",
    "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 kin",
    "\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA\xF0\x9F\x87\xAB\xF0\x9F\x87\xB7",
    "1\xEF\xB8\x8F\xE2\x83\xA3 one",
    "\xE2\x9D\xA4\xEF\xB8\x8F red",
    "\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD",
    "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB.",
    "\xCC\x81lone",
    "\033[31m",
};

static struct area some_area(struct rng *rng)
{
    return (struct area){(unsigned)rng_below(rng, ROWS), (unsigned)rng_below(rng, COLS),
                         (unsigned)rng_below(rng, ROWS),
                         (unsigned)rng_below(rng, COLS)};
}

static void scribble(struct canvas *canvas, struct rng *rng)
{
    size_t strokes = rng_below(rng, 6);

    if (rng_below(rng, 4) == 0)
        canvas_clear(canvas);
    for (size_t i = 0; i < strokes; i++) {
        struct area area = some_area(rng);
        enum pen pen = (enum pen)rng_below(rng, PEN_COUNT);
        const char *text = texts[rng_below(rng, sizeof texts / sizeof *texts)];

        if (rng_below(rng, 8) == 0)
            canvas_line(canvas, area, pen);
        else if (rng_below(rng, 8) == 0)
            canvas_select(canvas, area);
        else
            canvas_put(canvas, area.row, area.col, area.cols, pen, str_of(text));
    }
    if (rng_below(rng, 3) == 0)
        canvas_cursor(canvas, (unsigned)rng_below(rng, ROWS),
                      (unsigned)rng_below(rng, COLS));
}

/* The rows of the terminal, as canvas_dump makes them. */
static void tty_dump(const struct tty *tty, struct buf *into)
{
    for (unsigned row = 0; row < ROWS; row++) {
        unsigned end = COLS;

        while (end > 0 && strcmp(tty->cells[row][end - 1].bytes, " ") == 0)
            end--;
        for (unsigned col = 0; col < end; col++)
            buf_add_text(into, tty->cells[row][col].bytes);
        buf_add_char(into, '\n');
    }
}

static void assert_same(const struct tty *tty, const struct canvas *canvas)
{
    struct buf there;
    struct buf wanted;

    buf_init(&there, OUT_MAX_BYTES);
    buf_init(&wanted, OUT_MAX_BYTES);
    tty_dump(tty, &there);
    canvas_dump(canvas, &wanted);
    assert_string_equal(buf_text(&there), buf_text(&wanted));
    buf_done(&there);
    buf_done(&wanted);
}

/* Nothing of that kind belongs beside a wide character. */
static bool is_old_text(const struct tty_cell *cell)
{
    return cell->bytes[0] > ' ' && cell->bytes[0] <= '~';
}

/* Where the canvas has ASCII, the terminal has it in the same column. */
static void assert_straight(const struct tty *tty, const struct canvas *canvas)
{
    struct buf dump;
    struct str rest;

    buf_init(&dump, OUT_MAX_BYTES);
    canvas_dump(canvas, &dump);
    rest = buf_str(&dump);
    for (unsigned row = 0; row < ROWS; row++) {
        struct str line = str_cut(rest, '\n', &rest);
        unsigned col = 0;

        while (line.len > 0) {
            unsigned columns;
            size_t used = width_next(line, &columns);

            if (used == 1 && tty->cells[row][col].bytes[0] != line.at[0])
                fail_msg("row %u, column %u: '%s' for '%c'", row, col,
                         tty->cells[row][col].bytes, line.at[0]);
            if (columns == 2 && is_old_text(&tty->cells[row][col + 1]))
                fail_msg("row %u, column %u: '%s' stayed", row, col + 1,
                         tty->cells[row][col + 1].bytes);
            col += columns;
            line = str_make(line.at + used, line.len - used);
        }
    }
    buf_done(&dump);
}

static void play(enum opinion opinion, uint64_t seed)
{
    struct canvas *canvas = canvas_new(ROWS, COLS, false);
    struct frame *frame = frame_new(PEN_256);
    struct tty tty = {.opinion = opinion};
    struct rng rng;
    struct buf out;

    rng_init(&rng, seed);
    buf_init(&out, OUT_MAX_BYTES);
    memset(tty.cells, '?', sizeof tty.cells); /* what was there before */
    for (int i = 0; i < FRAMES; i++) {
        bool written;

        scribble(canvas, &rng);
        if (rng_below(&rng, 50) == 0)
            frame_forget(frame);
        buf_clear(&out);
        written = frame_write(frame, canvas, &out);
        assert_int_equal(written, out.len > 0);
        tty_write(&tty, buf_str(&out));
        if (opinion == AGREES)
            assert_same(&tty, canvas);
        else
            assert_straight(&tty, canvas);
        buf_clear(&out);
        assert_false(frame_write(frame, canvas, &out)); /* nothing changed */
        assert_int_equal(out.len, 0);
    }
    buf_done(&out);
    frame_free(frame);
    canvas_free(canvas);
}

static void any_sequence_of_frames_leaves_the_last_one_on_the_terminal(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        play(AGREES, seed);
}

static void columns_stay_straight_where_wide_characters_are_narrow(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        play(NARROW, seed);
}

static void columns_stay_straight_where_emoji_are_not_joined(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        play(UNJOINED, seed);
}

static void a_small_change_is_a_small_write(void **state)
{
    struct canvas *canvas = canvas_new(ROWS, COLS, false);
    struct frame *frame = frame_new(PEN_MONO);
    struct buf out;

    (void)state;
    buf_init(&out, OUT_MAX_BYTES);
    canvas_put(canvas, 2, 3, 9, PEN_TEXT, str_of("twelve"));
    assert_true(frame_write(frame, canvas, &out));
    buf_clear(&out);
    canvas_put(canvas, 2, 5, 2, PEN_TEXT, str_of("EL"));
    assert_true(frame_write(frame, canvas, &out));
    assert_string_equal(buf_text(&out),
                        "\033[?2026h\033[3;6H\033[0mEL\033[0m\033[?2026l");
    buf_done(&out);
    frame_free(frame);
    canvas_free(canvas);
}

static void pens_and_the_selection_are_on_the_terminal(void **state)
{
    struct canvas *canvas = canvas_new(ROWS, COLS, false);
    struct frame *frame = frame_new(PEN_16);
    struct tty tty = {.opinion = AGREES};
    struct buf out;

    (void)state;
    buf_init(&out, OUT_MAX_BYTES);
    clear(&tty);
    canvas_select(canvas, (struct area){1, 0, 1, COLS});
    canvas_put(canvas, 1, 0, 5, PEN_BAD, str_of("bad"));
    canvas_put(canvas, 2, 0, 5, PEN_GOOD, str_of("good"));
    canvas_cursor(canvas, 4, 7);
    assert_true(frame_write(frame, canvas, &out));
    tty_write(&tty, buf_str(&out));
    assert_string_equal(tty.cells[1][0].pen, "0;1;31;7");
    assert_string_equal(tty.cells[1][9].pen, "0;7");
    assert_string_equal(tty.cells[2][3].pen, "0;32");
    assert_string_equal(tty.cells[2][4].pen, "0");
    assert_true(tty.cursor && tty.row == 4 && tty.col == 7);
    canvas_clear(canvas);
    buf_clear(&out);
    assert_true(frame_write(frame, canvas, &out));
    tty_write(&tty, buf_str(&out));
    assert_string_equal(tty.cells[1][9].pen, "0");
    assert_false(tty.cursor);
    buf_done(&out);
    frame_free(frame);
    canvas_free(canvas);
}

static void colours_are_chosen_by_the_terminal_and_by_the_user(void **state)
{
    (void)state;
    assert_int_equal(pen_choose("auto", NULL, 256), PEN_256);
    assert_int_equal(pen_choose("auto", NULL, 16), PEN_16);
    assert_int_equal(pen_choose("auto", NULL, 8), PEN_16);
    assert_int_equal(pen_choose("auto", NULL, 0), PEN_MONO);
    assert_int_equal(pen_choose("auto", "", 256), PEN_256);
    assert_int_equal(pen_choose("auto", "1", 256), PEN_MONO);
    assert_int_equal(pen_choose("always", "1", 0), PEN_16);
    assert_int_equal(pen_choose("never", NULL, 256), PEN_MONO);
    for (int pen = 0; pen < PEN_COUNT; pen++)
        for (const char *c = pen_sgr((enum pen)pen, PEN_MONO); *c != '\0'; c++)
            assert_non_null(strchr(";1247", *c)); /* bold, dim, underline, reverse */
    assert_int_equal(pen_persona(0), PEN_TEXT);
    assert_int_equal(pen_persona(1), PEN_PERSONA_1);
    assert_int_equal(pen_persona(9), PEN_PERSONA_1);
}

static void a_printed_frame_moves_no_cursor(void **state)
{
    struct canvas *canvas = canvas_new(2, 4, false);
    struct buf out;

    (void)state;
    buf_init(&out, OUT_MAX_BYTES);
    canvas_put(canvas, 0, 0, 4, PEN_BAD, str_of("bad"));
    frame_print(canvas, PEN_16, &out);
    assert_string_equal(buf_text(&out), "\033[0;1;31mbad\033[0m \n    \n");
    buf_done(&out);
    canvas_free(canvas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_sequence_of_frames_leaves_the_last_one_on_the_terminal),
        cmocka_unit_test(columns_stay_straight_where_wide_characters_are_narrow),
        cmocka_unit_test(columns_stay_straight_where_emoji_are_not_joined),
        cmocka_unit_test(a_small_change_is_a_small_write),
        cmocka_unit_test(pens_and_the_selection_are_on_the_terminal),
        cmocka_unit_test(colours_are_chosen_by_the_terminal_and_by_the_user),
        cmocka_unit_test(a_printed_frame_moves_no_cursor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
