/* test_config_url.c - what OLLAMA_HOST and --ollama may hold, in one form. */
#include <stdlib.h>
#include <string.h>

#include "proto/config_url.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static void each_form_becomes_a_url(void **state)
{
    static const struct {
        const char *text, *url;
    } cases[] = {
        {"host", "http://host:11434"},
        {"host:99", "http://host:99"},
        {" host:99\n", "http://host:99"},
        {"http://host", "http://host:11434"},
        {"http://host:99/", "http://host:99"},
        {"http://host:99///", "http://host:99"},
        {"https://host", "https://host"},
        {"https://host:8443/", "https://host:8443"},
        {"10.0.0.7", "http://10.0.0.7:11434"},
        {":99", "http://127.0.0.1:99"},
        {":9", "http://127.0.0.1:9"},
        {"host:9", "http://host:9"},
        {"http://:99", "http://127.0.0.1:99"},
        {"0.0.0.0", "http://127.0.0.1:11434"},
        {"0.0.0.0:99", "http://127.0.0.1:99"},
        {"http://0.0.0.0:99/", "http://127.0.0.1:99"},
        {"0.0.0.0.example.com", "http://0.0.0.0.example.com:11434"},
        {"::1", "http://[::1]:11434"},
        {"fe80::1:2", "http://[fe80::1:2]:11434"},
        {"[::1]", "http://[::1]:11434"},
        {"[::1]:99", "http://[::1]:99"},
        {"[::]:99", "http://[::1]:99"},
        {"::", "http://[::1]:11434"},
        {"http://host/ollama/", "http://host/ollama"},
        {"http://host:99/a/b", "http://host:99/a/b"},
        {"http://0.0.0.0:99/a", "http://127.0.0.1:99/a"},
        {"https://host/a", "https://host/a"},
        {"http://me:secret@host:99", "http://me:secret@host:99"},
        {"http://me@host", "http://me@host:11434"},
        {"host:65535", "http://host:65535"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *url = config_http_url(cases[i].text, 11434);
        char *again;

        if (url == NULL)
            fail_msg("'%s' was refused", cases[i].text);
        assert_string_equal(url, cases[i].url);
        again = config_http_url(url, 11434);
        assert_string_equal(again, url); /* it stays what it is */
        free(again);
        free(url);
    }
}

static void what_is_no_address_of_a_server_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "/",
        "http://",
        "https:///",
        "a b",
        "host\n:99",
        "host\x7F",
        "ho\"st",
        "ftp://host",
        "unix:///a",
        "HTTP://host",
        "a://b",
        "://host",
        "host:",
        "host:0",
        "host:x",
        "host:65536",
        "host:-1",
        "host:99 x",
        "http://host?x",
        "http://h#f",
        "[::1",
        "[::1]x",
        "[::1]:",
        "[::1]:x",
        "me@",
        "http://me@",
        "h<b>",
        "\x1B[2J",
        "ho\\st",
        "host:99999999999999999999",
        "http://host/a?b",
        "http://host:/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *url = config_http_url(bad[i], 11434);

        if (url != NULL)
            fail_msg("'%s' became '%s'", bad[i], url);
    }
}

static void an_api_keeps_its_path_and_has_no_user(void **state)
{
    static const struct {
        const char *text, *url; /* NULL: refused */
    } cases[] = {
        {"https://api.openai.com/v1", "https://api.openai.com/v1"},
        {" http://localhost:1234/v1/ ", "http://localhost:1234/v1"},
        {"http://host", "http://host:80"},
        {"https://host", "https://host"},
        {"https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"},
        {"host/v1", NULL},
        {"localhost:1234", NULL},
        {"ftp://host/v1", NULL},
        {"https://me:pw@host/v1", NULL},
        {"https://me@host/v1", NULL},
        {"https:///v1", NULL},
        {"https://:8080/v1", NULL},
        {"https://host/v1?key=1", NULL},
        {"", NULL},
        {NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *url = config_api_url(cases[i].text);

        if ((url == NULL) != (cases[i].url == NULL))
            fail_msg("'%s' became '%s'", cases[i].text, url);
        if (url != NULL)
            assert_string_equal(url, cases[i].url);
        free(url);
    }
}

static void private_hosts_are_known(void **state)
{
    static const char *const near[] = {
        "http://127.0.0.1:1",    "http://127.9.9.9",
        "http://10.1.2.3/v1",    "http://172.16.0.1",
        "http://172.31.255.255", "http://192.168.3.4:80",
        "http://169.254.1.1",    "http://100.64.0.1",
        "http://[::1]:99",       "http://[fd00::1]",
        "http://[FE80::1]:1/x",  "http://localhost",
        "http://gpu-box:8000",   "http://a.localhost",
        "http://nas.local/v1",   "http://host.docker.internal",
        "http://x.home.arpa",    "https://me:pw@10.0.0.1",
    };
    static const char *const far[] = {
        "https://api.openai.com/v1",
        "http://8.8.8.8",
        "http://172.32.0.1",
        "http://172.15.0.1",
        "http://100.128.0.1",
        "http://192.169.0.1",
        "http://[2001:db8::1]",
        "http://10.example.com",
        "http://127.0.0.1.nip.io",
        "http://10.0.0.1@evil.com",
        "http://local.com",
        "http://10.0.0.256.com",
        "http://.local",
        "not a url",
    };

    (void)state;
    for (size_t i = 0; i < sizeof near / sizeof *near; i++)
        if (!config_url_is_private(near[i]))
            fail_msg("%s", near[i]);
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        if (config_url_is_private(far[i]))
            fail_msg("%s", far[i]);
}

static void a_bare_url_has_no_user(void **state)
{
    static const char *const cases[][2] = {
        {"http://host:1/x", "http://host:1/x"},
        {"http://me:pw@host:1/x", "http://host:1/x"},
        {"https://me@host", "https://host"},
        {"http://a@b@host/x@y", "http://host/x@y"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *bare = config_url_bare(cases[i][0]);

        assert_string_equal(bare, cases[i][1]);
        free(bare);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_becomes_a_url),
        cmocka_unit_test(what_is_no_address_of_a_server_is_refused),
        cmocka_unit_test(an_api_keeps_its_path_and_has_no_user),
        cmocka_unit_test(private_hosts_are_known),
        cmocka_unit_test(a_bare_url_has_no_user),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
