/* test_hybrid.c - which tier a turn deserves: every rule, and the formula behind one.
 */
#include <math.h>
#include <string.h>

#include "llm/hybrid.h"
#include "proto/config.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static char seats_two_and_five[] = "2, 5";
static char seats_odd[] = "x,,7 ";

/* "Ada: words" as a user's message; NULL ends the list. */
enum { TEXTS = 8 };

static double complexity(const char *const texts[TEXTS])
{
    struct llm_message messages[TEXTS];
    size_t count = 0;

    for (; count < TEXTS && texts[count] != NULL; count++)
        messages[count] = (struct llm_message){"user", str_of(texts[count])};
    return hybrid_complexity(messages, count);
}

#define WORDS_30  "word word word word word word "
#define WORDS_150 WORDS_30 WORDS_30 WORDS_30 WORDS_30 WORDS_30
#define WORDS_600 WORDS_150 WORDS_150 WORDS_150 WORDS_150

static void complexity_follows_its_formula(void **state)
{
    static const struct {
        const char *why;
        const char *texts[TEXTS];
        double is;
    } rows[] = {
        {"nothing said", {NULL}, 0},
        {"an empty message", {""}, 0},
        {"half of 600 characters", {WORDS_150 WORDS_150}, 0.15},
        {"600 characters", {WORDS_600}, 0.30},
        {"no more than all", {WORDS_600 WORDS_600}, 0.30},
        {"characters, not bytes",
         {"\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"},
         0.003},
        {"a question", {"Why?"}, 0.20 / 3 + 0.30 * 4 / 600},
        {"four questions", {"????"}, 0.20 + 0.30 * 4 / 600},
        {"two numbers", {"1851 and 3"}, 0.15 * 2 / 5 + 0.30 * 10 / 600},
        {"one number with a point is two", {"1.5"}, 0.15 * 2 / 5 + 0.30 * 3 / 600},
        {"a long word of two", {"astronomy is"}, 0.20 + 0.30 * 12 / 600},
        {"a long word of ten",
         {"astronomy a b c d e f g h i"},
         0.20 / 3 + 0.30 * 27 / 600},
        {"eight letters are not long", {"starship a"}, 0.30 * 10 / 600},
        {"one speaker", {"A: x", "A: y"}, 0.30 * 4 / 600},
        {"three speakers", {"A: x", "B: y", "C: z"}, 0.15 * 2 / 4 + 0.30 * 4 / 600},
        {"six speakers are five others",
         {"A: x", "B: y", "C: z", "D: z", "E: z", "F: z"},
         0.15 + 0.30 * 4 / 600},
        {"only the last message is measured", {WORDS_600 "????", "x"}, 0.30 / 600},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double is = complexity(rows[i].texts);

        if (fabs(is - rows[i].is) > 1e-9)
            fail_msg("%s: %f, not %f", rows[i].why, is, rows[i].is);
    }
}

static void a_persona_and_own_words_do_not_count(void **state)
{
    const struct llm_message messages[] = {
        {"system", str_of("You are Ada, an astronomer. Why? How? When? 1 2 3 4 5")},
        {"user", str_of("x")},
        {"assistant", str_of("Astronomers? 1 2 3")},
    };

    (void)state;
    assert_true(fabs(hybrid_complexity(messages, 3) - 0.30 / 600) < 1e-9);
}

static void complexity_never_leaves_its_range(void **state)
{
    static const char *const hard[TEXTS] = {
        "A: x",
        "B: x",
        "C: x",
        "D: x",
        "E: x",
        "F: " WORDS_600 "??? 1 2 3 4 5 "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible "
        "incomprehensible incomprehensible incomprehensible incomprehensible ",
        NULL};

    (void)state;
    assert_true(fabs(complexity(hard) - 1.0) < 1e-9);
}

/* ---- the choice ---- */

/* What differs from a plain turn of seat 1: turn 7, nothing marked, nothing known. */
struct choice_row {
    const char *why;
    enum hybrid_mode mode;
    struct hybrid_question question;
    struct hybrid_record local;
    struct hybrid_record cloud;
    double cap;
    char *seats;
    bool opening;
    bool closing;
    int64_t every;
    enum endpoint_tier tier;
    const char *route;
    bool stand_in;
};

