/* http_easy.h - a request as a handle of libcurl, and libcurl's troubles as ours.
 * Used by http.c only; does no I/O.
 */
#ifndef PARLEY_HTTP_EASY_H
#define PARLEY_HTTP_EASY_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/err.h"
#include "net/http.h"

struct http_easy {
    CURL *curl;                 /* owned; NULL when the request could not be set up */
    struct curl_slist *lines;   /* owned: header lines */
    char *body;                 /* owned copy, libcurl only points to it */
    char *peer;                 /* owned: "host port 80", for reasons; may be NULL */
    char *direct;               /* owned: the same as libcurl names it: "::1 port 80" */
    char text[CURL_ERROR_SIZE]; /* libcurl writes its last trouble here */
};

/* False with the reason when the request cannot be sent as it is: a URL that is none,
 * a control character in a header line. http_easy_done is due in both cases. */
MUST_USE bool http_easy_init(struct http_easy *easy, const struct http_request *request,
                             struct err *err);
void http_easy_done(struct http_easy *easy);

/* What a failed transfer means. `connected`: the request may have been sent. */
enum http_outcome http_easy_outcome(CURLcode code, bool connected);
/* One line of printable ASCII for people; the code is ERR_MODEL or ERR_SYSTEM. */
void http_easy_reason(const struct http_easy *easy, CURLcode code, struct err *ret_err);
/* A host that is this machine: proxies of the environment are none of its business. */
bool http_easy_is_loopback(const char *host);

#endif
