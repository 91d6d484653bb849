/* test_sim_fault.c - which rule a call meets; the ledger's hash; the packed body. */
#include <string.h>

#include "simulator/fault.h"
#include "simulator/gzip.h"
#include "simulator/sha256.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct faults faults;
static struct rng dice;

static int set_up(void **state)
{
    (void)state;
    rng_init(&dice, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    faults_done(&faults);
    return 0;
}

static void rules_are(const char *text)
{
    struct err err = {0};

    if (!faults_add(&faults, str_of(text), 0, &err))
        fail_msg("%s: %s", text, err.msg);
}

static const struct fault_case call = {.path = "/api/chat", .model = "tiny:latest"};

static enum fault_kind met(const struct fault_case *what, int64_t now_us)
{
    struct fault fault = faults_meet(&faults, what, now_us, &dice);
    enum fault_kind kind = fault.kind;

    fault_done(&fault);
    return kind;
}

static void without_rules_nothing_is_met(void **state)
{
    (void)state;
    rules_are("");
    assert_int_equal(faults.count, 0);
    assert_int_equal(met(&call, 0), FAULT_NONE);
}

static void the_first_rule_that_fits_is_the_only_one(void **state)
{
    (void)state;
    rules_are("empty@0,cut=7,reset");
    assert_int_equal(met(&call, 0), FAULT_CUT);
}

static void a_count_is_used_up_by_those_who_met_it(void **state)
{
    const struct fault_case other = {.path = "/api/chat", .model = "mistral:latest"};

    (void)state;
    rules_are(
        "[{\"kind\":\"cut\",\"count\":2,\"model\":\"tiny\"},{\"kind\":\"reset\"}]");
    assert_int_equal(met(&other, 0), FAULT_RESET);
    assert_int_equal(met(&call, 0), FAULT_CUT);
    assert_int_equal(met(&call, 0), FAULT_CUT);
    assert_int_equal(met(&call, 0), FAULT_RESET);
}

static void a_time_ends_to_the_microsecond(void **state)
{
    (void)state;
    rules_are("{\"kind\":\"cut\",\"for_ms\":5}");
    assert_int_equal(met(&call, 4999), FAULT_CUT);
    assert_int_equal(met(&call, 5000), FAULT_NONE);
}

static void dice_fall_as_often_as_the_rate_says(void **state)
{
    int cuts = 0;

    (void)state;
    rules_are("cut@0.2");
    for (int i = 0; i < 10000; i++)
        cuts += met(&call, 0) == FAULT_CUT;
    assert_in_range(cuts, 1850, 2150);
}

static void what_asks_no_model_meets_only_what_is_set_for_it(void **state)
{
    const struct fault_case tags = {.path = "/api/tags"};

    (void)state;
    rules_are("[]");
    rules_are("status=500,cut,say=x");
    assert_int_equal(met(&tags, 0), FAULT_NONE);
    rules_are("{\"kind\":\"cut\",\"path\":\"/api/tags\"}");
    assert_int_equal(met(&tags, 0), FAULT_NONE);
    rules_are("{\"kind\":\"status\",\"status\":502,\"path\":\"/api/tags\"}");
    assert_int_equal(met(&tags, 0), FAULT_STATUS);
    faults_done(&faults);
    rules_are("refuse");
    assert_int_equal(met(&tags, 0), FAULT_REFUSE);
}

static void an_idle_connection_is_one_that_was_used(void **state)
{
    struct fault_case used = call;

    (void)state;
    used.reused = true;
    rules_are("close_idle");
    assert_int_equal(met(&call, 0), FAULT_NONE);
    assert_int_equal(met(&used, 0), FAULT_CLOSE_IDLE);
}

static void each_kind_can_be_named_and_written_back(void **state)
{
    (void)state;
    for (unsigned i = FAULT_NONE + 1; i < FAULT_KIND_COUNT; i++) {
        char text[128];
        struct buf again = {0};

        fmt_into(text, sizeof text,
                 "{\"kind\":\"%s\",\"status\":500,\"to\":\"x\",\"text\":\"y\"}",
                 fault_kind_name((enum fault_kind)i));
        rules_are(text);
        assert_int_equal(faults.list[0].kind, i);
        buf_init(&again, 4096);
        faults_write(&faults, 0, &again);
        faults_done(&faults);
        rules_are(buf_text(&again));
        assert_int_equal(faults.list[0].kind, i);
        assert_int_equal(faults.list[0].status, 500);
        assert_string_equal(faults.list[0].text, "y");
        assert_int_equal(faults.list[0].after_bytes, -1);
        faults_done(&faults);
        buf_done(&again);
    }
}

/* ---- the hash ---- */

/* Of so many letters a, by Python's hashlib: around the borders of a block. */
static const struct {
    size_t count;
    const char *hash;
} hashes[] = {
    {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {3, "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"},
    {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
    {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
    {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
    {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
    {65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
    {119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
    {120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"},
    {1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"},
};

static void a_hash_is_the_standards(void **state)
{
    char letters[1000];
    char text[SHA256_TEXT_SIZE] = "";

    (void)state;
    memset(letters, 'a', sizeof letters);
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        sha256_text(str_make(letters, hashes[i].count), text);
        assert_string_equal(text, hashes[i].hash);
    }
}

static void an_empty_body_packs_into_the_shortest_file(void **state)
{
    struct buf packed = {0};

    (void)state;
    buf_init(&packed, 100);
    gzip_pack(str_make("", 0), &packed);
    assert_int_equal(packed.len, 20);
    assert_memory_equal(packed.at, "\x1F\x8B\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0",
                        20);
    buf_done(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_rules_nothing_is_met, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_first_rule_that_fits_is_the_only_one,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_count_is_used_up_by_those_who_met_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_time_ends_to_the_microsecond, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(dice_fall_as_often_as_the_rate_says, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_asks_no_model_meets_only_what_is_set_for_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_idle_connection_is_one_that_was_used, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_kind_can_be_named_and_written_back, set_up,
                                        tear_down),
        cmocka_unit_test(a_hash_is_the_standards),
        cmocka_unit_test(an_empty_body_packs_into_the_shortest_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