#define TURN(n)  .question = {.seat = 1, .turn = (n)}
#define ENDS(n)  .question = {.seat = 1, .turn = (n), .closing = true}
#define SPOT(n)  .question = {.seat = 1, .turn = (n), .spotlight = true}
#define SEAT(n)  .question = {.seat = (n), .turn = 7}
#define STORY    .question = {.seat = 0, .turn = 0}
#define HARD     .question = {.seat = 1, .turn = 7, .messages = &hard, .message_count = 1}
#define TO_CLOUD .tier = TIER_CLOUD, .stand_in = true
#define TO_LOCAL .tier = TIER_LOCAL, .stand_in = true
#define AT_HOME  .tier = TIER_LOCAL, .stand_in = false

static const struct llm_message hard = {
    "user", {WORDS_600 "??????????", sizeof(WORDS_600) + 9}}; /* 0.30 + 0.20 */

static const struct choice_row rows[] = {
    {"off: nothing leaves the house", HYBRID_OFF, SPOT(1), .opening = true, AT_HOME,
     .route = "off"},
    {"on: a plain turn", HYBRID_ON, TURN(7), TO_LOCAL, .route = "background"},
    {"on: a hard one is a plain one", HYBRID_ON, HARD, TO_LOCAL, .route = "background"},
    {"on: a spotlight", HYBRID_ON, SPOT(7), TO_CLOUD, .route = "mark_seat"},
    {"a seat of the list", HYBRID_ON, SEAT(5), .seats = seats_two_and_five, TO_CLOUD,
     .route = "mark_seat"},
    {"another seat", HYBRID_ON, SEAT(25), .seats = seats_two_and_five, TO_LOCAL,
     .route = "background"},
    {"a list with rubbish in it", HYBRID_ON, SEAT(7), .seats = seats_odd, TO_CLOUD,
     .route = "mark_seat"},
    {"the first turn", HYBRID_ON, TURN(1), .opening = true, TO_CLOUD,
     .route = "mark_opening"},
    {"the first turn, not marked", HYBRID_ON, TURN(1), TO_LOCAL, .route = "background"},
    {"the second turn", HYBRID_ON, TURN(2), .opening = true, TO_LOCAL,
     .route = "background"},
    {"the last turn", HYBRID_ON, ENDS(9), .closing = true, TO_CLOUD,
     .route = "mark_closing"},
    {"the last turn, not marked", HYBRID_ON, ENDS(9), TO_LOCAL, .route = "background"},
    {"every third", HYBRID_ON, TURN(9), .every = 3, TO_CLOUD, .route = "mark_every"},
    {"not every third", HYBRID_ON, TURN(10), .every = 3, TO_LOCAL,
     .route = "background"},
    {"the seat's mark comes first", HYBRID_AUTO, SPOT(1), .opening = true, .every = 1,
     TO_CLOUD, .route = "mark_seat"},
    {"a story is background", HYBRID_AUTO, STORY, .every = 1, .closing = true, TO_LOCAL,
     .route = "background"},
    {"a story opens", HYBRID_AUTO, STORY, .opening = true, TO_CLOUD,
     .route = "mark_opening"},
    {"auto: a plain turn", HYBRID_AUTO, TURN(7), TO_LOCAL, .route = "background"},
    {"auto: a hard one", HYBRID_AUTO, HARD, TO_CLOUD, .route = "complexity"},
    {"auto: hard, and the cloud errs", HYBRID_AUTO, HARD, .cloud = {.error_rate = 0.31},
     TO_LOCAL, .route = "record"},
    {"auto: the local errs", HYBRID_AUTO, TURN(7), .local = {.error_rate = 0.31},
     TO_CLOUD, .route = "record"},
    {"auto: it errs as much as it may", HYBRID_AUTO, TURN(7),
     .local = {.error_rate = 0.3}, TO_LOCAL, .route = "background"},
    {"auto: the local is slow", HYBRID_AUTO, TURN(7), .local = {.latency_ms = 2001},
     TO_CLOUD, .route = "record"},
    {"auto: the local is down", HYBRID_AUTO, TURN(7), .local = {.down = true}, TO_CLOUD,
     .route = "record"},
    {"auto: both are bad", HYBRID_AUTO, TURN(7), .local = {.down = true},
     .cloud = {.latency_ms = 9999}, TO_LOCAL, .route = "record"},
    {"a mark does not ask for the record", HYBRID_AUTO, SPOT(7),
     .cloud = {.error_rate = 1}, TO_CLOUD, .route = "mark_seat"},
    {"the cap: not yet", HYBRID_AUTO, SPOT(7), .cap = 1, .cloud = {.spent_today = 0.99},
     TO_CLOUD, .route = "mark_seat"},
    {"the cap: marked", HYBRID_AUTO, SPOT(7), .cap = 1, .cloud = {.spent_today = 1},
     AT_HOME, .route = "cost_cap"},
    {"the cap: hard", HYBRID_AUTO, HARD, .cap = 1, .cloud = {.spent_today = 2}, AT_HOME,
     .route = "cost_cap"},
    {"the cap: background", HYBRID_AUTO, TURN(7), .cap = 1, .cloud = {.spent_today = 2},
     AT_HOME, .route = "background"},
    {"the cap: both are bad", HYBRID_AUTO, TURN(7), .cap = 1, .local = {.down = true},
     .cloud = {.latency_ms = 9999, .spent_today = 2}, AT_HOME, .route = "record"},
    {"the cap counts both tiers", HYBRID_ON, SPOT(7), .cap = 1,
     .local = {.spent_today = 0.6}, .cloud = {.spent_today = 0.6}, AT_HOME,
     .route = "cost_cap"},
};

