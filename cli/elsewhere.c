/* elsewhere.c - see elsewhere.h. */
#include "cli/elsewhere.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

enum { ASK_MS = 3000 };

/* ---- where to look ---- */

static bool take_tail(struct str *url, const char *tail)
{
    size_t len = strlen(tail);

    if (url->len < len || memcmp(url->at + url->len - len, tail, len) != 0)
        return false;
    url->len -= len;
    return true;
}

/* The URL without what belongs to one API or the other, however often it stands there.
 */
static struct str base_of(const char *url)
{
    static const char *const tails[] = {"/",
                                        "/chat/completions",
                                        "/models",
                                        "/api/chat",
                                        "/api/generate",
                                        "/api/tags",
                                        "/v1",
                                        "/api"};
    struct str base = str_of(url);
    size_t before;

    do {
        before = base.len;
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
            (void)take_tail(&base, tails[i]);
    } while (base.len < before);
    return base;
}

/* "http://host:1/x" -> "http://host:1". */
static struct str root_of(struct str url)
{
    for (size_t i = 0, slashes = 0; i < url.len; i++)
        if (url.at[i] == '/' && ++slashes == 3)
            return str_make(url.at, i);
    return url;
}

struct search {
    enum llm_provider provider; /* the endpoint's own place, which was asked already */
    const char *url;
    struct elsewhere_place *places;
    size_t count;
};

static void add(struct search *search, enum llm_provider provider, char *url_take)
{
    bool is_known = provider == search->provider && strcmp(url_take, search->url) == 0;

    for (size_t i = 0; i < search->count; i++)
        is_known = is_known
                   || (search->places[i].provider == provider
                       && strcmp(search->places[i].url, url_take) == 0);
    if (is_known)
        free(url_take);
    else
        search->places[search->count++] = (struct elsewhere_place){provider, url_take};
}

static void add_api(struct search *search, struct str root)
{
    add(search, LLM_OPENAI, x_printf("%.*s/v1", (int)root.len, root.at));
    add(search, LLM_OPENAI, x_printf("%.*s/api/v1", (int)root.len, root.at));
}

static void add_ollama(struct search *search, struct str root)
{
    add(search, LLM_OLLAMA, x_memdup(root.at, root.len));
}

size_t elsewhere_places(enum llm_provider provider, const char *url,
                        struct elsewhere_place places[ELSEWHERE_MAX])
{
    bool is_api = provider == LLM_OPENAI;
    struct search search = {
        .provider = is_api ? LLM_OPENAI : LLM_OLLAMA, .url = url, .places = places};
    struct str base = base_of(url);
    struct str root = root_of(base);

    (is_api ? add_api : add_ollama)(&search, base);
    (is_api ? add_api : add_ollama)(&search, root);
    (is_api ? add_ollama : add_api)(&search, base);
    (is_api ? add_ollama : add_api)(&search, root);
    return search.count;
}

/* ---- asking ---- */

static void on_models(void *owner, const struct llm_models *models);

static void ask(struct elsewhere *elsewhere)
{
    const struct elsewhere_place *place = &elsewhere->places[elsewhere->at];
    const struct llm_server server = {
        .provider = place->provider, .url = place->url, .key = elsewhere->key};

    llm_list_models(elsewhere->llm, &server, ASK_MS, on_models, elsewhere);
}

/* A server that wants a key is the one that was looked for, too. */
static void on_models(void *owner, const struct llm_models *models)
{
    struct elsewhere *elsewhere = owner;

    if (models->ok || models->error == LLM_ERROR_AUTH) {
        elsewhere->on_over(elsewhere->owner, &elsewhere->places[elsewhere->at]);
        return;
    }
    elsewhere->at++;
    if (elsewhere->at < elsewhere->count)
        ask(elsewhere);
    else
        elsewhere->on_over(elsewhere->owner, NULL);
}

bool elsewhere_start(struct elsewhere *elsewhere, const struct llm_server *server)
{
    elsewhere->count =
        elsewhere_places(server->provider, server->url, elsewhere->places);
    elsewhere->at = 0;
    if (elsewhere->count > 0)
        ask(elsewhere);
    return elsewhere->count > 0;
}

void elsewhere_done(struct elsewhere *elsewhere)
{
    for (size_t i = 0; i < elsewhere->count; i++)
        free(elsewhere->places[i].url);
    elsewhere->count = 0;
}
