/* test_opt.c - options from one table: each kind, and who wins. */
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
    int64_t number;
    int64_t limit;
    double real;
    int64_t wait_ms;
    char *text;
    char *choice;
    struct opt_range range;
    char *names[OPT_SEATS + 1];
    int64_t other;
};
enum { ROW_FLAG, ROW_INT, ROW_LIMIT, ROW_REAL, ROW_WAIT, ROW_TEXT, ROW_CHOICE };
enum { ROW_RANGE = ROW_CHOICE + 1, ROW_SEATED, ROW_OTHER };
enum { COMMAND = 1, OTHER_COMMAND = 2 };

static const struct opt_row rows[] = {
    {"verbose", "a.verbose", NULL, OPT_FLAG, AT(flag), .commands = COMMAND,
     .help = "more"},
    {"count", "a.count", NULL, OPT_INT, AT(number), .min = -5, .max = 16,
     .fallback = "2", .commands = COMMAND, .value = "N", .help = "how many"},
    {"limit", "a.limit", NULL, OPT_INT, AT(limit), .none = true, .min = 1, .max = 9,
     .fallback = "none", .commands = COMMAND, .value = "N", .help = "at most"},
    {"heat", "a.heat", NULL, OPT_REAL, AT(real), .min = 0, .max = 5, .fallback = "0.8",
     .commands = COMMAND, .value = "X", .help = "how hot"},
    {"wait-time", "a.wait_seconds", NULL, OPT_DURATION, AT(wait_ms), .none = true,
     .min = 1000, .max = 3600e3, .fallback = "5m", .commands = COMMAND, .value = "TIME",
     .help = "how long"},
    {"text", "a.text", "SOME_TEXT", OPT_TEXT, AT(text), .commands = COMMAND,
     .value = "TEXT", .help = "what"},
    {"choice", "a.choice", NULL, OPT_CHOICE, AT(choice), .choices = "red|green",
     .fallback = "red", .commands = COMMAND, .value = "COLOUR", .help = "which"},
    {"range", "a.range", NULL, OPT_RANGE, AT(range), .min = 1, .max = 100,
     .fallback = "20..60", .commands = COMMAND, .value = "MIN..MAX", .help = "between"},
    {"name", "a.name", NULL, OPT_SEATED, AT(names), .fallback = "all",
     .commands = COMMAND, .value = "NAME", .help = "who"},
    {"other", NULL, NULL, OPT_INT, AT(other), .max = 9, .commands = OTHER_COMMAND,
     .value = "N", .help = "not for all"},
};

struct rig {
    struct values values;
    struct opt_set set;
    struct err err;
};

static void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    opt_init(&rig->set, rows, COUNT(rows), &rig->values);
}

static bool put(struct rig *rig, size_t row, const char *text, enum opt_source source)
{
    return opt_put(&rig->set, row, text, source, "here", &rig->err);
}

/* The row's value as it is shown. */
static void shows(struct rig *rig, size_t row, const char *wanted)
{
    struct buf shown;

    buf_init(&shown, 1000);
    opt_value(&rig->set, row, &shown);
    if (strcmp(buf_text(&shown), wanted) != 0)
        fail_msg("--%s is '%s', not '%s'", rows[row].flag, buf_text(&shown), wanted);
    buf_done(&shown);
}

static void the_defaults_stand_at_the_start(void **state)
{
    static const char *const wanted[] = {"false", "2",   "none",   "0.8", "5m",
                                         "",      "red", "20..60", "all", "0"};
    struct rig rig;

    (void)state;
    rig_init(&rig);
    for (size_t i = 0; i < COUNT(rows); i++)
        shows(&rig, i, wanted[i]);
    assert_int_equal(rig.values.limit, OPT_NONE);
    assert_int_equal(rig.values.wait_ms, 300000);
    assert_null(rig.values.text);
    assert_false(opt_given(&rig.set, "count"));
    opt_done(&rig.set);
}

