/* config_url.h - the URL of a model server as people write it, in one form. Pure. */
#ifndef PARLEY_CONFIG_URL_H
#define PARLEY_CONFIG_URL_H

#include <stdbool.h>

/* Makes a URL of what OLLAMA_HOST may hold: "host", "host:port", ":port", "::1",
 * "http://host:port/" -> "http://host:port". http without a path gets the default port;
 * 0.0.0.0 and [::], where a server listens, become the loopback. NULL: not a URL we can
 * use (another scheme, no host, a port out of range, a query, blanks). Caller frees. */
char *config_http_url(const char *text, int default_port);
/* As config_http_url, for an API with a path of its own ("https://host/v1") and a key:
 * the scheme must be there, user and password must not. */
char *config_api_url(const char *text);
/* Of a text (NULL: none) that one of the two refused: what is wrong with it, to be put
 * behind a complaint (": its port ..."); "" when there is no more to say. */
const char *config_url_fault(const char *text, bool is_api);
/* Of such a URL: whether its host is this machine or one of a private net (RFC 1918,
 * 3927, 4193, 4291, 6598), a name without a dot, or below localhost, local, internal,
 * lan, home.arpa. */
bool config_url_is_private(const char *url);
/* The same without user and password, for people and files. Caller frees. */
char *config_url_bare(const char *url);

#endif
