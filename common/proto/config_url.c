/* config_url.c - see config_url.h. */
#include "proto/config_url.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

struct url {
    const char *scheme; /* with "://" */
    struct str user;    /* with its '@', or empty */
    struct str host;    /* with brackets when it is an IPv6 address in brackets */
    struct str port;
    struct str path; /* from its '/' on, without one at the end */
};

static struct str behind(struct str text, size_t count)
{
    return str_make(text.at + count, text.len - count);
}

/* Bytes that end a URL elsewhere, or that no URL holds. */
static bool is_clean(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (iscntrl((unsigned char)text.at[i])
            || strchr(" \"<>\\^`{|}?#", text.at[i]) != NULL)
            return false;
    return true;
}

static bool split_scheme(struct str *text, const char **ret_scheme)
{
    static const char *const schemes[] = {"http://", "https://"};

    *ret_scheme = schemes[0];
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (str_starts(*text, schemes[i])) {
            *ret_scheme = schemes[i];
            *text = behind(*text, strlen(schemes[i]));
            return true;
        }
    for (size_t i = 0; i < text->len; i++)
        if (str_starts(behind(*text, i), "://"))
            return false;
    return true;
}

/* "host", "host:port", "[::1]:port"; more than one colon without brackets is a bare
 * IPv6 address: where there is a scheme, nobody can tell its port from it. */
static bool split_host(struct str text, bool bare_fits, struct url *url)
{
    struct str rest;
    size_t host = 0;

    if (str_starts(text, "[")) {
        const char *end = memchr(text.at, ']', text.len);

        if (end == NULL)
            return false;
        host = (size_t)(end - text.at) + 1;
        rest = behind(text, host);
        url->host = str_make(text.at, host);
        url->port = rest.len == 0 ? rest : behind(rest, 1);
        return rest.len == 0 || (rest.at[0] == ':' && url->port.len > 0);
    }
    url->host = str_cut(text, ':', &rest);
    url->port = rest;
    if (memchr(rest.at, ':', rest.len) != NULL) {
        url->host = text;
        url->port = str_of("");
        return bare_fits;
    }
    return url->host.len == text.len || rest.len > 0;
}

static bool split(struct str text, struct url *url)
{
    bool bare_fits = !str_starts(text, "http");
    struct str authority;
    int64_t port;

    if (!is_clean(text) || !split_scheme(&text, &url->scheme))
        return false;
    while (text.len > 0 && text.at[text.len - 1] == '/')
        text.len--;
    authority = str_cut(text, '/', &url->path);
    url->path = behind(text, authority.len);
    url->user = str_of("");
    for (size_t i = 0; i < authority.len; i++)
        if (authority.at[i] == '@')
            url->user = str_make(authority.at, i + 1);
    if (!split_host(behind(authority, url->user.len), bare_fits, url))
        return false;
    if (url->port.len > 0 && !str_to_i64(url->port, 1, 65535, &port))
        return false;
    return url->host.len > 0 || url->port.len > 0;
}

/* Where a server that listens everywhere is reached from its own machine. */
static struct str reachable(struct str host)
{
    if (host.len == 0 || str_is(host, "0.0.0.0"))
        return str_of("127.0.0.1");
    if (str_is(host, "[::]") || str_is(host, "::"))
        return str_of("[::1]");
    return host;
}

char *config_http_url(const char *text, int default_port)
{
    struct url url;
    struct str host;
    bool bare; /* an IPv6 address that lacks its brackets */
    char port[16] = "";

    if (!split(str_trim(str_of(text)), &url))
        return NULL;
    host = reachable(url.host);
    bare = host.at[0] != '[' && memchr(host.at, ':', host.len) != NULL;
    if (url.port.len > 0)
        fmt_into(port, sizeof port, ":%.*s", (int)url.port.len, url.port.at);
    else if (url.path.len == 0 && strcmp(url.scheme, "http://") == 0)
        fmt_into(port, sizeof port, ":%d", default_port);
    return x_printf("%s%.*s%s%.*s%s%s%.*s", url.scheme, (int)url.user.len, url.user.at,
                    bare ? "[" : "", (int)host.len, host.at, bare ? "]" : "", port,
                    (int)url.path.len, url.path.at);
}

