/* asked.c - see asked.h. */
#include "proto/asked.h"

#include <stdlib.h>

#include "proto/json_get.h"
#include "proto/json_write.h"

/* Not inside a character: back to the byte one begins with. */
static struct str cut_body(struct str body)
{
    size_t len = ASKED_BODY_MAX_BYTES;

    if (body.len <= len)
        return body;
    while (len > 0 && ((unsigned char)body.at[len] & 0xC0) == 0x80)
        len--;
    return str_make(body.at, len);
}

bool asked_format(const struct asked_sent *sent, struct buf *into)
{
    struct str kept = cut_body(sent->body);

    return buf_add_text(into, "{\"call\":") && json_write_text(into, sent->call)
           && buf_add_text(into, ",\"turn\":") && json_write_i64(into, sent->turn)
           && buf_add_text(into, ",\"url\":") && json_write_text(into, sent->url)
           && buf_add_text(into, ",\"bytes\":")
           && json_write_i64(into, (int64_t)sent->body.len)
           && buf_add_text(into, ",\"cut\":")
           && buf_add_text(into, kept.len < sent->body.len ? "true" : "false")
           && buf_add_text(into, ",\"body\":") && json_write_string(into, kept)
           && buf_add_char(into, '}');
}

void asked_done(struct asked *asked)
{
    free(asked->call);
    free(asked->url);
    free(asked->body);
    *asked = (struct asked){0};
}

bool asked_parse(struct str json, struct asked *ret_asked, struct err *err)
{
    json_t *document = json_loadb(json.at, json.len, JSON_ALLOW_NUL, NULL);
    struct json_place root = json_root(document);
    struct asked asked = {0};
    bool ok = false;

    if (!json_is_object(document)) {
        err_set(err, ERR_FORMAT, "not a JSON object");
        goto out;
    }
    ok = json_get_text(json_member(&root, "call"), &asked.call, err)
         && json_get_text(json_member(&root, "url"), &asked.url, err)
         && json_get_text(json_member(&root, "body"), &asked.body, err)
         && json_get_count(json_member(&root, "turn"), 0, &asked.turn, err)
         && json_get_count(json_member(&root, "bytes"), 0, &asked.body_bytes, err)
         && json_get_bool(json_member(&root, "cut"), &asked.cut, err);
    if (!ok)
        goto out;
    *ret_asked = asked;
    asked = (struct asked){0};
out:
    asked_done(&asked);
    json_decref(document);
    return ok;
}
