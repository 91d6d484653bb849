/* talk_papers.c - what the pager shows: a message as it is stored, a request as it was
 * sent. See talk_inside.h.
 */
#include "observer/screen/talk_inside.h"
#include "proto/asked.h"
#include "proto/json_pretty.h"

enum { PRETTY_MAX_BYTES = 8 << 20, TITLE_SIZE = 256 };

void talk_notice(const struct talk_screen *screen, enum pen pen, const char *text)
{
    screen->host->notice(screen->host->owner, pen, text);
}

void talk_show_request(struct talk_screen *screen)
{
    const struct talk_asked *asked = &screen->talk->asked;
    struct err err = {0};
    struct asked sent;
    struct buf text;

    screen->awaits_request = false;
    if (asked->text.len == 0) {
        talk_notice(screen, PEN_WARN,
                    "no request is kept: none was sent, it is too long ago, or "
                    "live.requests is off");
        return;
    }
    if (!asked_parse(buf_str(&asked->text), &sent, &err)) {
        (void)err_wrap(&err, "the request cannot be read");
        talk_notice(screen, PEN_BAD, err.msg);
        return;
    }
    buf_init(&text, PRETTY_MAX_BYTES);
    (void)buf_printf(&text, "POST %s\nturn %lld, call %s, %lld bytes%s\n\n", sent.url,
                     (long long)sent.turn, sent.call, (long long)sent.body_bytes,
                     sent.cut ? " (cut)" : "");
    (void)json_pretty(str_of(sent.body), &text); /* as much as fits is shown */
    talk_pager_show(&screen->pager, "The request of this seat's last call",
                    buf_str(&text));
    buf_done(&text);
    asked_done(&sent);
}

void talk_want_request(struct talk_screen *screen)
{
    const struct talk_line *line = talk_view_selected(&screen->view);
    const struct talk_reader *reader = screen->talk->reader;
    int64_t seat =
        line == NULL || line->seat < 1 ? screen->talk->facts.seat : line->seat;

    if (reader == NULL || reader->asked == NULL) {
        talk_notice(screen, PEN_WARN, "a record holds no requests");
        return;
    }
    if (seat < 1) {
        talk_notice(screen, PEN_WARN, "nobody was asked yet");
        return;
    }
    screen->awaits_request = true;
    talk_want_asked(screen->talk, seat);
}

void talk_show_message(struct talk_screen *screen)
{
    const struct talk_line *line = talk_view_selected(&screen->view);
    char title[TITLE_SIZE];
    struct buf text;

    if (line == NULL || line->document.len == 0) {
        talk_notice(screen, PEN_WARN, "this is no message of the transcript");
        return;
    }
    if (line->turn > 0)
        fmt_into(title, sizeof title, "Turn %lld as it is stored",
                 (long long)line->turn);
    else
        fmt_into(title, sizeof title, "The %s as it is stored",
                 talk_line_kind_name(line->kind));
    buf_init(&text, PRETTY_MAX_BYTES);
    (void)json_pretty(buf_str(&line->document), &text); /* as much as fits */
    talk_pager_show(&screen->pager, title, buf_str(&text));
    buf_done(&text);
}
