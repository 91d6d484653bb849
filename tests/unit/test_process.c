/* test_process.c - who is certainly dead, and who only may be. */
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static bool gone(const struct process_place *here, const struct process_place *it)
{
    return process_is_gone(here, str_of(it->host), str_of(it->pid), str_of(it->space));
}

/* The pid of a process that has been and is reaped. */
static void a_dead_one(struct process_place *ret_place)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    assert_true(pid > 0 && waitpid(pid, NULL, 0) == pid);
    process_here(ret_place);
    fmt_into(ret_place->pid, sizeof ret_place->pid, "%ld", (long)pid);
}

static void a_place_tells_host_pid_and_space(void **state)
{
    struct process_place here;
    char pid[PROCESS_PID_SIZE];

    (void)state;
    process_here(&here);
    fmt_into(pid, sizeof pid, "%ld", (long)getpid());
    assert_string_equal(here.pid, pid);
    assert_true(here.host[0] != '\0' && str_of(here.space).len > 36);
}

static void we_and_our_parent_are_alive(void **state)
{
    struct process_place here;
    struct process_place parent;

    (void)state;
    process_here(&here);
    parent = here;
    fmt_into(parent.pid, sizeof parent.pid, "%ld", (long)getppid());
    assert_false(gone(&here, &here));
    assert_false(gone(&here, &parent));
}

static void a_reaped_child_is_gone(void **state)
{
    struct process_place here;
    struct process_place dead;

    (void)state;
    process_here(&here);
    a_dead_one(&dead);
    assert_true(gone(&here, &dead));
}

static void a_zombie_is_not_gone_yet(void **state)
{
    struct process_place here;
    struct process_place zombie;
    siginfo_t info;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(0);
    assert_true(pid > 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    process_here(&here);
    zombie = here;
    fmt_into(zombie.pid, sizeof zombie.pid, "%ld", (long)pid);
    assert_false(gone(&here, &zombie));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_dead_pid_of_elsewhere_or_of_nowhere_proves_nothing(void **state)
{
    struct process_place here;
    struct process_place dead;
    struct process_place other;

    (void)state;
    process_here(&here);
    a_dead_one(&dead);
    other = dead;
    fmt_into(other.host, sizeof other.host, "another");
    assert_false(gone(&here, &other));
    other = dead;
    fmt_into(other.space, sizeof other.space, "another boot:1");
    assert_false(gone(&here, &other));
    other = here;
    other.space[0] = dead.space[0] = '\0'; /* /proc is not there */
    assert_false(gone(&other, &dead));
}

static void a_pid_that_is_no_process_proves_nothing(void **state)
{
    static const char *const pids[] = {"", "0", "1", "-1", "x", "99999999999999"};
    struct process_place here;
    struct process_place it;

    (void)state;
    process_here(&here);
    it = here;
    for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
        fmt_into(it.pid, sizeof it.pid, "%s", pids[i]);
        assert_false(gone(&here, &it));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_tells_host_pid_and_space),
        cmocka_unit_test(we_and_our_parent_are_alive),
        cmocka_unit_test(a_reaped_child_is_gone),
        cmocka_unit_test(a_zombie_is_not_gone_yet),
        cmocka_unit_test(a_dead_pid_of_elsewhere_or_of_nowhere_proves_nothing),
        cmocka_unit_test(a_pid_that_is_no_process_proves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
