/* prompt.c - see prompt.h. */
#include "worker/prompt.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/persona_text.h"
#include "proto/template.h"
#include "worker/budget.h"

enum {
    PROMPT_MAX_BYTES = 4 << 20,
    MESSAGES_BESIDE = 5 /* system, opening, nudge, repair */
};

bool prompt_templates_load(const char *folder, struct prompt_templates *ret,
                           struct err *err)
{
    return template_load(folder, "worker/prompts/persona.txt", &ret->persona, err)
           && template_load(folder, "worker/prompts/opening.txt", &ret->opening, err)
           && template_load(folder, "worker/prompts/continue.txt", &ret->going_on, err)
           && template_load(folder, "worker/prompts/structured.txt", &ret->structured,
                            err)
           && template_load(folder, "worker/prompts/repair.txt", &ret->repair, err);
}

void prompt_templates_done(struct prompt_templates *templates)
{
    free(templates->persona);
    free(templates->opening);
    free(templates->going_on);
    free(templates->structured);
    free(templates->repair);
    *templates = (struct prompt_templates){0};
}

static bool fill_persona(const char *text, const struct memory_page *page, int64_t seat,
                         struct buf *into, struct err *err)
{
    return persona_text_fill(text, &page->cast, page->topic, seat, into, err);
}

bool prompt_system(const struct prompt_templates *templates, struct memory *memory,
                   struct memory_page *page, int64_t seat, bool structured,
                   struct err *err)
{
    struct buf text;
    bool ok;

    assert(seat >= 1 && (size_t)seat <= page->cast.seat_count);
    if (page->systems[seat - 1] != NULL)
        return true;
    buf_init(&text, PROMPT_MAX_BYTES);
    ok = fill_persona(templates->persona, page, seat, &text, err)
         && (!structured
             || (buf_add_text(&text, "\n\n")
                 && fill_persona(templates->structured, page, seat, &text, err)));
    if (ok)
        memory_set_system(memory, page, seat, buf_take(&text));
    buf_done(&text);
    return ok;
}

static const struct persona_frame *frame_of(const struct memory_line *line)
{
    if (line->turn >= 0)
        return NULL;
    return persona_text_frame(line->whispered);
}

/* Others' words bear their names. */
static size_t around_bytes(const struct memory_line *line, int64_t seat)
{
    const struct persona_frame *frame = frame_of(line);

    if (frame != NULL)
        return strlen(frame->before) + strlen(frame->after);
    return line->seat == seat ? 0 : line->author_len + 2;
}

/* As it is sent. */
static size_t cost(const struct memory_line *line, int64_t seat)
{
    return line->text_len + BUDGET_MESSAGE_BYTES + around_bytes(line, seat);
}

/* A turn that failed is empty; a whisper is for some seats only. */
static bool is_told(const struct memory_line *line, int64_t seat)
{
    return line->text_len > 0 && (line->to == 0 || (line->to >> (seat - 1) & 1U) != 0);
}

/* The last line that the seat is told, line_count when there is none: a turn that
 * failed may stand behind it, or a whisper to another. */
static size_t last_told(const struct memory_page *page, int64_t seat)
{
    size_t i = page->line_count;

    while (i > 0 && !is_told(&page->lines[i - 1], seat))
        i--;
    return i == 0 ? page->line_count : i - 1;
}

/* Whether the seat opens the scene, or has opened it: nobody has spoken yet, or its own
 * words are the first that were said. The prompt of that turn begins with the ask to
 * open, and the later ones begin alike. Many a model's template wants a user's words
 * first, besides. */
static bool opens(const struct prompt_wish *wish)
{
    const struct memory_page *page = wish->page;
    size_t i = 0;

    while (i < page->line_count
           && (page->lines[i].turn < 0 || !is_told(&page->lines[i], wish->seat)))
        i++;
    return wish->window[0] == '\0'
           && (i == page->line_count || page->lines[i].seat == wish->seat);
}

