/* test_config_docs.c - docs/configuration.md tells of every option what the tables say:
 * a line that is not there is printed as it has to be.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "proto/config.h"
#include "proto/model_options.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct buf page;

static int read_page(void **state)
{
    struct err err = {0};

    (void)state;
    buf_init(&page, 1 << 20);
    return file_slurp("docs/configuration.md", &page, &err) ? 0 : -1;
}

static int drop_page(void **state)
{
    (void)state;
    buf_done(&page);
    return 0;
}

/* A | would end the cell. */
static void add_cell(struct buf *line, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '|')
            buf_add_text(line, ", ");
        else
            buf_add_char(line, *text);
}

static void add_code(struct buf *line, const char *before, const char *text)
{
    buf_add_text(line, "| ");
    if (text == NULL)
        buf_add_text(line, "- ");
    else
        buf_printf(line, "`%s%s` ", before, text);
}

static void expect_line(const struct buf *line)
{
    if (strstr(buf_text(&page), buf_text(line)) == NULL)
        fail_msg("docs/configuration.md lacks the line\n%s", buf_text(line));
}

/* "| `conversation.personas` | `--personas` | `2` | a whole number ... | How many. |"
 */
static void write_row(const struct opt_row *row, struct buf *line)
{
    struct buf allowed;

    buf_init(&allowed, 1000);
    opt_allowed(row, &allowed);
    buf_add_char(line, '\n');
    add_code(line, "", row->key);
    add_code(line, "--", row->flag);
    add_code(line, "", row->fallback);
    buf_add_text(line, "| ");
    add_cell(line, buf_text(&allowed));
    buf_add_text(line, " | ");
    buf_add_char(line, (char)toupper((unsigned char)row->help[0]));
    add_cell(line, row->help + 1);
    buf_add_text(line, ". |\n");
    buf_done(&allowed);
}

static void each_option_has_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_row_count; i++) {
        struct buf line;

        buf_init(&line, 2000);
        write_row(&config_rows[i], &line);
        expect_line(&line);
        buf_done(&line);
    }
}

static void each_group_has_its_heading(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_row_count; i++) {
        struct buf line;

        if (config_rows[i].group == NULL)
            continue;
        buf_init(&line, 200);
        buf_printf(&line, "\n### %s\n", config_rows[i].group);
        expect_line(&line);
        buf_done(&line);
    }
}

/* "| `top_k` | `top_k` | a whole number from 0 to 1000000 |" */
static void each_option_of_a_model_has_its_line(void **state)
{
    static const char *const kinds[] = {
        [MODEL_OPTION_INT] = "a whole number", [MODEL_OPTION_REAL] = "a number"};
    const struct model_option *option;

    (void)state;
    for (size_t i = 0; (option = model_option(i)) != NULL; i++) {
        struct buf line;

        if (option->own)
            continue;
        buf_init(&line, 200);
        buf_add_char(&line, '\n');
        add_code(&line, "", option->name);
        add_code(&line, "", option->openai);
        if (option->kind == MODEL_OPTION_BOOL)
            buf_add_text(&line, "| true or false |");
        else
            buf_printf(&line, "| %s from %.15g to %.15g |", kinds[option->kind],
                       option->min, option->max);
        expect_line(&line);
        buf_done(&line);
    }
}

/* No line for what is gone. */
static void no_line_is_of_an_option_that_is_not_there(void **state)
{
    struct str rest = buf_str(&page);

    (void)state;
    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);
        struct str cells = line;
        struct str flag;
        bool found = false;

        (void)str_cut(cells, '|', &cells);
        (void)str_cut(cells, '|', &cells);
        flag = str_trim(str_cut(cells, '|', &cells));
        if (!str_starts(line, "| ") || !str_starts(flag, "`--"))
            continue;
        flag = str_make(flag.at + 3, flag.len - 4);
        for (size_t i = 0; i < config_row_count; i++)
            found = found || str_is(flag, config_rows[i].flag);
        if (!found)
            fail_msg("there is no option --%.*s", (int)flag.len, flag.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_has_its_line),
        cmocka_unit_test(each_group_has_its_heading),
        cmocka_unit_test(each_option_of_a_model_has_its_line),
        cmocka_unit_test(no_line_is_of_an_option_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, read_page, drop_page);
}
