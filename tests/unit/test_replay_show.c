/* test_replay_show.c - one conversation of a record, left and come back to. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "observer/source/replay_record.h"
#include "observer/source/replay_show.h"

static const char id[] = "k3v9q2m4x7ab";
enum { TURNS = 6 };

struct scene {
    char folder[64];
    struct replay_record *record;
    struct replay_show show;
    struct talk *talk;
};

static void write_lines(const struct scene *scene, const char *name, struct buf *lines)
{
    char *path = path_join(scene->folder, name);

    assert_true(file_write(path, buf_str(lines), NULL));
    free(path);
    buf_done(lines);
}

/* A turn each ten seconds, of which one says that it took longer than there was time;
 * paused after the third, ended behind the last. */
static void write_record(const struct scene *scene)
{
    struct buf lines;

    buf_init(&lines, 1 << 20);
    for (int i = 1; i <= TURNS; i++)
        assert_true(buf_printf(
            &lines,
            "{\"schema_version\":\"1.0\",\"kind\":\"turn\",\"queue_timestamp\":"
            "\"2026-01-31T10:30:%d0Z\",\"message_id\":\"%s:%d\",\"role\":\"assistant\","
            "\"to\":null,\"content\":{\"type\":\"conversation\",\"message\":\"words "
            "%d\","
            "\"sentiment\":null,\"references\":[]},\"metadata\":{\"conversation_id\":"
            "\"%s\",\"sequence_number\":%d,\"seat\":%d,\"author\":\"Ada\","
            "\"generation_time_ms\":%s}}\n",
            i - 1, id, i, i, id, i, i % 2 == 1 ? 1 : 2, i == 5 ? "1e300" : "null"));
    write_lines(scene, "transcript.jsonl", &lines);
    buf_init(&lines, 1 << 20);
    assert_true(buf_printf(
        &lines,
        "{\"event\":\"dialogue.pause\",\"conversation\":\"%s\",\"at\":"
        "\"2026-01-31T10:30:25Z\",\"state\":\"paused\",\"reason\":\"asked\"}\n"
        "{\"event\":\"dialogue.resume\",\"conversation\":\"%s\",\"at\":"
        "\"2026-01-31T10:30:28Z\",\"state\":\"running\",\"reason\":\"\"}\n"
        "{\"event\":\"dialogue.conclude\",\"conversation\":\"%s\",\"at\":"
        "\"2026-01-31T10:30:55Z\",\"state\":\"ended\",\"reason\":\"turns\"}\n",
        id, id, id));
    write_lines(scene, "events.jsonl", &lines);
}

static int set_up(void **state)
{
    struct scene *scene = x_calloc(1, sizeof *scene);

    memcpy(scene->folder, "/tmp/replay-XXXXXX", 19);
    assert_non_null(mkdtemp(scene->folder));
    write_record(scene);
    assert_true(replay_record_open(scene->folder, NULL, NULL, &scene->record, NULL));
    scene->talk = talk_new(id, NULL, NULL);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    replay_show_done(&scene->show);
    talk_free(scene->talk);
    replay_record_free(scene->record);
    assert_true(file_remove_tree(scene->folder, NULL));
    free(scene);
    return 0;
}

/* Up to so many seconds behind the first turn. */
static void watch(struct scene *scene, int seconds)
{
    int64_t until_us = replay_record_first_us(scene->record) + seconds * 1000000LL;

    replay_show_init(&scene->show, scene->record, scene->talk);
    while (replay_play_step(&scene->show.play, until_us))
        continue;
}

/* "1 2 3 (paused) ...": turns by their numbers, notes by their words. */
static void assert_lines(const struct scene *scene, const char *wanted)
{
    const struct talk *talk = scene->talk;
    struct buf seen;

    buf_init(&seen, 1 << 16);
    for (size_t i = 0; i < talk->count; i++)
        if (talk->lines[i]->kind == TALK_NOTE)
            (void)buf_printf(&seen, "(%.6s) ", buf_text(&talk->lines[i]->text));
        else
            (void)buf_printf(&seen, "%d ", (int)talk->lines[i]->turn);
    assert_string_equal(buf_text(&seen), wanted);
    buf_done(&seen);
}

static void what_was_told_is_not_told_again_when_it_is_come_back_to(void **state)
{
    struct scene *scene = *state;

    watch(scene, 45);
    assert_lines(scene, "1 2 3 (paused) (it goe) 4 5 ");
    replay_show_done(&scene->show);
    watch(scene, 45);
    assert_lines(scene, "1 2 3 (paused) (it goe) 4 5 ");
    assert_int_equal(scene->talk->taken, 5);
    replay_show_done(&scene->show);
    watch(scene, 60);
    assert_lines(scene, "1 2 3 (paused) (it goe) 4 5 6 (ended:) ");
    assert_string_equal(scene->talk->facts.state, "ended");
    replay_show_done(&scene->show);
    watch(scene, 60);
    assert_lines(scene, "1 2 3 (paused) (it goe) 4 5 6 (ended:) ");
    assert_string_equal(scene->talk->facts.state, "ended");
}

static void a_window_without_its_head_has_none_when_it_is_come_back_to(void **state)
{
    struct scene *scene = *state;
    static const struct tail_id behind = {.ms = 2};

    watch(scene, 60);
    assert_true(scene->talk->has_head);
    assert_true(talk_jump(scene->talk, &behind));
    assert_false(scene->talk->has_head);
    replay_show_done(&scene->show);
    watch(scene, 60);
    assert_false(scene->talk->has_head);
}

static void what_lies_ahead_of_a_clock_that_went_back_is_not_shown(void **state)
{
    struct scene *scene = *state;

    watch(scene, 60);
    replay_show_done(&scene->show);
    replay_show_rewind(&scene->show); /* while another screen is looked at */
    watch(scene, 15);
    assert_lines(scene, "1 2 ");
    assert_true(scene->talk->has_head);
}

static void the_last_page_ends_with_what_was_said_last(void **state)
{
    struct scene *scene = *state;

    watch(scene, 60);
    assert_true(talk_jump(scene->talk, NULL));
    assert_lines(scene, "1 2 3 4 5 6 ");
    assert_true(scene->talk->has_head && scene->talk->has_tail);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_was_told_is_not_told_again_when_it_is_come_back_to),
        CASE(a_window_without_its_head_has_none_when_it_is_come_back_to),
        CASE(what_lies_ahead_of_a_clock_that_went_back_is_not_shown),
        CASE(the_last_page_ends_with_what_was_said_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
