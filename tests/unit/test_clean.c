/* test_clean.c - what is taken out of a reply, and that it does not matter how the
 * reply was cut into pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "worker/clean.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { WIDE = 4000 };

static struct cast cast;
static struct clean clean;

static int set_up(void **state)
{
    static const char *const names[] = {"Ada Quill", "Ben Oak", "Zo\xC3\xAB"};

    (void)state;
    cast.seat_count = 3;
    cast.seats = x_calloc(3, sizeof *cast.seats);
    for (size_t i = 0; i < 3; i++) {
        seat_init(&cast.seats[i]);
        cast.seats[i].persona.name = x_strdup(names[i]);
    }
    clean_init(&clean);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    clean_done(&clean);
    cast_done(&cast);
    return 0;
}

struct row {
    const char *raw;
    const char *text;
    const char *words;
    size_t max_bytes; /* 0: wide */
    bool at_limit;
};

/* Feeds [0, first), [first, second), [second, end); what was shown on the way must be
 * the beginning of what came later. */
static void feed(const struct row *row, size_t first, size_t second)
{
    const size_t borders[] = {0, first, second, strlen(row->raw)};
    char *shown = NULL;
    unsigned restarts = 0;

    clean_begin(&clean, &cast, 1, row->max_bytes == 0 ? WIDE : row->max_bytes);
    for (size_t i = 0; i < 3; i++) {
        struct str text;

        (void)clean_feed(&clean,
                         str_make(row->raw + borders[i], borders[i + 1] - borders[i]));
        text = clean_text(&clean);
        if (shown != NULL && restarts == clean.restarts
            && strncmp(text.at, shown, strlen(shown)) != 0)
            fail_msg("'%s' was shown, then '%.*s'", shown, (int)text.len, text.at);
        restarts = clean.restarts;
        free(shown);
        shown = x_memdup(text.at, text.len);
    }
    clean_end(&clean, row->at_limit);
    free(shown);
}

static void expect(const struct row *row, size_t first, size_t second)
{
    char words[CLEAN_WORDS_SIZE];

    if (!str_is(clean_text(&clean), row->text))
        fail_msg("'%s' cut at %zu and %zu: '%.*s'", row->raw, first, second,
                 (int)clean_text(&clean).len, clean_text(&clean).at);
    clean_words(clean.changes, words);
    if (strcmp(words, row->words) != 0)
        fail_msg("'%s' cut at %zu and %zu: [%s]", row->raw, first, second, words);
}

/* Whole, and in three pieces at every pair of places. */
static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(rows[i].raw);

        for (size_t first = 0; first <= len; first++)
            for (size_t second = first; second <= len; second++) {
                feed(&rows[i], first, second);
                expect(&rows[i], first, second);
            }
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void words_that_are_fine_stay_as_they_are(void **state)
{
    static const struct row rows[] = {
        {"Good evening.", "Good evening.", "", 0, false},
        {"", "", "", 0, false},
        {"Line one.\n\n  Line two,\tindented.", "Line one.\n\n  Line two,\tindented.",
         "", 0, false},
        {"1 < 2 and <b>bold</b>", "1 < 2 and <b>bold</b>", "", 0, false},
        {"Na\xC3\xAFve caf\xC3\xA9 \xF0\x9F\x98\x80!",
         "Na\xC3\xAFve caf\xC3\xA9 \xF0\x9F\x98\x80!", "", 0, false},
        {"Adam: is a name", "Adam: is a name", "", 0, false},
        {"Ada Quill is my name.\nAda is short for it.",
         "Ada Quill is my name.\nAda is short for it.", "", 0, false},
        {"I asked Ben Oak: why?", "I asked Ben Oak: why?", "", 0, false},
        {"Well.\nBen Oak said: no.", "Well.\nBen Oak said: no.", "", 0, false},
        {"Well.\n[Be", "Well.\n[Be", "", 0, false},
        {"Ada", "Ada", "", 0, false},
        {"<thin", "<thin", "", 0, false},
    };

    (void)state;
    CHECK(rows);
}

