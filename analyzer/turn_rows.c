/* turn_rows.c - see turn_rows.h. */
#include "analyzer/turn_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/metric.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/csv.h"
#include "base/file.h"
#include "proto/message.h"

enum { ROW_MAX_BYTES = 16 * MESSAGE_MAX_BYTES };

static void write_row(struct turn_rows *rows)
{
    if (rows->errnum == 0 && rows->row.overflowed)
        rows->errnum = EMSGSIZE;
    if (rows->errnum == 0
        && fwrite(buf_text(&rows->row), 1, rows->row.len, rows->file) != rows->row.len)
        rows->errnum = errno == 0 ? EIO : errno;
    buf_clear(&rows->row);
}

static void write_heads(struct turn_rows *rows)
{
    static const char *const heads[] = {
        "conversation_id", "turn",  "seat",          "persona", "provider", "endpoint",
        "model",           "ended", "finish_reason", "failed",  "attempts", "issue",
    };
    struct csv csv = {.into = &rows->row};

    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        csv_text(&csv, heads[i]);
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        csv_text(&csv, metric_name(m));
    csv_end_row(&csv);
    write_row(rows);
}

bool turn_rows_open(struct turn_rows *rows, const char *path, struct err *err)
{
    *rows = (struct turn_rows){.path = path};
    if (strcmp(path, "-") == 0) {
        rows->file = stdout;
    } else {
        if (!file_is_stream(path))
            rows->part = x_printf("%s.part", path);
        rows->file = fopen(rows->part == NULL ? path : rows->part, "w");
        if (rows->file == NULL) {
            err_sys(err, errno, "%s", rows->part == NULL ? path : rows->part);
            turn_rows_drop(rows);
            return false;
        }
    }
    buf_init(&rows->row, ROW_MAX_BYTES);
    write_heads(rows);
    return true;
}

void turn_rows_take(struct turn_rows *rows, const struct message *turn)
{
    struct csv csv = {.into = &rows->row};
    char ended[CLOCK_TEXT_SIZE] = "";

    if (turn->queue_timestamp_us >= 0)
        clock_format_us(turn->queue_timestamp_us, ended);
    csv_text(&csv, turn->conversation_id);
    csv_count(&csv, turn->sequence_number);
    csv_count(&csv, turn->seat);
    csv_text(&csv, turn->author);
    csv_text(&csv, turn->provider);
    csv_text(&csv, turn->endpoint);
    csv_text(&csv, turn->model);
    csv_text(&csv, ended);
    csv_text(&csv, turn->finish_reason);
    csv_text(&csv, turn->failed ? "true" : "false");
    csv_count(&csv, turn->attempts);
    csv_count(&csv, turn->issue);
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        csv_number(&csv, metric_of(turn, m));
    csv_end_row(&csv);
    write_row(rows);
}

/* Closes what was opened; the first trouble is kept. */
static void close_file(struct turn_rows *rows)
{
    bool ours = rows->file != stdout;

    if (rows->file == NULL)
        return;
    if (fflush(rows->file) != 0 && rows->errnum == 0)
        rows->errnum = errno;
    if (ours && fclose(rows->file) != 0 && rows->errnum == 0)
        rows->errnum = errno;
    rows->file = NULL;
}

bool turn_rows_end(struct turn_rows *rows, struct err *err)
{
    bool ok;

    close_file(rows);
    if (rows->errnum == 0 && rows->part != NULL && rename(rows->part, rows->path) != 0)
        rows->errnum = errno;
    ok = rows->errnum == 0 || err_sys(err, rows->errnum, "%s", rows->path);
    if (ok) {
        free(rows->part);
        rows->part = NULL;
    }
    turn_rows_drop(rows);
    return ok;
}

void turn_rows_drop(struct turn_rows *rows)
{
    close_file(rows);
    if (rows->part != NULL && unlink(rows->part) != 0)
        rows->errnum = errno; /* it is told by nobody: there was an error before */
    free(rows->part);
    rows->part = NULL;
    buf_done(&rows->row);
}
