/* test_markup.c - no text from outside becomes markup. */
#include <stdint.h>

#include "base/markup.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { MAX_BYTES = 4096 };

static void expect_html(const char *text, const char *escaped)
{
    struct buf into;

    buf_init(&into, MAX_BYTES);
    assert_true(markup_html(&into, str_of(text)));
    assert_string_equal(buf_text(&into), escaped);
    buf_done(&into);
}

static void expect_markdown(const char *text, const char *escaped)
{
    struct buf into;

    buf_init(&into, MAX_BYTES);
    assert_true(markup_markdown(&into, str_of(text)));
    assert_string_equal(buf_text(&into), escaped);
    buf_done(&into);
}

static void html_can_neither_open_an_element_nor_end_an_attribute(void **state)
{
    (void)state;
    expect_html("<script>a&b</script>", "&lt;script&gt;a&amp;b&lt;/script&gt;");
    expect_html("\" onload='x'", "&quot; onload=&#39;x&#39;");
    expect_html("two\nlines", "two\nlines");
    expect_html("\033]52;c;x\007", "&lt;U+001B&gt;]52;c;x&lt;U+0007&gt;");
    expect_html("", "");
}

static void markdown_cannot_become_a_link_a_cell_or_html(void **state)
{
    (void)state;
    expect_markdown("a|b", "a\\|b");
    expect_markdown("[x](http://y)", "\\[x\\](http\\://y)");
    expect_markdown("<b>&amp;", "&lt;b\\>&amp;amp;");
    expect_markdown("*a* _b_ `c`", "\\*a\\* \\_b\\_ \\`c\\`");
    expect_markdown("two\nlines\there", "two lines here");
    expect_markdown("www.example", "www\\.example");
}

static void a_full_buffer_is_told(void **state)
{
    struct buf into;

    (void)state;
    buf_init(&into, 4);
    assert_false(markup_html(&into, str_of("<<<<")));
    buf_done(&into);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(html_can_neither_open_an_element_nor_end_an_attribute),
        cmocka_unit_test(markdown_cannot_become_a_link_a_cell_or_html),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
