/* test_sse.c - server-sent events: a stream gives the same events wherever its chunks
 * end. */

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/sse.h"

enum { MOST = 40 };

struct seen {
    struct buf events; /* "<name>:<data>" or "!<error>", '|' behind each */
    int stop_after;    /* events; 0: never */
    int count;
};

static void note(struct seen *seen, const struct sse_event *event)
{
    if (event->error.len > 0) {
        buf_add_char(&seen->events, '!');
        buf_add_str(&seen->events, event->error);
    }
    buf_add_str(&seen->events, event->name);
    buf_add_char(&seen->events, ':');
    buf_add_str(&seen->events, event->data);
    buf_add_char(&seen->events, '|');
}

static bool on_event(void *owner, const struct sse_event *event)
{
    struct seen *seen = owner;

    note(seen, event);
    return ++seen->count != seen->stop_after;
}

/* Feeds up to `a`, up to `b` and the rest, each piece in memory of its own; what is
 * left behind the last event stands behind a '~'. */
static bool feed(struct seen *seen, struct str all, size_t a, size_t b)
{
    const size_t ends[] = {a, b, all.len};
    struct sse sse;
    struct sse_event rest;
    struct err err = {0};
    size_t at = 0;
    bool ok = true;

    sse_init(&sse, MOST);
    buf_init(&seen->events, 10000);
    for (size_t i = 0; ok && i < 3; i++) {
        char *piece = x_memdup(all.at + at, ends[i] - at);

        ok = sse_feed(&sse, str_make(piece, ends[i] - at), on_event, seen, &err);
        free(piece);
        at = ends[i];
    }
    assert_int_equal(err.code, ok ? ERR_NONE : ERR_LIMIT);
    if (ok && sse_rest(&sse, &rest)) {
        buf_add_char(&seen->events, '~');
        note(seen, &rest);
    }
    sse_done(&sse);
    return ok;
}

static const struct {
    const char *stream;
    const char *events;
} forms[] = {
    {"", ""},
    {"data: a\n\n", ":a|"},
    {"data:a\n\n", ":a|"},
    {"data:  a\n\n", ": a|"},
    {"data: a\r\n\r\ndata: b\r\n\r\n", ":a|:b|"},
    {"data: a\r\rdata: b\r\r", ":a|:b|"},
    {"data: a\r\n\rdata: b\n\r\n", ":a|:b|"},
    {"\xEF\xBB\xBF"
     "data: a\n\n",
     ":a|"},
    {"\xEF\xBB\xBF\n\ndata: a\n\n", ":a|"},
    /* Only one, and only at the start. */
    {"\xEF\xBB\xBF\xEF\xBB\xBF"
     "data: a\n\ndata: b\n\n",
     ":b|"},
    {"\n\xEF\xBB\xBF"
     "data: a\n\ndata: b\n\n",
     ":b|"},
    {"data: a\ndata: b\n\n", ":a\nb|"},
    {"data: a\ndata\ndata: b\n\n", ":a\n\nb|"},
    {"data\ndata\n\n", ":\n|"},
    {"data: \ndata: a\n\n", ":\na|"},
    /* An event without data is none. */
    {"data\n\ndata:\n\ndata: \n\nevent: x\n\ndata: a\n\n", ":a|"},
    {": comment\n:\n\ndata: a\n:\n\n", ":a|"},
    {"event: x\ndata: a\n\ndata: b\n\n", "x:a|:b|"},
    {"event: x\nevent: y\ndata: a\n\n", "y:a|"},
    {"id: 1\nretry: 5\nwhat: ever\nnothing\ndata: a\nid\n\n", ":a|"},
    {" data: a\nDATA: b\ndata : c\ndata: d\n\n", ":d|"},
    {"error: bad\n\ndata: a\n\n", "!bad:|:a|"},
    {"data: a\nerror: bad\n\n", "!bad:a|"},
    {"\n\n\n\ndata: a\n\n\n\n", ":a|"},
    {"data: a:b: c\n\n", ":a:b: c|"},
    /* What stands behind the last empty line. */
    {"data: a", "~:a|"},
    {"data: a\n", "~:a|"},
    {"data: a\r\n", "~:a|"},
    {"data: a\r", "~:a|"},
    {"data: a\n\ndata: b\ndata: c", ":a|~:b\nc|"},
    {"data: a\ndata", "~:a|"},
    {"data: a\nevent: x", "~x:a|"},
    {"error: bad", "~!bad:|"},
    {"dat", ""},
    {"data", ""},
    {"data:", ""},
    {": comment", ""},
    {"\xEF\xBB\xBF"
     "data: a",
     "~:a|"},
};

