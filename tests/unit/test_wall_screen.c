/* test_wall_screen.c - the wall as it is drawn, its keys and what it asks. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "observer/screen/wall_columns.h"
#include "observer/screen/wall_screen.h"
#include "observer/source/order.h"
#include "observer/source/source.h"
#include "test_wall_rig.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static const int64_t now_us = RIG_START + 10 * RIG_SECOND;

/* A host and a source that only take notes. */
struct rig {
    struct screen_host host;
    struct source source;
    struct source_ops ops;
    struct screen screen;
    struct wall *wall; /* the screen's, as it asked for it to be fed */
    struct canvas *canvas;
    struct buf text;
    char opened[CONVERSATION_SIZE];
    enum prompt_kind asked;
    char question[ORDER_QUESTION_SIZE];
    struct order order; /* carried out */
    int orders;
};

static void on_changed(void *owner)
{
    (void)owner;
}

static void on_notice(void *owner, enum pen pen, const char *text)
{
    (void)owner;
    (void)pen;
    fail_msg("notice: %s", text);
}

static void on_ask_line(void *owner, enum prompt_kind kind, const char *label,
                        struct str initial)
{
    struct rig *rig = owner;

    (void)label;
    rig->asked = kind;
    (void)snprintf(rig->question, sizeof rig->question, "%.*s", (int)initial.len,
                   initial.at);
}

static void on_ask_yes(void *owner, enum prompt_kind kind, const char *question)
{
    on_ask_line(owner, kind, "", str_of(question));
}

static void on_open(void *owner, const char *conversation)
{
    struct rig *rig = owner;

    (void)snprintf(rig->opened, sizeof rig->opened, "%s", conversation);
}

static void watch_wall(void *self, struct wall *wall)
{
    ((struct rig *)self)->wall = wall;
}

static bool command(void *self, const struct order *order, struct err *err)
{
    struct rig *rig = self;

    (void)err;
    rig->order = *order;
    rig->orders++;
    return true;
}

static struct rig *rig_new(unsigned rows, unsigned cols)
{
    struct rig *rig = x_calloc(1, sizeof *rig);

    rig->host = (struct screen_host){.owner = rig,
                                     .changed = on_changed,
                                     .notice = on_notice,
                                     .ask_line = on_ask_line,
                                     .ask_yes = on_ask_yes,
                                     .open = on_open};
    rig->ops = (struct source_ops){
        .name = "rig", .watch_wall = watch_wall, .command = command};
    rig->source = (struct source){.ops = &rig->ops, .self = rig};
    rig->screen = wall_screen_new(&rig->host, &rig->source);
    rig->canvas = canvas_new(rows, cols, true);
    buf_init(&rig->text, 1 << 20);
    rig->screen.ops->show(rig->screen.self, true);
    assert_non_null(rig->wall);
    return rig;
}

static void rig_free(struct rig *rig)
{
    rig->screen.ops->show(rig->screen.self, false);
    assert_null(rig->wall);
    rig->screen.ops->free(rig->screen.self);
    canvas_free(rig->canvas);
    buf_done(&rig->text);
    free(rig);
}

static const char *draw(struct rig *rig)
{
    canvas_clear(rig->canvas);
    rig->screen.ops->draw(rig->screen.self, rig->canvas, canvas_area(rig->canvas),
                          now_us);
    buf_clear(&rig->text);
    canvas_dump(rig->canvas, &rig->text);
    return buf_text(&rig->text);
}

static bool act(struct rig *rig, enum action action)
{
    bool mine = rig->screen.ops->act(rig->screen.self, action, now_us);

    (void)draw(rig);
    return mine;
}

