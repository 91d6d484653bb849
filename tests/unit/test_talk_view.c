/* test_talk_view.c - where a talk's view stands: rows, following, its place while lines
 * come and rows are broken anew, searching, marks.
 */
#include "base/clock.h"
#include "observer/screen/canvas.h"
#include "observer/screen/talk_draw.h"
#include "observer/screen/text.h"
#include "test_talk_rig.h"

struct scene {
    struct rig rig;
    struct talk_view view;
    struct canvas *canvas;
};

enum { ROWS = 10, COLS = 70 };

static void open_scene(struct scene *scene)
{
    rig_open(&scene->rig);
    talk_view_init(&scene->view, scene->rig.talk);
    talk_take_head(scene->rig.talk);
    scene->canvas = canvas_new(ROWS, COLS, false);
}

static void close_scene(struct scene *scene)
{
    canvas_free(scene->canvas);
    talk_view_done(&scene->view);
    rig_close(&scene->rig);
}

static void draw(struct scene *scene, unsigned cols)
{
    canvas_resize(scene->canvas, ROWS, cols);
    talk_draw(&scene->view, scene->canvas, canvas_area(scene->canvas));
}

/* The row of text at the top of the screen. */
static void top_text(struct scene *scene, char ret[128])
{
    struct talk_pos pos;
    const struct talk_row *row;

    assert_true(talk_view_first(&scene->view, &pos));
    while ((row = talk_view_row(&scene->view, &pos))->kind < TALK_ROW_FIRST)
        assert_true(talk_view_next(&scene->view, &pos));
    fmt_into(ret, 128, "%.*s", (int)(row->len > 100 ? 100 : row->len),
             buf_text(&talk_view_line(&scene->view, &pos)->text) + row->from);
}

static void see_top(struct scene *scene, const char *wanted)
{
    char top[128];

    top_text(scene, top);
    assert_string_equal(top, wanted);
}

static void say(struct scene *scene, int from, int to)
{
    for (int turn = from; turn <= to; turn++) {
        char text[64];

        fmt_into(text, sizeof text, "number %d", turn);
        rig_turn(&scene->rig, turn, text);
    }
}

/* The page that was asked for: these turns, the newest first, down to behind `to`. */
static void bring_older(struct scene *scene, int from, int to)
{
    struct rig *rig = &scene->rig;

    rig->page = true;
    for (int turn = from; turn > to; turn--) {
        struct talk_state live = rig->state;
        char text[64];

        talk_state_init(&rig->state, RIG_ID, rig_on_sight, rig);
        rig->entry = (uint64_t)turn - 1;
        fmt_into(text, sizeof text, "number %d", turn);
        rig_turn(rig, turn, text);
        talk_state_done(&rig->state);
        rig->state = live;
    }
    rig->page = false;
    talk_page_end(rig->talk, false);
}

/* ---- rows ---- */

/* The rows of a text, "|" between them. */
static void breaks(const char *text, unsigned cols, const char *wanted)
{
    struct str all = str_of(text);
    struct buf rows;
    size_t from = 0;

    buf_init(&rows, 4096);
    do {
        size_t next;
        size_t len = talk_rows_break(all, from, cols, &next);

        assert_true(next > from || all.len == 0);
        assert_true(cols == 0 || text_columns(str_make(all.at + from, len)) <= cols);
        (void)buf_add_str(&rows, str_make(all.at + from, len));
        (void)buf_add_char(&rows, '|');
        from = next;
    } while (from < all.len);
    assert_string_equal(buf_text(&rows), wanted);
    buf_done(&rows);
}

static void test_rows_break_at_words_and_words_only_where_they_must(void **state)
{
    (void)state;
    breaks("the fog is thick", 8, "the fog|is thick|");
    breaks("the fog  is", 7, "the fog|is|");
    breaks("one\ntwo three\n\nfour", 20, "one|two three||four|");
    breaks("incomprehensible", 6, "incomp|rehens|ible|");
    breaks("", 6, "|");
    breaks("a b c", 0, "a b c|");
    breaks("exactly8 x", 8, "exactly8|x|");
}

static void test_rows_keep_visible_characters_whole(void **state)
{
    (void)state;
    /* Wide ones break anywhere but before closing punctuation. */
    breaks("\u4f60\u597d\u4e16\u754c", 5, "\u4f60\u597d|\u4e16\u754c|");
    breaks("\u4f60\u597d\u3002\u4e16", 4, "\u4f60|\u597d\u3002|\u4e16|");
    /* A family of five code points takes two columns, and is never torn. */
    breaks("ab\U0001f468\u200d\U0001f469\u200d\U0001f467"
           "cd",
           3, "ab|\U0001f468\u200d\U0001f469\u200d\U0001f467|cd|");
    breaks("e\u0301e\u0301e\u0301", 2, "e\u0301e\u0301|e\u0301|");
    breaks("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 2,
           "\U0001f1e9\U0001f1ea|\U0001f1eb\U0001f1f7|");
}

