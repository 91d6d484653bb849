/* memory.c - see memory.h. */
#include "worker/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "proto/message.h"

enum { BUCKETS = 256 };

LIST_HEAD(bucket, memory_page);
TAILQ_HEAD(age, memory_page);

struct memory {
    struct bucket buckets[BUCKETS];
    struct age age;
    size_t bytes;
    size_t max_bytes;
};

struct memory *memory_new(size_t max_bytes)
{
    struct memory *memory = x_calloc(1, sizeof *memory);

    TAILQ_INIT(&memory->age);
    memory->max_bytes = max_bytes;
    return memory;
}

size_t memory_bytes(const struct memory *memory)
{
    return memory->bytes;
}

static void account(struct memory *memory, struct memory_page *page, size_t more,
                    size_t less)
{
    page->bytes += more - less;
    memory->bytes += more - less;
}

static size_t line_bytes(const struct memory_line *line)
{
    return sizeof *line + line->author_len + line->text_len + 2;
}

static void cut_lines(struct memory *memory, struct memory_page *page, size_t keep)
{
    while (page->line_count > keep) {
        struct memory_line *line = &page->lines[--page->line_count];

        account(memory, page, 0, line_bytes(line));
        free(line->author);
        free(line->text);
    }
}

static void empty_page(struct memory *memory, struct memory_page *page)
{
    cut_lines(memory, page, 0);
    page->known = page->known_at_last = 0;
    page->lines_at_last = 0;
    page->last_id[0] = page->first_id[0] = '\0';
    page->sent.bytes = 0;
}