/* Where a window may begin: at another's words whose id is known. */
static bool can_begin(const struct memory_line *line, int64_t seat)
{
    return line->id[0] != '\0' && line->seat != seat && is_told(line, seat);
}

/* The first line that is used: the window's, or further on when they do not fit, but
 * never behind `last`. */
static size_t first_line(const struct prompt_wish *wish, size_t last,
                         size_t other_bytes, bool *ret_moved)
{
    const struct memory_page *page = wish->page;
    size_t room = wish->room_bytes > other_bytes ? wish->room_bytes - other_bytes : 0;
    size_t first = memory_first_from(page, wish->window);
    size_t total = 0;

    if (first > last)
        first = last;
    for (size_t i = first; i <= last; i++)
        if (is_told(&page->lines[i], wish->seat))
            total += cost(&page->lines[i], wish->seat);
    *ret_moved = total > room;
    if (!*ret_moved)
        return first;
    /* A quarter window at a time: the prefix stays the same for many turns. */
    while (first < last
           && (total > room / 4 * 3 || !can_begin(&page->lines[first], wish->seat))) {
        if (is_told(&page->lines[first], wish->seat))
            total -= cost(&page->lines[first], wish->seat);
        first++;
    }
    return first;
}

static void add_message(struct prompt *prompt, const char *role, struct str text)
{
    prompt->messages[prompt->count++] = (struct llm_message){role, text};
    prompt->bytes += text.len + BUDGET_MESSAGE_BYTES;
}

/* Others' words with the name before them, or with what they are, kept in prompt->text,
 * whose memory must not move any more: it was sized by reserve(). */
static void add_line(struct prompt *prompt, const struct memory_line *line,
                     int64_t seat)
{
    const struct persona_frame *frame = frame_of(line);
    size_t start = prompt->text.len;

    if (line->seat == seat) {
        add_message(prompt, "assistant", str_make(line->text, line->text_len));
        return;
    }
    if (frame != NULL) {
        buf_add_text(&prompt->text, frame->before);
    } else {
        buf_add(&prompt->text, line->author, line->author_len);
        buf_add_text(&prompt->text, ": ");
    }
    buf_add(&prompt->text, line->text, line->text_len);
    if (frame != NULL)
        buf_add_text(&prompt->text, frame->after);
    add_message(prompt, "user",
                str_make(prompt->text.at + start, prompt->text.len - start));
}

static void reserve(struct buf *text, size_t bytes)
{
    size_t len = text->len;

    text->at = x_realloc(text->at, len + bytes + 1);
    text->capacity = len + bytes + 1;
    text->at[len] = '\0';
}

static void add_history(struct prompt *prompt, const struct prompt_wish *wish,
                        size_t last, size_t other_bytes)
{
    const struct memory_page *page = wish->page;
    bool moved;
    size_t first = first_line(wish, last, other_bytes, &moved);

    if (moved)
        fmt_into(prompt->window, sizeof prompt->window, "%s", page->lines[first].id);
    else if (prompt->opening_bytes > 0)
        add_message(prompt, "user", str_make(prompt->text.at, prompt->opening_bytes));
    for (size_t i = first; i <= last; i++)
        if (is_told(&page->lines[i], wish->seat))
            add_line(prompt, &page->lines[i], wish->seat);
}

static size_t lines_bytes(const struct memory_page *page, int64_t seat)
{
    size_t bytes = 0;

    for (size_t i = 0; i < page->line_count; i++)
        bytes += page->lines[i].text_len + around_bytes(&page->lines[i], seat);
    return bytes;
}

/* Adds a text of ours behind the others in prompt->text; their lengths (0: not needed)
 * tell them apart. */
static bool fill_ask(const char *ask, const struct prompt_wish *wish,
                     struct prompt *prompt, size_t *ret_bytes, struct err *err)
{
    size_t start = prompt->text.len;

