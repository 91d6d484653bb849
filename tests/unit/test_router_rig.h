/* test_router_rig.h - a router with a redis-server of its own and a few model servers
 * in the same loop, each answering as the test wants.
 */
#ifndef PARLEY_TEST_ROUTER_RIG_H
#define PARLEY_TEST_ROUTER_RIG_H

#include <math.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "llm/route_plan.h"
#include "llm/router.h"
#include "net/http.h"
#include "net/serve.h"
#include "proto/config.h"
#include "test_redis_rig.h"

enum { PEERS = 3, HEARD_MAX = 16, ROUTES_MAX = 256 };

/* How a server answers; texts of Ollama's API. */
enum how {
    HOW_WELL,
    HOW_STATUS, /* peer.status, and Retry-After where given */
    HOW_HOLD,   /* not, until peer_let_go */
    HOW_CUT,    /* half a stream, then the connection is cut */
    HOW_EMPTY   /* well, and says nothing */
};
struct peer {
    struct serve *serve;
    enum how how;
    int then_well; /* so many answers as `how` says, then HOW_WELL; 0: for ever */
    int status;
    const char *retry_after;
    bool loads; /* it cannot say yet how many calls it takes */
    int requests;
    int running;
    int most_running;
    int aborted; /* the client left first */
    char key[64];
    char model[32];
    struct serve_request *held[HEARD_MAX];
};

/* What a call told. */
struct heard {
    struct router_call *call;
    int results;
    enum llm_outcome outcome;
    enum llm_error error;
    char reason[512];
    char text[128];
    bool has_attempt;
    int attempts;
    int ends;
    int agains;
    char ids[ROUTES_MAX];    /* of the attempts, a blank between */
    char routes[ROUTES_MAX]; /* "endpoint:route" */
    char errors[ROUTES_MAX]; /* how each ended */
    int64_t wait_us;         /* of the last attempt */
    int64_t began_ms;
    int64_t ended_ms;
    enum llm_error verdict; /* of the judge */
    bool cancel_in_attempt;
    bool cancel_in_judge;
    bool cancel_at_end;
    bool cancel_in_wait;
    int waits; /* how often it was told that all are down */
    char servers[64];
};

static struct rig rig;
static struct peer peers[PEERS];
static struct endpoint endpoints[PEERS + 4];
static struct endpoint_list list;
static struct config config;
static struct keys keys;
static struct http *http;
static struct llm *llm;
static struct router *router;
static struct heard heard[HEARD_MAX];
static size_t heard_count;

#define RIG static inline __attribute__((unused))

/* ---- the servers ---- */

#define LINE(text, done)                                    \
    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\"," \
    "\"content\":\"" text "\"},\"done\":" done
#define DONE_TAIL \
    ",\"done_reason\":\"stop\",\"prompt_eval_count\":100,\"eval_count\":10}\n"

RIG void peer_say(struct serve_request *request, const char *text)
{
    serve_begin(request, 200, "application/x-ndjson");
    serve_write(request, str_of(text));
    serve_end(request);
}

RIG void peer_note(struct peer *peer, struct serve_request *request)
{
    const char *key = serve_header(request, "authorization");
    struct str body = serve_body(request);
    const char *model = strstr(body.at, "\"model\":\"");

    peer->requests++;
    peer->running++;
    if (peer->running > peer->most_running)
        peer->most_running = peer->running;
    snprintf(peer->key, sizeof peer->key, "%s", key == NULL ? "" : key);
    snprintf(peer->model, sizeof peer->model, "%s", model == NULL ? "" : model + 9);
    peer->model[strcspn(peer->model, "\"")] = '\0';
}

RIG void peer_hold(struct peer *peer, struct serve_request *request)
{
    for (size_t i = 0; i < HEARD_MAX; i++) {
        if (peer->held[i] == NULL) {
            peer->held[i] = request;
            return;
        }
    }
    fail_msg("too many requests are held");
}

