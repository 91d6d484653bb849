/* turn.h - the life of one turn in a worker, as a table. Pure: events in, one action
 * out; the caller carries it out (slot.c).
 *
 *   free -> loading -> calling -> settling -> free
 *                  \-> cancelling -> free        (the turn is not wanted any more)
 *                  \-> handing -> settling       (we are shutting down)
 */
#ifndef PARLEY_TURN_H
#define PARLEY_TURN_H

enum turn_state {
    TURN_FREE,       /* no turn here */
    TURN_LOADING,    /* cast and history are being read */
    TURN_CALLING,    /* the model speaks */
    TURN_CANCELLING, /* the call is being closed, its words thrown away */
    TURN_HANDING,    /* as cancelling, and the request goes back to the lane */
    TURN_SETTLING,   /* the last script's answer is awaited */
    TURN_STATE_COUNT
};
enum turn_event {
    TURN_DELIVERED,  /* a request is ours */
    TURN_POISONED,   /* it was delivered too often */
    TURN_LOADED,     /* the prompt can be built */
    TURN_UNREADABLE, /* it cannot: something stored is broken */
    TURN_REPLIED,    /* the model is done */
    TURN_BROKE,      /* the call failed */
    TURN_CLOSED,     /* the call was cancelled by us */
    TURN_UNWANTED,   /* FENCED, GONE or CANCEL */
    TURN_HAND_BACK,  /* the process goes away */
    TURN_SETTLED,    /* the last script has answered */
    TURN_EVENT_COUNT
};
enum turn_action {
    TURN_REFUSE, /* the event makes no sense in this state */
    TURN_IGNORE,
    TURN_LOAD,
    TURN_CALL,
    TURN_COMMIT,
    TURN_FAIL,
    TURN_CLOSE_CALL,
    TURN_RELEASE,
    TURN_BURY,
    TURN_CLEAR, /* forget the turn, the slot is free */
    TURN_ACTION_COUNT
};

const char *turn_state_name(enum turn_state state);
const char *turn_event_name(enum turn_event event);
/* Moves *state on; TURN_REFUSE leaves it as it is. */
enum turn_action turn_step(enum turn_state *state, enum turn_event event);

#endif
