/* test_replay.c - a run's folder played by its own times. */
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
#include "observer/source/replay_play.h"
#include "observer/source/replay_record.h"

#define AT(seconds) "2026-01-31T10:30:" seconds "Z"
static const char id[] = "k3v9q2m4x7ab";
static const char other[] = "aaaaaaaaaaaa";

struct scene {
    char folder[64];
    struct buf files[3]; /* transcript, events, calls */
    struct buf notes;
    struct buf seen;
    struct replay_record *record;
    struct replay_play play;
};

static void on_note(void *owner, const char *text)
{
    struct scene *scene = owner;

    (void)buf_printf(&scene->notes, "%s;", text);
}

static int set_up(void **state)
{
    struct scene *scene = x_calloc(1, sizeof *scene);

    memcpy(scene->folder, "/tmp/replay-XXXXXX", 19);
    assert_non_null(mkdtemp(scene->folder));
    for (int i = 0; i < 3; i++)
        buf_init(&scene->files[i], 16 << 20);
    buf_init(&scene->notes, 1 << 20);
    buf_init(&scene->seen, 1 << 20);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    replay_play_done(&scene->play);
    replay_record_free(scene->record);
    for (int i = 0; i < 3; i++)
        buf_done(&scene->files[i]);
    buf_done(&scene->notes);
    buf_done(&scene->seen);
    assert_true(file_remove_tree(scene->folder, NULL));
    free(scene);
    return 0;
}

/* ---- a folder ---- */

static void turn(struct scene *scene, const char *talk, int number, const char *at,
                 const char *text)
{
    assert_true(buf_printf(
        &scene->files[0],
        "{\"schema_version\":\"1.0\",\"kind\":\"turn\",\"queue_timestamp\":\"%s\","
        "\"message_id\":\"%s:%d\",\"role\":\"assistant\",\"to\":null,\"content\":"
        "{\"type\":\"conversation\",\"message\":\"%s\",\"sentiment\":null,"
        "\"references\":[]},\"metadata\":{\"conversation_id\":\"%s\","
        "\"sequence_number\":%d,\"seat\":%d,\"author\":\"Ada\",\"tokens_generated\":4,"
        "\"generation_time_ms\":3000,\"prompt_tokens\":9,"
        "\"time_to_first_token_ms\":1000,\"tokens_per_second\":2,\"queue_wait_ms\":1,"
        "\"endpoint_wait_ms\":1,\"routing_ms\":1,\"attempts\":1,\"issue\":1,"
        "\"provider\":\"p\",\"endpoint\":\"e\",\"model\":\"m\","
        "\"finish_reason\":\"stop\"}}\n",
        at, talk, number, text, talk, number, number % 2 == 1 ? 1 : 2));
}

static void event(struct scene *scene, const char *name, const char *at,
                  const char *state, const char *reason)
{
    assert_true(buf_printf(&scene->files[1],
                           "{\"id\":\"x\",\"event\":\"%s\",\"conversation\":\"%s\","
                           "\"at\":\"%s\",\"turn\":null,\"transcript\":null,"
                           "\"state\":\"%s\",\"reason\":%s,\"summary\":null}\n",
                           name, id, at, state, reason));
}

static void call(struct scene *scene, const char *name, const char *from,
                 const char *until, const char *outcome)
{
    assert_true(buf_printf(
        &scene->files[2],
        "{\"conversation\":\"%s\",\"turn\":1,\"issue\":1,\"delivery\":1,\"call\":\"%"
        "s\","
        "\"seat\":1,\"endpoint\":\"local\",\"started_at\":\"%s\",\"ended_at\":\"%s\","
        "\"outcome\":\"%s\",\"error\":null,\"worker\":\"w\"}\n",
        id, name, from, until, outcome));
}

static void write_file(struct scene *scene, const char *name, const struct buf *bytes)
{
    char *path = path_join(scene->folder, name);

    assert_true(file_write(path, buf_str(bytes), NULL));
    free(path);
}

/* ---- what is played ---- */

static void add_time(struct scene *scene, const struct replay_talk *talk, int64_t at_us)
{
    (void)buf_printf(&scene->seen, "%s@%d.%d ",
                     strcmp(talk->id, id) == 0 ? "" : "other",
                     (int)(at_us / 1000000 % 60), (int)(at_us / 100000 % 10));
}

static int64_t playing_us; /* of the step that is being made */

static void on_said(void *owner, const struct replay_talk *talk, struct str kind,
                    struct str document, const struct message *message)
{
    struct scene *scene = owner;

    assert_true(document.len > 0 && document.at[0] == '{');
    add_time(scene, talk, playing_us);
    (void)buf_printf(&scene->seen, "%.*s", (int)kind.len, kind.at);
    if (message != NULL)
        (void)buf_printf(&scene->seen, " %d %s", (int)message->sequence_number,
                         message->text);
    (void)buf_add_char(&scene->seen, ';');
}