static void the_own_name_in_front_goes(void **state)
{
    static const struct row rows[] = {
        {"Ada Quill: Good evening.", "Good evening.", "name_prefix", 0, false},
        {"ada quill:Good evening.", "Good evening.", "name_prefix", 0, false},
        {"Ada: Good evening.", "Good evening.", "name_prefix", 0, false},
        {"**Ada Quill:** Good evening.", "Good evening.", "name_prefix", 0, false},
        {"**Ada Quill**: Good evening.", "Good evening.", "name_prefix", 0, false},
        {"*Ada:* Good evening.", "Good evening.", "name_prefix", 0, false},
        {"[Ada Quill] Good evening.", "Good evening.", "name_prefix", 0, false},
        {"[Ada Quill]: Good evening.", "Good evening.", "name_prefix", 0, false},
        {"Ada Quill: \nAda: Good.", "Good.", "name_prefix", 0, false},
        {"\n Ada Quill: Good.", "Good.", "name_prefix,trimmed", 0, false},
        {"Ada Quill\xEF\xBC\x9AGood.", "Good.", "name_prefix", 0, false},
        {"Good.\nAda Quill: More.", "Good.\nAda Quill: More.", "", 0, false},
        {"Ada Quill:", "", "name_prefix", 0, false},
        {"[Ada]", "", "name_prefix", 0, false},
        {"Quill: Good.", "Good.", "name_prefix", 0, false},
        {"ADA QUILL : Good.", "Good.", "name_prefix", 0, false},
        {"Ada\xC2\xA0: Good.", "Good.", "name_prefix", 0, false},
        {"_Ada_: Good.", "Good.", "name_prefix", 0, false},
        {"**Ada Quill**\nGood.", "Good.", "name_prefix", 0, false},
    };

    (void)state;
    CHECK(rows);
}

static void how_it_is_said_stays(void **state)
{
    static const struct row rows[] = {
        {"Ada (smiling): Good.", "(smiling) Good.", "name_prefix", 0, false},
        {"**Ada Quill (a pause):** Good.", "(a pause) Good.", "name_prefix", 0, false},
        {"**Ada** (softly): Good.", "(softly) Good.", "name_prefix", 0, false},
        {"**Ada (softly)**:Good.", "(softly)Good.", "name_prefix", 0, false},
        {"*smiles* Good. *Ada nods.*", "*smiles* Good. *Ada nods.*", "", 0, false},
        {"(Ada smiles) Good.", "(Ada smiles) Good.", "", 0, false},
        {"Ada (smiling) nods.", "Ada (smiling) nods.", "", 0, false},
        {"Ada (no end", "Ada (no end", "", 0, false},
        {"Ada (one\ntwo): no", "Ada (one\ntwo): no", "", 0, false},
        {"Good.\nBen Oak (angry): No!", "Good.", "foreign_name", 0, false},
        {"Good.\n**Ben** (angry): No!", "Good.", "foreign_name", 0, false},
    };

    (void)state;
    CHECK(rows);
}

static void a_face_is_no_colon(void **state)
{
    static const struct row rows[] = {
        {"Ben :) You came!", "Ben :) You came!", "", 0, false},
        {"Ben:) You came!", "Ben:) You came!", "", 0, false},
        {"Good.\nBen :-D", "Good.\nBen :-D", "", 0, false},
        {"Ada :", "", "name_prefix", 0, false},
    };

    (void)state;
    CHECK(rows);
}

static void rename_seat(size_t seat, const char *name)
{
    free(cast.seats[seat - 1].persona.name);
    cast.seats[seat - 1].persona.name = x_strdup(name);
}

static void names_are_known_in_other_scripts_and_spellings(void **state)
{
    static const struct row rows[] = {
        {"\xD0\x90\xD0\x9D\xD0\x9D\xD0\x90: \xD0\x94\xD0\xB0.", "\xD0\x94\xD0\xB0.",
         "name_prefix", 0, false}, /* the capitals of the own name, Cyrillic */
        {"Hm.\nProf. Dr. Tom O\xE2\x80\x99Neill: no", "Hm.", "foreign_name", 0, false},
        {"Hm.\ntom O'neill: no", "Hm.", "foreign_name", 0, false},
        {"Hm.\nTom: no", "Hm.", "foreign_name", 0, false},
        {"Hm.\nDr.: no", "Hm.\nDr.: no", "", 0, false},
        {"Hm.\nTom O'Neill: no", "Hm.", "foreign_name", 0, false},
        {"Hm.\n\xE6\x9E\x97\xEF\xBC\x9A no", "Hm.", "foreign_name", 0, false},
        {"Hm.\n\xE6\x9E\x97 said: no", "Hm.\n\xE6\x9E\x97 said: no", "", 0, false},
    };

    (void)state;
    rename_seat(1, "\xD0\x90\xD0\xBD\xD0\xBD\xD0\xB0");
    rename_seat(2, "Prof. Dr. Tom O'Neill");
    rename_seat(3, "\xE6\x9E\x97");
    CHECK(rows);
}

