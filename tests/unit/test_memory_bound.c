/* test_memory_bound.c - a worker's memory keeps to its bound, drops the pages not used
 * for longest, and keeps those in use.
 */
#include <stdlib.h>
#include <string.h>

#include "test_page.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static const char words[] =
    "0123456789012345678901234567890123456789012345678901234567890123"
    "0123456789012345678901234567890123456789012345678901234567890123"
    "0123456789012345678901234567890123456789012345678901234567890123"
    "0123456789012345678901234567890123456789012345678901234567890123";

/* A page of that number with some lines; known tells later whether it is still it. */
static void use(struct memory *memory, int number)
{
    char name[16];
    struct memory_page *page;

    fmt_into(name, sizeof name, "c%d", number);
    page = memory_pin(memory, name);
    for (int64_t turn = 1; turn <= 8; turn++)
        page_add(memory, page, turn, 1, words);
    memory_filled(page, 8);
    memory_unpin(memory, page);
}

static bool remembers(struct memory *memory, int number)
{
    char name[16];
    struct memory_page *page;
    bool known;

    fmt_into(name, sizeof name, "c%d", number);
    page = memory_pin(memory, name);
    known = page->known > 0;
    memory_unpin(memory, page);
    return known;
}

static void bytes_never_pass_the_bound_once_pages_are_given_back(void **state)
{
    enum { BOUND = 64 * 1024 };
    struct memory *memory = memory_new(BOUND);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        use(memory, i);
        assert_true(memory_bytes(memory) <= BOUND);
    }
    assert_true(memory_bytes(memory) > BOUND / 2);
    memory_free(memory);
}

static void the_pages_used_last_stay(void **state)
{
    struct memory *memory = memory_new(64 * 1024);

    (void)state;
    use(memory, 1);
    for (int i = 2; i < 50; i++) {
        use(memory, i);
        assert_true(remembers(memory, 1)); /* looked at again and again */
        assert_true(remembers(memory, i));
    }
    assert_false(remembers(memory, 2));
    memory_free(memory);
}

static void a_page_in_use_stays_whatever_the_bound(void **state)
{
    struct memory *memory = memory_new(1);
    struct memory_page *page = memory_pin(memory, "pinned");

    (void)state;
    page_add(memory, page, 1, 1, words);
    memory_filled(page, 1);
    for (int i = 0; i < 10; i++)
        use(memory, i);
    assert_int_equal(page->known, 1);
    assert_string_equal(page->lines[0].text, words);
    assert_ptr_equal(memory_pin(memory, "pinned"), page); /* two users */
    memory_unpin(memory, page);
    assert_int_equal(page->known, 1);
    memory_unpin(memory, page);
    assert_int_equal(memory_bytes(memory), 0);
    memory_free(memory);
}

static void forgetting_all_takes_the_bytes_to_nothing(void **state)
{
    struct memory *memory = memory_new(1 << 20);
    struct memory_page *page;

    (void)state;
    assert_int_equal(memory_bytes(memory), 0);
    for (int i = 0; i < 20; i++)
        use(memory, i);
    page = memory_pin(memory, "c3");
    page_set_cast(memory, page, 3, 1);
    memory_add_own(memory, page, 9, 1, "Ada", str_of(words));
    memory_drop_before(memory, page, "4-0");
    memory_rewind(memory, page, "4-0");
    page_set_cast(memory, page, 2, 2);
    memory_unpin(memory, page);
    memory_forget_all(memory);
    assert_int_equal(memory_bytes(memory), 0);
    assert_false(remembers(memory, 3));
    memory_free(memory);
    memory_free(NULL);
}

static void a_forgotten_page_in_use_is_empty_and_cold(void **state)
{
    struct memory *memory = memory_new(1 << 20);
    struct memory_page *page = memory_pin(memory, "c");
    struct memory_need need = {1, 1, "", "1-0", {"", 0}};

    (void)state;
    page_set_cast(memory, page, 2, 1);
    page_add(memory, page, 1, 1, "words");
    memory_filled(page, 1);
    assert_true(memory_warm(memory, page, &need));
    memory_forget_all(memory);
    assert_int_equal(page->line_count, 0);
    assert_false(memory_warm(memory, page, &need));
    memory_unpin(memory, page);
    memory_forget_all(memory);
    assert_int_equal(memory_bytes(memory), 0);
    memory_free(memory);
}

static void what_is_dropped_gives_back_what_it_took(void **state)
{
    struct memory *memory = memory_new(1 << 20);
    struct memory_page *page = memory_pin(memory, "c");
    size_t with_cast;
    size_t with_turn;

    (void)state;
    page_set_cast(memory, page, 2, 1);
    with_cast = memory_bytes(memory);
    page_set_cast(memory, page, 3, 2);
    assert_true(memory_bytes(memory) > with_cast + sizeof(struct seat));
    page_set_cast(memory, page, 2, 3);
    assert_int_equal(memory_bytes(memory), with_cast);
    page_add(memory, page, 1, 1, words);
    with_turn = memory_bytes(memory);
    assert_true(with_turn >= with_cast + sizeof words);
    memory_add_own(memory, page, 2, 2, "Bo", str_of(words));
    assert_true(memory_bytes(memory) >= with_turn + sizeof words);
    memory_rewind(memory, page, "");
    assert_int_equal(memory_bytes(memory), with_turn);
    memory_drop_before(memory, page, "9-0");
    assert_int_equal(memory_bytes(memory), with_cast);
    memory_unpin(memory, page);
    memory_free(memory);
}

static void a_large_cast_counts_too(void **state)
{
    enum { LARGE = 100000 };
    struct memory *memory = memory_new(1 << 20);
    struct memory_page *page = memory_pin(memory, "c");
    struct cast cast = page_cast(2, 1);
    size_t before = memory_bytes(memory);

    (void)state;
    free(cast.seats[1].persona.traits[0]);
    cast.seats[1].persona.traits[0] = x_calloc(LARGE + 1, 1);
    memset(cast.seats[1].persona.traits[0], 'g', LARGE);
    memory_set_cast(memory, page, x_strdup("topic"), &cast);
    assert_true(memory_bytes(memory) >= before + LARGE);
    assert_null(cast.seats); /* taken */
    page_set_cast(memory, page, 2, 2);
    assert_true(memory_bytes(memory) < before + LARGE);
    memory_unpin(memory, page);
    memory_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_never_pass_the_bound_once_pages_are_given_back),
        cmocka_unit_test(the_pages_used_last_stay),
        cmocka_unit_test(a_page_in_use_stays_whatever_the_bound),
        cmocka_unit_test(forgetting_all_takes_the_bytes_to_nothing),
        cmocka_unit_test(a_forgotten_page_in_use_is_empty_and_cold),
        cmocka_unit_test(what_is_dropped_gives_back_what_it_took),
        cmocka_unit_test(a_large_cast_counts_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