static void on_live(void *owner, const struct replay_talk *talk,
                    const struct talk_live *live)
{
    struct scene *scene = owner;

    add_time(scene, talk, playing_us);
    (void)buf_printf(&scene->seen, "%.*s %d \"%.*s\"%.*s;", (int)live->kind.len,
                     live->kind.at, (int)live->turn, (int)live->text.len, live->text.at,
                     (int)live->outcome.len, live->outcome.at);
}

static void on_facts(void *owner, const struct replay_talk *talk)
{
    struct scene *scene = owner;

    (void)buf_printf(&scene->seen, "[%s %s next %d seat %d%s%s]", talk->facts.state,
                     talk->facts.phase, (int)talk->facts.next, (int)talk->facts.seat,
                     talk->calling ? " calling" : "",
                     talk->facts.reason[0] == '\0' ? "" : " over");
}

static void open_play(struct scene *scene, bool facts)
{
    const struct replay_hooks hooks = {.owner = scene,
                                       .on_said = on_said,
                                       .on_live = on_live,
                                       .on_facts = facts ? on_facts : NULL};
    struct err err = {0};

    write_file(scene, "transcript.jsonl", &scene->files[0]);
    if (scene->files[1].len > 0)
        write_file(scene, "events.jsonl", &scene->files[1]);
    if (scene->files[2].len > 0)
        write_file(scene, "calls.jsonl", &scene->files[2]);
    if (!replay_record_open(scene->folder, on_note, scene, &scene->record, &err))
        fail_msg("%s", err.msg);
    replay_play_init(&scene->play, scene->record, NULL, 0, &hooks);
}

/* Each thing at its own time. */
static void play_through(struct scene *scene)
{
    while (replay_play_due(&scene->play) != INT64_MAX) {
        playing_us = replay_play_due(&scene->play);
        assert_true(replay_play_step(&scene->play, playing_us));
    }
}

static void see(struct scene *scene, const char *wanted)
{
    assert_string_equal(buf_text(&scene->seen), wanted);
    buf_clear(&scene->seen);
}

static void a_turn_is_spoken_over_the_time_it_took(void **state)
{
    struct scene *scene = *state;

    turn(scene, id, 1, AT("10"), "one two three");
    open_play(scene, false);
    play_through(scene);
    /* Begun 3 s before its end, the first word after one more; 13 bytes in 2 s. */
    see(scene, "@7.0 begin 1 \"\";@8.6 delta 1 \"one \";@9.2 delta 1 \"two \";"
               "@10.0 end 1 \"\"done;@10.0 turn 1 one two three;");
}

static void words_that_are_due_at_once_come_at_once(void **state)
{
    struct scene *scene = *state;
    int64_t at_us;

    turn(scene, id, 1, AT("10"), "one two three");
    open_play(scene, false);
    assert_true(clock_parse_us(str_of(AT("09.5")), &at_us));
    playing_us = at_us;
    while (replay_play_step(&scene->play, at_us))
        ;
    see(scene, "@9.5 begin 1 \"\";@9.5 delta 1 \"one two \";");
}

static void a_turn_whose_end_has_come_is_not_spoken_first(void **state)
{
    struct scene *scene = *state;

    turn(scene, id, 1, AT("10"), "one two three");
    open_play(scene, false);
    playing_us = replay_record_last_us(scene->record);
    while (replay_play_step(&scene->play, playing_us))
        ;
    see(scene, "@10.0 turn 1 one two three;");
}

static void conversations_are_played_in_the_order_of_time(void **state)
{
    struct scene *scene = *state;

    turn(scene, other, 1, AT("20"), "x");
    turn(scene, id, 1, AT("19"), "y");
    open_play(scene, false);
    play_through(scene);
    see(scene, "@16.0 begin 1 \"\";other@17.0 begin 1 \"\";@19.0 end 1 \"\"done;"
               "@19.0 turn 1 y;other@20.0 end 1 \"\"done;other@20.0 turn 1 x;");
}

static void characters_are_never_cut(void **state)
{
    struct scene *scene = *state;
    const char *text = "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC"
                       "\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E";

    turn(scene, id, 1, AT("10"), text);
    open_play(scene, false);
    play_through(scene);
    assert_non_null(strstr(buf_text(&scene->seen),
                           "delta 1 \"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5"
                           "\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC\";"));
}

static void events_tell_the_state_and_the_clock(void **state)
{
    struct scene *scene = *state;

    event(scene, "dialogue.open", AT("00"), "preparing", "null");
    event(scene, "dialogue.initiate", AT("05"), "running", "null");
    event(scene, "dialogue.progress", AT("10"), "running", "null");
    event(scene, "dialogue.pause", AT("11"), "paused", "null");
    event(scene, "dialogue.resume", AT("12"), "running", "null");
    event(scene, "dialogue.resolve", AT("20"), "ended", "\"turns\"");
    turn(scene, id, 1, AT("10"), "a");
    turn(scene, id, 2, AT("20"), "b");
    open_play(scene, true);
    play_through(scene);
    see(scene, "[preparing  next -1 seat 1][running asked next 1 seat 1]"
               "@7.0 begin 1 \"\";[running asked next 1 seat 1 calling]"
               "@10.0 end 1 \"\"done;@10.0 turn 1 a;[running asked next 2 seat 2]"
               "[paused asked next 2 seat 2][running asked next 2 seat 2]"
               "@17.0 begin 2 \"\";[running asked next 2 seat 2 calling]"
               "@20.0 end 2 \"\"done;@20.0 turn 2 b;[running idle next 3 seat -1]"
               "[ended idle next 3 seat -1 over]");
}

