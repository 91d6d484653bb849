/* test_report_page.c - one small page in a terminal, in Markdown and in HTML: golden
 * texts, straight columns, and nothing of a hostile name that could do harm.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/page.h"
#include "analyzer/page_html.h"
#include "analyzer/page_markdown.h"
#include "analyzer/page_term.h"
#include "base/buf.h"
#include "base/width.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { MAX_BYTES = 64 * 1024 };

static const struct page_column columns[] = {
    {"name", ALIGN_LEFT, 8, 0},
    {"turns", ALIGN_RIGHT, 0, 0},
    {"tokens/s", ALIGN_RIGHT, 0, 2},
    {"", ALIGN_LEFT, 0, 1},
};

static void add_row(struct page *page, const char *name, int64_t turns, double rate)
{
    page_cell_text(page, PEN_PLAIN, name);
    page_cell_count(page, turns);
    page_cell_number(page, rate);
    page_cell_bar(page, rate, 60);
}

static struct page *small_page(const char *name)
{
    static const double values[] = {1, 2, NAN, 4};
    struct page *page = page_new();

    page_section(page, "By persona");
    page_words(page, PEN_WARN, "One of %d answered.", 2);
    page_table(page, columns, 4);
    add_row(page, name, 1234, 57.236);
    add_row(page, NULL, -1, NAN);
    page_section(page, "Over time");
    page_table(page, &columns[3], 1);
    page_cell_spark(page, values, 4);
    return page;
}

static void expect_term(const struct page *page, struct page_term term,
                        const char *golden)
{
    struct buf into;

    buf_init(&into, MAX_BYTES);
    page_term(page, &term, &into);
    assert_string_equal(buf_text(&into), golden);
    buf_done(&into);
}

static void a_terminal_gets_aligned_tables(void **state)
{
    struct page *page = small_page("Ada Quill");

    (void)state;
    expect_term(page, (struct page_term){.width = 48},
                "By persona\n"
                "  One of 2 answered.\n"
                "  name       turns  tokens/s\n"
                "  Ada Quill  1,234     57.24  █████████████████▏\n"
                "  -              -         -\n"
                "\n"
                "Over time\n"
                "  ▃▃▃▃▃▃▃▃▃▃▃▃▅▅▅▅▅▅▅▅▅▅▅            ███████████\n");
    page_free(page);
}

static void ascii_mode_has_no_other_letters_of_ours(void **state)
{
    struct page *page = small_page("Ada Quill of Nowhere in Particular");

    (void)state;
    expect_term(page, (struct page_term){.width = 48, .ascii = true},
                "By persona\n"
                "  One of 2 answered.\n"
                "  name               turns  tokens/s\n"
                "  Ada Quill of Now~  1,234     57.24  ##########\n"
                "  -                      -         -\n"
                "\n"
                "Over time\n"
                "  ------------===========            ###########\n");
    page_free(page);
}

static void colours_mean_something_and_end(void **state)
{
    struct page *page = page_new();

    (void)state;
    page_section(page, "Now");
    page_words(page, PEN_BAD, "bad");
    page_words(page, PEN_PLAIN, "plain");
    expect_term(page, (struct page_term){.width = 48, .color = true},
                "\033[1mNow\033[0m\n  \033[31mbad\033[0m\n  plain\n");
    page_free(page);
}

/* Every row of every width in columns that stand below each other. */
static void check_straight(const char *name, unsigned width)
{
    struct page *page = small_page(name);
    struct page_term term = {.width = width};
    struct buf into;
    struct str rest;

    buf_init(&into, MAX_BYTES);
    page_term(page, &term, &into);
    rest = buf_str(&into);
    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);
        const char *number = line.len == 0 ? NULL : strstr(line.at, "1,234");

        assert_true(width_text(line) <= width);
        for (size_t i = 0; i < line.len; i++)
            assert_true((unsigned char)line.at[i] >= ' ');
        if (number != NULL && number < line.at + line.len) {
            struct str heads = str_of(strstr(buf_text(&into), "  name"));
            const char *turns = strstr(heads.at, "turns");

            assert_int_equal(
                width_text(str_make(line.at, (size_t)(number - line.at))),
                width_text(str_make(heads.at, (size_t)(turns - heads.at))));
        }
    }
    buf_done(&into);
    page_free(page);
}