/* ---- following ---- */

static void test_it_follows_until_somebody_moves_up_and_again_at_the_end(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    say(&s, 1, 20);
    draw(&s, COLS);
    assert_true(s.view.following);
    assert_int_equal(talk_view_selected(&s.view)->turn, 20);
    talk_view_move(&s.view, -1);
    assert_false(s.view.following);
    say(&s, 21, 25);
    draw(&s, COLS);
    assert_int_equal(talk_view_unseen(&s.view), 5);
    see_top(&s, "number 16");
    talk_view_scroll(&s.view, 100);
    assert_true(s.view.following);
    draw(&s, COLS);
    assert_int_equal(talk_view_unseen(&s.view), 0);
    assert_int_equal(talk_view_selected(&s.view)->turn, 25);
    close_scene(&s);
}

static void test_words_that_come_move_nothing_while_it_is_paused(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    say(&s, 1, 20);
    draw(&s, COLS);
    talk_view_scroll(&s.view, -7);
    draw(&s, COLS);
    see_top(&s, "number 12");
    rig_live(&s.rig, "begin", 21, "");
    for (int i = 0; i < 100; i++)
        rig_live(&s.rig, "delta", 21, "more and more words ");
    draw(&s, COLS);
    see_top(&s, "number 12");
    rig_live(&s.rig, "withdrawn", 21, "");
    draw(&s, COLS);
    see_top(&s, "number 12");
    close_scene(&s);
}

static void test_the_place_is_the_text_whatever_the_rows_are(void **state)
{
    struct scene s;
    int64_t serial;
    size_t byte;

    (void)state;
    open_scene(&s);
    for (int turn = 1; turn <= 20; turn++)
        rig_turn(&s.rig, turn,
                 "one two three four five six seven eight nine ten eleven twelve "
                 "thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
                 "twenty twentyone twentytwo twentythree");
    draw(&s, COLS);
    talk_view_scroll(&s.view, -13);
    draw(&s, COLS);
    serial = s.view.top.serial;
    byte = s.view.top.byte;
    for (unsigned cols = 30; cols <= 200; cols += 17) {
        struct talk_pos top;
        const struct talk_row *row;

        draw(&s, cols);
        assert_true(talk_view_first(&s.view, &top));
        row = talk_view_row(&s.view, &top);
        assert_true(talk_view_line(&s.view, &top)->serial == serial);
        assert_true(row->from <= byte); /* the row that has the byte, or a later one */
    }
    talk_view_wrap(&s.view);
    talk_view_times(&s.view);
    draw(&s, COLS);
    assert_true(s.view.top.serial == serial);
    close_scene(&s);
}

static void test_older_lines_are_put_before_without_a_jump(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    s.rig.talk->has_head = false;
    s.rig.entry = 1000;
    say(&s, 1001, 1030);
    draw(&s, COLS);
    talk_view_scroll(&s.view, -20);
    draw(&s, COLS);
    assert_true(s.rig.asked == 1 && s.rig.older);
    see_top(&s, "number 1016");
    bring_older(&s, 1000, 950);
    draw(&s, COLS);
    see_top(&s, "number 1016");
    talk_view_scroll(&s.view, -40);
    draw(&s, COLS);
    see_top(&s, "number 996");
    close_scene(&s);
}

static void test_moving_never_leaves_the_lines(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    draw(&s, COLS);
    talk_view_move(&s.view, -1); /* without a line */
    talk_view_scroll(&s.view, 10);
    assert_null(talk_view_selected(&s.view));
    say(&s, 1, 3);
    draw(&s, COLS);
    talk_view_scroll(&s.view, -1000);
    draw(&s, COLS);
    see_top(&s, "number 1");
    talk_view_move(&s.view, -1000);
    assert_int_equal(talk_view_selected(&s.view)->turn, 1);
    talk_view_point(&s.view, 500);
    assert_int_equal(talk_view_selected(&s.view)->turn, 3);
    talk_view_fit(&s.view, 0, 0);
    talk_view_move(&s.view, 5);
    draw(&s, 1);
    close_scene(&s);
}

/* ---- searching ---- */

static void search(struct scene *s, const char *text)
{
    struct err err = {0};

    assert_true(talk_view_search(&s->view, str_of(text), &err));
    draw(s, COLS);
}

static void see_matches(struct scene *s, size_t at, size_t count)
{
    bool whole;
    size_t now;

    assert_int_equal(talk_view_matches(&s->view, &now, &whole), count);
    assert_int_equal(now, at);
}

