/* test_redis_socket.c - a host of several addresses. The name service is a function of
 * this file, which takes the place of libc's.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/redis_socket.h"
#include "test_redis_rig.h"

enum { ADDRESSES_MAX = 4 };

/* What the name service knows. */
static int ports[ADDRESSES_MAX];
static size_t address_count;
static int lookups; /* of names, so far */

int getaddrinfo(const char *restrict host, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
    (void)host;
    (void)service;
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    lookups++;
    if (address_count == 0)
        return EAI_AGAIN;
    *list = NULL;
    for (size_t i = address_count; i-- > 0;) {
        struct addrinfo *info = calloc(1, sizeof(*info));
        struct sockaddr_in *address = calloc(1, sizeof(*address));

        address->sin_family = AF_INET;
        address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address->sin_port = htons((uint16_t)ports[i]);
        *info = (struct addrinfo){.ai_family = AF_INET,
                                  .ai_socktype = SOCK_STREAM,
                                  .ai_addrlen = sizeof(*address),
                                  .ai_addr = (struct sockaddr *)address,
                                  .ai_next = *list};
        *list = info;
    }
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;

        free(list->ai_addr);
        free(list);
        list = next;
    }
}

/* A port that was free a moment ago. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static struct rig rig;

static int set_up(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    rig_open(&rig);
    lookups = 0;
    address_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static bool until_down(struct rig *r)
{
    return r->down_count > 0;
}

static void the_addresses_of_a_host_are_tried_in_turn(void **state)
{
    char port[16];

    (void)state;
    for (address_count = 0; address_count < 3; address_count++)
        ports[address_count] = free_port();
    fmt_into(port, sizeof(port), "%d", ports[2]);
    rig_server_start(&rig, "--port", port);
    rig_connect_to(&rig, "redis://many", (struct redis_options){0});
    rig_ask(&rig, "ECHO third");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "third");
    assert_int_equal(lookups, 1);
}

static void a_host_without_a_server_is_refused_at_its_last_address(void **state)
{
    (void)state;
    for (address_count = 0; address_count < 2; address_count++)
        ports[address_count] = free_port();
    rig_connect_to(&rig, "redis://many", (struct redis_options){0});
    rig_run(&rig, until_down);
    assert_string_equal(rig.down.msg, "redis://many:6379: Connection refused");
}

static void begin(struct redis_route *route, const struct redis_target *target,
                  int64_t now_ms)
{
    struct err err = {0};

    if (!redis_route_begin(route, target, now_ms, &err))
        fail_msg("%s", err.msg);
}

static void a_name_is_looked_up_again_only_when_its_addresses_failed(void **state)
{
    char host[] = "many";
    const struct redis_target target = {.host = host, .port = 6379};
    struct redis_route route = {0};
    struct err err = {0};

    (void)state;
    assert_false(redis_route_begin(&route, &target, 1000, &err)); /* no name service */
    assert_non_null(strstr(err.msg, "host not found"));
    assert_int_equal(lookups, 1);
    address_count = 1;
    begin(&route, &target, 1001);
    assert_int_equal(lookups, 2);
    redis_route_worked(&route);
    begin(&route, &target, 1000000); /* worked: needs no other address */
    assert_int_equal(lookups, 2);
    begin(&route, &target,
          1000001); /* the round before failed, and the answer is old */
    assert_int_equal(lookups, 3);
    begin(&route, &target, 1000001 + REDIS_RESOLVE_EVERY_MS - 1);
    assert_int_equal(lookups, 3);
    address_count = 0; /* the name service goes: the old answer is kept */
    begin(&route, &target, 1000001 + REDIS_RESOLVE_EVERY_MS);
    assert_int_equal(lookups, 4);
    assert_non_null(route.next);
    redis_route_done(&route);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_addresses_of_a_host_are_tried_in_turn),
        TEST(a_host_without_a_server_is_refused_at_its_last_address),
        TEST(a_name_is_looked_up_again_only_when_its_addresses_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