RIG void peer_on_request(void *owner, struct serve_request *request)
{
    struct peer *peer = owner;
    enum how how = peer->how;

    if (strcmp(serve_path(request), "/props") == 0) {
        peer->running++;
        serve_reply(request, peer->loads ? 503 : 200, "application/json",
                    str_of("{\"total_slots\":2}"));
        return;
    }
    peer_note(peer, request);
    if (peer->then_well > 0 && --peer->then_well == 0)
        peer->how = HOW_WELL;
    if (how == HOW_HOLD) {
        peer_hold(peer, request);
    } else if (how == HOW_STATUS) {
        if (peer->retry_after != NULL)
            serve_add_header(request, "Retry-After", peer->retry_after);
        serve_reply(request, peer->status, "application/json",
                    str_of("{\"error\":\"model as the test wants not found\"}"));
    } else if (how == HOW_CUT) {
        serve_begin(request, 200, "application/x-ndjson");
        serve_write(request, str_of(LINE("Half", "false") "}\n"));
        serve_abort(request);
    } else if (how == HOW_EMPTY) {
        peer_say(request, LINE("", "true") DONE_TAIL);
    } else {
        peer_say(request, LINE("Well", "false") "}\n" LINE(".", "true") DONE_TAIL);
    }
}

RIG void peer_on_gone(void *owner, struct serve_request *request, bool done)
{
    struct peer *peer = owner;

    peer->running--;
    peer->aborted += !done;
    for (size_t i = 0; i < HEARD_MAX; i++)
        if (peer->held[i] == request)
            peer->held[i] = NULL;
}

/* Answers what was held, well. */
RIG void peer_let_go(struct peer *peer)
{
    peer->how = HOW_WELL;
    for (size_t i = 0; i < HEARD_MAX; i++) {
        struct serve_request *request = peer->held[i];

        peer->held[i] = NULL;
        if (request != NULL)
            peer_say(request, LINE("Well", "false") "}\n" LINE(".", "true") DONE_TAIL);
    }
}

RIG void peers_will(enum how how, int status)
{
    for (size_t i = 0; i < PEERS; i++) {
        peers[i].how = how;
        peers[i].status = status;
    }
}

/* ---- a call ---- */

RIG void heard_add(char into[ROUTES_MAX], const char *first, const char *second)
{
    size_t len = strlen(into);

    snprintf(into + len, ROUTES_MAX - len, "%s%s%s%s", len ? " " : "", first,
             second[0] ? ":" : "", second);
}

RIG void on_attempt(void *owner, const struct router_attempt *attempt)
{
    struct heard *it = owner;

    it->attempts++;
    assert_int_equal(attempt->number, it->attempts);
    assert_int_equal(it->ends, it->attempts - 1);
    heard_add(it->ids, attempt->call_id, "");
    heard_add(it->routes, attempt->endpoint->name, attempt->route);
    it->wait_us = attempt->wait_us;
    it->text[0] = '\0';
    if (it->cancel_in_attempt)
        router_cancel(it->call);
}

RIG void on_delta(void *owner, struct str text)
{
    struct heard *it = owner;
    size_t len = strlen(it->text);

    snprintf(it->text + len, sizeof it->text - len, "%.*s", (int)text.len, text.at);
}

RIG enum llm_error on_judge(void *owner, const struct llm_result *result)
{
    struct heard *it = owner;

    assert_int_equal(result->outcome, LLM_DONE);
    if (it->cancel_in_judge)
        router_cancel(it->call);
    return it->verdict;
}

RIG void on_attempt_end(void *owner, const struct router_attempt *attempt,
                        const struct llm_result *result, bool again)
{
    struct heard *it = owner;

    it->ends++;
    it->agains += again;
    assert_int_equal(attempt->number, it->attempts);
    assert_int_equal(it->ends, it->attempts);
    heard_add(it->errors,
              result->outcome == LLM_CANCELLED ? "cancelled"
                                               : llm_error_name(result->error),
              "");
    if (it->cancel_at_end)
        router_cancel(it->call);
}

RIG void on_waiting(void *owner, const char *servers, const char *reason)
{
    struct heard *it = owner;

    it->waits++;
    snprintf(it->servers, sizeof it->servers, "%s", servers);
    snprintf(it->reason, sizeof it->reason, "%s", reason);
    if (it->cancel_in_wait)
        router_cancel(it->call);
}

RIG void on_result(void *owner, const struct llm_result *result,
                   const struct router_attempt *attempt)
{
    struct heard *it = owner;

    assert_int_equal(it->ends, it->attempts);
    it->results++;
    it->outcome = result->outcome;
    it->error = result->error;
    it->has_attempt = attempt != NULL;
    it->ended_ms = clock_mono_ms();
    snprintf(it->reason, sizeof it->reason, "%s", result->reason);
    if (result->outcome == LLM_DONE)
        assert_true(str_is(result->text, it->text)); /* what was shown, not stitched */
}

