/* ollama_reply.c - see ollama_reply.h.
 *
 * Flow: line -> (the usual piece of text: picked) | parse -> error? ->
 *       message.thinking, .content -> done? -> counts
 */
#include "llm/ollama_reply.h"

#include "proto/json_pick.h"

/* ---- the usual line ---- */

enum { SLOT_MODEL, SLOT_TEXT, SLOT_THOUGHT, SLOT_COUNT };

/* {"model":"m","created_at":"...","message":{"role":"assistant","content":" tea"},
 * "done":false} */
static bool take_usual_line(struct reply *reply, struct str line)
{
    static const struct json_pick_key message_keys[] = {
        {.name = "role", .kind = PICK_IGNORE},
        {.name = "content", .kind = PICK_TEXT, .slot = SLOT_TEXT},
        {.name = "thinking", .kind = PICK_TEXT, .slot = SLOT_THOUGHT},
    };
    static const struct json_pick_form message = {
        message_keys, sizeof message_keys / sizeof *message_keys};
    static const struct json_pick_key keys[] = {
        {.name = "model", .kind = PICK_TEXT, .slot = SLOT_MODEL},
        {.name = "created_at", .kind = PICK_IGNORE},
        {.name = "message", .kind = PICK_OBJECT, .form = &message},
        {.name = "done", .kind = PICK_NOT_TRUE},
        {.name = "remote_model", .kind = PICK_IGNORE},
        {.name = "remote_host", .kind = PICK_IGNORE},
    };
    static const struct json_pick_form form = {keys, sizeof keys / sizeof *keys};
    struct json_pick_text slots[SLOT_COUNT] = {0};

    return json_pick(line, &form, slots)
           && reply_take_picked(reply, &slots[SLOT_MODEL], &slots[SLOT_THOUGHT],
                                &slots[SLOT_TEXT]);
}

/* ---- any line ---- */

static bool take_message(struct reply *reply, const struct json_place *root)
{
    struct json_place message = json_member(root, "message");
    struct str piece = str_of("");
    bool there;

    if (!reply_object(reply, message, &there) || !there)
        return reply->error == LLM_ERROR_NONE;
    return reply_text(reply, json_member(&message, "thinking"), &piece)
           && reply_think(reply, piece)
           && reply_text(reply, json_member(&message, "content"), &piece)
           && reply_say(reply, piece);
}

static void take_counts(struct reply *reply, const struct json_place *root)
{
    const struct {
        const char *key;
        int64_t *value;
    } counts[] = {
        {"prompt_eval_count", &reply->prompt_tokens},
        {"prompt_eval_cached_count", &reply->prompt_cached_tokens},
        {"eval_count", &reply->tokens_generated},
        {"load_duration", &reply->load_ns},
        {"prompt_eval_duration", &reply->prompt_ns},
        {"eval_duration", &reply->generation_ns},
        {"total_duration", &reply->total_ns},
    };

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        reply_count(json_object_get(root->value, counts[i].key), counts[i].value);
}

static bool is_done(struct reply *reply, const struct json_place *root, bool *ret_done)
{
    struct json_place done = json_member(root, "done");
    struct err err = {0};

    if (done.value != NULL && !json_is_null(done.value)
        && !json_is_boolean(done.value)) {
        (void)json_fail(&done, "true or false", &err);
        return reply_fail_here(reply, &err);
    }
    *ret_done = json_is_true(done.value);
    return true;
}

static void take_end(struct reply *reply, const struct json_place *root)
{
    struct str finish = str_of("");

    if (!reply_text(reply, json_member(root, "done_reason"), &finish))
        return;
    reply_name_finish(reply, finish);
    take_counts(reply, root);
    reply_close(reply);
}

static bool take_document(struct reply *reply, const struct json_place *root)
{
    struct str model = str_of("");
    struct err err = {0};
    bool done = false;

    if (!json_is_object(root->value)) {
        (void)json_fail(root, "an object", &err);
        return reply_fail_here(reply, &err);
    }
    if (!reply_check_complaint(reply, root->value, false)
        || !reply_text(reply, json_member(root, "model"), &model))
        return false;
    reply_name_model(reply, model);
    if (!take_message(reply, root) || !is_done(reply, root, &done))
        return false;
    if (done)
        take_end(reply, root);
    return !done;
}

/* Before the first line a byte order mark may stand (RFC 8259, 8.1). */
static struct str without_bom(const struct reply *reply, struct str line)
{
    if (reply->steps == 0 && str_starts(line, "\xEF\xBB\xBF"))
        return str_make(line.at + 3, line.len - 3);
    return line;
}

bool ollama_reply_line(struct reply *reply, struct str line)
{
    json_t *document = NULL;
    struct err err = {0};
    struct json_place root;
    bool more;

    line = without_bom(reply, line);
    reply->steps++;
    if (take_usual_line(reply, line))
        return reply->error == LLM_ERROR_NONE;
    if (!reply_read(reply, line, &document, &err))
        return reply_fail(reply, LLM_ERROR_PROTOCOL,
                          "line %zu of the reply is not JSON: %s", reply->steps,
                          err.msg);
    root = json_root(document);
    more = take_document(reply, &root);
    json_decref(document);
    return more;
}

/* ---- the end of the stream ---- */

/* A line without its end: whole, or broken off in the middle? */
static bool is_whole(struct reply *reply, struct str line)
{
    json_t *document = NULL;

    if (!reply_read(reply, line, &document, NULL))
        return false;
    json_decref(document);
    return true;
}

void ollama_reply_end(struct reply *reply, struct str rest, const char *broken)
{
    bool object;

    rest = without_bom(reply, rest);
    object = rest.len > 0 && rest.at[0] == '{';
    if (reply->done || reply->error != LLM_ERROR_NONE)
        return;
    if (rest.len > 0 && (!object || is_whole(reply, rest)))
        (void)ollama_reply_line(reply, rest); /* done and error say the rest */
    if (!reply->done)
        reply_cut(reply, broken);
}
