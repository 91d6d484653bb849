/* memory.h - what a worker remembers of conversations: cast and history, bounded.
 *
 * A page holds one conversation's cast and its turns in order, so that a warm turn
 * needs no reading at all. Lines are counted as the transcript counts them: a request
 * says how many lines it sees, and a page that has fewer is filled from Redis. Our own
 * committed words are added without knowing their id, the request's last message with.
 * Pages not used for longest go first when the bound is reached. The system text of a
 * seat, which is the same at every turn, is built once for a cast and kept with it.
 */
#ifndef PARLEY_MEMORY_H
#define PARLEY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/str.h"
#include "proto/cast.h"
#include "proto/keys.h"
#include "worker/budget.h"

enum { ENTRY_SIZE = 44 }; /* a stream id with its NUL: two 20-digit numbers */

struct memory_line {
    char id[ENTRY_SIZE]; /* "" when it is not known: our own words */
    int64_t turn;        /* -1: no turn, but an event or a whisper */
    int64_t seat;        /* -1: the same */
    bool whispered;
    unsigned to;  /* seats that see it, bit 0: seat 1; 0: all */
    char *author; /* owned */
    char *text;   /* owned */
    size_t author_len;
    size_t text_len;
};
/* The prompt sent last, with the server's count of it: what a later one is held
 * against.
 */
struct memory_prompt {
    int64_t seat;
    char model[BUDGET_MODEL_SIZE]; /* as the budget knows it; "" unknown */
    char window[ENTRY_SIZE];
    size_t bytes; /* 0: none */
    int64_t tokens;
};
struct memory_page {
    char conversation[CONVERSATION_SIZE];
    char *topic; /* owned; "" when there is none */
    struct cast cast;
    char *systems[SEATS_MAX]; /* owned: a seat's system text, NULL: not built yet */
    struct memory_prompt sent;
    struct memory_line *lines; /* the turns from first_id on */
    size_t line_count;
    size_t line_capacity;
    int64_t known;            /* lines of the transcript accounted for, 0: empty page */
    char last_id[ENTRY_SIZE]; /* the last line whose id is known */
    int64_t known_at_last;    /* and how many lines there were up to it */
    size_t lines_at_last;     /* and how many of them stand in `lines` */
    char first_id[ENTRY_SIZE]; /* reading began here; "" = from the beginning */
    size_t bytes;
    unsigned emptied; /* how often all of it was forgotten */
    unsigned rewound; /* how often it was read anew from last_id on */
    unsigned pins;    /* users that keep it from being dropped */
    LIST_ENTRY(memory_page) in_bucket;
    TAILQ_ENTRY(memory_page) in_age; /* the youngest first */
};
struct memory;

struct memory *memory_new(size_t max_bytes);
void memory_free(struct memory *memory);
/* The conversation's page, made if need be, moved to the front. It stays until it is
 * given back with memory_unpin. */
struct memory_page *memory_pin(struct memory *memory, const char *conversation);
void memory_unpin(struct memory *memory, struct memory_page *page);
/* Another server or a rewound history: nothing remembered can be trusted. Pages in use
 * stay, emptied. */
void memory_forget_all(struct memory *memory);
size_t memory_bytes(const struct memory *memory);

/* What a request asks a page for. */
struct memory_need {
    int64_t version;         /* of the cast */
    int64_t lines;           /* of the transcript */
    const char *window;      /* from this line on, "" = from the beginning */
    const char *upto;        /* the last of these lines */
    struct str last_message; /* its JSON, or empty */
};
/* True when the page has it all; the last message is added if only that was missing.
 * What others put in between our own words and the last message is not missed: then it
 * is false, and the page must be read anew. */
bool memory_warm(struct memory *memory, struct memory_page *page,
                 const struct memory_need *need);
/* Drops what was added without an id; what is to be read follows last_id. A page that
 * began behind `window` ("" = the beginning) starts anew. */
void memory_rewind(struct memory *memory, struct memory_page *page, const char *window);
void memory_set_cast(struct memory *memory, struct memory_page *page, char *topic_take,
                     struct cast *cast_take);
/* Keeps the system text of a seat (from 1) until the cast changes. */
void memory_set_system(struct memory *memory, struct memory_page *page, int64_t seat,
                       char *text_take);
/* One entry of the transcript, in order. Turns, events and whispers are kept as lines.
 */
MUST_USE bool memory_add_entry(struct memory *memory, struct memory_page *page,
                               struct str id, struct str message, struct err *err);
/* All up to the transcript's line number `lines` has been added. */
void memory_filled(struct memory_page *page, int64_t lines);
/* What seat said in our own commit. */
void memory_add_own(struct memory *memory, struct memory_page *page, int64_t turn,
                    int64_t seat, const char *author, struct str text);
/* Index of the first line that stands at this id or behind it; lines whose id is not
 * known belong to the one before them. */
size_t memory_first_from(const struct memory_page *page, const char *id);
/* Lines before this id are not needed any more. */
void memory_drop_before(struct memory *memory, struct memory_page *page,
                        const char *id);
/* Orders two stream ids: below, equal, above 0. "" is before all. */
int entry_compare(const char *a, const char *b);

#endif
