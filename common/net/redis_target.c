/* redis_target.c - see redis_target.h. Messages name the part that is wrong and never
 * quote the URL, which may hold a password.
 *
 * Flow: scheme -> ?db=n cut off -> user:password@ cut off -> path of a socket, or
 *       host:port and /db.
 */
#include "net/redis_target.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

enum { DEFAULT_PORT = 6379, TEXT_MAX = 8192 };

void redis_target_done(struct redis_target *target)
{
    free(target->host);
    free(target->path);
    free(target->user);
    free(target->password);
    *target = (struct redis_target){0};
}

static char *copy_text(const char *text)
{
    return text ? x_strdup(text) : NULL;
}

void redis_target_copy(const struct redis_target *target,
                       struct redis_target *ret_target)
{
    *ret_target = (struct redis_target){.host = copy_text(target->host),
                                        .port = target->port,
                                        .path = copy_text(target->path),
                                        .user = copy_text(target->user),
                                        .password = copy_text(target->password),
                                        .db = target->db};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The text with its percent-escapes decoded, NULL if one is broken or means NUL. */
static char *unescape(struct str text)
{
    char *out = x_malloc(text.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++, n++) {
        int high, low;

        out[n] = text.at[i];
        if (text.at[i] != '%')
            continue;
        high = i + 2 < text.len ? hex_value(text.at[i + 1]) : -1;
        low = i + 2 < text.len ? hex_value(text.at[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) {
            free(out);
            return NULL;
        }
        out[n] = (char)(high * 16 + low);
        i += 2;
    }
    out[n] = '\0';
    return out;
}

static bool take(struct str text, const char *what, char **ret_text, struct err *err)
{
    char *plain = unescape(text);

    if (plain)
        *ret_text = plain;
    else
        err_set(err, ERR_USAGE, "redis URL: broken %%-escape in the %s", what);
    return plain != NULL;
}

static bool parse_db(struct str text, struct redis_target *target, struct err *err)
{
    int64_t db;

    if (!str_to_i64(text, 0, INT_MAX, &db))
        return err_set(err, ERR_USAGE, "redis URL: the database must be a number");
    target->db = (int)db;
    return true;
}

static bool parse_query(struct str query, struct redis_target *target, struct err *err)
{
    while (query.len > 0) {
        struct str word = str_cut(query, '&', &query);
        struct str value;
        struct str name = str_cut(word, '=', &value);

        if (!str_is(name, "db"))
            return err_set(err, ERR_USAGE, "redis URL: only ?db=N is known");
        if (!parse_db(value, target, err))
            return false;
    }
    return true;
}

/* Cuts user:password@ off the front of *rest. */
static bool parse_user(struct str *rest, struct redis_target *target, struct err *err)
{
    const char *at = NULL;
    struct str who, user, password;

    /* The last @ before the path: an unescaped one in a password is forgiven. */
    for (size_t i = 0; i < rest->len && rest->at[i] != '/'; i++)
        if (rest->at[i] == '@')
            at = rest->at + i;
    if (!at)
        return true;
    who = str_make(rest->at, (size_t)(at - rest->at));
    *rest = str_make(at + 1, rest->len - who.len - 1);
    user = str_cut(who, ':', &password);
    if (user.len == who.len)
        return err_set(err, ERR_USAGE,
                       "redis URL: a user without a password; user:password@, or "
                       ":password@ for the default user");
    if (user.len > 0 && !take(user, "user", &target->user, err))
        return false;
    if (password.len == 0 && user.len == 0)
        return true;
    return take(password, "password", &target->password, err);
}

static bool parse_socket(struct str path, struct redis_target *target, struct err *err)
{
    if (path.len == 0 || path.at[0] != '/')
        return err_set(err, ERR_USAGE, "redis URL: the socket needs a whole path");
    if (!take(path, "path", &target->path, err))
        return false;
    if (strlen(target->path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return err_set(err, ERR_USAGE, "redis URL: the socket's path is too long");
    return true;
}

/* Splits host, [v6 host] and port; the brackets are gone afterwards. */
static bool split_host(struct str where, struct str *ret_host, struct str *ret_port)
{
    struct str behind;

    if (where.len == 0 || where.at[0] != '[') {
        *ret_host = str_cut(where, ':', ret_port);
        return true;
    }
    where = str_make(where.at + 1, where.len - 1);
    *ret_host = str_cut(where, ']', &behind);
    *ret_port = behind.len > 0 ? str_make(behind.at + 1, behind.len - 1) : behind;
    return ret_host->len < where.len && (behind.len == 0 || behind.at[0] == ':');
}

static bool parse_host(struct str rest, struct redis_target *target, struct err *err)
{
    struct str db, host;
    struct str port_text = {0};
    struct str where = str_cut(rest, '/', &db);
    int64_t port = DEFAULT_PORT;

    if (!split_host(where, &host, &port_text))
        return err_set(err, ERR_USAGE, "redis URL: the address in [] is broken");
    if (host.len == 0)
        return err_set(err, ERR_USAGE, "redis URL: no host");
    if (port_text.len > 0 && !str_to_i64(port_text, 1, 65535, &port))
        return err_set(err, ERR_USAGE, "redis URL: the port must be 1 to 65535");
    if (!take(host, "host", &target->host, err))
        return false;
    target->port = (int)port;
    return db.len == 0 || parse_db(db, target, err);
}

/* Cuts the scheme off; *ret_socket tells which kind it is. */
static bool parse_scheme(struct str *rest, bool *ret_socket, struct err *err)
{
    static const struct {
        const char *scheme;
        bool socket;
    } known[] = {{"redis://", false}, {"redis+unix://", true}, {"unix://", true}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t len = strlen(known[i].scheme);

        if (!str_starts(*rest, known[i].scheme))
            continue;
        *rest = str_make(rest->at + len, rest->len - len);
        *ret_socket = known[i].socket;
        return true;
    }
    if (str_starts(*rest, "rediss://"))
        return err_set(err, ERR_USAGE, "redis URL: TLS (rediss://) is not built in");
    return err_set(err, ERR_USAGE, "redis URL: must begin with redis:// or unix://");
}

bool redis_target_parse(const char *url, struct redis_target *ret_target,
                        struct err *err)
{
    struct redis_target target = {0};
    struct str rest = str_of(url);
    struct str query;
    bool is_socket = false;
    bool ok;

    if (!parse_scheme(&rest, &is_socket, err))
        return false;
    rest = str_cut(rest, '?', &query);
    ok = parse_user(&rest, &target, err)
         && (is_socket ? parse_socket(rest, &target, err)
                       : parse_host(rest, &target, err))
         && parse_query(query, &target, err);
    if (!ok) {
        redis_target_done(&target);
        return false;
    }
    *ret_target = target;
    return true;
}

/* Letters that stand for themselves in any part of a URL (RFC 3986, 2.3), and those
 * of `also`; the others are escaped. */
static void add_escaped(struct buf *out, const char *text, const char *also)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-._~";

    for (; *text; text++) {
        if (strchr(plain, *text) || strchr(also, *text))
            buf_add_char(out, *text);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

char *redis_target_text(const struct redis_target *target)
{
    struct buf out;

    buf_init(&out, TEXT_MAX);
    buf_add_text(&out, target->path ? "unix://" : "redis://");
    if (target->user) {
        add_escaped(&out, target->user, "");
        buf_add_char(&out, '@');
    }
    if (target->path) {
        add_escaped(&out, target->path, "/");
    } else {
        bool v6 = strchr(target->host, ':') != NULL;

        buf_add_text(&out, v6 ? "[" : "");
        add_escaped(&out, target->host, ":");
        buf_printf(&out, "%s:%d", v6 ? "]" : "", target->port);
    }
    if (target->db > 0)
        buf_printf(&out, target->path ? "?db=%d" : "/%d", target->db);
    return buf_take(&out);
}
