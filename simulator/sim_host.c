/* sim_host.c - see sim_host.h. */
#include "simulator/sim_host.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

enum { HOST_MAX = 256 };

static bool is_own_v4(uint32_t address)
{
    return address == 0 || address >> 24 == 127 || address >> 24 == 10
           || address >> 20 == (172 << 4 | 1) || address >> 16 == (192 << 8 | 168);
}

static bool is_own_v6(const unsigned char address[16])
{
    unsigned char zeros[15] = {0};

    return (memcmp(address, zeros, sizeof zeros) == 0 && address[15] <= 1)
           || (address[0] & 0xfe) == 0xfc;
}

static bool is_own_address(const char *host)
{
    struct in_addr v4 = {0};
    struct in6_addr v6 = {0};

    if (inet_pton(AF_INET, host, &v4) == 1)
        return is_own_v4(ntohl(v4.s_addr));
    return inet_pton(AF_INET6, host, &v6) == 1 && is_own_v6(v6.s6_addr);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text | 0x20);
}

static bool is_own_name(const char *host)
{
    char name[HOST_MAX] = "";

    if (host[0] == '\0' || strcmp(host, "localhost") == 0)
        return true;
    if (gethostname(name, sizeof name - 1) == 0) {
        lower(name);
        if (strcmp(host, name) == 0)
            return true;
    }
    return ends_with(host, ".localhost") || ends_with(host, ".local")
           || ends_with(host, ".internal");
}

/* "host:port", "[v6]:port" or what there is; brackets without a port stay. */
static struct str without_port(struct str host)
{
    size_t end = host.len;

    while (end > 0 && host.at[end - 1] >= '0' && host.at[end - 1] <= '9')
        end--;
    if (end == 0 || host.at[end - 1] != ':')
        return host;
    end--;
    if (end >= 2 && host.at[0] == '[' && host.at[end - 1] == ']')
        return str_make(host.at + 1, end - 2);
    return memchr(host.at, ':', end) ? host : str_make(host.at, end);
}

static bool is_loopback(const char *listen)
{
    struct str text = str_of(listen);

    return str_starts(text, "127.") || str_starts(text, "localhost:")
           || str_starts(text, "[::1]:");
}

bool sim_host_fits(const char *listen, const char *host)
{
    struct str part = without_port(str_of(host));
    char *name = NULL;
    bool fits = false;

    if (!is_loopback(listen))
        return true;
    name = x_memdup(part.at, part.len);
    lower(name);
    fits = is_own_name(name) || is_own_address(name);
    free(name);
    return fits;
}
