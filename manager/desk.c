/* desk.c - see desk.h. */
#include "manager/desk.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "llm/request.h"
#include "llm/route_plan.h"
#include "llm/router.h"
#include "manager/begin.h"
#include "manager/desk_wait.h"
#include "manager/manager.h"
#include "proto/document.h"
#include "proto/schema.h"
#include "proto/template.h"

enum {
    ASKS_MAX = 3,
    PROMPT_MAX_BYTES = 1 << 18,
    LAST_MAX_BYTES = 8192,
    STORY_TOKENS = 2000, /* most that a story or the personas may take */
    RAW_LOG_BYTES = 3000
};

bool desk_templates_load(const char *folder, struct desk_templates *ret,
                         struct err *err)
{
    return template_load(folder, "manager/prompts/story.txt", &ret->story, err)
           && template_load(folder, "manager/prompts/personas.txt", &ret->personas, err)
           && template_load(folder, "manager/prompts/repair.txt", &ret->repair, err);
}

void desk_templates_done(struct desk_templates *templates)
{
    free(templates->story);
    free(templates->personas);
    free(templates->repair);
    *templates = (struct desk_templates){0};
}

struct desk *desk_of(struct manager *manager, const struct talk *talk)
{
    struct desk *desk;

    TAILQ_FOREACH(desk, &manager->desks, in_list)
    if (desk->talk == talk)
        return desk;
    return NULL;
}

void desk_close(struct desk *desk)
{
    TAILQ_REMOVE(&desk->manager->desks, desk, in_list);
    loop_timer_stop(&desk->later);
    if (desk->call != NULL)
        router_drop(desk->call);
    cast_done(&desk->cast);
    seat_model_done(&desk->model);
    free(desk->prompt);
    free(desk->last);
    free(desk->complaint);
    free(desk);
}

static void finish(struct desk *desk)
{
    struct manager *manager = desk->manager;
    struct talk *talk = desk->talk;
    struct err failure = desk->failure;
    struct cast *cast = NULL;

    if (failure.code == ERR_NONE) {
        cast = x_malloc(sizeof *cast);
        *cast = desk->cast;
        desk->cast = (struct cast){0};
    }
    desk_close(desk);
    if (cast != NULL)
        begin_story_done(manager, talk, cast);
    else
        begin_story_failed(manager, talk, &failure);
}

static void over_soon(struct desk *desk)
{
    desk->over = true;
    loop_timer_start(&desk->later, 0);
}

/* ---- asking a model ---- */

static char *schema_text(enum desk_part part, int64_t seats)
{
    json_t *schema =
        json_deep_copy(schema_get(part == DESK_STORY ? "story" : "personas"));
    json_t *list = json_object_get(json_object_get(schema, "properties"),
                                   part == DESK_STORY ? "characters" : "personas");
    char *text;
    char *copy;

    json_object_set_new(list, "minItems", json_integer(seats));
    json_object_set_new(list, "maxItems", json_integer(seats));
    json_object_del(schema, "$schema");
    json_object_del(schema, "$id");
    text = json_dumps(schema, JSON_COMPACT);
    copy = x_strdup(text);
    free(text);
    json_decref(schema);
    return copy;
}

static bool fill_prompt(struct desk *desk, const char *schema, struct err *err)
{
    const struct desk_templates *templates = &desk->manager->templates;
    const struct story *story = &desk->cast.story;
    const char *topic = desk->talk->wish->topic;
    struct buf people;
    struct buf text;
    char count[8];
    bool ok;

    fmt_into(count, sizeof count, "%d", (int)desk->talk->wish->personas);
    buf_init(&people, PROMPT_MAX_BYTES);
    buf_init(&text, PROMPT_MAX_BYTES);
    for (size_t i = 0; i < story->character_count; i++)
        buf_printf(&people, "%s- %s: %s", i == 0 ? "" : "\n", story->characters[i].name,
                   story->characters[i].description);
    {
        const struct template_value values[] = {
            {"topic", str_of(topic == NULL ? "of your own choice" : topic)},
            {"count", str_of(count)},
            {"schema", str_of(schema)},
            {"setting", str_of(story->setting)},
            {"situation", str_of(story->initial_situation)},
            {"characters", buf_str(&people)},
        };

        ok = template_fill(
            str_of(desk->part == DESK_STORY ? templates->story : templates->personas),
            values, sizeof values / sizeof *values, &text, err);
    }
    free(desk->prompt);
    desk->prompt = ok ? buf_take(&text) : NULL;
    buf_done(&text);
    buf_done(&people);
    return ok;
}

static void ask(struct desk *desk);

static void on_later(struct loop_timer *timer, void *owner)
{
    struct desk *desk = owner;

    (void)timer;
    if (desk->over)
        finish(desk);
    else
        ask(desk);
}