/* Three conversations, lanes, Redis. */
static void fill(struct rig *rig)
{
    struct wall_facts facts = rig_after(3, 100, RIG_START + 6 * RIG_SECOND);
    struct wall_turn turn = {
        .turn = 4, .queue_wait_ms = 0.42, .tokens_per_second = 57.2};
    struct wall_lane lane = {.lane = 1, .waiting = 3, .pending = 2, .workers = 1};

    rig_take(rig->wall, 1, &facts, RIG_START + 6 * RIG_SECOND);
    facts = rig_after(4, 180, RIG_START + 8 * RIG_SECOND);
    rig_take(rig->wall, 1, &facts, now_us);
    wall_take_turn(rig->wall, rig_id(1), &turn);
    rig_cast(rig->wall, 1, "who ate the bread", "Ada Quill", "Bo");
    facts = rig_facts("paused");
    facts.talk.asked_at_us = facts.talk.deadline_us = -1;
    facts.talk.left_ms = 65000;
    rig_take(rig->wall, 2, &facts, now_us);
    facts = rig_ended("failed");
    facts.failures = 3;
    rig_take(rig->wall, 3, &facts, now_us);
    wall_take_lane(rig->wall, &lane);
    wall_take_redis(rig->wall, true, str_of("Redis connected, 1.92M"));
    wall_take_count(rig->wall, 3, now_us);
}

static void assert_has(const char *screen, const char *text)
{
    if (strstr(screen, text) == NULL)
        fail_msg("'%s' is not in:\n%s", text, screen);
}

static void assert_lacks(const char *screen, const char *text)
{
    if (strstr(screen, text) != NULL)
        fail_msg("'%s' is in:\n%s", text, screen);
}

static void at_80_columns_a_row_tells_what_matters(void **state)
{
    struct rig *rig = rig_new(23, 80);
    const char *screen;

    (void)state;
    fill(rig);
    screen = draw(rig);
    assert_has(screen, "3 conversations  1 running  1 paused  1 failed\n");
    assert_has(screen, "lanes  1: 3 waiting 2 in hand 1 worker\n");
    assert_has(screen, "by newest");
    assert_has(screen, "Redis connected, 1.92M\n");
    assert_has(screen,
               "state     conversation speaks            turn tokens  tok/s    left");
    assert_has(screen,
               "running   aaaaaaa00001 Ada Quill         4/20    180   40.0    4:50\n");
    assert_has(screen,
               "paused    aaaaaaa00002 seat 1            0/20      0      -    1:05\n");
    assert_has(screen, "failed    aaaaaaa00003 -                 0/20      0      -    "
                       "   - 3 failed\n");
    rig_free(rig);
}

static void as_many_lanes_are_told_as_there_is_room_for(void **state)
{
    struct rig *rig = rig_new(23, 80);
    struct rig *wide = rig_new(23, 115);

    (void)state;
    fill(rig);
    fill(wide);
    for (int64_t number = 2; number <= 3; number++) {
        const struct wall_lane lane = {.lane = number, .workers = 2};

        wall_take_lane(rig->wall, &lane);
        wall_take_lane(wide->wall, &lane);
    }
    assert_has(draw(rig), "lanes  1: 3 waiting 2 in hand 1 worker  2: 0 waiting 0 in "
                          "hand 2 workers  +1\n");
    assert_has(draw(wide), "  3: 0 waiting 0 in hand 2 workers\n");
    rig_free(rig);
    rig_free(wide);
}

static void wider_screens_have_more_columns(void **state)
{
    struct rig *rig = rig_new(39, 120);
    struct rig *wide = rig_new(59, 200);
    const char *screen;

    (void)state;
    fill(rig);
    screen = draw(rig);
    assert_has(screen, "queued");
    assert_has(screen, "asked");
    assert_has(screen, "0.4ms");
    assert_has(screen, "2.0s");
    assert_lacks(screen, "topic");
    fill(wide);
    screen = draw(wide);
    assert_has(screen, "topic");
    assert_has(screen, "who ate the bread");
    assert_has(screen, "57.2");
    rig_free(rig);
    rig_free(wide);
}

