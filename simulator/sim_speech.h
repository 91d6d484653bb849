/* sim_speech.h - a reply being said, as the two files that say it share it:
 * sim_stream.c has when (models, slots, waiting), sim_speak.c has what (pieces, their
 * times, what goes wrong amid them). For nobody else.
 */
#ifndef PARLEY_SIM_SPEECH_H
#define PARLEY_SIM_SPEECH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/rng.h"
#include "net/loop.h"
#include "simulator/sim_chat.h"
#include "simulator/sim_reply.h"

struct fault;
struct sim_options;
struct sim_out;
struct sim_wire;
struct slots;

enum speech_state {
    SPEECH_BLOCKED, /* its model is to be loaded otherwise, and is in use */
    SPEECH_LOADING,
    SPEECH_WAITING,
    SPEECH_EVALUATING,
    SPEECH_SPEAKING,
    SPEECH_COMMENTING, /* a fault: signs of life, but no more words */
    SPEECH_OVER
};

struct sim_speech {
    TAILQ_ENTRY(sim_speech) link; /* in blocked or waiting */
    struct sim_stream *stream;
    struct sim_out *out; /* borrowed, as the fault */
    const struct fault *fault;
    const struct sim_wire *wire;
    struct sim_request request; /* owned, as the reply */
    struct sim_reply reply;
    struct loop_timer timer;
    struct loop_timer ping; /* while the first token is awaited */
    enum speech_state state;
    enum sim_load load; /* what its model needed */
    bool entered;       /* it uses its model (sim_model_enter) */
    bool refused;
    struct slot *slot; /* NULL: none */
    size_t cached_tokens;
    size_t thought; /* bytes of the thinking that were told */
    size_t at;      /* bytes of the text that were said */
    size_t tokens;  /* told and said */
    bool begun;     /* the answer's head was sent */
    bool opened;    /* what a stream begins with was written */
    int64_t arrived_us;
    int64_t loaded_us;
    int64_t admitted_us;
    int64_t first_us; /* when the prompt was evaluated */
    int64_t due_us;   /* of the next token */
};

struct sim_stream {
    struct loop *loop;
    const struct sim_options *options;
    struct slots *slots;
    struct rng rng; /* for the jitter */
    TAILQ_HEAD(sim_speeches, sim_speech) waiting;
    struct sim_speeches blocked;
    size_t blocked_count;
    struct buf line;
};

/* The prompt was evaluated: the first token comes, and those after it as they are due.
 */
void sim_speak_start(struct sim_speech *speech);
void sim_speak_on(struct sim_speech *speech);
/* Another sign of life in the place of words. */
void sim_speak_comment(struct sim_speech *speech);
/* The model is loaded, and nothing else was asked for. */
void sim_speak_loaded(struct sim_speech *speech);
/* An error before anything was said. */
void sim_speak_refuse(struct sim_speech *speech, int status, const char *text);
/* Some servers show that they are alive while they think. */
void sim_speak_ping(struct sim_speech *speech);
/* A time as long as the model takes for it now. */
int64_t sim_speak_pace_us(const struct sim_speech *speech, double us);
/* All was said, or broken off: its slot and its model are for the next. */
void sim_speech_leave(struct sim_speech *speech);

#endif