static const char *part_name(const struct desk *desk)
{
    return desk->part == DESK_STORY ? "story" : "personas";
}

/* Another ask, or the end when there were enough. */
static void ask_again(struct desk *desk, const struct err *problem)
{
    if (desk->asked < ASKS_MAX) {
        loop_timer_start(&desk->later, 0);
        return;
    }
    err_set(&desk->failure, ERR_MODEL, "no usable %s in %d replies, at last: %s",
            part_name(desk), ASKS_MAX, problem->msg);
    over_soon(desk);
}

/* The whole reply, in as many lines as it takes: what else would tell why? */
static void log_raw(const struct desk *desk, struct str reply)
{
    for (size_t at = 0; at < reply.len; at += RAW_LOG_BYTES) {
        size_t rest = reply.len - at;

        log_warn("desk", "raw reply conversation=%s from=%zu: %.*s", desk->talk->id, at,
                 (int)(rest < RAW_LOG_BYTES ? rest : RAW_LOG_BYTES), reply.at + at);
    }
}

/* What the model is shown of its reply: not what it thought, and so much that a prompt
 * has room for it. */
static void keep_last(struct desk *desk, struct str reply)
{
    struct str document;
    struct buf scratch;

    buf_init(&scratch, PROMPT_MAX_BYTES);
    document = document_of(reply, &scratch);
    if (document.len > LAST_MAX_BYTES)
        document.len = LAST_MAX_BYTES; /* mended where it is written */
    free(desk->last);
    desk->last = x_memdup(document.at, document.len);
    buf_done(&scratch);
}

static void complain(struct desk *desk, struct str reply, const struct err *problem)
{
    const struct template_value values[] = {{"problem", str_of(problem->msg)}};
    struct err ignored;
    struct buf text;

    log_warn("desk", "the model's %s cannot be used conversation=%s ask=%d why=%s",
             part_name(desk), desk->talk->id, desk->asked,
             log_safe(str_of(problem->msg)));
    log_raw(desk, reply);
    buf_init(&text, PROMPT_MAX_BYTES);
    if (!template_fill(str_of(desk->manager->templates.repair), values, 1, &text,
                       &ignored))
        buf_add_text(&text, problem->msg);
    free(desk->complaint);
    desk->complaint = buf_take(&text);
    keep_last(desk, reply);
    ask_again(desk, problem);
}

static void check_reply(struct desk *desk, struct str reply)
{
    size_t seats = (size_t)desk->talk->wish->personas;
    struct err problem = {0};
    bool ok;

    if (desk->part == DESK_STORY) {
        ok = story_parse(reply, &desk->cast.story, &problem);
        if (ok && desk->cast.story.character_count != seats) {
            ok = err_set(&problem, ERR_FORMAT, "/characters: expected %zu, found %zu",
                         seats, desk->cast.story.character_count);
            story_done(&desk->cast.story);
            desk->cast.story = (struct story){0};
        }
    } else {
        ok = personas_parse(reply, seats, &desk->cast, &problem);
    }
    if (!ok) {
        complain(desk, reply, &problem);
    } else if (desk->part == DESK_STORY) {
        desk->part = DESK_PERSONAS;
        desk->asked = 0;
        free(desk->last);
        desk->last = NULL;
        loop_timer_start(&desk->later, 0);
    } else {
        over_soon(desk);
    }
}

static void on_attempt_end(void *owner, const struct router_attempt *attempt,
                           const struct llm_result *result, bool again)
{
    struct desk *desk = owner;

    begin_record_call(desk->manager, desk->talk, attempt, result);
    if (result->outcome == LLM_FAILED) /* of probes the router tells, more seldom */
        log_line(attempt->probe && again ? LOG_DEBUG : LOG_WARN, "desk",
                 "a call failed call=%s endpoint=%s error=%s again=%d reason=%s",
                 attempt->call_id, attempt->endpoint->name,
                 llm_error_name(result->error), again,
                 log_safe(str_of(result->reason)));
}

static void on_waiting(void *owner, const char *servers, const char *reason)
{
    const struct desk *desk = owner;

    desk_tell_waiting(desk->manager, desk->talk->id, servers, reason);
}

static void on_reply(void *owner, const struct llm_result *result,
                     const struct router_attempt *attempt)
{
    struct desk *desk = owner;
    struct err problem = {0};

    (void)attempt; /* on_attempt_end had it */
    desk->call = NULL;
    if (result->outcome == LLM_DONE) {
        check_reply(desk, result->text);
        return;
    }
    err_set(&problem, ERR_MODEL, "%s", result->reason);
    if (result->error == LLM_ERROR_EMPTY) {
        complain(desk, str_of(""), &problem);
        return;
    }
    log_warn("desk", "no server made the %s conversation=%s ask=%d error=%s reason=%s",
             part_name(desk), desk->talk->id, desk->asked,
             llm_error_name(result->error), log_safe(str_of(problem.msg)));
    desk->failure = problem;
    over_soon(desk);
}

