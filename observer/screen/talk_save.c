/* talk_save.c - see talk_save.h. */
#include "observer/screen/talk_save.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"

enum { FILE_MAX_BYTES = 64 << 20 };
static const char json_end[] = ".jsonl";
static const char text_end[] = ".txt";

static bool ends_with(struct str text, const char *end)
{
    struct str tail = str_of(end);

    return text.len > tail.len
           && str_is(str_make(text.at + text.len - tail.len, tail.len), end);
}

/* The caller frees. */
static char *with_end(const char *path, const char *end)
{
    struct str base = str_of(path);

    if (ends_with(base, json_end))
        base.len -= sizeof json_end - 1;
    else if (ends_with(base, text_end))
        base.len -= sizeof text_end - 1;
    return x_printf("%.*s%s", (int)base.len, base.at, end);
}

bool talk_save_exists(const char *path)
{
    char *json = with_end(path, json_end);
    char *text = with_end(path, text_end);
    bool exists = file_exists(json) || file_exists(text);

    free(json);
    free(text);
    return exists;
}

static bool add_json(const struct talk *talk, struct buf *into)
{
    for (size_t i = 0; i < talk->count; i++) {
        const struct buf *document = &talk->lines[i]->document;

        if (document->len > 0
            && (!buf_add_str(into, buf_str(document)) || !buf_add_char(into, '\n')))
            return false;
    }
    return true;
}

static bool add_text(const struct talk *talk, struct buf *into)
{
    for (size_t i = 0; i < talk->count; i++) {
        const struct talk_line *line = talk->lines[i];
        const char *before = line->kind == TALK_NOTE ? "(" : "";
        const char *behind = line->kind == TALK_NOTE ? ")" : "";

        if (line->speaking)
            continue;
        if (!buf_printf(into, "%s%s%s%s%s\n\n", before, buf_text(&line->author),
                        line->author.len > 0 ? ": " : "", buf_text(&line->text),
                        behind))
            return false;
    }
    return true;
}

static bool write_one(const char *path, const char *end, const struct buf *bytes,
                      struct err *err)
{
    char *whole = with_end(path, end);
    bool ok = file_write(whole, buf_str(bytes), err);

    free(whole);
    return ok;
}

static void report_on(const struct talk *talk, const char *path, struct buf *report)
{
    int64_t from = -1;
    int64_t to = -1;
    char *name = with_end(path, "");

    for (size_t i = 0; i < talk->count; i++)
        if (talk->lines[i]->kind == TALK_TURN && !talk->lines[i]->speaking) {
            from = from < 0 ? talk->lines[i]->turn : from;
            to = talk->lines[i]->turn;
        }
    (void)buf_printf(report, "saved %s.jsonl and .txt", name);
    if (!talk->has_head || !talk->has_tail)
        (void)buf_printf(report,
                         ": turns %" PRId64 " to %" PRId64
                         " only; all of them: parley export %s",
                         from, to, talk->id);
    free(name);
}

bool talk_save(const struct talk *talk, const char *path, struct buf *report,
               struct err *err)
{
    struct buf json;
    struct buf text;
    bool ok = false;

    buf_init(&json, FILE_MAX_BYTES);
    buf_init(&text, FILE_MAX_BYTES);
    if (!add_json(talk, &json) || !add_text(talk, &text)) {
        err_set(err, ERR_LIMIT, "the conversation is too large to be saved from here");
        goto out;
    }
    if (!write_one(path, json_end, &json, err)
        || !write_one(path, text_end, &text, err))
        goto out;
    report_on(talk, path, report);
    ok = true;
out:
    buf_done(&json);
    buf_done(&text);
    return ok;
}
