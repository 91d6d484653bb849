/* test_config_rows.c - every row of the table of options keeps the rules of the table.
 * A new row is tested by being there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/config.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum {
    ALL_COMMANDS = 2 * FOR_PAUSE - 1,
    FLAG_MAX_LETTERS = 40,
    HELP_MAX_LETTERS = 160
};

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void no_two_rows_share_flag_key_variable_or_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_row_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct opt_row *a = &config_rows[i];
            const struct opt_row *b = &config_rows[j];

            if (same(a->flag, b->flag) || same(a->key, b->key) || same(a->env, b->env)
                || a->offset == b->offset)
                fail_msg("--%s and --%s", a->flag, b->flag);
        }
}

static void flags_and_keys_are_written_alike(void **state)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz";

    (void)state;
    assert_in_range(config_row_count, 1, OPT_ROWS_MAX);
    for (size_t i = 0; i < config_row_count; i++) {
        const struct opt_row *row = &config_rows[i];
        struct str name;
        struct str section = str_cut(str_of(row->key), '.', &name);

        assert_in_range(strlen(row->flag), 2, FLAG_MAX_LETTERS);
        assert_int_equal(strspn(row->flag, "abcdefghijklmnopqrstuvwxyz-"),
                         strlen(row->flag));
        if (row->key == NULL)
            continue;
        if (strspn(section.at, small) != section.len
            || strspn(name.at, "abcdefghijklmnopqrstuvwxyz_") != name.len
            || section.len == 0 || name.len == 0)
            fail_msg("%s", row->key);
        if ((row->kind == OPT_DURATION) != (strstr(row->key, "_seconds") != NULL))
            fail_msg("%s: durations in the file are seconds and say so", row->key);
    }
}

static void help_is_there_and_ends_without_a_full_stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_row_count; i++) {
        const struct opt_row *row = &config_rows[i];
        size_t len = row->help == NULL ? 0 : strlen(row->help);

        if (len == 0 || len > HELP_MAX_LETTERS || strchr(".:; ", row->help[len - 1]))
            fail_msg("--%s: '%s'", row->flag, row->help);
        if ((row->value == NULL) != (row->kind == OPT_FLAG))
            fail_msg("--%s: what its value is called", row->flag);
    }
}

static void each_row_fits_its_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_row_count; i++) {
        const struct opt_row *row = &config_rows[i];
        bool number = row->kind == OPT_INT || row->kind == OPT_REAL
                      || row->kind == OPT_DURATION || row->kind == OPT_RANGE;
        bool bounded = row->min < row->max;

        if (number != bounded || (row->choices != NULL) != (row->kind == OPT_CHOICE))
            fail_msg("--%s: bounds or choices", row->flag);
        if (row->none && row->kind != OPT_INT && row->kind != OPT_DURATION)
            fail_msg("--%s: none", row->flag);
        if (row->none && row->min <= OPT_NONE)
            fail_msg("--%s: none is a value of it", row->flag);
        if (row->commands == 0 || row->commands > ALL_COMMANDS)
            fail_msg("--%s: whom it is for", row->flag);
        if (row->kind == OPT_FLAG && row->fallback != NULL)
            fail_msg("--%s: a switch is off until it is given", row->flag);
    }
}

static void every_default_is_a_value_of_its_row(void **state)
{
    struct config values = {0};
    struct opt_set set;

    (void)state;
    opt_init(&set, config_rows, config_row_count, &values);
    for (size_t i = 0; i < config_row_count; i++) {
        const struct opt_row *row = &config_rows[i];
        struct err err = {0};

        assert_int_equal(set.from[i], OPT_DEFAULT);
        if (row->fallback != NULL
            && !opt_put(&set, i, row->fallback, OPT_FLAG_GIVEN, row->flag, &err))
            fail_msg("%s", err.msg);
    }
    opt_done(&set);
}

static void take(struct opt_set *set, size_t row, const char *text, bool wanted)
{
    char *where = x_printf("--%s", set->rows[row].flag);
    char *start = x_printf("%s: '%s' is not ", where, text);
    struct err err = {0};

    if (opt_put(set, row, text, OPT_FLAG_GIVEN, where, &err) != wanted)
        fail_msg("%s=%s %s", where, text, wanted ? err.msg : "was taken");
    if (!wanted && (err.code != ERR_USAGE || strstr(err.msg, start) != err.msg))
        fail_msg("%s", err.msg);
    free(start);
    free(where);
}

static void take_number(struct opt_set *set, size_t row, double number, bool wanted)
{
    struct buf text;

    buf_init(&text, 100);
    switch (set->rows[row].kind) {
    case OPT_DURATION:
        buf_printf(&text, "%.0fms", number);
        break;
    case OPT_REAL:
        buf_printf(&text, "%.1f", number);
        break;
    default:
        buf_printf(&text, "%.0f", number);
        break;
    }
    take(set, row, buf_text(&text), wanted);
    buf_done(&text);
}

static void numbers_are_taken_from_min_to_max_and_no_further(void **state)
{
    struct config values = {0};
    struct opt_set set;

    (void)state;
    opt_init(&set, config_rows, config_row_count, &values);
    for (size_t i = 0; i < config_row_count; i++) {
        const struct opt_row *row = &config_rows[i];

        if (row->min >= row->max)
            continue;
        take_number(&set, i, row->min, true);
        take_number(&set, i, row->max, true);
        take_number(&set, i, row->min - 1, false);
        take_number(&set, i, row->max + 1, false);
        take(&set, i, "", false);
        take(&set, i, "many", false);
        take(&set, i, "none", row->none);
    }
    opt_done(&set);
}

static void choices_are_taken_and_nothing_else(void **state)
{
    struct config values = {0};
    struct opt_set set;

    (void)state;
    opt_init(&set, config_rows, config_row_count, &values);
    for (size_t i = 0; i < config_row_count; i++) {
        struct str rest = str_of(config_rows[i].choices);

        if (config_rows[i].kind != OPT_CHOICE)
            continue;
        while (rest.len > 0) {
            struct str choice = str_cut(rest, '|', &rest);
            char *text = x_memdup(choice.at, choice.len);

            take(&set, i, text, true);
            free(text);
        }
        take(&set, i, config_rows[i].choices, false);
        take(&set, i, "", false);
    }
    opt_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_rows_share_flag_key_variable_or_place),
        cmocka_unit_test(flags_and_keys_are_written_alike),
        cmocka_unit_test(help_is_there_and_ends_without_a_full_stop),
        cmocka_unit_test(each_row_fits_its_kind),
        cmocka_unit_test(every_default_is_a_value_of_its_row),
        cmocka_unit_test(numbers_are_taken_from_min_to_max_and_no_further),
        cmocka_unit_test(choices_are_taken_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