static void each_rule_leads_where_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct choice_row *row = &rows[i];
        const struct hybrid_record record[TIER_COUNT] = {
            [TIER_LOCAL] = row->local, [TIER_CLOUD] = row->cloud};
        const struct config config = {.hybrid_seats = row->seats,
                                      .hybrid_opening = row->opening,
                                      .hybrid_closing = row->closing,
                                      .hybrid_every = row->every,
                                      .hybrid_cost_cap = row->cap,
                                      .hybrid_complexity = 0.5,
                                      .hybrid_error_rate = 0.3,
                                      .hybrid_latency_ms = 2000};
        struct hybrid_answer answer =
            hybrid_choose(&config, row->mode, &row->question, record);

        if (answer.tier != row->tier || strcmp(answer.route, row->route) != 0
            || answer.stand_in != row->stand_in)
            fail_msg("%s: %s, %s%s", row->why, endpoint_tier_name(answer.tier),
                     answer.route, answer.stand_in ? ", the other may stand in" : "");
    }
}

static void latency_is_looked_at_only_where_a_limit_is_given(void **state)
{
    const struct config config = {.hybrid_complexity = 1, .hybrid_error_rate = 1};
    const struct hybrid_question question = {.seat = 1, .turn = 2};
    const struct hybrid_record record[TIER_COUNT] = {
        [TIER_LOCAL] = {.latency_ms = 1e9}};

    (void)state;
    assert_string_equal(hybrid_choose(&config, HYBRID_AUTO, &question, record).route,
                        "background");
}

static void modes_have_names(void **state)
{
    enum hybrid_mode mode = HYBRID_OFF;

    (void)state;
    for (int i = 0; i < HYBRID_MODE_COUNT; i++) {
        assert_true(
            hybrid_mode_parse(str_of(hybrid_mode_name((enum hybrid_mode)i)), &mode));
        assert_int_equal(mode, i);
    }
    assert_false(hybrid_mode_parse(str_of("often"), &mode));
    assert_false(hybrid_mode_parse(str_of(""), &mode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complexity_follows_its_formula),
        cmocka_unit_test(a_persona_and_own_words_do_not_count),
        cmocka_unit_test(complexity_never_leaves_its_range),
        cmocka_unit_test(each_rule_leads_where_it_says),
        cmocka_unit_test(latency_is_looked_at_only_where_a_limit_is_given),
        cmocka_unit_test(modes_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