static void test_matches_are_counted_and_gone_through_in_their_order(void **state)
{
    struct scene s;
    char news[TALK_NEWS_SIZE];

    (void)state;
    open_scene(&s);
    rig_turn(&s.rig, 1, "Fog, and FOG, and fog.");
    say(&s, 2, 20);
    rig_turn(&s.rig, 21, "No more foG.");
    draw(&s, COLS);
    search(&s, "fog");
    see_matches(&s, 4, 4);
    talk_view_match(&s.view, true);
    see_matches(&s, 3, 4);
    talk_view_match(&s.view, true);
    talk_view_match(&s.view, true);
    see_matches(&s, 1, 4);
    talk_view_match(&s.view, true);
    assert_string_equal(talk_view_news(&s.view, news), "nothing found above");
    assert_string_equal(talk_view_news(&s.view, news), "");
    for (size_t at = 2; at <= 4; at++) {
        talk_view_match(&s.view, false);
        draw(&s, COLS);
        see_matches(&s, at, 4);
    }
    assert_int_equal(talk_view_selected(&s.view)->turn, 21);
    search(&s, "nowhere");
    see_matches(&s, 0, 0);
    close_scene(&s);
}

static void test_a_search_goes_on_into_what_is_not_read_yet(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    s.rig.talk->has_head = false;
    s.rig.entry = 1000;
    say(&s, 1001, 1030);
    draw(&s, COLS);
    search(&s, "number 999");
    assert_int_equal(s.view.seeking, -1);
    assert_true(s.rig.asked == 1 && s.rig.older);
    bring_older(&s, 1000, 990);
    draw(&s, COLS);
    assert_int_equal(s.view.seeking, 0);
    assert_int_equal(talk_view_selected(&s.view)->turn, 999);
    close_scene(&s);
}

/* A source that answers at once, as one that reads a file. */
static void give_at_once(void *owner, bool older, const struct tail_id *from)
{
    struct rig *rig = owner;
    int turn = (int)from->ms;

    rig->asked++;
    rig->page = true;
    for (int i = 0; i < TALK_PAGE && turn > 1 && older; i++) {
        struct talk_state live = rig->state;
        char text[64];

        turn--;
        talk_state_init(&rig->state, RIG_ID, rig_on_sight, rig);
        rig->entry = (uint64_t)turn - 1;
        fmt_into(text, sizeof text, "number %d", turn);
        rig_turn(rig, turn, text);
        talk_state_done(&rig->state);
        rig->state = live;
    }
    rig->page = false;
    talk_page_end(rig->talk, turn == 1);
}

static struct talk_view *paged;

static void on_page(void *owner)
{
    (void)owner;
    talk_view_paged(paged);
}

static void test_a_search_through_many_pages_leaves_none_out(void **state)
{
    static const int wanted[] = {7, 333, 801, 800, 1};
    struct scene s;

    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const struct talk_reader reader = {give_at_once, NULL, &s.rig};
        char text[64];

        open_scene(&s);
        s.rig.talk->has_head = false;
        s.rig.talk->on_page = on_page;
        paged = &s.view;
        s.rig.entry = 900;
        say(&s, 901, 1000);
        draw(&s, COLS);
        talk_set_reader(s.rig.talk, &reader);
        fmt_into(text, sizeof text, "re:number %d$", wanted[i]);
        search(&s, text);
        assert_int_equal(s.view.seeking, 0);
        assert_int_equal(talk_view_selected(&s.view)->turn, wanted[i]);
        assert_in_range(s.rig.asked, 1, 11);
        close_scene(&s);
    }
}

static void finds(const char *wanted, const char *text, int at, int len)
{
    struct talk_search search;
    struct err err = {0};
    struct buf all;
    size_t found_at = 0;
    size_t found_len = 0;

    talk_search_init(&search);
    buf_init(&all, 4096);
    (void)buf_add_text(&all, text);
    assert_true(talk_search_set(&search, str_of(wanted), &err));
    assert_int_equal(talk_search_find(&search, &all, 0, &found_at, &found_len),
                     at >= 0);
    if (at >= 0) {
        assert_int_equal(found_at, at);
        assert_int_equal(found_len, len);
    }
    buf_done(&all);
    talk_search_done(&search);
}

static void test_plain_text_and_regular_expressions_find_what_they_say(void **state)
{
    struct talk_search search;
    struct err err = {0};

    (void)state;
    finds("LAMP", "a lamp", 2, 4);
    finds("F\u00dcR", "nicht f\u00fcr", 6, 4);
    finds("\u0434\u0430", "\u0414\u0410!", 0, 4);
    finds("a.c", "abc a.c", 4, 3); /* no expression without its mark */
    finds("re:a.c", "abc a.c", 0, 3);
    finds("re:^two$", "one\ntwo\n", 4, 3);
    finds("re:x*", "aaxxb", 2, 2); /* empty matches are passed over */
    finds("re:^b", "ab", -1, 0);
    finds("gone", "a lamp", -1, 0);
    talk_search_init(&search);
    assert_true(talk_search_set(&search, str_of("lamp"), &err));
    assert_false(talk_search_set(&search, str_of("re:(("), &err));
    assert_true(talk_search_is_on(&search) && !search.is_regex);
    talk_search_done(&search);
}

