/* export.c - see export.h.
 *
 * Flow: index -> per conversation: survey (survey.h) -> per view: each message -> out
 */
#include "analyzer/export/export.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/export/export_rows.h"
#include "analyzer/export/log_index.h"
#include "analyzer/export/reading.h"
#include "analyzer/export/survey.h"
#include "analyzer/export/thinking.h"
#include "analyzer/notes.h"
#include "base/alloc.h"

enum { PAGE_MAX_BYTES = 64 << 20 };

static const char *const format_names[] = {
    [EXPORT_JSONL] = "jsonl",       [EXPORT_SHAREGPT] = "sharegpt",
    [EXPORT_MESSAGES] = "messages", [EXPORT_MARKDOWN] = "markdown",
    [EXPORT_HTML] = "html",         [EXPORT_CSV] = "csv",
    [EXPORT_TEXT] = "text",
};

const char *export_format_name(enum export_format format)
{
    return format_names[format];
}

bool export_format_parse(const char *word, enum export_format *ret_format)
{
    for (int i = 0; i < EXPORT_FORMAT_COUNT; i++)
        if (strcmp(word, format_names[i]) == 0) {
            *ret_format = (enum export_format)i;
            return true;
        }
    return false;
}

struct export
{
    const struct export_job *job;
    struct sink *sink;
    struct export_counts *counts;
    struct log_index *index;
    struct thinking *thinking; /* NULL: left out */
    struct survey survey;      /* of the conversation that is written */
    struct chat chat;
    const struct reading_form *form; /* NULL: chat */
    struct reading page;
    struct buf text; /* of the page */
    char *judged;    /* owned: the id of the line judged last */
};

static bool is_chat(enum export_format format)
{
    return format == EXPORT_SHAREGPT || format == EXPORT_MESSAGES;
}

static const struct reading_form *form_of(enum export_format format)
{
    switch (format) {
    case EXPORT_MARKDOWN:
        return &reading_markdown;
    case EXPORT_HTML:
        return &reading_html;
    case EXPORT_TEXT:
        return &reading_text;
    default:
        return NULL;
    }
}

/* ---- lines ---- */

static bool judge(void *owner, struct str line, struct str *ret_id, struct err *err)
{
    struct export *export = owner;
    struct message message;
    bool wanted;

    if (!message_parse(line, &message, err))
        return false;
    free(export->judged);
    export->judged = x_strdup(message.conversation_id);
    wanted = export_wants(export->job, str_of(export->judged));
    *ret_id = str_of(export->judged);
    message_done(&message);
    return wanted;
}

static bool survey_line(void *owner, struct str line, struct err *err)
{
    struct export *export = owner;
    struct message message;

    if (!message_parse(line, &message, err))
        return false; /* the file was changed meanwhile */
    survey_take(&export->survey, &message);
    message_done(&message);
    return true;
}

static const char *thought_of(const struct export *export,
                              const struct message *message)
{
    return message->kind == MESSAGE_TURN
               ? thinking_of(export->thinking, message->sequence_number)
               : NULL;
}

/* ---- chats ---- */

static bool chat_line(void *owner, struct str line, struct err *err)
{
    struct export *export = owner;
    struct message message;
    bool ok;

    if (!message_parse(line, &message, err))
        return false;
    ok = chat_message(&export->chat, &message, thought_of(export, &message), err);
    message_done(&message);
    return ok;
}

static bool write_view(struct export *export, size_t conversation, int64_t seat,
                       struct err *err)
{
    if (export->survey.last[seat] < 0) {
        export->counts->silent++;
        return true;
    }
    export->counts->records++;
    export->counts->without_system += !survey_complete(&export->survey);
    return chat_begin(&export->chat, &export->survey, seat, err)
           && index_each(export->index, conversation, chat_line, export, err)
           && chat_end(&export->chat, err);
}

static bool write_chats(struct export *export, size_t conversation, struct err *err)
{
    int64_t only = export->job->perspective;

    for (int64_t seat = 1; seat <= export->survey.seats; seat++)
        if ((only == 0 || only == seat) && !write_view(export, conversation, seat, err))
            return false;
    return true;
}

