/* http_easy.c - all options libcurl is given, in one place, with their reasons.
 *
 * Flow: http_easy_init (check the lines, ask the URL for its host, set the options)
 *       -> the transfer -> http_easy_outcome, http_easy_reason -> http_easy_done
 */
#include "net/http_easy.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "net/http_clocks.h"

/* ---- before ---- */

/* A line end in a header (an API key read from a file) would forge the next header. */
static bool line_is_clean(const char *line)
{
    for (const unsigned char *c = (const unsigned char *)line; *c; c++) {
        if ((*c < 0x20 && *c != '\t') || *c == 0x7f)
            return false;
    }
    return strchr(line, ':') != NULL;
}

static bool easy_add_line(struct http_easy *easy, const char *line)
{
    struct curl_slist *longer = curl_slist_append(easy->lines, line);

    if (!longer)
        x_exhausted("out of memory");
    easy->lines = longer;
    return true;
}

static bool easy_set_lines(struct http_easy *easy, const char *const *lines,
                           struct err *err)
{
    /* libcurl would hold back a large body until the server says 100 Continue, and
     * wait a second for servers that never do. */
    easy_add_line(easy, "Expect:");
    for (; lines && *lines; lines++) {
        const char *colon = strchr(*lines, ':');

        /* Its value may be a secret: only the name is told. */
        if (!line_is_clean(*lines))
            return err_set(err, ERR_FORMAT, "header %.*s holds a control character",
                           colon ? (int)(colon - *lines) : 0, *lines);
        easy_add_line(easy, *lines);
    }
    return curl_easy_setopt(easy->curl, CURLOPT_HTTPHEADER, easy->lines) == CURLE_OK
           || err_set(err, ERR_SYSTEM, "cannot set the headers");
}

bool http_easy_is_loopback(const char *host)
{
    size_t len = strlen(host);
    const char *tail = ".localhost"; /* RFC 6761, 6.3 */
    struct in_addr v4;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127 || v4.s_addr == 0;
    if (strcmp(host, "[::1]") == 0 || strcmp(host, "[::]") == 0)
        return true;
    if (strncasecmp(host, "[::ffff:127.", 12) == 0)
        return true;
    if (strcasecmp(host, "localhost") == 0)
        return true;
    return len > strlen(tail) && strcasecmp(host + len - strlen(tail), tail) == 0;
}

static bool easy_set_url(struct http_easy *easy, const char *url, struct err *err)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    char *port = NULL;
    struct str bare;
    CURLUcode code = CURLUE_OK;
    bool ok = false;

    code = curl_url_set(parts, CURLUPART_URL, url, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(parts, CURLUPART_HOST, &host, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (code != CURLUE_OK) {
        err_set(err, ERR_FORMAT, "not a usable URL: %s", curl_url_strerror(code));
        goto out;
    }
    easy->peer = x_printf("%s port %s", host, port);
    bare = host[0] == '[' ? str_make(host + 1, strlen(host) - 2) : str_of(host);
    easy->direct = x_printf("%.*s port %s", (int)bare.len, bare.at, port);
    ok = curl_easy_setopt(easy->curl, CURLOPT_URL, url) == CURLE_OK;
    /* http_proxy is meant for the world, not for an Ollama on this machine. */
    if (http_easy_is_loopback(host))
        ok = ok && curl_easy_setopt(easy->curl, CURLOPT_NOPROXY, "*") == CURLE_OK;
    if (!ok)
        err_set(err, ERR_FORMAT, "not a usable URL");
out:
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return ok;
}

/* For a server with a certificate of its own; libcurl alone knows only the system's,
 * and this variable is what OpenSSL and curl's tool read. */
static bool easy_set_trust(struct http_easy *easy)
{
    const char *file = getenv("SSL_CERT_FILE");

    return file == NULL || *file == '\0'
           || curl_easy_setopt(easy->curl, CURLOPT_CAINFO, file) == CURLE_OK;
}

static bool easy_set_method(struct http_easy *easy, const struct http_request *request)
{
    CURL *curl = easy->curl;
    curl_off_t bytes = (curl_off_t)request->body.len;

    if (strcmp(request->method, "GET") == 0)
        return curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    assert(strcmp(request->method, "POST") == 0);
    easy->body = x_memdup(request->body.at, request->body.len);
    /* A connection of its own for each POST: only on a reused one does libcurl send a
     * request again by itself when the peer closes it, and that would be a second
     * generation nobody knows of. Refusing the second sending instead (PREREQFUNCTION,
     * kept in http.c as a second lock) would fail the turn whenever a server closes
     * idle connections; a connect costs nothing beside a generation. */
    return curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, bytes) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_POSTFIELDS, easy->body) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK;
}

static bool easy_set_rules(struct http_easy *easy, int64_t connect_ms)
{
    CURL *curl = easy->curl;
    long wait_ms = (long)(connect_ms > 0 ? connect_ms : HTTP_CONNECT_MS_DEFAULT);

    return curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, easy->text) == CURLE_OK
           /* No signals for timeouts: the resolver has a thread of its own. */
           && curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK
           /* A followed redirect could carry the key to another host. */
           && curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK
           /* HTTP/1.1: one call, one connection, and closing it ends the call. */
           && curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1)
                  == CURLE_OK
           /* What a proxy answers to CONNECT is not the server's response. */
           && curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK
           /* Our own clock decides, but from this libcurl takes how long to try one
            * address of a host before the next. */
           && curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, wait_ms) == CURLE_OK;
}

