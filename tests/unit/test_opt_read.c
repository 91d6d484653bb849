/* test_opt_read.c - options as they are written on a command line and in the
 * environment, and what is printed about them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/opt.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define AT(field)   .offset = offsetof(struct values, field)

struct values {
    bool flag;
    int64_t turns;
    char *text;
    char *choice;
    int64_t other;
};
enum { COMMAND = 1, OTHER_COMMAND = 2, WORDS_MAX = 12 };

static const struct opt_row rows[] = {
    {"dry-run", NULL, NULL, OPT_FLAG, AT(flag), .commands = COMMAND,
     .help = "no model at all", .group = "The model"},
    {"turns", "a.turns", NULL, OPT_INT, AT(turns), .none = true, .min = 1, .max = 100,
     .fallback = "50", .commands = COMMAND | OTHER_COMMAND, .value = "N",
     .help = "how many"},
    {"topic", "a.topic", "SOME_TOPIC", OPT_TEXT, AT(text), .commands = COMMAND,
     .value = "TEXT", .help = "what it is about", .group = "What is said"},
    {"observe", "a.observe", NULL, OPT_CHOICE, AT(choice), .choices = "auto|plain",
     .fallback = "auto", .commands = COMMAND, .value = "HOW",
     .help = "how it is shown"},
    {"other", NULL, NULL, OPT_INT, AT(other), .max = 9, .commands = OTHER_COMMAND,
     .value = "N", .group = "Others",
     .help = "not for all, and too long to be "
             "told in one line of the help, so that it goes on in the next"},
};

struct rig {
    struct values values;
    struct opt_set set;
    struct err err;
    char *argv[WORDS_MAX + 1];
    int rest;
};

static int set_up(void **state)
{
    static struct rig rig;
    static const char *const variables[] = {"PARLEY_DRY_RUN", "PARLEY_TURNS",
                                            "PARLEY_TOPIC",   "PARLEY_OBSERVE",
                                            "PARLEY_OTHER",   "SOME_TOPIC"};

    for (size_t i = 0; i < COUNT(variables); i++)
        unsetenv(variables[i]);
    memset(&rig, 0, sizeof rig);
    opt_init(&rig.set, rows, COUNT(rows), &rig.values);
    rig.rest = -1;
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    opt_done(&rig->set);
    return 0;
}

/* Reads the words up to NULL, at most WORDS_MAX. */
static bool read_words(struct rig *rig, const char *const *words)
{
    int argc = 0;

    for (; words[argc] != NULL; argc++) {
        assert_true(argc < WORDS_MAX);
        rig->argv[argc] = (char *)(uintptr_t)words[argc]; /* they are only moved */
    }
    rig->argv[argc] = NULL;
    return opt_read_flags(&rig->set, COMMAND, argc, rig->argv, &rig->rest, &rig->err);
}

static void flags_are_taken_in_all_their_forms(void **state)
{
    static const char *const words[] = {
        "--turns", "7", "--topic=a=b c", "--dry-run", "--observe", "plain", NULL};
    struct rig *rig = *state;

    assert_true(read_words(rig, words));
    assert_int_equal(rig->rest, 0);
    assert_int_equal(rig->values.turns, 7);
    assert_string_equal(rig->values.text, "a=b c");
    assert_true(rig->values.flag);
    assert_string_equal(rig->values.choice, "plain");
    assert_true(opt_given(&rig->set, "turns"));
    assert_int_equal(rig->set.from[0], OPT_FLAG_GIVEN);
}

static void a_flag_may_be_said_to_be_false_or_none(void **state)
{
    static const char *const words[] = {
        "--dry-run", "--dry-run=false", "--turns=none", "--topic", "-", NULL};
    struct rig *rig = *state;

    assert_true(read_words(rig, words));
    assert_false(rig->values.flag);
    assert_int_equal(rig->values.turns, OPT_NONE);
    assert_string_equal(rig->values.text, "-");
}

static void other_words_stay_in_their_order(void **state)
{
    static const char *const words[] = {"one",     "--turns", "7",  "-", "two", "--",
                                        "--topic", "-x",      "--", "",  NULL};
    static const char *const rest[] = {"one", "-", "two", "--topic", "-x", "--", ""};
    struct rig *rig = *state;

    assert_true(read_words(rig, words));
    assert_int_equal(rig->rest, COUNT(rest));
    for (size_t i = 0; i < COUNT(rest); i++)
        assert_string_equal(rig->argv[i], rest[i]);
    assert_null(rig->values.text);
}

