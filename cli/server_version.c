/* server_version.c - see server_version.h. */
#include "cli/server_version.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "net/http.h"
#include "proto/schema.h"

enum { BODY_BYTES_MAX = 1 << 20, ASK_MS = 2000 };

static const struct {
    const char *path;
    const char *member;
    const char *whose; /* before its number */
} sources[] = {
    {"/props", "build_info", "llama.cpp"},
    {"/version", "version", "version"},
    {"/api/version", "version", "Ollama"},
};
enum { SOURCES = sizeof sources / sizeof *sources };

static void ask(struct server_version *version);

static bool on_data(void *owner, int status, const char *content_type, struct str bytes)
{
    struct server_version *version = owner;

    (void)status;
    (void)content_type;
    return buf_add_str(&version->body, bytes);
}

static bool read_version(struct server_version *version)
{
    json_t *document = NULL;
    const char *number;
    bool told;

    if (!json_read(buf_str(&version->body), &document, NULL))
        return false;
    number = json_string_value(json_object_get(document, sources[version->at].member));
    told = number != NULL && number[0] != '\0';
    if (told) /* what is cut is no version */
        (void)snprintf(version->text, sizeof version->text, "%s %s",
                       sources[version->at].whose, log_safe(str_of(number)));
    json_decref(document);
    return told;
}

static void on_done(void *owner, const struct http_result *http)
{
    struct server_version *version = owner;
    bool told =
        http->outcome == HTTP_DONE && http->status == 200 && read_version(version);

    buf_done(&version->body);
    version->at++;
    if (told || version->at == SOURCES)
        version->on_over(version->owner);
    else
        ask(version);
}

static void ask(struct server_version *version)
{
    const struct http_handlers handlers = {on_data, on_done, version};
    char *url = x_printf("%s%s", version->root, sources[version->at].path);
    char *bearer = version->key == NULL
                       ? NULL
                       : x_printf("Authorization: Bearer %s", version->key);
    const char *headers[] = {bearer, NULL};
    const struct http_request request = {
        .method = "GET",
        .url = url,
        .headers = headers,
        .max_bytes = BODY_BYTES_MAX,
        .connect_ms = ASK_MS,
        .total_ms = ASK_MS,
    };

    buf_init(&version->body, BODY_BYTES_MAX);
    (void)http_start(version->http, &request, &handlers); /* it frees itself */
    free(bearer);
    free(url);
}

void server_version_ask(struct server_version *version)
{
    version->at = version->is_ollama ? SOURCES - 1 : 0;
    version->text[0] = '\0';
    ask(version);
}
