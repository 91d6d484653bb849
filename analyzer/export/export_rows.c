/* export_rows.c - see export_rows.h. */
#include "analyzer/export/export_rows.h"

#include <math.h>

#include "analyzer/export/survey.h"
#include "analyzer/lines.h"
#include "analyzer/notes.h"
#include "base/clock.h"
#include "base/csv.h"
#include "base/utf8.h"
#include "proto/message.h"
#include "proto/message_field.h"

enum { ROW_MAX_BYTES = 16 << 20 };

bool export_wants(const struct export_job *job, struct str id)
{
    for (size_t i = 0; i < job->wanted_count; i++)
        if (str_is(id, job->wanted[i]))
            return true;
    return job->wanted_count == 0;
}

/* ---- a table ---- */

static void csv_head(struct buf *row)
{
    struct csv csv = {.into = row};

    csv_text(&csv, "conversation");
    csv_text(&csv, "turn");
    csv_text(&csv, "at");
    csv_text(&csv, "kind");
    csv_text(&csv, "to");
    csv_text(&csv, "text");
    csv_text(&csv, "sentiment");
    csv_text(&csv, "failed");
    csv_text(&csv, "fallback");
    for (size_t i = 0; message_field(i) != NULL; i++)
        if (!str_is(str_of(message_field(i)->key), "conversation_id")
            && !str_is(str_of(message_field(i)->key), "sequence_number"))
            csv_text(&csv, message_field(i)->key);
    csv_end_row(&csv);
}

static void csv_field(struct csv *csv, const struct message *message,
                      const struct message_field *field)
{
    const void *value = message_field_of(message, field);
    double number;

    switch (field->kind) {
    case FIELD_TEXT:
        csv_text(csv, *(char *const *)value);
        break;
    case FIELD_COUNT:
        csv_count(csv, *(const int64_t *)value);
        break;
    case FIELD_NUMBER:
        number = *(const double *)value;
        csv_number(csv, number < 0 ? NAN : number);
        break;
    }
}

static void csv_seats(struct csv *csv, const struct message *message)
{
    struct buf seats;

    buf_init(&seats, ROW_MAX_BYTES);
    for (size_t i = 0; i < message->to_count; i++)
        buf_printf(&seats, "%s%d", i == 0 ? "" : " ", message->to[i]);
    csv_text(csv, message->to == NULL ? NULL : buf_text(&seats));
    buf_done(&seats);
}

static void csv_row(struct buf *row, const struct message *message)
{
    struct csv csv = {.into = row};
    char at[CLOCK_TEXT_SIZE] = "";

    if (message->queue_timestamp_us >= 0)
        clock_format_us(message->queue_timestamp_us, at);
    csv_text(&csv, message->conversation_id);
    csv_count(&csv, message->sequence_number);
    csv_text(&csv, at);
    csv_text(&csv, message_kind_name(message->kind));
    csv_seats(&csv, message);
    csv_text(&csv, message->text);
    csv_number(&csv, message->kind == MESSAGE_TURN ? message->sentiment : NAN);
    csv_text(&csv, message->failed ? "true" : "false");
    csv_text(&csv, message->fallback ? "true" : "false");
    for (size_t i = 0; message_field(i) != NULL; i++)
        if (!str_is(str_of(message_field(i)->key), "conversation_id")
            && !str_is(str_of(message_field(i)->key), "sequence_number"))
            csv_field(&csv, message, message_field(i));
    csv_end_row(&csv);
}

/* ---- lines ---- */

struct rows {
    const struct export_job *job;
    struct sink *sink;
    struct export_counts *counts;
    struct buf row;
};

static bool put_row(struct rows *rows, const struct message *message, struct str line,
                    struct err *err)
{
    bool is_csv = rows->job->format == EXPORT_CSV;

    if (!export_wants(rows->job, str_of(message->conversation_id))
        || !survey_sees(message, rows->job->perspective)
        || (is_csv
            && (message->kind == MESSAGE_STORY || message->kind == MESSAGE_PERSONA)))
        return true;
    rows->counts->records++;
    buf_clear(&rows->row);
    if (!is_csv) {
        buf_add_str(&rows->row, line);
        buf_add_char(&rows->row, '\n');
        return sink_json(rows->sink, buf_str(&rows->row), err);
    }
    csv_row(&rows->row, message);
    if (rows->row.overflowed)
        return err_set(err, ERR_LIMIT, "a row is longer than %d bytes",
                       (int)ROW_MAX_BYTES);
    return sink_write(rows->sink, buf_str(&rows->row), err);
}

static bool take_line(struct rows *rows, const struct line *line, struct notes *notes,
                      struct err *err)
{
    struct message message;
    struct err broken = {0};
    bool ok;

    if (line->text.len == 0 && !line->too_long)
        return true;
    if (line->too_long || !message_parse(line->text, &message, &broken)) {
        notes_add(notes, "%s:%lld: skipped: %s",
                  log_safe(str_of(rows->job->transcript)), (long long)line->number,
                  line->too_long ? "it is too long"
                  : line->ended  ? broken.msg
                                 : "the last line is cut off");
        return true;
    }
    ok = put_row(rows, &message, line->text, err);
    message_done(&message);
    return ok;
}

bool export_rows(const struct export_job *job, struct sink *sink, struct notes *notes,
                 struct export_counts *counts, struct err *err)
{
    struct rows rows = {.job = job, .sink = sink, .counts = counts};
    struct lines lines;
    struct line line;
    bool ok = true;

    if (!lines_open(&lines, job->transcript, err))
        return false;
    buf_init(&rows.row, ROW_MAX_BYTES);
    if (job->format == EXPORT_CSV) {
        csv_head(&rows.row);
        ok = sink_write(sink, buf_str(&rows.row), err);
    }
    while (ok && lines_next(&lines, &line))
        ok = take_line(&rows, &line, notes, err);
    ok = ok && lines_check(&lines, job->transcript, err);
    lines_close(&lines);
    buf_done(&rows.row);
    return ok;
}