/* ---- pages ---- */

static bool empty_page(struct export *export, struct err *err)
{
    bool ok = export->text.overflowed
                  ? err_set(err, ERR_LIMIT, "a message is longer than %d bytes",
                            (int)PAGE_MAX_BYTES)
                  : sink_write(export->sink, buf_str(&export->text), err);

    buf_clear(&export->text);
    return ok;
}

static bool page_line(void *owner, struct str line, struct err *err)
{
    struct export *export = owner;
    struct message message;

    if (!message_parse(line, &message, err))
        return false;
    if (survey_speaks(&message) && survey_sees(&message, export->job->perspective)) {
        export->form->message(&export->page, &export->survey, &message,
                              thought_of(export, &message));
        export->counts->records++;
    }
    message_done(&message);
    return empty_page(export, err);
}

static bool write_page(struct export *export, size_t conversation, struct err *err)
{
    export->form->begin(&export->page, &export->survey);
    if (!empty_page(export, err)
        || !index_each(export->index, conversation, page_line, export, err))
        return false;
    export->form->end(&export->page, &export->survey);
    return empty_page(export, err);
}

/* ---- all ---- */

static bool write_conversation(struct export *export, size_t conversation,
                               struct err *err)
{
    const char *id = index_id(export->index, conversation);
    const char *topic = export->job->topic_of == NULL
                            ? NULL
                            : export->job->topic_of(export->job->topic_owner, id);
    bool ok;

    survey_init(&export->survey, id);
    export->survey.topic = topic == NULL ? NULL : x_strdup(topic);
    ok = index_each(export->index, conversation, survey_line, export, err)
         && (export->thinking == NULL || thinking_turn_to(export->thinking, id, err))
         && (export->form == NULL ? write_chats(export, conversation, err)
                                  : write_page(export, conversation, err));
    export->counts->conversations++;
    export->counts->failed += export->survey.left.failed;
    export->counts->empty += export->survey.left.empty;
    survey_done(&export->survey);
    return ok;
}

static bool write_all(struct export *export, struct err *err)
{
    if (export->form != NULL)
        export->form->head(&export->page);
    if (!(export->form == NULL ? chat_head(&export->chat, err)
                               : empty_page(export, err)))
        return false;
    for (size_t i = 0; i < index_count(export->index); i++)
        if (!write_conversation(export, i, err))
            return false;
    if (export->form != NULL)
        export->form->tail(&export->page);
    return export->form == NULL ? chat_tail(&export->chat, err)
                                : empty_page(export, err);
}

static bool grouped(const struct export_job *job, struct sink *sink,
                    struct notes *notes, struct export_counts *counts, struct err *err)
{
    struct export export = {
        .job = job, .sink = sink, .counts = counts, .form = form_of(job->format)};
    struct log_kind kind = {judge, &export};
    bool ok;

    buf_init(&export.text, PAGE_MAX_BYTES);
    export.page.into = &export.text;
    chat_init(&export.chat,
              job->format == EXPORT_SHAREGPT ? CHAT_SHAREGPT : CHAT_MESSAGES, sink,
              job->prompts);
    export.chat.names = job->names;
    ok = index_build(job->transcript, &kind, notes, &export.index, err)
         && (job->calls == NULL
             || thinking_open(job->calls, notes, &export.thinking, err))
         && write_all(&export, err);
    thinking_free(export.thinking);
    index_free(export.index);
    chat_done(&export.chat);
    buf_done(&export.text);
    free(export.judged);
    return ok;
}

bool export_run(const struct export_job *job, struct sink *sink, struct notes *notes,
                struct export_counts *ret_counts, struct err *err)
{
    struct export_counts counts = {0};
    bool rows = !is_chat(job->format) && form_of(job->format) == NULL;
    bool ok = rows ? export_rows(job, sink, notes, &counts, err)
                   : grouped(job, sink, notes, &counts, err);

    if (ok)
        *ret_counts = counts;
    return ok;
}