static struct llm_request request_of(const struct desk *desk)
{
    struct llm_request request =
        request_of_seat(desk->manager->config, &desk->model, desk->asked);

    request.num_predict = STORY_TOKENS;
    return request;
}

static void ask(struct desk *desk)
{
    const struct router_handlers handlers = {.on_attempt_end = on_attempt_end,
                                             .on_waiting = on_waiting,
                                             .on_result = on_reply,
                                             .owner = desk};
    const struct config *config = desk->manager->config;
    struct llm_message messages[3];
    struct router_ask ask = {.conversation = desk->talk->id,
                             .call_id = desk->call_id,
                             .model = &desk->model,
                             .asked_at_us = desk->opened_us};
    char *schema = schema_text(desk->part, desk->talk->wish->personas);
    size_t count = 0;

    if (!fill_prompt(desk, schema, &desk->failure)) {
        over_soon(desk);
        free(schema);
        return;
    }
    desk->asked++;
    fmt_into(desk->call_id, sizeof desk->call_id, "%s:%s/%d-%s", desk->talk->id,
             part_name(desk), desk->asked, desk->manager->member.nonce);
    messages[count++] = (struct llm_message){"user", str_of(desk->prompt)};
    if (desk->last != NULL) {
        messages[count++] = (struct llm_message){"assistant", str_of(desk->last)};
        messages[count++] = (struct llm_message){"user", str_of(desk->complaint)};
    }
    ask.request = request_of(desk);
    ask.request.messages = messages;
    ask.request.message_count = count;
    ask.request.schema = schema;
    ask.give_up_ms = config->give_up_ms == OPT_NONE ? 0 : config->give_up_ms;
    desk->call = router_start(desk->manager->router, &ask, &handlers);
    free(schema);
}

/* ---- without a model ---- */

/* What --dry-run plays: it says what it is. */
static void placeholder(struct desk *desk)
{
    const struct wish *wish = desk->talk->wish;
    const char *topic = wish->topic == NULL ? "nothing in particular" : wish->topic;
    struct story *story = &desk->cast.story;
    size_t seats = (size_t)wish->personas;

    story->setting =
        x_printf("A placeholder scene (no model was asked) about: %s", topic);
    story->initial_situation = x_strdup("A dry run is about to begin.");
    story->characters = x_calloc(seats, sizeof *story->characters);
    story->character_count = seats;
    desk->cast.seats = x_calloc(seats, sizeof *desk->cast.seats);
    desk->cast.seat_count = seats;
    for (size_t i = 0; i < seats; i++) {
        struct seat *seat = &desk->cast.seats[i];
        struct persona *persona = &seat->persona;

        seat_init(seat);
        story->characters[i].name = x_printf("Echo %zu", i + 1);
        story->characters[i].description = x_strdup("A placeholder.");
        persona->name = x_printf("Echo %zu", i + 1);
        persona->role = x_strdup("placeholder");
        persona->goal = x_printf("To repeat what was said about: %s", topic);
        persona->style = x_strdup("Plain.");
    }
}

/* Whom the story is asked of: what the wish says of every seat. */
static void choose_model(struct desk *desk)
{
    struct seat seat;

    seat_init(&seat);
    wish_equip(desk->talk->wish, 0, &desk->manager->config->endpoints, &seat);
    desk->model = seat.model;
    seat_model_init(&seat.model);
    seat_done(&seat);
}

static bool is_echo(const struct desk *desk)
{
    const struct config *config = desk->manager->config;
    struct route_wish wish = {
        .config = config, .endpoints = &config->endpoints, .model = &desk->model};

    return route_echo(&wish) != NULL;
}

void desk_open(struct manager *manager, struct talk *talk)
{
    struct desk *desk = x_calloc(1, sizeof *desk);

    desk->manager = manager;
    desk->talk = talk;
    desk->opened_us = redis_clock_now_us(&manager->clock);
    choose_model(desk);
    loop_timer_init(&desk->later, manager->loop, on_later, desk);
    TAILQ_INSERT_TAIL(&manager->desks, desk, in_list);
    if (talk->wish->story_file != NULL) {
        if (!cast_parse_story_file(str_of(talk->wish->story_file), &desk->cast,
                                   &desk->failure))
            err_wrap(&desk->failure, "story file");
        over_soon(desk);
    } else if (is_echo(desk)) {
        placeholder(desk);
        over_soon(desk);
    } else {
        ask(desk);
    }
}
