/* test_fuzz_corpus.c - the inputs the fuzz targets have kept, and the streams of the
 * servers, through the rules of tests/fuzz/fuzz_reader.h and fuzz_parsers.h. */

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <dirent.h>

#include "../fuzz/fuzz_answer.h"
#include "../fuzz/fuzz_parsers.h"
#include "base/file.h"

enum { INPUT_BYTES_MAX = 1024 * 1024 };

static void replay_file(const char *path, void (*target)(struct str bytes))
{
    struct buf bytes;
    struct err err = {0};

    buf_init(&bytes, INPUT_BYTES_MAX);
    if (!file_slurp(path, &bytes, &err))
        fail_msg("%s", err.msg);
    print_message("%s\n", path);
    target(buf_str(&bytes));
    buf_done(&bytes);
}

/* Each file whose name ends so; "" any. */
static size_t replay(const char *folder, const char *ending,
                     void (*target)(struct str bytes))
{
    DIR *files = opendir(folder);
    struct dirent *file;
    size_t count = 0;

    assert_non_null(files);
    while ((file = readdir(files)) != NULL) {
        size_t len = strlen(file->d_name);
        char *path;

        if (file->d_name[0] == '.' || len < strlen(ending)
            || strcmp(file->d_name + len - strlen(ending), ending) != 0)
            continue;
        path = path_join(folder, file->d_name);
        replay_file(path, target);
        free(path);
        count++;
    }
    closedir(files);
    return count;
}

static void lines_of_any_kind_are_read_by_the_rules(void **state)
{
    (void)state;
    assert_true(replay("tests/unit/streams", ".ndjson", fuzz_ndjson) > 0);
    assert_true(replay("tests/fuzz/corpus/ndjson", "", fuzz_ndjson) > 0);
}

static void events_of_any_kind_are_read_by_the_rules(void **state)
{
    (void)state;
    assert_true(replay("tests/unit/streams", ".sse", fuzz_sse) > 0);
    assert_true(replay("tests/unit/streams", ".json", fuzz_sse) > 0);
    assert_true(replay("tests/fuzz/corpus/sse", "", fuzz_sse) > 0);
}

static void answers_that_are_no_reply_are_judged_by_the_rules(void **state)
{
    (void)state;
    assert_true(replay("tests/fuzz/corpus/answer", "", fuzz_answer) > 0);
}

static void messages_of_any_kind_are_read_by_the_rules(void **state)
{
    (void)state;
    assert_true(replay("tests/fuzz/corpus/message", "", fuzz_message) > 0);
}

static void config_files_of_any_kind_are_read_by_the_rules(void **state)
{
    (void)state;
    assert_true(replay("tests/fuzz/corpus/config", "", fuzz_config) > 0);
}

static void replies_of_redis_of_any_kind_are_read_by_the_rules(void **state)
{
    (void)state;
    assert_true(replay("tests/fuzz/corpus/resp", "", fuzz_resp) > 0);
}

static void commands_of_any_kind_are_read_by_the_rules(void **state)
{
    (void)state;
    assert_true(replay("tests/fuzz/corpus/control", "", fuzz_control) > 0);
}

static void stories_of_any_kind_are_read_by_the_rules(void **state)
{
    (void)state;
    assert_true(replay("tests/fuzz/corpus/story", "", fuzz_story) > 0);
}

static void replies_of_any_kind_are_cleaned_by_the_rules(void **state)
{
    (void)state;
    assert_true(replay("tests/fuzz/corpus/clean", "", fuzz_clean) > 0);
}

static void lines_of_a_log_of_any_kind_are_read_by_the_rules(void **state)
{
    (void)state;
    assert_true(replay("tests/fuzz/corpus/log", "", fuzz_log) > 0);
}

static void text_of_any_kind_is_made_harmless(void **state)
{
    (void)state;
    assert_true(replay("tests/fuzz/corpus/harmless", "", fuzz_harmless) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_any_kind_are_read_by_the_rules),
        cmocka_unit_test(events_of_any_kind_are_read_by_the_rules),
        cmocka_unit_test(answers_that_are_no_reply_are_judged_by_the_rules),
        cmocka_unit_test(messages_of_any_kind_are_read_by_the_rules),
        cmocka_unit_test(config_files_of_any_kind_are_read_by_the_rules),
        cmocka_unit_test(replies_of_redis_of_any_kind_are_read_by_the_rules),
        cmocka_unit_test(commands_of_any_kind_are_read_by_the_rules),
        cmocka_unit_test(stories_of_any_kind_are_read_by_the_rules),
        cmocka_unit_test(replies_of_any_kind_are_cleaned_by_the_rules),
        cmocka_unit_test(lines_of_a_log_of_any_kind_are_read_by_the_rules),
        cmocka_unit_test(text_of_any_kind_is_made_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
