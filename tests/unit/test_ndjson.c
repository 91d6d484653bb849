/* test_ndjson.c - a stream gives the same lines wherever its chunks end. */
#include <string.h>

#include "proto/ndjson.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

struct seen {
    struct buf lines; /* each with a '|' behind */
    int stop_after;   /* lines; 0: never */
    int count;
};

static bool on_line(void *owner, struct str line)
{
    struct seen *seen = owner;

    buf_add_str(&seen->lines, line);
    buf_add_char(&seen->lines, '|');
    return ++seen->count != seen->stop_after;
}

static struct seen seen_new(int stop_after)
{
    struct seen seen = {.stop_after = stop_after};

    buf_init(&seen.lines, 1000);
    return seen;
}

static bool feed(struct ndjson *ndjson, struct str bytes, struct seen *seen)
{
    struct err err = {0};
    bool ok = ndjson_feed(ndjson, bytes, on_line, seen, &err);

    assert_int_equal(err.code, ok ? ERR_NONE : ERR_LIMIT);
    return ok;
}

static const char stream[] = "{\"a\":1}\r\n\n\r\n{}\n\r\rx\r\ny\0z\nlast";

static void a_cut_at_any_two_bytes_gives_the_same_lines(void **state)
{
    static const char want[] = "{\"a\":1}|{}|\r\rx|y\0z|";
    struct str all = str_make(stream, sizeof stream - 1);

    (void)state;
    for (size_t a = 0; a <= all.len; a++) {
        for (size_t b = a; b <= all.len; b++) {
            struct ndjson ndjson;
            struct seen seen = seen_new(0);

            ndjson_init(&ndjson, 7);
            assert_true(feed(&ndjson, str_make(all.at, a), &seen));
            assert_true(feed(&ndjson, str_make(all.at + a, b - a), &seen));
            assert_true(feed(&ndjson, str_make(all.at + b, all.len - b), &seen));
            assert_int_equal(seen.lines.len, sizeof want - 1);
            assert_memory_equal(seen.lines.at, want, sizeof want - 1);
            assert_true(str_is(ndjson_rest(&ndjson), "last"));
            buf_done(&seen.lines);
            ndjson_done(&ndjson);
        }
    }
}

static void the_maximum_holds_wherever_the_chunks_end(void **state)
{
    static const struct {
        const char *text;
        bool fits;
    } cases[] = {
        {"12345\n", true},       {"12345\r\n", true},      {"123456\n", false},
        {"12345\r\r\n", false},  {"123456", false},        {"12345\r6\n", false},
        {"1\n12345\n2\n", true}, {"1\n123456\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].text);

        for (size_t cut = 0; cut <= len; cut++) {
            struct ndjson ndjson;
            struct seen seen = seen_new(0);
            bool ok;

            ndjson_init(&ndjson, 5);
            ok = feed(&ndjson, str_make(cases[i].text, cut), &seen)
                 && feed(&ndjson, str_make(cases[i].text + cut, len - cut), &seen);
            assert_int_equal(ok, cases[i].fits);
            buf_done(&seen.lines);
            ndjson_done(&ndjson);
        }
    }
}

static void stopping_drops_the_rest(void **state)
{
    struct ndjson ndjson;
    struct seen seen = seen_new(2);

    (void)state;
    ndjson_init(&ndjson, 10);
    assert_true(feed(&ndjson, str_of("a\nb"), &seen));
    assert_true(feed(&ndjson, str_of("\nc\nd"), &seen));
    assert_string_equal(buf_text(&seen.lines), "a|b|");
    assert_int_equal(ndjson_rest(&ndjson).len, 0);
    buf_done(&seen.lines);
    ndjson_done(&ndjson);
}

static void nothing_in_nothing_out(void **state)
{
    struct ndjson ndjson;
    struct seen seen = seen_new(0);

    (void)state;
    ndjson_init(&ndjson, 10);
    assert_true(feed(&ndjson, str_of(""), &seen));
    assert_int_equal(ndjson_rest(&ndjson).len, 0);
    assert_int_equal(seen.count, 0);
    buf_done(&seen.lines);
    ndjson_done(&ndjson);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_at_any_two_bytes_gives_the_same_lines),
        cmocka_unit_test(the_maximum_holds_wherever_the_chunks_end),
        cmocka_unit_test(stopping_drops_the_rest),
        cmocka_unit_test(nothing_in_nothing_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
