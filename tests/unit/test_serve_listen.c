/* test_serve_listen.c - where the HTTP server listens, and how it ends. */
#include <sys/stat.h>
#include <sys/un.h>

#include "test_serve_rig.h"

/* ---- the server ends ---- */

static void aborting_sends_what_was_written_and_no_last_chunk(void **state)
{
    (void)state;
    told.handle = begin_stream;
    raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_wait(&rig, is_asked, NULL);
    assert_true(serve_write(told.request, str_of("half")));
    serve_abort(told.request);
    rig_wait(&rig, raw_is_ended, client);
    assert_non_null(strstr(raw_text(client), "\r\n\r\n4\r\nhalf\r\n"));
    assert_null(strstr(raw_text(client), "0\r\n\r\n"));
    wait_gone(1);
    assert_int_equal(told.dones, 0);
}

static void aborting_before_the_answer_says_nothing(void **state)
{
    (void)state;
    told.handle = serve_abort;
    raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_wait(&rig, raw_is_ended, client);
    assert_int_equal(client->got.len, 0);
    wait_gone(1);
    assert_int_equal(told.dones, 0);
}

static void freeing_the_server_ends_every_request(void **state)
{
    struct serve_options some = options("127.0.0.1:0");
    struct serve *other = NULL;
    struct raw *open[3] = {0};

    (void)state;
    assert_true(serve_new(rig.loop, &some, &other, NULL));
    for (size_t i = 0; i < 3; i++) {
        told.request = NULL;
        told.handle = i == 0 ? NULL : begin_stream;
        open[i] = raw_connect(&rig, serve_port(other));
        raw_say(open[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        rig_wait(&rig, is_asked, NULL);
    }
    assert_true(serve_write(told.request, str_of("in flight")));
    serve_free(other);
    assert_int_equal(told.gones, 3);
    assert_int_equal(told.dones, 0);
    for (size_t i = 0; i < 3; i++) {
        rig_wait(&rig, raw_is_ended, open[i]);
        raw_free(open[i]);
    }
}

/* ---- addresses ---- */

static void a_busy_port_is_told_by_its_name(void **state)
{
    char address[32];
    struct serve_options some = options(address);
    struct serve *second = NULL;
    struct err err = {0};

    (void)state;
    snprintf(address, sizeof(address), "127.0.0.1:%d", serve_port(serve));
    assert_false(serve_new(rig.loop, &some, &second, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.msg, address));
    assert_non_null(strstr(err.msg, "Address already in use"));
    assert_null(second);
}

static void what_is_no_address_is_a_usage_error(void **state)
{
    static const char *const texts[] = {
        "",       "11434", "127.0.0.1", ":80",   "a:",   "a:x",    "127.0.0.1:70000",
        "::1:80", "[::1]", "[]:80",     "unix:", "a:-1", "[::1]80"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct serve_options some = options(texts[i]);
        struct serve *none = NULL;
        struct err err = {0};

        assert_false(serve_new(rig.loop, &some, &none, &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
}

static void ipv6_is_served(void **state)
{
    struct serve_options some = options("[::1]:0");
    struct serve *v6 = NULL;
    struct err err = {0};
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    struct raw *raw = NULL;
    int fd = -1;

    (void)state;
    if (!serve_new(rig.loop, &some, &v6, &err)) {
        print_message("no IPv6 here: %s\n", err.msg);
        skip();
    }
    address.sin6_addr.s6_addr[15] = 1;
    address.sin6_port = htons((uint16_t)serve_port(v6));
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    raw = raw_new(&rig, fd);
    told.handle = answer_hello;
    raw_say(raw, "GET / HTTP/1.0\r\n\r\n");
    rig_wait(&rig, raw_is_ended, raw);
    assert_non_null(strstr(raw_text(raw), "hello"));
    raw_free(raw);
    serve_free(v6);
}

static struct raw *connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return raw_new(&rig, fd);
}

static void leave_stale_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void a_unix_socket_is_served_private_and_removed(void **state)
{
    char folder[] = "/tmp/parley-serve-XXXXXX";
    char path[64];
    char address[80];
    struct serve_options some = options(address);
    struct serve *local = NULL;
    struct serve *second = NULL;
    struct err err = {0};
    struct raw *raw = NULL;
    struct stat file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/sock", folder);
    snprintf(address, sizeof(address), "unix:%s", path);
    leave_stale_socket(path);
    assert_true(serve_new(rig.loop, &some, &local, &err));
    assert_int_equal(serve_port(local), 0);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_false(serve_new(rig.loop, &some, &second, &err)); /* taken while it lives */
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.msg, path));
    told.handle = stream_at_once;
    raw = connect_unix(path);
    raw_say(raw, "GET / HTTP/1.0\r\n\r\n");
    rig_wait(&rig, raw_is_ended, raw);
    assert_non_null(strstr(raw_text(raw), "onetwo"));
    raw_free(raw);
    serve_free(local);
    assert_int_not_equal(stat(path, &file), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    char path[] = "/tmp/parley-serve-XXXXXX";
    char address[80];
    struct serve_options some = options(address);
    struct serve *none = NULL;
    struct err err = {0};
    int fd = mkstemp(path);

    (void)state;
    snprintf(address, sizeof(address), "unix:%s", path);
    assert_false(serve_new(rig.loop, &some, &none, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_int_equal(unlink(path), 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVE_TEST(aborting_sends_what_was_written_and_no_last_chunk),
        SERVE_TEST(aborting_before_the_answer_says_nothing),
        SERVE_TEST(freeing_the_server_ends_every_request),
        SERVE_TEST(a_busy_port_is_told_by_its_name),
        SERVE_TEST(what_is_no_address_is_a_usage_error),
        SERVE_TEST(ipv6_is_served),
        SERVE_TEST(a_unix_socket_is_served_private_and_removed),
        SERVE_TEST(a_file_that_is_no_socket_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
