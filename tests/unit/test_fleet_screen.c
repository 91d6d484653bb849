/* test_fleet_screen.c - keys of the fleet screen while what it shows changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "observer/model/fleet.h"
#include "observer/screen/fleet_screen.h"
#include "observer/source/order.h"
#include "observer/source/source.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

/* A host and a source that only take notes. */
struct rig {
    struct screen_host host;
    struct source source;
    struct source_ops ops;
    struct screen screen;
    struct fleet *fleet; /* the screen's, as it asked for it to be fed */
    struct canvas *canvas;
    char opened[CONVERSATION_SIZE];
    char question[ORDER_QUESTION_SIZE];
    int notices;
};

static void on_changed(void *owner)
{
    (void)owner;
}

static void on_notice(void *owner, enum pen pen, const char *text)
{
    struct rig *rig = owner;

    (void)pen;
    (void)text;
    rig->notices++;
}

static void on_ask_yes(void *owner, enum prompt_kind kind, const char *question)
{
    struct rig *rig = owner;

    (void)kind;
    (void)snprintf(rig->question, sizeof rig->question, "%s", question);
}

static void on_open(void *owner, const char *conversation)
{
    struct rig *rig = owner;

    (void)snprintf(rig->opened, sizeof rig->opened, "%s", conversation);
}

static void watch_fleet(void *self, struct fleet *fleet)
{
    ((struct rig *)self)->fleet = fleet;
}

static bool command(void *self, const struct order *order, struct err *err)
{
    (void)self;
    (void)order;
    (void)err;
    return true;
}

static void draw(struct rig *rig)
{
    canvas_clear(rig->canvas);
    rig->screen.ops->draw(rig->screen.self, rig->canvas, canvas_area(rig->canvas), 0);
}

static void act(struct rig *rig, enum action action)
{
    (void)rig->screen.ops->act(rig->screen.self, action, 0);
}

static int set_up(void **state)
{
    struct rig *rig = x_calloc(1, sizeof *rig);

    rig->host = (struct screen_host){.owner = rig,
                                     .changed = on_changed,
                                     .notice = on_notice,
                                     .ask_yes = on_ask_yes,
                                     .open = on_open};
    rig->ops = (struct source_ops){
        .name = "rig", .watch_fleet = watch_fleet, .command = command};
    rig->source = (struct source){.ops = &rig->ops, .self = rig};
    rig->screen = fleet_screen_new(&rig->host, &rig->source);
    rig->canvas = canvas_new(40, 120, true);
    rig->screen.ops->show(rig->screen.self, true);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    rig->screen.ops->free(rig->screen.self);
    canvas_free(rig->canvas);
    free(rig);
    return 0;
}

static void take_event(struct rig *rig, const char *conversation)
{
    struct fleet_event event = {.turn = 1};

    fmt_into(event.event, sizeof event.event, "dialogue.progress");
    fmt_into(event.conversation, sizeof event.conversation, "%s", conversation);
    fleet_take_event(rig->fleet, &event);
}

/* As many as there are names, the first one newest. */
static void take_dead(struct rig *rig, const char *const *conversations, size_t count)
{
    struct fleet_dead dead[3] = {{.turn = 1}, {.turn = 1}, {.turn = 1}};

    assert_in_range(count, 0, 3);
    for (size_t i = 0; i < count; i++) {
        fmt_into(dead[i].record, sizeof dead[i].record, "1-%c", conversations[i][0]);
        fmt_into(dead[i].conversation, sizeof dead[i].conversation, "%s",
                 conversations[i]);
    }
    fleet_take_dead(rig->fleet, dead, count, 0);
}

static void an_event_that_went_since_it_was_drawn_opens_nothing(void **state)
{
    struct rig *rig = *state;

    take_event(rig, "aaaaaaaaaaaa");
    take_event(rig, "bbbbbbbbbbbb");
    draw(rig);
    act(rig, ACTION_BOTTOM);
    draw(rig);
    act(rig, ACTION_OPEN);
    assert_string_equal(rig->opened, "aaaaaaaaaaaa");
    rig->opened[0] = '\0';
    fleet_forget(rig->fleet); /* Redis was started anew, or it is shown again */
    act(rig, ACTION_OPEN);
    assert_string_equal(rig->opened, "");
}

static void an_event_pushed_out_by_others_opens_nothing(void **state)
{
    struct rig *rig = *state;

    take_event(rig, "aaaaaaaaaaaa");
    draw(rig);
    act(rig, ACTION_BOTTOM);
    draw(rig);
    for (int i = 0; i < 2 * FLEET_EVENTS_MAX; i++)
        take_event(rig, "bbbbbbbbbbbb");
    act(rig, ACTION_OPEN);
    assert_string_equal(rig->opened, "");
}

static void a_command_is_about_the_turn_that_was_selected_wherever_it_stands(
    void **state)
{
    static const char *const three[] = {"cccccccccccc", "bbbbbbbbbbbb", "aaaaaaaaaaaa"};
    struct rig *rig = *state;

    take_dead(rig, three + 1, 2);
    draw(rig);
    act(rig, ACTION_TOP); /* the newest then: b */
    draw(rig);
    take_dead(rig, three, 3); /* not drawn yet */
    act(rig, ACTION_RETRY);
    assert_non_null(strstr(rig->question, "bbbbbbbbbbbb"));
    rig->question[0] = '\0';
    take_dead(rig, three, 1);
    act(rig, ACTION_RETRY);
    assert_string_equal(rig->question, "");
    assert_int_equal(rig->notices, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_event_that_went_since_it_was_drawn_opens_nothing),
        TEST(an_event_pushed_out_by_others_opens_nothing),
        TEST(a_command_is_about_the_turn_that_was_selected_wherever_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