static size_t text_bytes(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

static void forget_systems(struct memory *memory, struct memory_page *page)
{
    for (size_t i = 0; i < SEATS_MAX; i++) {
        account(memory, page, 0, text_bytes(page->systems[i]));
        free(page->systems[i]);
        page->systems[i] = NULL;
    }
}

void memory_set_system(struct memory *memory, struct memory_page *page, int64_t seat,
                       char *text_take)
{
    char **system;

    assert(seat >= 1 && seat <= SEATS_MAX);
    system = &page->systems[seat - 1];
    account(memory, page, text_bytes(text_take), text_bytes(*system));
    free(*system);
    *system = text_take;
}

static void free_page(struct memory *memory, struct memory_page *page)
{
    empty_page(memory, page);
    forget_systems(memory, page);
    memory->bytes -= page->bytes;
    LIST_REMOVE(page, in_bucket);
    TAILQ_REMOVE(&memory->age, page, in_age);
    cast_done(&page->cast);
    free(page->topic);
    free(page->lines);
    free(page);
}

void memory_forget_all(struct memory *memory)
{
    struct memory_page *page = TAILQ_FIRST(&memory->age);

    while (page != NULL) {
        struct memory_page *next = TAILQ_NEXT(page, in_age);

        if (page->pins == 0) {
            free_page(memory, page);
        } else {
            empty_page(memory, page);
            page->emptied++;
            page->cast.version = -1; /* is read anew before the next turn */
        }
        page = next;
    }
}

void memory_free(struct memory *memory)
{
    if (memory == NULL)
        return;
    while (!TAILQ_EMPTY(&memory->age))
        free_page(memory, TAILQ_FIRST(&memory->age));
    free(memory);
}

static struct bucket *bucket_of(struct memory *memory, const char *conversation)
{
    return &memory->buckets[rng_hash(0, str_of(conversation)) % BUCKETS];
}

static struct memory_page *make_page(struct memory *memory, const char *conversation)
{
    struct memory_page *page = x_calloc(1, sizeof *page);

    fmt_into(page->conversation, sizeof page->conversation, "%s", conversation);
    page->topic = x_strdup("");
    page->cast.version = -1;
    LIST_INSERT_HEAD(bucket_of(memory, conversation), page, in_bucket);
    TAILQ_INSERT_HEAD(&memory->age, page, in_age);
    account(memory, page, sizeof *page, 0);
    return page;
}

static struct memory_page *find_page(struct memory *memory, const char *conversation)
{
    struct memory_page *page;

    LIST_FOREACH(page, bucket_of(memory, conversation), in_bucket)
    if (strcmp(page->conversation, conversation) == 0)
        return page;
    return NULL;
}

/* The oldest that nobody uses goes first, as long as there is too much. */
static void make_room(struct memory *memory)
{
    struct memory_page *page = TAILQ_LAST(&memory->age, age);

    while (page != NULL && memory->bytes > memory->max_bytes) {
        struct memory_page *younger = TAILQ_PREV(page, age, in_age);

        if (page->pins == 0)
            free_page(memory, page);
        page = younger;
    }
}

struct memory_page *memory_pin(struct memory *memory, const char *conversation)
{
    struct memory_page *page = find_page(memory, conversation);

    if (page == NULL) {
        page = make_page(memory, conversation);
    } else {
        TAILQ_REMOVE(&memory->age, page, in_age);
        TAILQ_INSERT_HEAD(&memory->age, page, in_age);
    }
    page->pins++;
    make_room(memory);
    return page;
}

void memory_unpin(struct memory *memory, struct memory_page *page)
{
    assert(page->pins > 0);
    page->pins--;
    make_room(memory);
}

static void split_entry(const char *id, uint64_t *ms, uint64_t *sequence)
{
    char *end = NULL;

    *ms = strtoull(id, &end, 10);
    *sequence = *end == '-' ? strtoull(end + 1, NULL, 10) : 0;
}

int entry_compare(const char *a, const char *b)
{
    uint64_t a_ms;
    uint64_t a_sequence;
    uint64_t b_ms;
    uint64_t b_sequence;

    split_entry(a, &a_ms, &a_sequence);
    split_entry(b, &b_ms, &b_sequence);
    if (a_ms != b_ms)
        return a_ms < b_ms ? -1 : 1;
    return a_sequence == b_sequence ? 0 : (a_sequence < b_sequence ? -1 : 1);
}

static struct memory_line *new_line(struct memory_page *page)
{
    if (page->line_count == page->line_capacity) {
        page->line_capacity = page->line_capacity == 0 ? 16 : page->line_capacity * 2;
        page->lines = x_realloc(page->lines, page->line_capacity * sizeof *page->lines);
    }
    page->lines[page->line_count] = (struct memory_line){.turn = -1};
    return &page->lines[page->line_count++];
}

static unsigned seats_of(const struct message *message)
{
    unsigned seats = 0;

    for (size_t i = 0; i < message->to_count; i++)
        seats |= 1U << (message->to[i] - 1);
    return seats;
}

/* Takes the texts of a parsed message. */
static void add_line(struct memory *memory, struct memory_page *page,
                     struct message *message, struct str id)
{
    struct memory_line *line = new_line(page);

    if (id.len < sizeof line->id)
        memcpy(line->id, id.at, id.len);
    line->turn = message->sequence_number;
    line->seat = message->seat;
    line->whispered = message->kind == MESSAGE_WHISPER;
    line->to = seats_of(message);
    line->author = message->author == NULL ? x_strdup("") : message->author;
    line->text = message->text == NULL ? x_strdup("") : message->text;
    message->author = message->text = NULL;
    line->author_len = strlen(line->author);
    line->text_len = strlen(line->text);
    account(memory, page, line_bytes(line), 0);
}

static bool add_message(struct memory *memory, struct memory_page *page, struct str id,
                        struct str json, struct err *err)
{
    struct message message;

    if (!message_parse(json, &message, err))
        return false;
    if (message.text != NULL)
        add_line(memory, page, &message, id);
    message_done(&message);
    return true;
}

static void mark_last(struct memory_page *page, struct str id)
{
    memcpy(page->last_id, id.at, id.len);
    page->last_id[id.len] = '\0';
    page->lines_at_last = page->line_count;
}

/* False too where our own words were taken to stand where somebody else's line stands,
 * put in between: then the last message is one that we have. */
static bool add_last(struct memory *memory, struct memory_page *page,
                     const struct memory_need *need)
{
    struct message message;
    struct err ignored; /* a message we cannot read is read again, and then told */
    int64_t turn = -1;
    bool is_new;

    if (!message_parse(need->last_message, &message, &ignored))
        return false;
    for (size_t i = page->line_count; i > 0 && turn < 0; i--)
        turn = page->lines[i - 1].turn;
    is_new = message.kind != MESSAGE_TURN || message.sequence_number > turn;
    if (is_new && message.text != NULL)
        add_line(memory, page, &message, str_of(need->upto));
    message_done(&message);
    return is_new;
}

bool memory_warm(struct memory *memory, struct memory_page *page,
                 const struct memory_need *need)
{
    if (page->cast.version != need->version || page->known == 0
        || entry_compare(page->first_id, need->window) > 0)
        return false;
    if (page->known == need->lines)
        return strcmp(page->last_id, need->upto) == 0;
    if (page->known != need->lines - 1 || !add_last(memory, page, need))
        return false;
    mark_last(page, str_of(need->upto));
    memory_filled(page, need->lines);
    return true;
}

void memory_rewind(struct memory *memory, struct memory_page *page, const char *window)
{
    if (entry_compare(page->first_id, window) > 0) {
        empty_page(memory, page);
        return;
    }
    page->rewound++;
    cut_lines(memory, page, page->lines_at_last);
    page->known = page->known_at_last;
}

static size_t persona_bytes(const struct persona *persona)
{
    size_t bytes = text_bytes(persona->name) + text_bytes(persona->role)
                   + text_bytes(persona->goal) + text_bytes(persona->style);

    for (size_t i = 0; i < persona->trait_count; i++)
        bytes += sizeof *persona->traits + text_bytes(persona->traits[i]);
    return bytes;
}

static size_t model_bytes(const struct seat_model *model)
{
    return text_bytes(model->provider) + text_bytes(model->endpoint)
           + text_bytes(model->model) + text_bytes(model->fallback)
           + text_bytes(model->options) + text_bytes(model->think);
}

static size_t cast_bytes(const struct cast *cast)
{
    const struct story *story = &cast->story;
    size_t bytes = text_bytes(story->setting) + text_bytes(story->initial_situation);

    for (size_t i = 0; i < story->character_count; i++)
        bytes += sizeof *story->characters + text_bytes(story->characters[i].name)
                 + text_bytes(story->characters[i].description);
    for (size_t i = 0; i < cast->seat_count; i++)
        bytes += sizeof *cast->seats + persona_bytes(&cast->seats[i].persona)
                 + model_bytes(&cast->seats[i].model)
                 + text_bytes(cast->seats[i].fallback_reply);
    return bytes;
}

void memory_set_cast(struct memory *memory, struct memory_page *page, char *topic_take,
                     struct cast *cast_take)
{
    account(memory, page, cast_bytes(cast_take) + strlen(topic_take),
            cast_bytes(&page->cast) + strlen(page->topic));
    cast_done(&page->cast);
    forget_systems(memory, page);
    page->cast = *cast_take;
    memset(cast_take, 0, sizeof *cast_take);
    free(page->topic);
    page->topic = topic_take;
}

bool memory_add_entry(struct memory *memory, struct memory_page *page, struct str id,
                      struct str message, struct err *err)
{
    if (id.len == 0 || id.len >= sizeof page->last_id)
        return err_set(err, ERR_FORMAT, "a transcript entry without a proper id");
    if (!add_message(memory, page, id, message, err))
        return err_wrap(err, "transcript entry %.*s", (int)id.len, id.at);
    mark_last(page, id);
    return true;
}

void memory_filled(struct memory_page *page, int64_t lines)
{
    page->known = page->known_at_last = lines;
}

void memory_add_own(struct memory *memory, struct memory_page *page, int64_t turn,
                    int64_t seat, const char *author, struct str text)
{
    struct memory_line *line = new_line(page);

    line->turn = turn;
    line->seat = seat;
    line->author = x_strdup(author);
    line->author_len = strlen(author);
    line->text = x_memdup(text.at, text.len);
    line->text_len = text.len;
    account(memory, page, line_bytes(line), 0);
    page->known++;
}

size_t memory_first_from(const struct memory_page *page, const char *id)
{
    size_t first = 0;

    if (id[0] == '\0')
        return 0;
    for (size_t i = 0; i < page->line_count; i++) {
        if (page->lines[i].id[0] == '\0')
            continue;
        if (entry_compare(page->lines[i].id, id) >= 0)
            return i;
        first = i + 1;
    }
    return first;
}

void memory_drop_before(struct memory *memory, struct memory_page *page, const char *id)
{
    size_t drop = memory_first_from(page, id);

    if (drop == 0)
        return;
    for (size_t i = 0; i < drop; i++) {
        account(memory, page, 0, line_bytes(&page->lines[i]));
        free(page->lines[i].author);
        free(page->lines[i].text);
    }
    page->line_count -= drop;
    memmove(page->lines, page->lines + drop, page->line_count * sizeof *page->lines);
    page->lines_at_last = page->lines_at_last > drop ? page->lines_at_last - drop : 0;
    fmt_into(page->first_id, sizeof page->first_id, "%s", id);
}