static void columns_stay_straight_whatever_a_name_is(void **state)
{
    static const char *const names[] = {
        "日本語の名前がここに",
        "e\xCC\x81"
        "cole",
        "👩‍👩‍👧‍👦 family",
        "🇩🇪 flag",
        "\033[2J\033]0;title\007",
        "\xFF\xFE broken",
        "a name that is far too long for any table of this width, really",
        "\xE2\x80\xAE"
        "evil",
        "tab\there\nline",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (unsigned width = PAGE_TERM_MIN; width <= 120; width += 8)
            check_straight(names[i], width);
}

static void what_does_not_fit_is_left_out_in_order(void **state)
{
    static const struct page_column many[] = {
        {"first column of them", ALIGN_LEFT, 0, 0},
        {"second column of them", ALIGN_LEFT, 0, 1},
        {"third column of them", ALIGN_LEFT, 0, 2},
    };
    struct page *page = page_new();

    (void)state;
    page_table(page, many, 3);
    for (int i = 0; i < 3; i++)
        page_cell_text(page, PEN_PLAIN, "x");
    expect_term(page, (struct page_term){.width = 50},
                "  first column of them  second column of them\n"
                "  x                     x\n");
    expect_term(page, (struct page_term){.width = 40}, "  first column of them\n  x\n");
    page_free(page);
}

static void words_are_wrapped_at_blanks(void **state)
{
    struct page *page = page_new();

    (void)state;
    page_words(page, PEN_PLAIN, "%s",
               "Thirty-six turns in three conversations, and not one of them failed.");
    expect_term(page, (struct page_term){.width = 40},
                "  Thirty-six turns in three\n"
                "  conversations, and not one of them\n"
                "  failed.\n");
    page_free(page);
}

static void markdown_has_tables_and_no_foreign_markup(void **state)
{
    struct page *page = small_page("<b>|[x](y)");
    struct buf into;

    (void)state;
    buf_init(&into, MAX_BYTES);
    page_markdown(page, &into);
    assert_string_equal(buf_text(&into), "## By persona\n"
                                         "\n"
                                         "One of 2 answered\\.\n"
                                         "\n"
                                         "| name | turns | tokens/s |  |\n"
                                         "| --- | ---: | ---: | --- |\n"
                                         "| &lt;b\\>\\|\\[x\\](y) | 1,234 | 57\\.24 | "
                                         "██████████████████████▉  |\n"
                                         "| - | - | - |                          |\n"
                                         "\n"
                                         "## Over time\n"
                                         "\n"
                                         "|  |\n"
                                         "| --- |\n"
                                         "| ▃▃▃▃▃▃▅▅▅▅▅▅      ██████ |\n");
    buf_done(&into);
    page_free(page);
}

static void html_is_escaped_and_draws_what_is_known(void **state)
{
    struct page *page = small_page("</td><script>\"'&\033");
    struct buf into;

    (void)state;
    buf_init(&into, MAX_BYTES);
    page_html(page, 0, SIZE_MAX, &into);
    assert_non_null(strstr(buf_text(&into), "<section><h2>By persona</h2>"));
    assert_non_null(strstr(buf_text(&into), "<p class=\"words warn\">One of 2"));
    assert_non_null(strstr(buf_text(&into),
                           "<td class=\"text\">&lt;/td&gt;&lt;script&gt;&quot;&#39;"
                           "&amp;&lt;U+001B&gt;</td>"));
    assert_non_null(strstr(buf_text(&into), "<rect width=\"95.4\" height=\"10\"/>"));
    assert_non_null(strstr(buf_text(&into), "<rect x=\"3\" y=\"0.0\""));
    assert_null(strstr(buf_text(&into), "<rect x=\"2\"")); /* unknown */
    assert_null(strstr(buf_text(&into), "style"));
    buf_done(&into);
    page_free(page);
}

static void html_of_some_sections_closes_each_of_them(void **state)
{
    struct page *page = page_new();
    struct buf into;

    (void)state;
    page_section(page, "one");
    page_section(page, "two");
    page_section(page, "three");
    buf_init(&into, MAX_BYTES);
    page_html(page, 1, 2, &into);
    assert_string_equal(buf_text(&into), "<section><h2>two</h2>\n</section>\n");
    buf_clear(&into);
    page_html(page, 2, SIZE_MAX, &into);
    assert_string_equal(buf_text(&into), "<section><h2>three</h2>\n</section>\n");
    buf_done(&into);
    page_free(page);
}

static void numbers_for_people_are_short(void **state)
{
    (void)state;
    assert_string_equal(page_number(0.0414), "0.041");
    assert_string_equal(page_number(57.236), "57.24");
    assert_string_equal(page_number(812.44), "812.4");
    assert_string_equal(page_number(123456), "123456");
    assert_string_equal(page_number(1234e3), "1234k");
    assert_string_equal(page_number(0), "0");
    assert_string_equal(page_number(NAN), "-");
    assert_string_equal(page_share(0.5), "50.0 %");
    assert_string_equal(page_share(NAN), "-");
    assert_string_equal(page_count(-1), "-");
    assert_string_equal(page_count(999), "999");
    assert_string_equal(page_count(1000), "1,000");
    assert_string_equal(page_count(1234567), "1,234,567");
    assert_string_equal(page_span(0), "0 ms");
    assert_string_equal(page_span(0.0514), "0.051 ms");
    assert_string_equal(page_span(4), "4 ms");
    assert_string_equal(page_span(9.96), "10 ms");
    assert_string_equal(page_span(850), "850 ms");
    assert_string_equal(page_span(12400), "12.4 s");
    assert_string_equal(page_span(200e3), "3 min 20 s");
    assert_string_equal(page_span(7500e3), "2 h 05 min");
    assert_string_equal(page_span(NAN), "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminal_gets_aligned_tables),
        cmocka_unit_test(ascii_mode_has_no_other_letters_of_ours),
        cmocka_unit_test(colours_mean_something_and_end),
        cmocka_unit_test(columns_stay_straight_whatever_a_name_is),
        cmocka_unit_test(what_does_not_fit_is_left_out_in_order),
        cmocka_unit_test(words_are_wrapped_at_blanks),
        cmocka_unit_test(markdown_has_tables_and_no_foreign_markup),
        cmocka_unit_test(html_is_escaped_and_draws_what_is_known),
        cmocka_unit_test(html_of_some_sections_closes_each_of_them),
        cmocka_unit_test(numbers_for_people_are_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
