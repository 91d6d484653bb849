/* sim_wire.h - the bytes of an answer: pieces of a stream with their line ends, or the
 * whole in one object. One table of functions an API. Pure.
 */
#ifndef PARLEY_SIM_WIRE_H
#define PARLEY_SIM_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "simulator/fault.h"
#include "simulator/sim_chat.h"

struct sim_figures {
    const char *done_reason;
    bool counted; /* the counts and durations below are told */
    int64_t total_us;
    int64_t load_us;
    int64_t prompt_us;
    int64_t eval_us;
    size_t prompt_tokens;
    size_t cached_tokens;
    size_t tokens;
    size_t thoughts; /* of them */
};

struct sim_bit {
    struct str text;
    bool thought; /* not said, but thought */
    bool first;   /* of the answer */
};

struct sim_words {
    struct str text;
    struct str thinking; /* empty: none */
    bool tool;           /* a tool is called instead */
};

/* Of the end of a stream. */
enum { SIM_END_REASON = 1, SIM_END_USAGE = 2, SIM_END_MARK = 4, SIM_END_ALL = 7 };

struct sim_wire {
    const char *type; /* of a stream */
    /* What a stream begins with; may add nothing. */
    void (*open)(const struct sim_request *request, struct buf *into);
    void (*token)(const struct sim_request *request, const struct sim_bit *bit,
                  struct buf *into);
    void (*tool)(const struct sim_request *request, struct buf *into);
    /* The parts of the end that are asked for, of those the API has. */
    void (*close)(const struct sim_request *request, const struct sim_figures *figures,
                  int parts, struct buf *into);
    void (*whole)(const struct sim_request *request, const struct sim_words *words,
                  const struct sim_figures *figures, struct buf *into);
    void (*error)(const struct sim_request *request, int status, const char *text,
                  struct buf *into);
    /* An error after the stream began, in one of the forms of FAULT_ERROR_LINE. */
    void (*broken)(const struct sim_request *request, const struct fault *fault,
                   struct buf *into);
    /* A sign of life without a word: FAULT_COMMENTS. */
    void (*comment)(const struct fault *fault, struct buf *into);
    /* A piece that says nothing: FAULT_ODD, empty_choices. */
    void (*blank)(const struct sim_request *request, struct buf *into);
};
/* By the request's endpoint and flavor, which are set before anything else is. */
const struct sim_wire *sim_wire_of(const struct sim_request *request);

/* The forms "data", "vllm" and "field" of a broken stream. */
void sim_wire_broken_sse(const struct fault *fault, const char *text, struct buf *into);

extern const struct sim_wire wire_ollama;
extern const struct sim_wire wire_openai;

#endif
