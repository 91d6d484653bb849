/* config_doubts.c - see config_doubts.h. */
#include "cli/config_doubts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "llm/route_plan.h"

enum { LINE_SIZE = 512, WHERE_MAX_BYTES = 4096 };

struct doubts {
    const struct config_loaded *loaded;
    struct buf *into;
    size_t count;
};

static void PRINTF_LIKE(4, 5)
    doubt(struct doubts *doubts, const struct endpoint *endpoint, const char *member,
          const char *format, ...)
{
    const char *file = doubts->loaded->values.config_file;
    char line[LINE_SIZE];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args); /* cut is fine */
    va_end(args);
    buf_printf(doubts->into, "%s: endpoints.%s%s%s: %s\n",
               file == NULL ? "-" : log_safe(str_of(file)), endpoint->name,
               member[0] == '\0' ? "" : ".", member, log_safe(str_of(line)));
    doubts->count++;
}

/* The same of an option, wherever it was given. */
static void doubt_option(struct doubts *doubts, const char *flag, const char *text)
{
    const struct opt_set *set = &doubts->loaded->set;
    struct buf where;

    buf_init(&where, WHERE_MAX_BYTES);
    opt_where(set, opt_by_flag(set, flag), &where);
    buf_printf(doubts->into, "%s: %s\n", log_safe(buf_str(&where)), text);
    buf_done(&where);
    doubts->count++;
}

/* ---- an endpoint alone ---- */

static void look_at_key(struct doubts *doubts, const struct endpoint *endpoint)
{
    const char *member = endpoint->key_env != NULL ? "key_env" : "key_file";
    struct err err = {0};
    char *key = NULL;

    if (!endpoint_key(endpoint, &key, &err)) {
        const char *why = strstr(err.msg, ": "); /* the endpoint is named already */

        doubt(doubts, endpoint, member, "%s", why == NULL ? err.msg : why + 2);
    }
    free(key);
    if (strcmp(endpoint->provider, "openai") == 0 && endpoint->tier == TIER_CLOUD
        && endpoint->key_env == NULL && endpoint->key_file == NULL)
        doubt(doubts, endpoint, "",
              "it is in the cloud and has no key: name its key_env or key_file");
}

static bool ends_with(const char *text, const char *tail)
{
    size_t len = strlen(text);

    return len >= strlen(tail) && strcmp(text + len - strlen(tail), tail) == 0;
}

static void look_at_url(struct doubts *doubts, const struct endpoint *endpoint)
{
    const char *url = endpoint->url;
    const char *host = strstr(url, "://");
    bool is_api = strcmp(endpoint->provider, "openai") == 0;

    if (host == NULL)
        return;
    if (is_api && strchr(host + 3, '/') == NULL)
        doubt(doubts, endpoint, "url",
              "it has no path: OpenAI's API mostly stands below /v1");
    if (is_api && ends_with(url, "/chat/completions"))
        doubt(doubts, endpoint, "url",
              "leave /chat/completions off: it is put behind the url");
    if (!is_api && (ends_with(url, "/v1") || ends_with(url, "/api")))
        doubt(doubts, endpoint, "url",
              "Ollama's own API has no such path: leave it off, or make \"openai\" the "
              "provider and /v1 the path");
}

static void look_at_window(struct doubts *doubts, const struct endpoint *endpoint)
{
    bool tells = strcmp(endpoint->provider, "openai") == 0;

    if (endpoint->window != WINDOW_ASK)
        return;
    if (!tells || endpoint->tier == TIER_CLOUD)
        doubt(doubts, endpoint, "window",
              "\"ask\" means no limit here: %s does not tell how many calls it takes",
              tells ? "a server in the cloud" : "Ollama");
}

static void look_at_clocks(struct doubts *doubts, const struct endpoint *endpoint)
{
    const struct endpoint_clocks *clocks = &endpoint->clocks;

    if (clocks->total_ms > 0 && clocks->first_token_ms >= clocks->total_ms)
        doubt(doubts, endpoint, "first_token_seconds",
              "it is never reached: total_seconds is over first");
    if (clocks->total_ms > 0 && clocks->between_tokens_ms >= clocks->total_ms)
        doubt(doubts, endpoint, "between_tokens_seconds",
              "it is never reached: total_seconds is over first");
}

