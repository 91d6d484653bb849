/* ledger.c - see ledger.h.
 *
 * Flow: ledger_open -> ledger_add -> ledger_format -> one write -> ledger_free
 */
#include "simulator/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "proto/json_write.h"

#define LINE_MAX_BYTES ((size_t)128 << 20) /* a body may have 16 MiB, and grow */

struct ledger {
    int fd;
    char *path;
    struct buf line;
};

void ledger_line_done(struct ledger_line *line)
{
    free(line->id);
    free(line->path);
    free(line->model);
    free(line->body);
    *line = (struct ledger_line){0};
}

/* ---- a line; a full buffer shows in the end ---- */

static const char *end_name(enum ledger_end end)
{
    static const char *const names[] = {"whole", "fault", "client", "refused",
                                        "shutdown"};

    return names[end];
}

static void add_text(const char *key, const char *value, struct buf *into)
{
    (void)buf_printf(into, ",\"%s\":", key);
    (void)json_write_text(into, value);
}

static void add_hash(const char *key, const char *hash, struct buf *into)
{
    add_text(key, hash[0] ? hash : NULL, into);
}

static void add_count(const char *key, int64_t value, struct buf *into)
{
    (void)buf_printf(into, ",\"%s\":", key);
    (void)json_write_count(into, value);
}

/* The part behind the ~ of "call~2" counts the attempts of a client. */
static void add_attempt(const char *id, struct buf *into)
{
    const char *mark = id ? strrchr(id, '~') : NULL;
    int64_t attempt = -1;

    if (mark && !str_to_i64(str_of(mark + 1), 1, 1000000, &attempt))
        attempt = -1;
    add_count("attempt", attempt, into);
}

static void add_ends(const struct ledger_line *line, struct buf *into)
{
    add_text("fault", line->fault, into);
    add_text("ended", end_name(line->ended), into);
    add_text("closed_by", line->ended == LEDGER_CLIENT ? "client" : "server", into);
}

void ledger_format(const struct ledger_line *line, struct buf *into)
{
    (void)buf_add_text(into, "{\"id\":");
    (void)json_write_text(into, line->id);
    add_attempt(line->id, into);
    add_count("seq", (int64_t)line->seq, into);
    add_text("path", line->path, into);
    add_text("model", line->model, into);
    add_text("flavor", line->flavor, into);
    add_count("started_us", line->started_us, into);
    add_count("ended_us", line->ended_us, into);
    add_count("first_byte_us", line->first_byte_us ? line->first_byte_us : -1, into);
    add_count("status", line->status ? line->status : -1, into);
    add_count("bytes", (int64_t)line->bytes, into);
    add_count("tokens", (int64_t)line->tokens, into);
    add_count("prompt_tokens", line->prompt_tokens, into);
    add_count("num_ctx", line->num_ctx, into);
    (void)buf_printf(into, ",\"load\":%s", line->load ? "true" : "false");
    add_text("loading", line->loading, into);
    add_ends(line, into);
    add_count("in_flight", (int64_t)line->in_flight, into);
    add_hash("prompt_sha256", line->prompt_sha256, into);
    add_hash("system_sha256", line->system_sha256, into);
    add_hash("reply_sha256", line->reply_sha256, into);
    (void)buf_printf(into, ",\"key\":%s", line->key ? "true" : "false");
    if (line->body)
        (void)buf_printf(into, ",\"body\":%s", line->body);
    (void)buf_add_text(into, "}\n");
}

/* ---- the file ---- */

bool ledger_open(const char *path, struct ledger **ret_ledger, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    struct ledger *ledger = NULL;

    if (fd < 0)
        return err_sys(err, errno, "cannot open the ledger %s", path);
    ledger = x_calloc(1, sizeof(*ledger));
    ledger->fd = fd;
    ledger->path = x_strdup(path);
    buf_init(&ledger->line, LINE_MAX_BYTES);
    *ret_ledger = ledger;
    return true;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    close(ledger->fd);
    free(ledger->path);
    buf_done(&ledger->line);
    free(ledger);
}

bool ledger_add(struct ledger *ledger, const struct ledger_line *line, struct err *err)
{
    ssize_t count = 0;

    buf_clear(&ledger->line);
    ledger_format(line, &ledger->line);
    if (ledger->line.overflowed)
        return err_set(err, ERR_LIMIT, "a line for %s is over %zu bytes", ledger->path,
                       LINE_MAX_BYTES);
    count = write(ledger->fd, ledger->line.at, ledger->line.len);
    if (count < 0)
        return err_sys(err, errno, "cannot write to %s", ledger->path);
    if ((size_t)count < ledger->line.len)
        return err_set(err, ERR_SYSTEM, "%s: the disk is full", ledger->path);
    return true;
}