static void no_column_reaches_into_the_next_at_any_width(void **state)
{
    (void)state;
    for (unsigned cols = 0; cols < 400; cols++) {
        struct wall_layout layout;
        unsigned end = 0;

        wall_layout_make(&layout, cols, cols % 60);
        for (int i = 0; i < COLUMN_COUNT; i++) {
            if (layout.width[i] == 0)
                continue;
            assert_true(layout.col[i] >= end);
            end = layout.col[i] + layout.width[i] + 1;
        }
        assert_true(end <= cols + 1);
    }
}

static void any_size_can_be_drawn(void **state)
{
    (void)state;
    for (unsigned rows = 1; rows < 30; rows++)
        for (unsigned cols = 1; cols < 250; cols += rows % 7 + 1) {
            struct rig *rig = rig_new(rows, cols);

            fill(rig);
            (void)draw(rig);
            (void)act(rig, ACTION_BOTTOM);
            assert_int_equal(wall_selected_at(rig->wall), 2);
            rig_free(rig);
        }
}

static void why_nothing_is_shown_is_told(void **state)
{
    struct rig *rig = rig_new(23, 80);

    (void)state;
    assert_has(draw(rig), "Reading...");
    wall_take_count(rig->wall, 0, now_us);
    assert_has(draw(rig), "No conversations yet.");
    fill(rig);
    (void)draw(rig);
    rig->screen.ops->prompted(rig->screen.self, PROMPT_FILTER, str_of("nowhere"));
    assert_has(draw(rig), "No conversation passes the filter.");
    wall_take_count(rig->wall, 0, now_us);
    assert_has(draw(rig), "All conversations are gone");
    wall_take_redis(rig->wall, false, str_of("Redis lost, trying on: refused"));
    assert_has(draw(rig), "Redis lost, trying on: refused");
    rig_free(rig);
}

static void keys_sort_filter_and_choose_states(void **state)
{
    struct rig *rig = rig_new(23, 80);

    (void)state;
    fill(rig);
    assert_true(act(rig, ACTION_SORT));
    assert_has(draw(rig), "by state");
    assert_true(act(rig, ACTION_SORT_REVERSE));
    assert_has(draw(rig), "by state, the other way round");
    for (int i = 1; i < WALL_SORT_COUNT; i++)
        assert_true(act(rig, ACTION_SORT));
    assert_has(draw(rig), "by newest");
    assert_true(act(rig, ACTION_SEARCH));
    assert_int_equal(rig->asked, PROMPT_FILTER);
    rig->screen.ops->prompted(rig->screen.self, PROMPT_FILTER, str_of("!ADA"));
    assert_has(draw(rig), "without ada: 2 of 3");
    assert_true(act(rig, ACTION_SEARCH));
    assert_string_equal(rig->question, "!ada");
    rig->screen.ops->prompted(rig->screen.self, PROMPT_FILTER, str_of("bo"));
    assert_has(draw(rig), "with bo: 1 of 3");
    assert_true(act(rig, ACTION_STATES));
    assert_has(draw(rig), "only running, with bo: 1 of 3");
    assert_true(act(rig, ACTION_CLEAR));
    assert_lacks(draw(rig), " of 3");
    assert_false(act(rig, ACTION_CLEAR)); /* nothing left: the app's */
    assert_false(act(rig, ACTION_FOLLOW));
    rig_free(rig);
}