static void a_name_that_begins_anothers_is_told_from_it(void **state)
{
    static const struct row rows[] = {
        {"Ann: Good.", "Good.", "name_prefix", 0, false},
        {"Anna: Good.", "", "foreign_name", 0, false},
        {"Good.\nAnna: No.", "Good.", "foreign_name", 0, false},
        {"Good.\nAnnabel: No.", "Good.\nAnnabel: No.", "", 0, false},
    };

    (void)state;
    rename_seat(1, "Ann");
    rename_seat(2, "Anna");
    CHECK(rows);
}

static void another_name_at_a_line_start_ends_the_reply(void **state)
{
    static const struct row rows[] = {
        {"Good evening.\nBen Oak: Evening!", "Good evening.", "foreign_name", 0, false},
        {"Good evening.\n\n**Ben:** Evening!", "Good evening.", "foreign_name", 0,
         false},
        {"Good.\n  [Ben Oak] Evening!", "Good.", "foreign_name", 0, false},
        {"Good.\nZO\xC3\xAB: me too\nmore", "Good.", "foreign_name", 0, false},
        {"Good.\nNarrator: She left.", "Good.", "foreign_name", 0, false},
        {"Ada: Good.\nBen Oak: No.", "Good.", "name_prefix,foreign_name", 0, false},
        {"Ben Oak: Evening!", "", "foreign_name", 0, false},
        {"Good.\nBen:", "Good.", "foreign_name", 0, false},
        {"Good.\nOak: a tree.", "Good.\nOak: a tree.", "", 0, false},
        {"Oak: a tree.", "Oak: a tree.", "", 0, false},
    };

    (void)state;
    CHECK(rows);
}

static void thinking_is_kept_out(void **state)
{
    static const struct row rows[] = {
        {"<think>What now?\nBen Oak: no</think>\n\nGood.", "Good.", "thinking", 0,
         false},
        {"<thinking>hm</thinking>Ada: Good.", "Good.", "name_prefix,thinking", 0,
         false},
        {"Good <think>or not</think>evening.", "Good evening.", "thinking", 0, false},
        {"Good.\n<think>a < b </thin </think>Ben Oak: x", "Good.",
         "foreign_name,thinking", 0, false},
        {"<think>for ever and", "", "thinking", 0, false},
        {"<think></think>", "", "thinking", 0, false},
        {"begun before the reply</think>\nGood.", "Good.", "thinking", 0, false},
        {"<think>a <think>b</think> c</think>Good.", "Good.", "thinking", 0, false},
        {"<reasoning>hm</reasoning>Good.", "Good.", "thinking", 0, false},
        {"<seed:think>hm</seed:think>Good.", "Good.", "thinking", 0, false},
        {"[THINK]hm[/THINK]Good. [think] on", "Good. [think] on", "thinking", 0, false},
        {"<thought>hm</think></thought>Good.", "Good.", "thinking", 0, false},
        {"<|channel|>analysis<|message|>So?<|end|><|start|>assistant<|channel|>final"
         "<|message|>Ada: Good.",
         "Good.", "name_prefix,thinking", 0, false},
        {"<|channel>thought\nSo?<channel|>Good.", "Good.", "thinking", 0, false},
        {"Good.\nBen Oak: no<think>x</think>", "Good.", "foreign_name", 0, false},
        {" <think>x</think> Good.", "Good.", "thinking,trimmed", 0, false},
    };

    (void)state;
    CHECK(rows);
}