static const struct {
    size_t row;
    const char *text;
    const char *shown; /* NULL: refused */
} texts[] = {
    {ROW_FLAG, "true", "true"},
    {ROW_FLAG, "1", "true"},
    {ROW_FLAG, "yes", "true"},
    {ROW_FLAG, "on", "true"},
    {ROW_FLAG, "false", "false"},
    {ROW_FLAG, "0", "false"},
    {ROW_FLAG, "no", "false"},
    {ROW_FLAG, "off", "false"},
    {ROW_FLAG, "TRUE", NULL},
    {ROW_FLAG, "", NULL},
    {ROW_FLAG, "none", NULL},
    {ROW_INT, "-5", "-5"},
    {ROW_INT, "16", "16"},
    {ROW_INT, "-6", NULL},
    {ROW_INT, "17", NULL},
    {ROW_INT, "3.0", NULL},
    {ROW_INT, "", NULL},
    {ROW_INT, "none", NULL},
    {ROW_INT, "99999999999999999999", NULL},
    {ROW_LIMIT, "none", "none"},
    {ROW_LIMIT, "1", "1"},
    {ROW_LIMIT, "0", NULL},
    {ROW_LIMIT, "-1", NULL}, /* what "none" is stored as is no value */
    {ROW_LIMIT, "None", NULL},
    {ROW_REAL, "0", "0"},
    {ROW_REAL, "5", "5"},
    {ROW_REAL, "0.25", "0.25"},
    {ROW_REAL, "-0.1", NULL},
    {ROW_REAL, "5.01", NULL},
    {ROW_REAL, "nan", NULL},
    {ROW_WAIT, "90", "1m30s"},
    {ROW_WAIT, "1.5s", "1.5s"},
    {ROW_WAIT, "1h", "1h"},
    {ROW_WAIT, "none", "none"},
    {ROW_WAIT, "999ms", NULL},
    {ROW_WAIT, "61m", NULL},
    {ROW_WAIT, "-1", NULL},
    {ROW_TEXT, "any thing", "any thing"},
    {ROW_TEXT, "none", "none"},
    {ROW_TEXT, "", ""},
    {ROW_CHOICE, "green", "green"},
    {ROW_CHOICE, "gree", NULL},
    {ROW_CHOICE, "red|green", NULL},
    {ROW_CHOICE, "|", NULL},
    {ROW_CHOICE, "", NULL},
    {ROW_RANGE, "1..100", "1..100"},
    {ROW_RANGE, "7", "7..7"},
    {ROW_RANGE, "7..7", "7..7"},
    {ROW_RANGE, "8..7", NULL},
    {ROW_RANGE, "0..7", NULL},
    {ROW_RANGE, "7..101", NULL},
    {ROW_RANGE, "7.9", NULL},
    {ROW_RANGE, "7...9", NULL},
    {ROW_RANGE, "7..", NULL},
    {ROW_RANGE, "..9", NULL},
    {ROW_RANGE, "7.", NULL},
    {ROW_RANGE, "", NULL},
    {ROW_SEATED, "llama3.2", "llama3.2"},
    {ROW_SEATED, "2=mistral", "all 2=mistral"},
    {ROW_SEATED, "16=x", "all 16=x"},
    {ROW_SEATED, "2=a=b", "all 2=a=b"},
    {ROW_SEATED, "a=2", "a=2"},
    {ROW_SEATED, "=2", "=2"},
    {ROW_SEATED, "", "all"},
    {ROW_SEATED, "2=", NULL},
    {ROW_SEATED, "0=x", NULL},
    {ROW_SEATED, "17=x", NULL},
    {ROW_SEATED, "2x=y", NULL},
};

static void each_kind_takes_its_values_and_refuses_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct rig rig;
        bool ok;

        rig_init(&rig);
        ok = put(&rig, texts[i].row, texts[i].text, OPT_ENV);
        if (ok != (texts[i].shown != NULL))
            fail_msg("--%s=%s", rows[texts[i].row].flag, texts[i].text);
        if (ok && texts[i].shown != NULL) {
            shows(&rig, texts[i].row, texts[i].shown);
            assert_int_equal(rig.set.from[texts[i].row], OPT_ENV);
        } else {
            assert_int_equal(rig.set.from[texts[i].row], OPT_DEFAULT);
        }
        opt_done(&rig.set);
    }
}

static void a_refusal_names_place_value_and_what_is_allowed(void **state)
{
    static const struct {
        size_t row;
        const char *text, *message;
    } cases[] = {
        {ROW_FLAG, "x", "here: 'x' is not true or false"},
        {ROW_INT, "17", "here: '17' is not a whole number from -5 to 16"},
        {ROW_LIMIT, "0", "here: '0' is not a whole number from 1 to 9, or none"},
        {ROW_REAL, "6", "here: '6' is not a number from 0 to 5"},
        {ROW_WAIT, "1ms",
         "here: '1ms' is not a duration like 90, 20s, 5m, 1h30m or 7d, from 1s to 1h, "
         "or "
         "none"},
        {ROW_CHOICE, "b\x1B", "here: 'b<U+001B>' is not one of red|green"},
        {ROW_RANGE, "0", "here: '0' is not MIN..MAX with whole numbers from 1 to 100"},
        {ROW_SEATED, "0=x",
         "here: '0=x' is not NAME or SEAT=NAME with a seat from 1 to 16"},
    };
    struct rig rig;

    (void)state;
    rig_init(&rig);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_false(put(&rig, cases[i].row, cases[i].text, OPT_FLAG_GIVEN));
        assert_int_equal(rig.err.code, ERR_USAGE);
        assert_string_equal(rig.err.msg, cases[i].message);
    }
    opt_done(&rig.set);
}

