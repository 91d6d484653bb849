/* router_call.h - a call inside the router. For router*.c.
 *
 * Flow: PLANNING -> ASKING <-> WAITING -> RUNNING -> REPORTING -> PAUSING -> ASKING ...
 *       -> ENDING -> OVER. router.c begins and ends a call, router_attempt.c makes its
 *       attempts, router_redis.c and router_report.c carry what the fleet must agree
 *       on, router_record.c knows what PLANNING waits for, router_wait.c tells of
 *       servers that are down.
 */
#ifndef PARLEY_LLM_ROUTER_CALL_H
#define PARLEY_LLM_ROUTER_CALL_H

#include "llm/router_server.h"

enum call_state {
    CALL_PLANNING,  /* waits for windows or records: router_record.c */
    CALL_ASKING,    /* `admit` is on its way */
    CALL_WAITING,   /* for a place; the timer asks again */
    CALL_RUNNING,   /* the model is being asked */
    CALL_REPORTING, /* the attempt failed, `report` is on its way */
    CALL_PAUSING,   /* between attempts; the timer goes on */
    CALL_ENDING,    /* settled, to be told at the next turn of the loop (the timer) */
    CALL_OVER       /* told */
};

struct router_call {
    TAILQ_ENTRY(router_call) link;
    struct router *router;
    struct router_handlers handlers;
    enum call_state state;
    /* what was asked */
    char *conversation; /* owned, as all texts; NULL of a direct call */
    char *call_id;
    int64_t asked_at_us;
    int64_t give_up_ms;
    bool load;
    struct hybrid_question question;
    struct llm_request *request; /* owned copy; NULL of a direct call */
    struct route_plan plan;
    /* where it stands */
    struct loop_timer timer;
    struct loop_timer give_up;
    size_t sent[ROUTE_CANDIDATES_MAX]; /* what admit's numbers mean: plan.items */
    size_t sent_count;
    const char *tier_route; /* why this tier; NULL unless hybrid */
    bool to_cloud;          /* it is the cloud */
    int64_t began_us;       /* monotonic: when it began to wait for a place */
    int64_t used;           /* attempts charged */
    int64_t repeats;
    int charge;          /* of the next admit: 1 a first attempt, 0 free, -1 a retry */
    int64_t first_ms;    /* Redis' clock: when its first charged attempt was let in */
    int64_t admitted_ms; /* and the last one */
    bool wakes;          /* waits for a place, not for time to pass */
    bool cancelled;
    int64_t down_since_ms; /* all its servers are down; 0: they are not */
    int64_t down_told_ms;  /* 0: not told */
    /* the attempt */
    struct router_attempt attempt; /* number 0: none yet */
    char *attempt_id;              /* of the one that runs or ran last */
    char *next_id;                 /* of the one a place is asked for */
    struct router_server *held;    /* where it has a place; NULL none */
    struct llm_call *llm_call;
    int64_t sent_us; /* monotonic: when the attempt was sent */
    bool heard;      /* some text came */
    bool open;       /* on_attempt was told, on_attempt_end not yet */
    /* its failure, kept over the report; then the end */
    struct llm_result end;
    char *end_reason;
    char *end_model;
};

/* ---- router.c ---- */

/* Asks for the next attempt's place. */
void call_ask(struct router_call *call);
/* The same of those candidates that are left, if there are any: else the end. */
void call_ask_left(struct router_call *call);
/* Fills call->end; what `result` (NULL: nothing) counted stays in it, its texts go.
 * LLM_ERROR_NONE: it was cancelled. */
void call_set_end(struct router_call *call, const struct llm_result *result,
                  enum llm_error error, const char *reason);
/* on_attempt_end, if on_attempt was told. */
void call_tell_attempt(struct router_call *call, const struct llm_result *result,
                       bool again);
/* The one on_result. */
void call_tell_end(struct router_call *call, const struct llm_result *result);
/* The same with call->end, from the loop. */
void call_end_later(struct router_call *call);
/* All that PLANNING waits for may be there: looks again. */
void router_planned(struct router *router);
/* What Redis said: ask again after ms; or the key is not taken anywhere. */
void call_wait(struct router_call *call, int64_t ms);
void call_refused_key(struct router_call *call, const char *reason);

/* ---- router_attempt.c ---- */

/* There is a place. sent: an index of call->sent; probe: the server was down. */
void call_admitted(struct router_call *call, size_t sent, bool probe);
/* Tells of the attempt and sends it, unless it is cancelled in between. */
void call_send(struct router_call *call, const struct llm_request *what);
/* The failure is booked. */
struct call_report {
    bool down;        /* its server's breaker is open */
    bool others_well; /* asked of a last attempt or a probe: others had good answers */
    int64_t now_us;   /* Redis' clock; 0: it was not booked */
};
void call_reported(struct router_call *call, const struct call_report *report);

/* ---- router_redis.c ---- */

/* Asks for a place; call_admitted, call_wait or call_refused_key follows. */
void call_admit(struct router_call *call);
/* Gives up the wait for one. */
void call_leave(struct router_call *call);
/* Keeps the place. */
void call_renew(const struct router_call *call);
/* A place there is free: the oldest call of this process that waits for one need not
 * wait for its timer. */
void router_wake_oldest(struct router *router, const struct router_server *server);

/* ---- router_report.c ---- */

/* Books the end of the attempt. awaited: call_reported follows. */
void call_report(struct router_call *call, const struct llm_result *result,
                 bool awaited);

/* ---- router_wait.c ---- */

/* Told that all servers of call->sent are down, each time: tells others now and then.
 * The call may be cancelled in it. */
void call_down(struct router_call *call, const char *reason);
/* One of them is not, that of the attempt. */
void call_up(struct router_call *call);

#endif