static const struct llm_message prompt[] = {
    {"system", {"You are Ada.", 12}},
    {"user", {"Begin.", 6}},
};

/* The next call, as the test may still change it. */
RIG struct router_ask next_ask(void)
{
    static char ids[HEARD_MAX][16];
    size_t n = heard_count;

    assert_true(n < HEARD_MAX);
    fmt_into(ids[n], sizeof ids[n], "call-%zu", n);
    return (struct router_ask){
        .conversation = "k3v9q2m4x7ab",
        .call_id = ids[n],
        .seat = 1,
        .turn = (int64_t)n + 1,
        .asked_at_us = 1000 + (int64_t)n,
        .request = {.messages = prompt,
                    .message_count = 2,
                    .num_ctx = 2048,
                    .num_predict = 100,
                    .temperature = 0.5,
                    .seed = -1},
    };
}

RIG struct heard *start(struct router_ask ask)
{
    const struct router_handlers handlers = {.on_attempt = on_attempt,
                                             .on_delta = on_delta,
                                             .judge = on_judge,
                                             .on_attempt_end = on_attempt_end,
                                             .on_waiting = on_waiting,
                                             .on_result = on_result,
                                             .owner = &heard[heard_count]};
    struct heard *it = &heard[heard_count];

    heard_count++;
    it->began_ms = clock_mono_ms();
    it->call = router_start(router, &ask, &handlers);
    assert_int_equal(it->results, 0); /* not before it returned */
    return it;
}

RIG bool all_over(struct rig *of)
{
    (void)of;
    for (size_t i = 0; i < heard_count; i++)
        if (heard[i].results == 0)
            return false;
    return redis_waiting(rig.redis) == 0;
}

RIG void run_all(void)
{
    rig_run(&rig, all_over);
    for (size_t i = 0; i < heard_count; i++)
        assert_int_equal(heard[i].results, 1);
}

/* A whole call. */
RIG struct heard *run(void)
{
    struct heard *it = start(next_ask());

    run_all();
    return it;
}

/* ---- waiting for something ---- */

static int until_requests;
static struct peer *until_peer;

RIG bool peer_was_asked(struct rig *of)
{
    (void)of;
    return until_peer->requests >= until_requests && redis_waiting(rig.redis) == 0;
}

RIG void wait_asked(struct peer *peer, int requests)
{
    until_peer = peer;
    until_requests = requests;
    rig_run(&rig, peer_was_asked);
}

/* A call that the first server has and does not answer yet. */
RIG struct heard *start_held(struct router_ask ask)
{
    struct heard *it;

    peers[0].how = HOW_HOLD;
    it = start(ask);
    wait_asked(&peers[0], 1);
    return it;
}

RIG bool peer_is_idle(struct rig *of)
{
    (void)of;
    return until_peer->running == 0;
}

RIG void wait_idle(struct peer *peer)
{
    until_peer = peer;
    rig_run(&rig, peer_is_idle);
}

/* Lets time pass; the loop goes on. */
static int64_t until_ms;

RIG bool time_is_up(struct rig *of)
{
    (void)of;
    return clock_mono_ms() >= until_ms;
}

RIG void wait_ms(int64_t ms)
{
    struct loop_timer tick;

    until_ms = clock_mono_ms() + ms;
    loop_timer_init(&tick, rig.loop, rig_on_tick, &rig);
    loop_timer_start(&tick, 0);
    rig_run(&rig, time_is_up);
    loop_timer_stop(&tick);
}

/* A command's answer as text; only the last one is kept. */
RIG const char *ask_redis(const char *command, const char *key, const char *field)
{
    char line[256];

    rig.log[0] = '\0';
    fmt_into(line, sizeof line, "%s %s%s%s", command, key, field[0] ? " " : "", field);
    rig_ask(&rig, line);
    rig_run(&rig, rig_is_answered);
    return rig.log;
}

RIG const char *endpoint_key_of(size_t i, const char *what)
{
    static char room[KEY_SIZE];
    char id[ENDPOINT_ID_SIZE];

    route_endpoint_id(&endpoints[i], id);
    (void)key_endpoint(&keys, id, what[0] ? what : NULL, room);
    return room;
}

RIG const char *field_of(size_t i, const char *field)
{
    return ask_redis("HGET", endpoint_key_of(i, ""), field);
}