static void a_shown_value_is_taken_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct rig rig;

        if (texts[i].shown == NULL || texts[i].row == ROW_SEATED)
            continue;
        rig_init(&rig);
        assert_true(put(&rig, texts[i].row, texts[i].shown, OPT_ENV));
        shows(&rig, texts[i].row, texts[i].shown);
        opt_done(&rig.set);
    }
}

/* For each order of the three sources that speak, and each subset of them. */
static void the_stronger_source_wins_in_any_order_of_reading(void **state)
{
    static const enum opt_source orders[][3] = {
        {OPT_FILE, OPT_ENV, OPT_FLAG_GIVEN}, {OPT_FILE, OPT_FLAG_GIVEN, OPT_ENV},
        {OPT_ENV, OPT_FILE, OPT_FLAG_GIVEN}, {OPT_ENV, OPT_FLAG_GIVEN, OPT_FILE},
        {OPT_FLAG_GIVEN, OPT_FILE, OPT_ENV}, {OPT_FLAG_GIVEN, OPT_ENV, OPT_FILE},
    };
    static const char *const said[] = {"2", "3", "4", "5"}; /* by source */

    (void)state;
    for (size_t order = 0; order < COUNT(orders); order++) {
        for (unsigned who = 0; who < 8; who++) {
            enum opt_source strongest = OPT_DEFAULT;
            struct rig rig;

            rig_init(&rig);
            for (size_t i = 0; i < 3; i++) {
                enum opt_source source = orders[order][i];

                if ((who & 1U << (source - 1)) == 0)
                    continue;
                assert_true(put(&rig, ROW_INT, said[source], source));
                assert_true(put(&rig, ROW_TEXT, said[source], source));
                strongest = source > strongest ? source : strongest;
            }
            shows(&rig, ROW_INT, said[strongest]);
            assert_int_equal(rig.set.from[ROW_INT], strongest);
            assert_int_equal(opt_given(&rig.set, "count"), who != 0);
            if (who != 0)
                shows(&rig, ROW_TEXT, said[strongest]);
            opt_done(&rig.set);
        }
    }
}

static void the_last_word_of_one_source_counts(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    assert_true(put(&rig, ROW_TEXT, "first", OPT_FLAG_GIVEN));
    assert_true(put(&rig, ROW_TEXT, "second", OPT_FLAG_GIVEN));
    shows(&rig, ROW_TEXT, "second");
    assert_true(put(&rig, ROW_TEXT, "", OPT_FLAG_GIVEN));
    assert_null(rig.values.text);
    opt_done(&rig.set);
}

static void an_overruled_value_must_be_a_proper_one_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct rig rig;
        char before[sizeof rig.values];

        rig_init(&rig);
        for (size_t seat = 0; seat <= OPT_SEATS; seat++)
            rig.set.seat_from[seat] = OPT_FLAG_GIVEN;
        rig.set.from[texts[i].row] = OPT_FLAG_GIVEN;
        memcpy(before, &rig.values, sizeof before);
        assert_int_equal(put(&rig, texts[i].row, texts[i].text, OPT_FILE),
                         texts[i].shown != NULL);
        assert_memory_equal(before, &rig.values, sizeof before);
        opt_done(&rig.set);
    }
}

static void seats_are_filled_from_different_sources(void **state)
{
    static const enum opt_source both[][2] = {{OPT_FLAG_GIVEN, OPT_FILE},
                                              {OPT_FILE, OPT_FLAG_GIVEN}};

    (void)state;
    for (size_t i = 0; i < COUNT(both); i++) {
        struct rig rig;

        rig_init(&rig);
        for (size_t j = 0; j < 2; j++) {
            if (both[i][j] == OPT_FILE) {
                assert_true(put(&rig, ROW_SEATED, "file", OPT_FILE));
                assert_true(put(&rig, ROW_SEATED, "2=file2", OPT_FILE));
                assert_true(put(&rig, ROW_SEATED, "3=file3", OPT_FILE));
            } else {
                assert_true(put(&rig, ROW_SEATED, "2=flag2", OPT_FLAG_GIVEN));
            }
        }
        shows(&rig, ROW_SEATED, "file 2=flag2 3=file3");
        assert_int_equal(rig.set.from[ROW_SEATED], OPT_FLAG_GIVEN);
        opt_done(&rig.set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_stand_at_the_start),
        cmocka_unit_test(each_kind_takes_its_values_and_refuses_others),
        cmocka_unit_test(a_refusal_names_place_value_and_what_is_allowed),
        cmocka_unit_test(a_shown_value_is_taken_back),
        cmocka_unit_test(the_stronger_source_wins_in_any_order_of_reading),
        cmocka_unit_test(the_last_word_of_one_source_counts),
        cmocka_unit_test(an_overruled_value_must_be_a_proper_one_too),
        cmocka_unit_test(seats_are_filled_from_different_sources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