static void a_call_that_failed_begins_and_is_withdrawn(void **state)
{
    struct scene *scene = *state;

    call(scene, "c1", AT("01"), AT("03"), "failed");
    call(scene, "c2", AT("07"), AT("10"), "done");
    turn(scene, id, 1, AT("10"), "a");
    open_play(scene, false);
    play_through(scene);
    see(scene, "@1.0 begin 1 \"\";@3.0 withdrawn 1 \"\"failed;@3.0 end 1 \"\"failed;"
               "@7.0 begin 1 \"\";@10.0 end 1 \"\"done;@10.0 turn 1 a;");
}

static void broken_lines_are_told_and_passed_over(void **state)
{
    struct scene *scene = *state;

    turn(scene, id, 1, AT("10"), "a");
    (void)buf_add_text(&scene->files[0], "\n{\"half\":\n");
    (void)buf_add_text(&scene->files[0], "{\"conversation_id\":\"../etc/pas\"}\n");
    (void)buf_add_text(&scene->files[0],
                       "{\"conversation_id\":\"k3v9q2m4x7ab\",\"kind\":"
                       "\"turn\",\"queue_timestamp\":\"" AT("11") "\"}\n");
    turn(scene, id, 2, AT("20"), "b");
    (void)buf_add_text(&scene->files[1], "{\"event\":\"x\",\"conversation\":"
                                         "\"k3v9q2m4x7ab\",\"at\":\"when?\"}\n");
    open_play(scene, false);
    assert_string_equal(
        buf_text(&scene->notes),
        "transcript.jsonl:3: passed over: this is no whole JSON object;"
        "transcript.jsonl:4: passed over: it names no valid conversation;"
        "events.jsonl:1: passed over: it has no time;");
    buf_clear(&scene->notes);
    play_through(scene);
    assert_non_null(
        strstr(buf_text(&scene->notes), "transcript.jsonl:5: passed over: "));
    see(scene, "@7.0 begin 1 \"\";@10.0 end 1 \"\"done;@10.0 turn 1 a;"
               "@17.0 begin 2 \"\";@20.0 end 2 \"\"done;@20.0 turn 2 b;");
}

static void of_many_broken_lines_few_are_told(void **state)
{
    struct scene *scene = *state;
    int told = 0;

    turn(scene, id, 1, AT("10"), "a");
    for (int i = 0; i < 1000; i++)
        (void)buf_add_text(&scene->files[0], "{\n");
    open_play(scene, false);
    for (const char *at = buf_text(&scene->notes); *at != '\0'; at++)
        told += *at == ';';
    assert_int_equal(told, 20);
    assert_non_null(strstr(buf_text(&scene->notes), "(and more such lines"));
}

static void it_can_be_played_again_from_the_beginning(void **state)
{
    struct scene *scene = *state;
    char *first;

    turn(scene, id, 1, AT("10"), "one two three");
    turn(scene, id, 2, AT("20"), "four");
    open_play(scene, true);
    play_through(scene);
    first = x_strdup(buf_text(&scene->seen));
    buf_clear(&scene->seen);
    replay_play_rewind(&scene->play);
    play_through(scene);
    see(scene, first);
    free(first);
}

static void a_long_line_is_read_whole(void **state)
{
    struct scene *scene = *state;
    char *text = x_calloc(1, 300001);

    memset(text, 'a', 300000);
    turn(scene, id, 1, AT("10"), text);
    turn(scene, id, 2, AT("20"), "b");
    open_play(scene, false);
    playing_us = replay_record_last_us(scene->record);
    while (replay_play_step(&scene->play, playing_us))
        ;
    assert_non_null(strstr(buf_text(&scene->seen), text));
    assert_non_null(strstr(buf_text(&scene->seen), "turn 2 b;"));
    free(text);
}

static void a_folder_without_a_transcript_is_refused(void **state)
{
    struct scene *scene = *state;
    struct err err = {0};

    assert_false(replay_record_open(scene->folder, NULL, NULL, &scene->record, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "transcript.jsonl"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_turn_is_spoken_over_the_time_it_took),
        CASE(words_that_are_due_at_once_come_at_once),
        CASE(a_turn_whose_end_has_come_is_not_spoken_first),
        CASE(conversations_are_played_in_the_order_of_time),
        CASE(characters_are_never_cut),
        CASE(events_tell_the_state_and_the_clock),
        CASE(a_call_that_failed_begins_and_is_withdrawn),
        CASE(broken_lines_are_told_and_passed_over),
        CASE(of_many_broken_lines_few_are_told),
        CASE(it_can_be_played_again_from_the_beginning),
        CASE(a_long_line_is_read_whole),
        CASE(a_folder_without_a_transcript_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
