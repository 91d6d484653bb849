/* reading_html.c - conversations as one HTML page that needs nothing else; see
 * reading.h. */
#include "analyzer/export/reading.h"
#include "base/markup.h"

static const char head_text[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<title>Conversations</title>\n<style>\n"
    ":root{color-scheme:light dark;--line:#8884}\n"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;"
    "padding:0 1rem;overflow-wrap:anywhere}\n"
    "h1{font-size:1.3rem}\nsection{border-top:1px solid var(--line);margin-top:2rem}\n"
    ".turn{margin:1rem 0;padding-left:.8rem;border-left:.25rem solid "
    "var(--seat,#888)}\n"
    ".who{font-weight:600}\n.turn p{margin:.2rem 0;white-space:pre-wrap}\n"
    ".aside,.thinks,.left{font-style:italic;opacity:.8}\n"
    ".s1{--seat:#2a78d6}.s2{--seat:#d6722a}.s3{--seat:#2f9e5b}.s4{--seat:#a04fc9}"
    ".s5{--seat:#c23b6b}.s6{--seat:#1f9aa8}.s7{--seat:#8d7a16}.s0{--seat:#6b6f78}\n"
    "</style>\n</head>\n<body>\n";

/* <tag class="...">text</tag> */
static void add_element(struct buf *into, const char *open, const char *text,
                        const char *close)
{
    buf_add_text(into, open);
    markup_html(into, str_of(text));
    buf_add_text(into, close);
}

static void html_head(struct reading *page)
{
    buf_add_text(page->into, head_text);
}

static void add_cast(struct buf *into, const struct cast *cast)
{
    buf_add_text(into, "<ul>\n");
    for (size_t i = 0; i < cast->seat_count; i++) {
        const struct persona *persona = &cast->seats[i].persona;

        if (persona->name == NULL)
            continue;
        add_element(into, "<li><b>", persona->name, "</b>, ");
        add_element(into, "", persona->role, "</li>\n");
    }
    buf_add_text(into, "</ul>\n");
}

static void html_begin(struct reading *page, const struct survey *survey)
{
    struct buf *into = page->into;

    add_element(into, "<section>\n<h1>Conversation ", survey->id, "</h1>\n");
    if (survey->topic != NULL)
        add_element(into, "<p>Topic: ", survey->topic, "</p>\n");
    if (survey->has_story) {
        add_element(into, "<p>", survey->cast.story.setting, "</p>\n");
        add_element(into, "<p>", survey->cast.story.initial_situation, "</p>\n");
    }
    if (survey->cast.seat_count > 0)
        add_cast(into, &survey->cast);
}

static void html_message(struct reading *page, const struct survey *survey,
                         const struct message *message, const char *thinking)
{
    enum { COLOURS = 7 };
    char room[READING_NAME_SIZE];
    struct buf *into = page->into;
    bool turn = message->kind == MESSAGE_TURN && message->seat >= 1;
    struct buf to;

    buf_init(&to, into->max);
    reading_to(survey, message, &to);
    buf_printf(into, "<div class=\"turn s%d%s\">",
               turn ? (int)((message->seat - 1) % COLOURS) + 1 : 0,
               turn ? "" : " aside");
    add_element(into, "<span class=\"who\"><bdi>",
                reading_speaker(survey, message, room), "</bdi>");
    markup_html(into, buf_str(&to));
    buf_add_text(into, "</span>");
    if (thinking != NULL)
        add_element(into, "<p class=\"thinks\" dir=\"auto\">", thinking, "</p>");
    add_element(into, "<p dir=\"auto\">", message->text, "</p></div>\n");
    buf_done(&to);
}

static void html_end(struct reading *page, const struct survey *survey)
{
    char left[READING_LEFT_SIZE];

    reading_left_out(survey, left);
    if (left[0] != '\0')
        add_element(page->into, "<p class=\"left\">", left, "</p>\n");
    buf_add_text(page->into, "</section>\n");
}

static void html_tail(struct reading *page)
{
    buf_add_text(page->into, "</body>\n</html>\n");
}

const struct reading_form reading_html = {html_head, html_begin, html_message, html_end,
                                          html_tail};
