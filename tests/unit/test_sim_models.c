/* test_sim_models.c - the simulator's models: loaded, kept, loaded anew, deleted, and
 * whom a server on loopback answers.
 */
#include <string.h>

#include "simulator/sim_host.h"
#include "simulator/sim_models.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define MINUTE_US INT64_C(60000000)

static struct sim_models models;
static struct sim_model *model;

static int set_up(void **state)
{
    (void)state;
    sim_models_init(&models, NULL);
    model = sim_models_find(&models, str_of("llama3.2"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_models_done(&models);
    return 0;
}

static struct sim_runner usual(void)
{
    return sim_settings_default().runner;
}

static void call(const struct sim_runner *runner, int64_t keep_ms, int64_t now_us)
{
    sim_model_enter(model, runner, keep_ms, now_us);
    sim_model_leave(model, now_us);
}

static void a_model_is_loaded_once_and_kept_for_five_minutes(void **state)
{
    struct sim_runner runner = usual();

    (void)state;
    assert_int_equal(sim_model_needs(model, &runner, 1), SIM_LOAD_COLD);
    call(&runner, SIM_KEEP_UNSAID, 1);
    assert_int_equal(sim_model_needs(model, &runner, 5 * MINUTE_US), SIM_LOAD_NONE);
    assert_int_equal(sim_model_needs(model, &runner, 5 * MINUTE_US + 1), SIM_LOAD_COLD);
}

static void what_an_earlier_call_said_of_keeping_it_holds(void **state)
{
    struct sim_runner runner = usual();

    (void)state;
    call(&runner, -1, 1);
    call(&runner, SIM_KEEP_UNSAID, 2);
    assert_int_equal(sim_model_needs(model, &runner, 99999 * MINUTE_US), SIM_LOAD_NONE);
    call(&runner, 1000, 3);
    assert_int_equal(sim_model_needs(model, &runner, MINUTE_US), SIM_LOAD_COLD);
    /* Loaded again it begins with the usual. */
    call(&runner, SIM_KEEP_UNSAID, MINUTE_US);
    assert_int_equal(sim_model_needs(model, &runner, 6 * MINUTE_US - 1), SIM_LOAD_NONE);
    assert_int_equal(sim_model_needs(model, &runner, 6 * MINUTE_US), SIM_LOAD_COLD);
}

static void it_is_unloaded_after_the_calls_that_use_it(void **state)
{
    struct sim_runner runner = usual();

    (void)state;
    sim_model_enter(model, &runner, -1, 1);
    sim_model_unload(model);
    assert_int_equal(sim_model_needs(model, &runner, 2), SIM_LOAD_NONE);
    sim_model_leave(model, 3);
    assert_int_equal(sim_model_needs(model, &runner, 3), SIM_LOAD_COLD);
}

static void every_runner_option_loads_it_anew_and_no_other_does(void **state)
{
    static const char *const changing[] = {
        "{\"num_ctx\":8192}", "{\"num_batch\":64}",       "{\"num_gpu\":3}",
        "{\"main_gpu\":1}",   "{\"use_mmap\":true}",      "{\"use_mmap\":false}",
        "{\"num_thread\":2}", "{\"draft_num_predict\":1}"};
    static const char *const same[] = {
        "{}",
        "{\"num_ctx\":4096,\"num_batch\":512,\"num_gpu\":-1,\"main_gpu\":0,"
        "\"use_mmap\":null,\"num_thread\":0,\"draft_num_predict\":4}",
        "{\"temperature\":0,\"top_p\":0.1,\"seed\":7,\"num_predict\":3,\"num_keep\":9,"
        "\"stop\":[\"x\"],\"no_such_option\":1}"};
    struct sim_runner runner = usual();

    (void)state;
    call(&runner, -1, 1);
    for (size_t i = 0; i < sizeof changing / sizeof *changing; i++) {
        struct sim_settings settings = sim_settings_default();
        json_t *options = json_loads(changing[i], 0, NULL);

        assert_true(sim_settings_read(options, &settings, NULL));
        if (sim_model_needs(model, &settings.runner, 2) != SIM_LOAD_CHANGED)
            fail_msg("%s", changing[i]);
        json_decref(options);
    }
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct sim_settings settings = sim_settings_default();
        json_t *options = json_loads(same[i], 0, NULL);

        assert_true(sim_settings_read(options, &settings, NULL));
        if (sim_model_needs(model, &settings.runner, 2) != SIM_LOAD_NONE)
            fail_msg("%s", same[i]);
        json_decref(options);
    }
    runner.no_shift = true;
    assert_int_equal(sim_model_needs(model, &runner, 2), SIM_LOAD_CHANGED);
}

static void any_number_of_layers_will_do_for_who_names_none(void **state)
{
    struct sim_runner runner = usual();

    (void)state;
    runner.num_gpu = 3;
    call(&runner, -1, 1);
    runner.num_gpu = -1;
    assert_int_equal(sim_model_needs(model, &runner, 2), SIM_LOAD_NONE);
    runner.num_gpu = 4;
    assert_int_equal(sim_model_needs(model, &runner, 2), SIM_LOAD_CHANGED);
}

static void a_deleted_one_is_gone_until_it_is_added_again(void **state)
{
    size_t count = models.count;

    (void)state;
    sim_model_delete(model);
    assert_null(sim_models_find(&models, str_of("llama3.2")));
    assert_non_null(sim_models_find(&models, str_of("llama3.2:3b")));
    assert_ptr_equal(sim_models_add(&models, str_of("llama3.2"), 1), model);
    assert_ptr_equal(sim_models_find(&models, str_of("LLAMA3.2:Latest")), model);
    assert_int_equal(models.count, count);
}

static void models_stay_where_they_are_and_have_a_bound(void **state)
{
    char name[32];
    size_t added = 0;

    (void)state;
    for (;;) {
        fmt_into(name, sizeof name, "house-%zu", added);
        if (sim_models_add(&models, str_of(name), 1) == NULL)
            break;
        added++;
    }
    assert_int_equal(models.count, 1000);
    assert_ptr_equal(sim_models_find(&models, str_of("llama3.2")), model);
}

static void names_are_told_from_what_is_none(void **state)
{
    static const char *const names[] = {"a", "llama3.2:3b", "user/model:tag",
                                        "host.example/user/some_model-v2:q4_K_M"};
    static const char *const others[] = {"",      ":",        "a:",       ":tag", "a b",
                                         "a:b:c", "/a",       "a//b",     "a\n",  "..",
                                         "-a",    "\xc3\xbc", "a:\x1b[2J"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!sim_models_is_name(str_of(names[i])))
            fail_msg("%s", names[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (sim_models_is_name(str_of(others[i])))
            fail_msg("%s", others[i]);
}

static void on_loopback_only_hosts_of_this_machine_are_answered(void **state)
{
    static const char *const own[] = {"",
                                      "localhost",
                                      "localhost:11434",
                                      "LocalHost:1",
                                      "127.0.0.1",
                                      "127.9.9.9:5",
                                      "0.0.0.0:11434",
                                      "10.1.2.3",
                                      "192.168.0.9:80",
                                      "172.16.0.1",
                                      "172.31.9.9",
                                      "[::1]:11434",
                                      "[fd00::7]:80",
                                      "box.local",
                                      "a.b.internal:9",
                                      "x.localhost"};
    static const char *const others[] = {
        "example.com", "example.com:11434",     "8.8.8.8",
        "172.32.0.1",  "193.168.0.1",           "[2001:db8::1]:80",
        "local",       "localhost.example.com", "[::1]"};

    (void)state;
    assert_true(sim_host_fits("127.0.0.1:11434", NULL));
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!sim_host_fits("127.0.0.1:11434", own[i]))
            fail_msg("%s", own[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (sim_host_fits("127.0.0.1:11434", others[i])
            || sim_host_fits("[::1]:0", others[i]))
            fail_msg("%s", others[i]);
        assert_true(sim_host_fits("0.0.0.0:11434", others[i]));
        assert_true(sim_host_fits("unix:/run/s", others[i]));
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_model_is_loaded_once_and_kept_for_five_minutes),
        CASE(what_an_earlier_call_said_of_keeping_it_holds),
        CASE(it_is_unloaded_after_the_calls_that_use_it),
        CASE(every_runner_option_loads_it_anew_and_no_other_does),
        CASE(any_number_of_layers_will_do_for_who_names_none),
        CASE(a_deleted_one_is_gone_until_it_is_added_again),
        CASE(models_stay_where_they_are_and_have_a_bound),
        CASE(names_are_told_from_what_is_none),
        CASE(on_loopback_only_hosts_of_this_machine_are_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