static void thoughts_are_kept_apart_where_that_is_wished(void **state)
{
    static const struct row row = {"<think>one <b> </think>Good. <think>two</think>",
                                   "", "", 0, false};
    static const struct row begun = {"begun </think>Good.", "", "", 0, false};
    const size_t len = strlen(row.raw);

    (void)state;
    feed(&row, len, len);
    assert_int_equal(clean.thought.kept.len, 0);
    clean.thought.keep = true;
    for (size_t first = 0; first <= len; first++)
        for (size_t second = first; second <= len; second++) {
            feed(&row, first, second);
            assert_string_equal(buf_text(&clean.thought.kept), "one <b> two");
        }
    feed(&begun, 8, 9);
    assert_string_equal(buf_text(&clean.thought.kept), "begun ");
}

static void thoughts_without_end_are_bounded(void **state)
{
    static const char euros[] = "\xE2\x82\xAC\xE2\x82\xAC"; /* 6 into 64 KiB - 3 */

    (void)state;
    clean.thought.keep = true;
    clean_begin(&clean, &cast, 1, WIDE);
    (void)clean_feed(&clean, str_of("<think>"));
    for (int i = 0; i < 20000; i++)
        assert_true(clean_feed(&clean, str_of(euros)));
    assert_in_range(clean.thought.kept.len, THOUGHTS_MAX_BYTES - 3, THOUGHTS_MAX_BYTES);
    assert_true(utf8_valid(buf_str(&clean.thought.kept)));
}

static void blanks_at_the_ends_go(void **state)
{
    static const struct row rows[] = {
        {"  Good.\n\n", "Good.", "trimmed", 0, false},
        {" \n\t ", "", "trimmed", 0, false},
        {"Good. \n ", "Good.", "trimmed", 0, false},
        {"\xEF\xBB\xBF\xE3\x80\x80Good.\xC2\xA0", "Good.", "trimmed", 0, false},
        {"\xE2\x80\x8B\xE2\x80\x8B", "", "trimmed", 0, false}, /* nothing to see */
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80", "", 0, false},
    };

    (void)state;
    CHECK(rows);
}

static void what_is_too_long_ends_with_a_sentence(void **state)
{
    static const struct row rows[] = {
        {"One two. Three four. Five", "One two. Three four.", "capped", 0, true},
        {"One two. Three four.", "One two. Three four.", "", 0, true},
        {"He said: \"No!\" And th", "He said: \"No!\"", "capped", 0, true},
        {"One. Two three four five", "One. Two three four five", "unfinished", 0, true},
        {"No sentence at all", "No sentence at all", "unfinished", 0, true},
        {"It was old Mr. Tom and Dr. Bell wh", "It was old Mr. Tom and Dr. Bell wh",
         "unfinished", 0, true},
        {"\xE5\xA5\xBD\xE3\x80\x82\xE5\xA5\xBD", "\xE5\xA5\xBD\xE3\x80\x82", "capped",
         0, true},
        {"One two. Three four. Five", "One two. Three four.", "capped", 23, false},
        {"One two. Three four.", "One two. Three four.", "", 20, false},
        {"aaaa \xF0\x9F\x98\x80 bbbb", "aaaa", "capped,unfinished", 7, false},
        {"aaae\xCC\x81\xCC\xA3 bbbb", "aaa", "capped,unfinished", 6, false},
        {"aa \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80 b", "aa", "capped,unfinished",
         12, false},                                          /* two joined to one */
        {"\xE0\xA4\xB9\xE0\xA4\xBE\xE0\xA5\xA4 \xE0\xA4\xA8", /* danda */
         "\xE0\xA4\xB9\xE0\xA4\xBE\xE0\xA5\xA4", "capped", 0, true},
        {"\xD9\x84\xD9\x85\xD8\x9F \xD9\x86", "\xD9\x84\xD9\x85\xD8\x9F", "capped", 0,
         true}, /* Arabic question mark */
        {"\xDA\xA9\xDB\x94 \xDA\xA9", "\xDA\xA9\xDB\x94", "capped", 0, true},
        {"\xD5\xA1\xD5\xA2\xD6\x89 \xD5\xA1", "\xD5\xA1\xD5\xA2\xD6\x89", "capped", 0,
         true}, /* Armenian */
        {"\xE3\x80\x8C\xE5\xA5\xBD\xEF\xBC\x81\xE3\x80\x8D\xE5\xA5\xBD",
         "\xE3\x80\x8C\xE5\xA5\xBD\xEF\xBC\x81\xE3\x80\x8D", "capped", 0, true},
        {"Good.\nBen Oak: Never", "Good.", "foreign_name", 0, true},
        {"", "", "", 0, true},
    };

    (void)state;
    CHECK(rows);
}