static void the_selected_one_is_opened(void **state)
{
    struct rig *rig = rig_new(23, 80);

    (void)state;
    assert_true(act(rig, ACTION_OPEN));
    assert_string_equal(rig->opened, "");
    fill(rig);
    (void)draw(rig);
    assert_true(act(rig, ACTION_DOWN));
    assert_string_equal(rig->screen.ops->status(rig->screen.self), "2 of 3");
    assert_true(act(rig, ACTION_OPEN));
    assert_string_equal(rig->opened, rig_id(2).at);
    assert_string_equal(rig->screen.ops->step(rig->screen.self, 1), rig_id(1).at);
    assert_string_equal(rig->screen.ops->step(rig->screen.self, 1), rig_id(1).at);
    assert_string_equal(rig->screen.ops->step(rig->screen.self, -9), rig_id(3).at);
    /* The heads are in row 4, the first row in row 5. */
    rig->screen.ops->click(rig->screen.self, 6, 10, now_us);
    assert_string_equal(rig->screen.ops->step(rig->screen.self, 0), rig_id(2).at);
    rig->screen.ops->click(rig->screen.self, 22, 10, now_us);
    rig->screen.ops->click(rig->screen.self, 0, 10, now_us);
    assert_string_equal(rig->screen.ops->step(rig->screen.self, 0), rig_id(2).at);
    rig_free(rig);
}

static void a_command_is_for_the_one_that_was_asked_about(void **state)
{
    struct rig *rig = rig_new(23, 80);
    struct wall_facts facts = rig_facts("running");

    (void)state;
    fill(rig);
    (void)draw(rig);
    assert_true(act(rig, ACTION_PAUSE));
    assert_int_equal(rig->asked, PROMPT_CONFIRM);
    assert_has(rig->question, rig_id(3).at);
    /* A new row comes on top before the yes. */
    rig_take(rig->wall, 4, &facts, now_us);
    (void)draw(rig);
    assert_string_equal(rig->screen.ops->step(rig->screen.self, 0), rig_id(3).at);
    rig->screen.ops->prompted(rig->screen.self, PROMPT_CONFIRM, str_of(""));
    assert_int_equal(rig->orders, 1);
    assert_int_equal(rig->order.kind, ORDER_PAUSE);
    assert_string_equal(rig->order.conversation, rig_id(3).at);
    assert_true(act(rig, ACTION_STOP));
    rig->screen.ops->prompted(rig->screen.self, PROMPT_CONFIRM, str_of(""));
    assert_int_equal(rig->order.kind, ORDER_STOP);
    rig->asked = PROMPT_NONE;
    rig->host.read_only = true;
    assert_true(act(rig, ACTION_RESUME));
    assert_int_equal(rig->asked, PROMPT_NONE);
    rig_free(rig);
}

static void hostile_names_and_reasons_reach_no_terminal(void **state)
{
    static const char hostile[] = "\033]52;c;aGk=\a\x9b[2J\xff\xe2\x80\xae\nX";
    struct rig *rig = rig_new(23, 200);
    struct wall_facts facts = rig_facts("\033[2J");
    const char *screen;

    (void)state;
    (void)snprintf(facts.talk.reason, sizeof facts.talk.reason, "%s", hostile);
    rig_take(rig->wall, 1, &facts, now_us);
    rig_cast(rig->wall, 1, hostile, hostile, hostile);
    wall_take_waiting(rig->wall, rig_id(1), 1, str_of(hostile));
    wall_take_redis(rig->wall, true, str_of(hostile));
    wall_take_count(rig->wall, 1, now_us);
    wall_filter(rig->wall, str_of(hostile), true);
    wall_filter(rig->wall, str_of("\033"), false);
    screen = draw(rig);
    assert_has(screen, "aaaaaaa00001");
    for (const char *at = screen; *at != '\0'; at++)
        assert_true(*at == '\n' || (*at >= ' ' && *at < 0x7f));
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_80_columns_a_row_tells_what_matters),
        cmocka_unit_test(as_many_lanes_are_told_as_there_is_room_for),
        cmocka_unit_test(wider_screens_have_more_columns),
        cmocka_unit_test(no_column_reaches_into_the_next_at_any_width),
        cmocka_unit_test(any_size_can_be_drawn),
        cmocka_unit_test(why_nothing_is_shown_is_told),
        cmocka_unit_test(keys_sort_filter_and_choose_states),
        cmocka_unit_test(the_selected_one_is_opened),
        cmocka_unit_test(a_command_is_for_the_one_that_was_asked_about),
        cmocka_unit_test(hostile_names_and_reasons_reach_no_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