static void look_at_price(struct doubts *doubts, const struct endpoint *endpoint)
{
    bool has_prompt = !isnan(endpoint->prompt_price);
    bool has_generated = !isnan(endpoint->generated_price);

    if (endpoint->tier == TIER_CLOUD && has_prompt && endpoint->prompt_price <= 0)
        doubt(doubts, endpoint, "price.prompt",
              "0: its prompts cost nothing, and count for no cost cap");
    if (endpoint->tier == TIER_CLOUD && has_generated && endpoint->generated_price <= 0)
        doubt(doubts, endpoint, "price.generated",
              "0: its replies cost nothing, and count for no cost cap");
    if (has_prompt != has_generated)
        doubt(doubts, endpoint, "price", "it has no %s: that costs nothing",
              has_prompt ? "generated" : "prompt");
    if (!isnan(endpoint->cached_price) && !has_prompt)
        doubt(doubts, endpoint, "price.cached", "it means nothing without prompt");
}

/* ---- endpoints together ---- */

static void compare(struct doubts *doubts, const struct endpoint *a,
                    const struct endpoint *b)
{
    char ids[2][ENDPOINT_ID_SIZE];

    if (strcmp(a->url, b->url) != 0 || strcmp(b->provider, "echo") == 0)
        return;
    route_endpoint_id(a, ids[0]);
    route_endpoint_id(b, ids[1]);
    if (strcmp(ids[0], ids[1]) != 0 && b->tier == TIER_LOCAL)
        doubt(doubts, b, "url",
              "the same as that of %s, by another key: one server gets both windows",
              a->name);
    else if (strcmp(ids[0], ids[1]) == 0 && a->window != b->window)
        doubt(doubts, b, "window",
              "another than that of %s, which is the same server: they share one "
              "window, and each call goes by its own",
              a->name);
}

static size_t count_tier(const struct endpoint_list *endpoints, enum endpoint_tier tier)
{
    size_t count = 0;

    for (size_t i = 0; i < endpoints->own; i++)
        count += endpoints->items[i].tier == tier;
    return count;
}

static bool has_price(const struct endpoint_list *endpoints)
{
    for (size_t i = 0; i < endpoints->count; i++)
        if (endpoints->items[i].prompt_price > 0
            || endpoints->items[i].generated_price > 0)
            return true;
    return false;
}

static void look_at_marks(struct doubts *doubts)
{
    static const char *const flags[] = {
        "hybrid",         "hybrid-seats",      "hybrid-opening",    "hybrid-closing",
        "hybrid-every",   "hybrid-complexity", "hybrid-error-rate", "hybrid-latency",
        "hybrid-cost-cap"};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (opt_given(&doubts->loaded->set, flags[i]))
            doubt_option(doubts, flags[i],
                         "it does nothing: only the strategy hybrid heeds it "
                         "(router.strategy, --strategy)");
}

static void look_at_strategy(struct doubts *doubts)
{
    const struct config *config = &doubts->loaded->values;
    const struct endpoint_list *endpoints = &config->endpoints;

    if (strcmp(config->strategy, "hybrid") != 0) {
        look_at_marks(doubts);
        return;
    }
    if (count_tier(endpoints, TIER_CLOUD) == 0)
        doubt_option(doubts, "strategy",
                     "hybrid, and no endpoint of the config is in tier cloud: every "
                     "turn stays local");
    if (count_tier(endpoints, TIER_LOCAL) == 0)
        doubt_option(doubts, "strategy",
                     "hybrid, and no endpoint of the config is in tier local: every "
                     "turn goes to the cloud");
    if (config->hybrid_cost_cap > 0 && !has_price(endpoints))
        doubt_option(doubts, "hybrid-cost-cap",
                     "it is never reached: no endpoint has a price");
}

size_t config_doubts(const struct config_loaded *loaded, struct buf *into)
{
    const struct endpoint_list *endpoints = &loaded->values.endpoints;
    struct doubts doubts = {.loaded = loaded, .into = into};

    for (size_t i = 0; i < endpoints->own; i++) {
        const struct endpoint *endpoint = &endpoints->items[i];

        look_at_key(&doubts, endpoint);
        look_at_url(&doubts, endpoint);
        look_at_window(&doubts, endpoint);
        look_at_clocks(&doubts, endpoint);
        look_at_price(&doubts, endpoint);
        for (size_t k = 0; k < i; k++)
            compare(&doubts, &endpoints->items[k], endpoint);
    }
    look_at_strategy(&doubts);
    return doubts.count;
}
