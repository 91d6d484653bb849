/* test_rng.c - the generator gives its published numbers, evenly; ids differ. */
#include <string.h>

#include "base/rng.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* What other implementations of xoshiro256** seeded by splitmix64 give. */
static void a_seed_gives_the_published_numbers(void **state)
{
    static const uint64_t zero[] = {UINT64_C(0x99ec5f36cb75f2b4),
                                    UINT64_C(0xbf6e1f784956452a),
                                    UINT64_C(0x1a5f849d4933e6e0)};
    static const uint64_t answer[] = {UINT64_C(0x15780b2e0c2ec716),
                                      UINT64_C(0x6104d9866d113a7e),
                                      UINT64_C(0xae17533239e499a1)};
    struct rng a;
    struct rng b;

    (void)state;
    rng_init(&a, 0);
    rng_init(&b, 42);
    for (size_t i = 0; i < COUNT(zero); i++) {
        assert_true(rng_next(&a) == zero[i]);
        assert_true(rng_next(&b) == answer[i]);
    }
}

static void the_same_seed_repeats_and_another_does_not(void **state)
{
    struct rng a;
    struct rng b;
    struct rng c;
    int same = 0;

    (void)state;
    rng_init(&a, 7);
    rng_init(&b, 7);
    rng_init(&c, 8);
    for (int i = 0; i < 100; i++) {
        uint64_t value = rng_next(&a);

        assert_true(value == rng_next(&b));
        same += value == rng_next(&c);
    }
    assert_int_equal(same, 0);
}

static void numbers_below_a_bound_are_even_and_below_it(void **state)
{
    enum { ROUNDS = 70000, BOUND = 7 };
    unsigned seen[BOUND] = {0};
    struct rng rng;

    (void)state;
    rng_init(&rng, 1);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t value = rng_below(&rng, BOUND);

        assert_true(value < BOUND);
        seen[value]++;
    }
    for (int i = 0; i < BOUND; i++) /* 10,000 each; six standard deviations */
        assert_in_range(seen[i], 9400, 10600);
}

static void the_smallest_and_largest_bounds_hold(void **state)
{
    static const uint64_t bounds[] = {1, 2, UINT64_C(1) << 63, (UINT64_C(1) << 63) + 1,
                                      UINT64_MAX};
    struct rng rng;

    (void)state;
    rng_init(&rng, 1);
    for (size_t i = 0; i < COUNT(bounds); i++)
        for (int round = 0; round < 100; round++)
            assert_true(rng_below(&rng, bounds[i]) < bounds[i]);
}

static void unit_numbers_fill_zero_to_one_without_one(void **state)
{
    enum { ROUNDS = 10000 };
    struct rng rng;
    double sum = 0;
    double low = 1;
    double high = 0;

    (void)state;
    rng_init(&rng, 1);
    for (int i = 0; i < ROUNDS; i++) {
        double value = rng_unit(&rng);

        assert_true(value >= 0 && value < 1);
        sum += value;
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    assert_true(low < 0.01 && high > 0.99);
    assert_true(sum > ROUNDS * 0.48 && sum < ROUNDS * 0.52);
}

/* The values were worked out by another program: they must never change, the memory of
 * a fleet of different versions may hang on them. */
static void a_hash_is_stable_and_takes_all_bytes(void **state)
{
    (void)state;
    assert_true(rng_hash(0, str_of("")) == UINT64_C(0xf52a15e9a9b5e89b));
    assert_true(rng_hash(0, str_of("a")) == UINT64_C(0x02c0bdbf481420f8));
    assert_true(rng_hash(0, str_of("foobar")) == UINT64_C(0x404da9e3b74078c2));
    assert_true(rng_hash(1, str_of("foobar")) == UINT64_C(0x7362f8840f0f638f));
    assert_true(rng_hash(0, str_make("\xFF\0", 2)) == UINT64_C(0x061c3e3f101d43dd));
}

static void ids_have_their_letters_and_never_repeat(void **state)
{
    enum { IDS = 200, LETTERS = 12 };
    char ids[IDS][LETTERS + 1];

    (void)state;
    for (int i = 0; i < IDS; i++) {
        memset(ids[i], '#', sizeof ids[i]);
        rng_id(ids[i], LETTERS);
        assert_int_equal(strlen(ids[i]), LETTERS);
        assert_int_equal(strspn(ids[i], "0123456789abcdefghijklmnopqrstuv"), LETTERS);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(ids[i], ids[j]);
    }
    assert_true(rng_from_system() != rng_from_system());
}

static void an_id_of_no_letters_or_most_keeps_to_its_room(void **state)
{
    char room[66];

    (void)state;
    memset(room, '#', sizeof room);
    rng_id(room, 0);
    assert_int_equal(room[0], '\0');
    assert_int_equal(room[1], '#');
    rng_id(room, 64);
    assert_int_equal(strlen(room), 64);
    assert_int_equal(room[65], '#');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_published_numbers),
        cmocka_unit_test(the_same_seed_repeats_and_another_does_not),
        cmocka_unit_test(numbers_below_a_bound_are_even_and_below_it),
        cmocka_unit_test(the_smallest_and_largest_bounds_hold),
        cmocka_unit_test(unit_numbers_fill_zero_to_one_without_one),
        cmocka_unit_test(a_hash_is_stable_and_takes_all_bytes),
        cmocka_unit_test(ids_have_their_letters_and_never_repeat),
        cmocka_unit_test(an_id_of_no_letters_or_most_keeps_to_its_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