static void a_reply_that_is_over_says_so_at_once(void **state)
{
    (void)state;
    clean_begin(&clean, &cast, 1, 10);
    assert_true(clean_feed(&clean, str_of("0123456789")));
    assert_false(clean_feed(&clean, str_of("x")));
    assert_false(clean_feed(&clean, str_of("y")));
    clean_begin(&clean, &cast, 2, WIDE); /* Ben's reply: now Ada is another */
    assert_true(clean_feed(&clean, str_of("Ben Oak: yes\nAda")));
    assert_false(clean_feed(&clean, str_of(": ")));
    clean_end(&clean, false);
    assert_true(str_is(clean_text(&clean), "yes"));
}

/* Words are shown as soon as they cannot become anything else. */
static void no_more_is_held_back_than_may_be_a_name(void **state)
{
    static const struct {
        const char *fed;
        const char *shown;
    } rows[] = {
        {"A", ""},
        {"Ad", ""},
        {"Add", "Add"},
        {"Good", "Good"},
        {"Good.\n", "Good."},
        {"Good.\nBe", "Good."},
        {"Good.\nBen O", "Good."},
        {"Good.\nBen, o", "Good.\nBen, o"},
        {"a <", "a"},
        {"a <t", "a"},
        {"a <i", "a <i"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        clean_begin(&clean, &cast, 1, WIDE);
        (void)clean_feed(&clean, str_of(rows[i].fed));
        if (!str_is(clean_text(&clean), rows[i].shown))
            fail_msg("'%s' shows '%.*s'", rows[i].fed, (int)clean_text(&clean).len,
                     clean_text(&clean).at);
    }
}

static void who_shares_a_first_name_is_not_cut_short(void **state)
{
    static const struct row row = {"Ada: Good.\nAda Lock: no", "Good.",
                                   "name_prefix,foreign_name", 0, false};
    static const struct row own = {"Hm.\nAda: and", "Hm.\nAda: and", "", 0, false};

    (void)state;
    rename_seat(2, "Ada Lock");
    check(&row, 1);
    check(&own, 1);
}

static void a_first_name_that_is_anothers_whole_name_is_anothers_further_on(
    void **state)
{
    static const struct row rows[] = {
        {"Ada: Good.", "Good.", "name_prefix", 0, false},
        {"Good.\nAda: And I?", "Good.", "foreign_name", 0, false},
        {"Good.\nAda Quill: And", "Good.\nAda Quill: And", "", 0, false},
    };

    (void)state;
    rename_seat(2, "ada");
    check(rows, sizeof rows / sizeof *rows);
}

static void a_reply_without_end_is_bounded(void **state)
{
    enum { CAP = 5000 };
    size_t fed = 0;

    (void)state;
    clean_begin(&clean, &cast, 1, CAP);
    while (clean_feed(&clean, str_of("And so on it went. ")) && fed < 10 * CAP)
        fed += 19;
    assert_in_range(fed, CAP - 40, CAP);
    clean_end(&clean, false);
    assert_in_range(clean_text(&clean).len, CAP - 40, CAP);
    assert_int_equal(clean_text(&clean).at[clean_text(&clean).len - 1], '.');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(words_that_are_fine_stay_as_they_are),
        TEST(the_own_name_in_front_goes),
        TEST(how_it_is_said_stays),
        TEST(a_face_is_no_colon),
        TEST(names_are_known_in_other_scripts_and_spellings),
        TEST(a_name_that_begins_anothers_is_told_from_it),
        TEST(another_name_at_a_line_start_ends_the_reply),
        TEST(thinking_is_kept_out),
        TEST(thoughts_are_kept_apart_where_that_is_wished),
        TEST(thoughts_without_end_are_bounded),
        TEST(blanks_at_the_ends_go),
        TEST(what_is_too_long_ends_with_a_sentence),
        TEST(a_reply_that_is_over_says_so_at_once),
        TEST(no_more_is_held_back_than_may_be_a_name),
        TEST(who_shares_a_first_name_is_not_cut_short),
        TEST(a_first_name_that_is_anothers_whole_name_is_anothers_further_on),
        TEST(a_reply_without_end_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