bool http_easy_init(struct http_easy *easy, const struct http_request *request,
                    struct err *err)
{
    memset(easy, 0, sizeof(*easy));
    easy->curl = curl_easy_init();
    if (!easy->curl)
        x_exhausted("out of memory");
    if (!easy_set_url(easy, request->url, err)
        || !easy_set_lines(easy, request->headers, err))
        return false;
    return (easy_set_method(easy, request) && easy_set_trust(easy)
            && easy_set_rules(easy, request->connect_ms))
           || err_set(err, ERR_SYSTEM, "libcurl is too old or built without a part");
}

void http_easy_done(struct http_easy *easy)
{
    curl_easy_cleanup(easy->curl);
    curl_slist_free_all(easy->lines);
    free(easy->body);
    free(easy->peer);
    free(easy->direct);
    memset(easy, 0, sizeof(*easy));
}

/* ---- after ---- */

enum http_outcome http_easy_outcome(CURLcode code, bool connected)
{
    if (code == CURLE_OK)
        return HTTP_DONE;
    if (code == CURLE_OPERATION_TIMEDOUT)
        return HTTP_TIMEOUT;
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
        return connected ? HTTP_GARBLED : HTTP_REFUSED;
    return connected ? HTTP_BROKEN : HTTP_REFUSED;
}

/* libcurl quotes what the peer sent: it may hold anything. */
static void text_clean(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && (unsigned char)text[len - 1] <= ' ')
        text[--len] = '\0';
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7f)
            text[i] = '?';
    }
}

static bool has_proxy(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy", "ALL_PROXY"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value != NULL && *value != '\0')
            return true;
    }
    return false;
}

/* The proxy that could not be reached, "host port N"; empty where it was the server, or
 * libcurl's words, the only thing to tell them apart, are others. */
static struct str proxy_tried(const struct http_easy *easy, const char *text)
{
    static const char before[] = "Failed to connect to ";
    const char *after = strstr(text, " after ");
    struct str tried;

    if (!str_starts(str_of(text), before) || after == NULL || easy->direct == NULL
        || !has_proxy())
        return str_of("");
    tried = str_make(text + strlen(before), (size_t)(after - text) - strlen(before));
    return str_is(tried, easy->direct) ? str_of("") : tried;
}

/* A proxy of the environment failed, not the server. */
static bool tell_proxy(const struct http_easy *easy, CURLcode code, const char *text,
                       struct err *ret_err)
{
    struct str tried = proxy_tried(easy, text);

    if (tried.len > 0)
        err_set(ret_err, ERR_MODEL, "no connection to the proxy %.*s on the way to %s",
                (int)tried.len, tried.at, easy->peer);
    else if (strstr(text, "proxy scheme") != NULL) /* it goes on with the address, and
                                                      that may hold a password */
        err_set(ret_err, ERR_MODEL, "the proxy on the way to %s is of no known kind",
                easy->peer);
    else if (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY
             || strstr(text, "CONNECT tunnel") != NULL)
        err_set(ret_err, ERR_MODEL, "the proxy on the way to %s: %s", easy->peer, text);
    else
        return false;
    return true;
}

static void tell_trust(const char *peer, const char *text, struct err *ret_err)
{
    static const char prefix[] = "SSL certificate problem: ";

    if (strstr(text, "subject name") != NULL)
        text = "it is another host's";
    else if (str_starts(str_of(text), prefix))
        text += strlen(prefix);
    err_set(ret_err, ERR_MODEL, "%s has a certificate that is not trusted (%s)", peer,
            text);
}

void http_easy_reason(const struct http_easy *easy, CURLcode code, struct err *ret_err)
{
    const char *peer = easy->peer ? easy->peer : "the server";
    const char *text = *easy->text ? easy->text : curl_easy_strerror(code);
    bool no_http =
        strstr(text, "HTTP/0.9") != NULL; /* what libcurl takes a greeting for */
    long errnum = 0;

    curl_easy_getinfo(easy->curl, CURLINFO_OS_ERRNO, &errnum);
    if (tell_proxy(easy, code, text, ret_err)) {
        text_clean(ret_err->msg);
        return;
    }
    if (code == CURLE_COULDNT_CONNECT && errnum != 0)
        err_sys(ret_err, (int)errnum, "cannot connect to %s", peer);
    else if (code == CURLE_GOT_NOTHING)
        err_set(ret_err, ERR_MODEL, "%s closed the connection without an answer", peer);
    else if (code == CURLE_PARTIAL_FILE)
        err_set(ret_err, ERR_MODEL, "%s closed the connection in mid-answer", peer);
    else if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
        err_set(ret_err, ERR_MODEL, "%s does not speak HTTP (%s): %s", peer,
                no_http ? "its answer is none" : text,
                "is the port right, does it want https://?");
    else if (code == CURLE_SSL_CONNECT_ERROR)
        err_set(ret_err, ERR_MODEL, "%s does not speak TLS (%s): %s", peer, text,
                "is the port right, does it want http://?");
    else if (code == CURLE_PEER_FAILED_VERIFICATION)
        tell_trust(peer, text, ret_err);
    else if (code == CURLE_SSL_CACERT_BADFILE)
        err_set(ret_err, ERR_MODEL, "%s cannot be trusted: %s (SSL_CERT_FILE)", peer,
                text);
    else
        err_set(ret_err, ERR_MODEL, "%s: %s", peer, text);
    text_clean(ret_err->msg);
}
