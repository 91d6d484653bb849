/* test_page.h - pages of a worker's memory for tests: a cast of some seats, turns as
 * they stand in the transcript. For one test program each.
 */
#ifndef PARLEY_TEST_PAGE_H
#define PARLEY_TEST_PAGE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "proto/message.h"
#include "worker/memory.h"

static inline const char *page_name(int64_t seat)
{
    static const char *const names[] = {"Ada", "Bo", "Cyd"};

    return names[(seat - 1) % 3];
}

/* The message of a turn as JSON; the caller frees. */
static inline char *page_turn(int64_t turn, int64_t seat, const char *text)
{
    struct message message;
    struct buf json;

    message_init(&message, MESSAGE_TURN);
    message.message_id = x_printf("k3v9q2m4x7ab:%lld", (long long)turn);
    message.conversation_id = x_strdup("k3v9q2m4x7ab");
    message.sequence_number = turn;
    message.seat = seat;
    message.author = x_strdup(page_name(seat));
    message.text = x_strdup(text);
    buf_init(&json, 1 << 16);
    if (!message_format(&message, &json))
        abort();
    message_done(&message);
    return buf_take(&json);
}

/* Turn number `turn` stands at the id "<turn>-0". */
static inline void page_add(struct memory *memory, struct memory_page *page,
                            int64_t turn, int64_t seat, const char *text)
{
    char id[ENTRY_SIZE];
    char *json = page_turn(turn, seat, text);
    struct err err = {0};

    fmt_into(id, sizeof id, "%lld-0", (long long)turn);
    if (!memory_add_entry(memory, page, str_of(id), str_of(json), &err)) {
        fprintf(stderr, "%s\n", err.msg);
        abort();
    }
    free(json);
}

/* An event, or a whisper to that seat, at this id. */
static inline char *page_staged(int64_t to, const char *text)
{
    struct message message;
    struct buf json;

    message_init(&message, to == 0 ? MESSAGE_EVENT : MESSAGE_WHISPER);
    message.message_id = x_strdup("one:staged");
    message.conversation_id = x_strdup("one");
    message.text = x_strdup(text);
    if (to > 0) {
        message.to = x_calloc(1, sizeof *message.to);
        message.to[0] = (int)to;
        message.to_count = 1;
    }
    buf_init(&json, 1 << 16);
    if (!message_format(&message, &json))
        abort();
    message_done(&message);
    return buf_take(&json);
}

static inline void page_stage(struct memory *memory, struct memory_page *page,
                              const char *id, int64_t to, const char *text)
{
    char *json = page_staged(to, text);
    struct err err = {0};

    if (!memory_add_entry(memory, page, str_of(id), str_of(json), &err))
        abort();
    free(json);
}

static inline struct cast page_cast(size_t seats, int64_t version)
{
    struct cast cast = {.version = version, .seat_count = seats};

    cast.story.setting = x_strdup("a lighthouse");
    cast.story.initial_situation = x_strdup("the lamp is out");
    cast.seats = x_calloc(seats, sizeof *cast.seats);
    for (size_t i = 0; i < seats; i++) {
        struct persona *persona = &cast.seats[i].persona;

        seat_init(&cast.seats[i]);
        cast.seats[i].lane = (int64_t)i + 1;
        persona->name = x_strdup(page_name((int64_t)i + 1));
        persona->role = x_strdup("keeper");
        persona->goal = x_strdup("light it");
        persona->style = x_strdup("plain");
        persona->traits = x_calloc(1, sizeof *persona->traits);
        persona->traits[0] = x_strdup("calm");
        persona->trait_count = 1;
    }
    return cast;
}

static inline void page_set_cast(struct memory *memory, struct memory_page *page,
                                 size_t seats, int64_t version)
{
    struct cast cast = page_cast(seats, version);

    memory_set_cast(memory, page, x_strdup("lamps"), &cast);
}

#endif