char *config_api_url(const char *text)
{
    enum { HTTP_PORT = 80 };
    struct str trimmed = str_trim(str_of(text));
    struct url url;

    if (!str_starts(trimmed, "http://") && !str_starts(trimmed, "https://"))
        return NULL;
    if (!split(trimmed, &url) || url.user.len > 0 || url.host.len == 0)
        return NULL;
    return config_http_url(text, HTTP_PORT);
}

static bool has_scheme(struct str text)
{
    return str_starts(text, "http://") || str_starts(text, "https://");
}

/* What stands between the scheme and the path, without user and password. */
static struct str authority_of(struct str text)
{
    struct str rest;

    if (has_scheme(text))
        text = behind(text, str_starts(text, "https://") ? 8 : 7);
    text = str_cut(text, '/', &rest);
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == '@')
            return behind(text, i + 1);
    return text;
}

const char *config_url_fault(const char *text, bool is_api)
{
    struct str trimmed = str_trim(str_of(text));
    struct str host = authority_of(trimmed);
    struct str port;

    if (trimmed.len == 0)
        return "";
    if (strstr(text, "://") != NULL && !has_scheme(trimmed))
        return ": it begins neither with http:// nor with https://";
    if (is_api && !has_scheme(trimmed))
        return ": http:// or https:// is missing before it";
    if (host.len == 0)
        return ": its host is missing";
    if (!is_clean(trimmed))
        return ": a blank, a query or a character stands in it that no address has";
    (void)str_cut(host, ':', &port);
    if (host.at[0] != '[' && memchr(port.at, ':', port.len) != NULL)
        return ": an IPv6 address stands in brackets, as in http://[::1]:11434";
    return host.at[0] != '[' && port.len > 0 ? ": its port is a number from 1 to 65535"
                                             : "";
}

/* "10.1.2.3": four numbers. */
static bool parse_ipv4(struct str host, int64_t ret_parts[4])
{
    for (int i = 0; i < 4; i++) {
        struct str part = str_cut(host, '.', &host);

        if (!str_to_i64(part, 0, 255, &ret_parts[i]))
            return false;
    }
    return host.len == 0;
}

static bool is_private_ipv4(const int64_t ip[4])
{
    return ip[0] == 127 || ip[0] == 10 || (ip[0] == 172 && ip[1] >= 16 && ip[1] <= 31)
           || (ip[0] == 192 && ip[1] == 168) || (ip[0] == 169 && ip[1] == 254)
           || (ip[0] == 100 && ip[1] >= 64 && ip[1] <= 127);
}

static bool starts_small(struct str text, const char *prefix)
{
    size_t len = strlen(prefix);

    for (size_t i = 0; i < len; i++)
        if (i >= text.len || tolower((unsigned char)text.at[i]) != prefix[i])
            return false;
    return true;
}

/* "[fd00::1]": unique local, link local, loopback. */
static bool is_private_ipv6(struct str host)
{
    struct str inner = behind(host, 1);

    return starts_small(inner, "::1]") || starts_small(inner, "fc")
           || starts_small(inner, "fd") || starts_small(inner, "fe8")
           || starts_small(inner, "fe9") || starts_small(inner, "fea")
           || starts_small(inner, "feb");
}

static bool is_private_name(struct str host)
{
    static const char *const ends[] = {".localhost", ".local", ".internal", ".lan",
                                       ".home.arpa"};

    if (memchr(host.at, '.', host.len) == NULL)
        return true;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t len = strlen(ends[i]);

        if (host.len > len && starts_small(behind(host, host.len - len), ends[i]))
            return true;
    }
    return false;
}

bool config_url_is_private(const char *url)
{
    struct url parts;
    int64_t ip[4];

    if (!split(str_of(url), &parts) || parts.host.len == 0)
        return false;
    if (parts.host.at[0] == '[')
        return is_private_ipv6(parts.host);
    return parse_ipv4(parts.host, ip) ? is_private_ipv4(ip)
                                      : is_private_name(parts.host);
}

char *config_url_bare(const char *url)
{
    struct url parts;
    struct str rest;

    if (!split(str_of(url), &parts) || parts.user.len == 0)
        return x_strdup(url);
    rest = str_of(parts.user.at + parts.user.len);
    return x_printf("%s%s", parts.scheme, rest.at);
}