    if (!fill_persona(ask, wish->page, wish->seat, &prompt->text, err))
        return false;
    *ret_bytes = prompt->text.len - start;
    return true;
}

static bool fill_repair(const char *repair, const struct prompt_wish *wish,
                        struct prompt *prompt, struct err *err)
{
    const struct template_value why[] = {{"error", str_of(wish->complaint)}};
    size_t start = prompt->text.len;

    if (!template_fill(str_trim(str_of(repair)), why, 1, &prompt->text, err))
        return false;
    prompt->repair_bytes = prompt->text.len - start;
    return true;
}

/* What is asked when the seat speaks first, or was itself the last to speak, or said
 * what could not be used. `last`: the last line that it is told, line_count none.
 */
static bool fill_asks(const struct prompt_templates *templates,
                      const struct prompt_wish *wish, size_t last,
                      struct prompt *prompt, struct err *err)
{
    const struct memory_page *page = wish->page;
    bool silence = last == page->line_count;

    if ((silence || opens(wish))
        && !fill_ask(templates->opening, wish, prompt, &prompt->opening_bytes, err))
        return false;
    if (!silence && page->lines[last].seat == wish->seat
        && !fill_ask(templates->going_on, wish, prompt, &prompt->nudge_bytes, err))
        return false;
    return wish->rejected.len == 0 || fill_repair(templates->repair, wish, prompt, err);
}

static size_t beside_bytes(const struct prompt_wish *wish, const struct prompt *prompt)
{
    size_t bytes = strlen(wish->page->systems[wish->seat - 1]) + BUDGET_MESSAGE_BYTES;

    if (prompt->opening_bytes > 0)
        bytes += prompt->opening_bytes + BUDGET_MESSAGE_BYTES;
    if (prompt->nudge_bytes > 0)
        bytes += prompt->nudge_bytes + BUDGET_MESSAGE_BYTES;
    if (prompt->repair_bytes > 0)
        bytes += prompt->repair_bytes + wish->rejected.len + 2 * BUDGET_MESSAGE_BYTES;
    return bytes;
}

static void add_asks(struct prompt *prompt, const struct prompt_wish *wish)
{
    const char *text = prompt->text.at + prompt->opening_bytes;

    if (prompt->nudge_bytes > 0)
        add_message(prompt, "user", str_make(text, prompt->nudge_bytes));
    if (prompt->repair_bytes == 0)
        return;
    add_message(prompt, "assistant", wish->rejected);
    add_message(prompt, "user",
                str_make(text + prompt->nudge_bytes, prompt->repair_bytes));
}

bool prompt_build(const struct prompt_templates *templates,
                  const struct prompt_wish *wish, struct prompt *ret_prompt,
                  struct err *err)
{
    const struct memory_page *page = wish->page;
    struct prompt prompt = {0};
    size_t last = last_told(page, wish->seat);

    assert(wish->seat >= 1 && (size_t)wish->seat <= page->cast.seat_count);
    assert(page->systems[wish->seat - 1] != NULL);
    buf_init(&prompt.text, PROMPT_MAX_BYTES);
    if (!fill_asks(templates, wish, last, &prompt, err)) {
        prompt_done(&prompt);
        return false;
    }
    reserve(&prompt.text, lines_bytes(page, wish->seat));
    prompt.messages =
        x_calloc(page->line_count + MESSAGES_BESIDE, sizeof *prompt.messages);
    add_message(&prompt, "system", str_of(page->systems[wish->seat - 1]));
    if (last < page->line_count)
        add_history(&prompt, wish, last, beside_bytes(wish, &prompt));
    else
        add_message(&prompt, "user", str_make(prompt.text.at, prompt.opening_bytes));
    add_asks(&prompt, wish);
    *ret_prompt = prompt;
    return true;
}

void prompt_done(struct prompt *prompt)
{
    free(prompt->messages);
    buf_done(&prompt->text);
    *prompt = (struct prompt){0};
}
