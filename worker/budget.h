/* budget.h - how much text fits a model's window: bytes a token, learned from what the
 * server itself counted. Pure.
 *
 * Learned of each model at each endpoint by itself: two servers have other tokenizers
 * and windows for models of one name. `model` stands for both here, in any words.
 *
 *   bytes of a prompt  = sum over its messages of (text + BUDGET_MESSAGE_BYTES)
 *   bytes a token      = 0.95 * the lowest of the last 16 (bytes / prompt_tokens) of
 *                        that model; 3.0 before the first (about 4 is usual in English)
 *   room in bytes      = (num_ctx - num_predict - margin) * bytes a token,
 *                        margin = 16 + num_ctx / 64 for what the server adds; num_ctx
 *                        is the server's own window where a refusal told a smaller one
 *
 * It only decides what is left out of a prompt; no figure shown is made from it. A
 * server that leaves out of its count what it had cached would make us too generous, so
 * a count is believed only where that is known; else only if it makes us more cautious.
 */
#ifndef PARLEY_BUDGET_H
#define PARLEY_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
    BUDGET_MESSAGE_BYTES = 16, /* for a message's role and what stands around it */
    BUDGET_MODELS = 32,        /* the one not asked for longest is forgotten first */
    BUDGET_LAST = 16,
    BUDGET_MODEL_SIZE = 192
};
struct budget_model {
    char name[BUDGET_MODEL_SIZE]; /* cut; "": free */
    float last[BUDGET_LAST];      /* bytes a token */
    unsigned count;               /* learned in all */
    int64_t window;               /* tokens, by a refusal; 0: none was told */
    uint64_t used;                /* when it was asked for last, in uses */
};
struct budget {
    struct budget_model models[BUDGET_MODELS];
    uint64_t uses;
};

/* What a server counted for a prompt that was sent. */
struct budget_count {
    size_t bytes;
    int64_t tokens;  /* -1: not counted */
    bool whole;      /* cached tokens are known to be in it */
    int64_t num_ctx; /* the window it was told to have; 0: it was told none */
};
struct budget_refusal {
    size_t bytes; /* of the prompt */
    size_t room_bytes;
    int64_t num_ctx;
    int64_t window;
};
/* The prompt before it in the same conversation and window; bytes 0: none. */
struct budget_before {
    size_t bytes;
    int64_t tokens;
};

/* A zeroed struct is an empty budget. For a model that is not known yet: 3.0. */
double budget_bytes_per_token(struct budget *budget, const char *model);
/* The bytes a prompt may have; at least a token's. */
size_t budget_room_bytes(struct budget *budget, const char *model, int64_t num_ctx,
                         int64_t num_predict);
/* Not to be called with a count of a prompt that was cut. */
void budget_learn(struct budget *budget, const char *model,
                  const struct budget_count *count);
/* The server cut a prompt of so many bytes: a quarter less from now on, if it should
 * have fitted. One that was known to be larger than its room (system text and last
 * message always stay) teaches nothing. */
void budget_shrink(struct budget *budget, const char *model, size_t bytes,
                   size_t room_bytes);
/* The server refused a prompt of so many bytes as longer than its window, of `window`
 * tokens (-1: it does not say). That is the window from now on, where it is smaller
 * than num_ctx, the one asked for; else as budget_shrink. */
void budget_refused(struct budget *budget, const char *model,
                    const struct budget_refusal *refusal);
/* Whether these counts tell that the server cut the prompt: its window is full to the
 * last token; or there are fewer tokens than one for 12 bytes; or no more of them than
 * before though the prompt grew by more than 400 bytes. The last two only where what
 * was cached is counted too. */
bool budget_was_cut(const struct budget_count *count,
                    const struct budget_before *before);

#endif