/* Somebody else's call there has just ended well. */
RIG void others_are_answered(size_t i)
{
    char field[64];
    int64_t from_ms = clock_mono_ms();

    while (clock_mono_ms()
           < from_ms + 3) /* the loop stands still: no attempt meanwhile */
        continue;
    fmt_into(field, sizeof field, "ok_at %lld",
             (long long)(clock_wall_us() / 1000 - 1));
    (void)ask_redis("HSET", endpoint_key_of(i, ""), field);
}

RIG void assert_no_places(size_t i)
{
    assert_string_equal(ask_redis("ZCARD", endpoint_key_of(i, "held"), ""), "0");
    assert_string_equal(ask_redis("ZCARD", endpoint_key_of(i, "waiting"), ""), "0");
    assert_string_equal(ask_redis("ZCARD", endpoint_key_of(i, "alive"), ""), "0");
}

/* ---- each test has all of it anew ---- */

/* a, b, c: the first two local, the third a cloud; all serve m. */
RIG void endpoints_make(void)
{
    static char urls[PEERS][64];
    static char provider[] = "ollama";
    static char model[] = "m";
    static char *models[] = {model};
    static char echo[] = "echo";
    static char none[] = "";

    memset(endpoints, 0, sizeof endpoints);
    for (size_t i = 0; i < PEERS; i++) {
        fmt_into(urls[i], sizeof urls[i], "http://127.0.0.1:%d",
                 serve_port(peers[i].serve));
        endpoints[i] = (struct endpoint){.provider = provider,
                                         .url = urls[i],
                                         .models = models,
                                         .model_count = 1,
                                         .tier = i == 2 ? TIER_CLOUD : TIER_LOCAL,
                                         .prompt_price = (double)NAN,
                                         .cached_price = (double)NAN,
                                         .generated_price = (double)NAN};
        fmt_into(endpoints[i].name, ENDPOINT_NAME_SIZE, "%c", (int)('a' + (int)i));
    }
    endpoints[PEERS] = (struct endpoint){.provider = echo, .url = none};
    fmt_into(endpoints[PEERS].name, ENDPOINT_NAME_SIZE, "echo");
    list = (struct endpoint_list){.items = endpoints, .count = PEERS + 1, .own = PEERS};
}

RIG void config_make(void)
{
    static char provider[] = "ollama";
    static char strategy[] = "first";
    static char hybrid[] = "auto";
    static char model[] = "m";

    memset(&config, 0, sizeof config);
    config.provider = provider;
    config.strategy = strategy;
    config.hybrid = hybrid;
    config.models[0] = model;
    config.attempts = 3;
    config.retry_budget = 0.1;
    config.hybrid_complexity = 0.6;
    config.hybrid_error_rate = 0.5;
    config.connect_ms = 1000;
    config.first_token_ms = 10000;
    config.between_tokens_ms = 10000;
}

RIG void router_make(void)
{
    const struct router_options options = {.loop = rig.loop,
                                           .redis = rig.redis,
                                           .llm = llm,
                                           .keys = &keys,
                                           .config = &config,
                                           .endpoints = &list};

    router_free(router);
    router = router_new(&options);
}

/* Only the first server, and only one call at a time. */
RIG void one_place_make(void)
{
    list.own = 1;
    endpoints[0].window = 1;
    router_make();
}

RIG int set_up(void **state)
{
    struct err err = {0};

    (void)state;
    log_set_level(LOG_ERROR);
    memset(peers, 0, sizeof peers);
    memset(heard, 0, sizeof heard);
    heard_count = 0;
    rig_open(&rig);
    rig_server_start(&rig, "--appendonly", "no");
    rig_connect_to(&rig, rig.url, (struct redis_options){0});
    for (size_t i = 0; i < PEERS; i++) {
        const struct serve_options options = {.listen = "127.0.0.1:0",
                                              .on_request = peer_on_request,
                                              .on_gone = peer_on_gone,
                                              .owner = &peers[i]};

        assert_true(serve_new(rig.loop, &options, &peers[i].serve, &err));
    }
    http = http_new(rig.loop);
    llm = llm_new(rig.loop, http);
    assert_true(keys_init(&keys, "parley", "0", &err));
    endpoints_make();
    config_make();
    router = NULL;
    router_make();
    rig_run(&rig, rig_is_ready);
    return 0;
}

RIG int tear_down(void **state)
{
    (void)state;
    router_free(router);
    llm_free(llm);
    http_free(http);
    for (size_t i = 0; i < PEERS; i++)
        serve_free(peers[i].serve);
    rig_close(&rig);
    return 0;
}

#define ROUTER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
