/* server_version.h - what a model server says it is: "Ollama 0.5.4", "llama.cpp b4321",
 * "version 0.6.3".
 *
 * Sources: Ollama's GET /api/version and vLLM's GET /version ({"version"}), llama.cpp's
 * GET /props ({"build_info"}). The others do not tell, and servers in the cloud are not
 * asked.
 *
 * Flow: server_version_ask -> one path after the other -> on_over, once
 */
#ifndef PARLEY_SERVER_VERSION_H
#define PARLEY_SERVER_VERSION_H

#include "base/buf.h"
#include "llm/models.h"

struct http;

enum { SERVER_VERSION_SIZE = 64 };

struct server_version {
    struct http *http;              /* borrowed, as the next three */
    const char *root;               /* the server's URL without the path of an API */
    const char *key;                /* or NULL */
    bool is_ollama;                 /* its own API is asked: one path will do */
    char text[SERVER_VERSION_SIZE]; /* as above, harmless; "" not told */
    size_t at;
    struct buf body;
    void (*on_over)(void *owner);
    void *owner;
};

/* The caller sets http to owner before, and keeps it in place. */
void server_version_ask(struct server_version *version);

#endif