static void a_cut_at_any_two_bytes_gives_the_same_events(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct str all = str_of(forms[i].stream);

        for (size_t a = 0; a <= all.len; a++) {
            for (size_t b = a; b <= all.len; b++) {
                struct seen seen = {0};

                assert_true(feed(&seen, all, a, b));
                assert_string_equal(buf_text(&seen.events), forms[i].events);
                buf_done(&seen.events);
            }
        }
    }
}

#define TEN    "1234567890"
#define THIRTY TEN TEN TEN

static void the_maximum_holds_wherever_the_chunks_end(void **state)
{
    static const struct {
        const char *stream;
        bool fits;
    } rows[] = {
        {"data: " THIRTY "1234\n\n", true}, /* a line of 40 */
        {"data: " THIRTY "12345\n\n", false},
        {"data: " THIRTY "1234\r\n\r\n", true},
        {"data: " THIRTY "12345", false},
        {":" THIRTY TEN "\n", false},                    /* a comment is a line too */
        {"data: " THIRTY "\ndata: 123456789\n\n", true}, /* with its LF: 40 */
        {"data: " THIRTY "\ndata: " TEN "\n\n", false},
        {"data: " THIRTY "\n\ndata: " THIRTY "\n\n", true},
        {"x\ny\nz\n" TEN "\n" TEN "\n" TEN "\n" TEN "\n" TEN "\n", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str all = str_of(rows[i].stream);

        for (size_t a = 0; a <= all.len; a++) {
            struct seen seen = {0};

            assert_int_equal(feed(&seen, all, a, a), rows[i].fits);
            buf_done(&seen.events);
        }
    }
}

static void stopping_drops_the_rest(void **state)
{
    static const char stream[] = "data: a\n\ndata: b\n\ndata: c\n\ndata: d";
    struct seen seen = {.stop_after = 2};
    struct sse sse;
    struct sse_event rest;
    struct err err = {0};

    (void)state;
    sse_init(&sse, MOST);
    buf_init(&seen.events, 100);
    assert_true(sse_feed(&sse, str_of(stream), on_event, &seen, &err));
    assert_string_equal(buf_text(&seen.events), ":a|:b|");
    assert_false(sse_rest(&sse, &rest));
    buf_done(&seen.events);
    sse_done(&sse);
}

static void lines_that_are_no_fields_are_counted(void **state)
{
    static const struct {
        const char *stream;
        size_t foreign;
    } rows[] = {
        {"data: a\nid: 1\nevent: x\nretry: 2\nerror: y\n: z\n\n", 0},
        {"<html>\n<body>\n", 2},
        {"\x1B[31m garbage without an end", 1},
        {"dat", 0},
        {"event", 0},
        {"events", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen seen = {0};
        struct sse sse;
        struct sse_event rest;

        sse_init(&sse, MOST);
        buf_init(&seen.events, 100);
        assert_true(sse_feed(&sse, str_of(rows[i].stream), on_event, &seen, NULL));
        assert_false(sse_rest(&sse, &rest));
        assert_int_equal(sse.foreign_lines, rows[i].foreign);
        buf_done(&seen.events);
        sse_done(&sse);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_at_any_two_bytes_gives_the_same_events),
        cmocka_unit_test(the_maximum_holds_wherever_the_chunks_end),
        cmocka_unit_test(stopping_drops_the_rest),
        cmocka_unit_test(lines_that_are_no_fields_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