static void wrong_flags_are_refused_with_what_helps(void **state)
{
    static const struct {
        const char *words[3];
        const char *message;
    } cases[] = {
        {{"--turn", "7"}, "unknown option --turn, did you mean --turns?"},
        {{"--tpoic=x"}, "unknown option --tpoic, did you mean --topic?"},
        {{"--DRY-RUN"}, "unknown option --DRY-RUN (--help lists them)"},
        {{"--otter", "1"}, "unknown option --otter (--help lists them)"},
        {{"--other", "1"}, "unknown option --other (--help lists them)"},
        {{"--frobnicate"}, "unknown option --frobnicate (--help lists them)"},
        {{"--\x1B[2Jabcdef"}, "unknown option --<U+001B>[2Jabcdef (--help lists them)"},
        {{"-t"}, "unknown option -t (--help lists them)"},
        {{"-turns", "7"}, "unknown option -turns (--help lists them)"},
        {{"--turns"}, "--turns wants a value: N"},
        {{"--turns", "--dry-run"},
         "--turns: '--dry-run' is not a whole number from 1 to 100, or none"},
        {{"--turns="}, "--turns: '' is not a whole number from 1 to 100, or none"},
        {{"--turns=0"}, "--turns: '0' is not a whole number from 1 to 100, or none"},
        {{"--dry-run="}, "--dry-run: '' is not true or false"},
        {{"--observe", "loud"}, "--observe: 'loud' is not one of auto|plain"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        rig->err = (struct err){0};
        assert_false(read_words(rig, cases[i].words));
        assert_int_equal(rig->err.code, ERR_USAGE);
        assert_string_equal(rig->err.msg, cases[i].message);
    }
    assert_int_equal(rig->values.turns, 50);
    assert_int_equal(rig->rest, -1);
}

static void a_very_long_flag_is_refused_and_cut(void **state)
{
    struct rig *rig = *state;
    char word[5000];
    const char *words[] = {word, NULL};

    memset(word, 'x', sizeof word);
    memcpy(word, "--", 2);
    word[sizeof word - 1] = '\0';
    assert_false(read_words(rig, words));
    assert_int_equal(rig->err.code, ERR_USAGE);
    assert_non_null(strstr(rig->err.msg, "xxx..."));
}

static void the_environment_speaks_for_flags_in_capitals(void **state)
{
    struct rig *rig = *state;

    setenv("PARLEY_TURNS", "8", 1);
    setenv("PARLEY_DRY_RUN", "yes", 1);
    setenv("SOME_TOPIC", "the other's", 1);
    setenv("PARLEY_OTHER", "not looked at: another command's", 1);
    assert_true(opt_read_environment(&rig->set, COMMAND, &rig->err));
    assert_int_equal(rig->values.turns, 8);
    assert_true(rig->values.flag);
    assert_string_equal(rig->values.text, "the other's");
    assert_int_equal(rig->set.from[1], OPT_ENV);
    setenv("PARLEY_TOPIC", "ours", 1);
    assert_true(opt_read_environment(&rig->set, COMMAND, &rig->err));
    assert_string_equal(rig->values.text, "ours");
}

static void an_empty_variable_counts_as_not_given(void **state)
{
    struct rig *rig = *state;

    setenv("PARLEY_TURNS", "", 1);
    setenv("PARLEY_TOPIC", "", 1);
    setenv("SOME_TOPIC", "behind it", 1);
    assert_true(opt_read_environment(&rig->set, COMMAND, &rig->err));
    assert_int_equal(rig->values.turns, 50);
    assert_false(opt_given(&rig->set, "turns"));
    assert_string_equal(rig->values.text, "behind it");
}

static void a_bad_variable_is_named_also_under_a_flag(void **state)
{
    static const char *const words[] = {"--turns=7", NULL};
    struct rig *rig = *state;

    assert_true(read_words(rig, words));
    setenv("PARLEY_TURNS", "lots", 1);
    assert_false(opt_read_environment(&rig->set, COMMAND, &rig->err));
    assert_int_equal(rig->err.code, ERR_USAGE);
    assert_string_equal(rig->err.msg, "PARLEY_TURNS: 'lots' is not a whole number from "
                                      "1 to 100, or none");
    setenv("PARLEY_TURNS", "8", 1);
    assert_true(opt_read_environment(&rig->set, COMMAND, &rig->err));
    assert_int_equal(rig->values.turns, 7);
}

static void rows_are_found_by_flag_and_key(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(opt_by_flag(&rig->set, "topic"), 2);
    assert_int_equal(opt_by_key(&rig->set, "a.topic"), 2);
    assert_int_equal(opt_by_flag(&rig->set, "top"), COUNT(rows));
    assert_int_equal(opt_by_key(&rig->set, "topic"), COUNT(rows));
    assert_int_equal(opt_by_key(&rig->set, ""), COUNT(rows));
}

static void values_are_shown_with_where_they_are_from(void **state)
{
    static const char *const words[] = {"--turns=7", NULL};
    struct rig *rig = *state;
    struct buf text;

    buf_init(&text, 4000);
    rig->set.file = strdup("a.json");
    assert_true(read_words(rig, words));
    assert_true(opt_put(&rig->set, 3, "plain", OPT_FILE, "a.json", &rig->err));
    opt_show(&rig->set, COMMAND, &text);
    assert_string_equal(
        buf_text(&text),
        "dry-run                        false                    (default)\n"
        "a.turns                        7                        (flag)\n"
        "a.topic                        -                        (default)\n"
        "a.observe                      plain                    (config file "
        "a.json)\n");
    buf_done(&text);
}

static void help_shows_a_commands_flags_choices_and_defaults_in_groups(void **state)
{
    struct rig *rig = *state;
    struct buf text;

    buf_init(&text, 4000);
    opt_help(&rig->set, COMMAND, &text);
    assert_string_equal(buf_text(&text),
                        "\nThe model:\n"
                        "  --dry-run                  no model at all\n"
                        "  --turns N                  how many [50]\n"
                        "\nWhat is said:\n"
                        "  --topic TEXT               what it is about\n"
                        "  --observe HOW              how it is shown: auto|plain "
                        "[auto]\n");
    buf_done(&text);
}

static void help_has_lines_of_80_letters_at_most_and_no_empty_group(void **state)
{
    struct rig *rig = *state;
    struct buf text;

    buf_init(&text, 4000);
    opt_help(&rig->set, OTHER_COMMAND, &text);
    assert_string_equal(
        buf_text(&text),
        "\nThe model:\n"
        "  --turns N                  how many [50]\n"
        "\nOthers:\n"
        "  --other N                  not for all, and too long to be told in one line "
        "of\n"
        "                             the help, so that it goes on in the next\n");
    buf_done(&text);
}

static bool is_known(struct str name)
{
    return str_is(name, "PARLEY_BUILD");
}

static void variables_that_name_no_option_are_told_with_the_nearest(void **state)
{
    struct rig *rig = *state;
    struct buf text;

    buf_init(&text, 4000);
    setenv("PARLEY_TOPIC", "a real one", 1);
    setenv("PARLEY_OTHER", "9", 1); /* another command's is one, too */
    setenv("PARLEY_BUILD", "build", 1);
    opt_strange_variables(&rig->set, is_known, &text);
    assert_string_equal(buf_text(&text), "");
    setenv("PARLEY_TRUNS", "7", 1);
    opt_strange_variables(&rig->set, is_known, &text);
    assert_string_equal(buf_text(&text), "the variable PARLEY_TRUNS names no option, "
                                         "did you mean PARLEY_TURNS?\n");
    unsetenv("PARLEY_TRUNS");
    setenv("PARLEY_SOMETHING_ELSE", "7", 1);
    buf_clear(&text);
    opt_strange_variables(&rig->set, NULL, &text);
    assert_non_null(strstr(buf_text(&text), "PARLEY_BUILD names no option"));
    assert_non_null(strstr(buf_text(&text), "PARLEY_SOMETHING_ELSE names no option\n"));
    unsetenv("PARLEY_SOMETHING_ELSE");
    unsetenv("PARLEY_BUILD");
    buf_done(&text);
}

static void expect_where(struct rig *rig, const char *flag, const char *wanted)
{
    struct buf text;

    buf_init(&text, 4000);
    opt_where(&rig->set, opt_by_flag(&rig->set, flag), &text);
    assert_string_equal(buf_text(&text), wanted);
    buf_done(&text);
}

static void where_a_value_is_from_has_a_name(void **state)
{
    static const char *const words[] = {"--turns=7", NULL};
    struct rig *rig = *state;

    rig->set.file = strdup("a.json");
    setenv("SOME_TOPIC", "x", 1);
    assert_true(read_words(rig, words));
    assert_true(opt_read_environment(&rig->set, COMMAND, &rig->err));
    assert_true(opt_put(&rig->set, 3, "plain", OPT_FILE, "a.json", &rig->err));
    expect_where(rig, "turns", "--turns");
    expect_where(rig, "topic", "SOME_TOPIC");
    expect_where(rig, "observe", "a.json: a.observe");
    expect_where(rig, "other", "--other");
    setenv("PARLEY_TOPIC", "x", 1);
    expect_where(rig, "topic", "PARLEY_TOPIC");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(flags_are_taken_in_all_their_forms),
        TEST(a_flag_may_be_said_to_be_false_or_none),
        TEST(other_words_stay_in_their_order),
        TEST(wrong_flags_are_refused_with_what_helps),
        TEST(a_very_long_flag_is_refused_and_cut),
        TEST(the_environment_speaks_for_flags_in_capitals),
        TEST(an_empty_variable_counts_as_not_given),
        TEST(a_bad_variable_is_named_also_under_a_flag),
        TEST(rows_are_found_by_flag_and_key),
        TEST(values_are_shown_with_where_they_are_from),
        TEST(help_shows_a_commands_flags_choices_and_defaults_in_groups),
        TEST(help_has_lines_of_80_letters_at_most_and_no_empty_group),
        TEST(variables_that_name_no_option_are_told_with_the_nearest),
        TEST(where_a_value_is_from_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