/* ---- marks ---- */

static void test_marks_go_round_and_are_taken_away_again(void **state)
{
    struct scene s;
    char news[TALK_NEWS_SIZE];

    (void)state;
    open_scene(&s);
    say(&s, 1, 20);
    draw(&s, COLS);
    talk_view_mark(&s.view);
    talk_view_to_top(&s.view);
    draw(&s, COLS);
    talk_view_mark(&s.view);
    assert_int_equal(s.view.mark_count, 2);
    talk_view_mark_after(&s.view);
    draw(&s, COLS);
    assert_int_equal(talk_view_selected(&s.view)->turn, 20);
    talk_view_mark_after(&s.view);
    assert_int_equal(talk_view_selected(&s.view)->turn, 1);
    talk_view_mark(&s.view);
    assert_int_equal(s.view.mark_count, 1);
    assert_false(talk_view_is_marked(&s.view, talk_view_selected(&s.view)));
    rig_facts(&s.rig, "paused", "asked");
    talk_view_follow(&s.view, true);
    draw(&s, COLS);
    talk_view_mark(&s.view); /* a note stands in no transcript */
    assert_int_equal(s.view.mark_count, 1);
    assert_true(talk_view_news(&s.view, news)[0] != '\0');
    close_scene(&s);
}

/* ---- drawing ---- */

static void test_a_frame_has_names_text_and_marks_and_nothing_hostile(void **state)
{
    struct scene s;
    struct buf seen;

    (void)state;
    open_scene(&s);
    rig_turn(&s.rig, 1, "Good evening,\n\033[2Jall.");
    rig_turn(&s.rig, 2, "And to you.");
    draw(&s, COLS);
    talk_view_mark(&s.view);
    draw(&s, COLS);
    buf_init(&seen, 1 << 16);
    canvas_dump(s.canvas, &seen);
    assert_string_equal(buf_text(&seen), "\n"
                                         "  Ada Quill  Good evening,\n"
                                         "             <U+001B>[2Jall.\n"
                                         "\n"
                                         ">*Bo         And to you.\n"
                                         "\n\n\n\n\n");
    buf_done(&seen);
    close_scene(&s);
}

/* A look at all of it for each row took 0.3 s a frame; a row's own takes under 1 ms. */
static void test_a_search_in_a_huge_message_is_drawn_without_a_look_at_all_of_it(
    void **state)
{
    enum { BYTES = 1000000, FRAMES = 50, LIMIT_MS = 5000 };
    struct scene s;
    struct err err = {0};
    char *large = x_malloc(BYTES + 1);
    int64_t began_ms;

    (void)state;
    memset(large, 'x', BYTES);
    large[BYTES] = '\0';
    open_scene(&s);
    talk_take_head(s.rig.talk);
    rig_turn(&s.rig, 1, large);
    draw(&s, 200);
    talk_view_to_top(&s.view);
    assert_true(talk_view_search(&s.view, str_of("nowhere"), &err));
    began_ms = clock_mono_ms();
    for (int i = 0; i < FRAMES; i++)
        draw(&s, 200);
    assert_in_range(clock_mono_ms() - began_ms, 0, LIMIT_MS);
    close_scene(&s);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_break_at_words_and_words_only_where_they_must),
        cmocka_unit_test(test_rows_keep_visible_characters_whole),
        cmocka_unit_test(test_it_follows_until_somebody_moves_up_and_again_at_the_end),
        cmocka_unit_test(test_words_that_come_move_nothing_while_it_is_paused),
        cmocka_unit_test(test_the_place_is_the_text_whatever_the_rows_are),
        cmocka_unit_test(test_older_lines_are_put_before_without_a_jump),
        cmocka_unit_test(test_moving_never_leaves_the_lines),
        cmocka_unit_test(test_matches_are_counted_and_gone_through_in_their_order),
        cmocka_unit_test(test_a_search_goes_on_into_what_is_not_read_yet),
        cmocka_unit_test(test_a_search_through_many_pages_leaves_none_out),
        cmocka_unit_test(test_plain_text_and_regular_expressions_find_what_they_say),
        cmocka_unit_test(test_marks_go_round_and_are_taken_away_again),
        cmocka_unit_test(test_a_frame_has_names_text_and_marks_and_nothing_hostile),
        cmocka_unit_test(
            test_a_search_in_a_huge_message_is_drawn_without_a_look_at_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
