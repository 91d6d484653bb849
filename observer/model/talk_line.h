/* talk_line.h - one line of a conversation on the screen: a message of the transcript,
 * the turn being spoken, or a note of what happened.
 *
 * Pure. All texts are harmless (base/utf8.h) but for `document`, which is as it stands
 * in Redis. Numbers are -1 where they are not known.
 */
#ifndef PARLEY_OBSERVER_TALK_LINE_H
#define PARLEY_OBSERVER_TALK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "observer/sight.h"
#include "observer/tail_id.h"

/* What a turn took. */
struct talk_figures {
    int64_t tokens;
    int64_t prompt_tokens;
    int64_t attempts;
    double tokens_per_second;
    double first_token_ms;
    double queue_wait_ms;
    double generation_ms;
};
struct talk_figures talk_figures_unknown(void);

enum talk_line_kind {
    TALK_STORY,
    TALK_PERSONA,
    TALK_TURN,
    TALK_NOTE, /* paused, withdrawn, a server waited for, ... */
    TALK_LINE_KIND_COUNT
};
const char *talk_line_kind_name(enum talk_line_kind kind);

struct talk_line {
    /* Grows from line to line; what is read later of what lies before has lower ones.
     * A turn keeps the one it had while it was spoken. */
    int64_t serial;
    enum talk_line_kind kind;
    struct tail_id place; /* its entry in the transcript; {0}: it has none */
    int64_t turn;
    int64_t seat;
    int64_t at_us;       /* when it came, by the source's clock */
    bool speaking;       /* not committed: `text` grows and may be withdrawn */
    bool failed;         /* an empty turn in place of one that failed */
    struct buf author;   /* the name in front; empty: none */
    struct buf text;     /* "\n" between its lines; tabs are blanks */
    struct buf document; /* the message as stored; empty: a note that is no message, or
                            being spoken */
    struct talk_figures figures;
    /* Of who searches: matches in the text's first found_in bytes, for that search. */
    size_t found;
    size_t found_in;
    unsigned found_by;
};

/* Where a sight comes from. */
struct talk_from {
    struct tail_id place; /* its entry in the transcript; {0}: none (live, facts) */
    int64_t at_us;        /* when it happened; -1 not known */
};

/* An empty one. The caller owns it, as all that are made here (talk_line_free). */
struct talk_line *talk_line_new(enum talk_line_kind kind);
/* The line of a story, a persona, a turn, or an entry that cannot be read. */
struct talk_line *talk_line_of(const struct sight *sight, const struct talk_from *from);
/* A note; `text` is harmless. */
struct talk_line *talk_line_note(struct str text, int64_t at_us);
void talk_line_free(struct talk_line *line); /* NULL is fine */
/* Adds what comes from outside as text_clean makes it; what no longer fits is cut, and
 * marked with "..." once. */
void talk_line_say(struct buf *into, struct str text);
/* What it holds in memory, some more for itself. */
size_t talk_line_bytes(const struct talk_line *line);

#endif
