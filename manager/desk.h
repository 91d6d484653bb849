/* desk.h - writes the story and the personas of one conversation.
 *
 * From a story file: taken as they are. With the provider echo: a placeholder, and it
 * says so. Else a model is asked for the story, then for the personas, each as JSON
 * held to a schema and checked again on arrival; a reply that breaks it is sent back
 * with what was wrong, three times in all. Trouble with servers is the router's.
 *
 * Flow: desk_open -> ask -> on_reply -> ok: next part or done
 *                                    -> bad: ask again, told what was wrong
 */
#ifndef PARLEY_DESK_H
#define PARLEY_DESK_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/err.h"
#include "manager/roster.h"
#include "net/loop.h"
#include "proto/cast.h"

struct manager;
struct router_call;

struct desk_templates {
    char *story; /* owned, as the others */
    char *personas;
    char *repair;
};
MUST_USE bool desk_templates_load(const char *folder, struct desk_templates *ret,
                                  struct err *err);
void desk_templates_done(struct desk_templates *templates);

enum desk_part { DESK_STORY, DESK_PERSONAS, DESK_PART_COUNT };

struct desk {
    struct manager *manager;
    struct talk *talk;
    enum desk_part part;
    int asked; /* how often this part was asked for */
    struct cast cast;
    struct seat_model model; /* owned texts: what the story is asked of */
    int64_t opened_us;       /* Redis' clock */
    struct router_call *call;
    char call_id[CONVERSATION_SIZE + 64];
    char *prompt;            /* owned: of this part */
    char *last;              /* owned: the reply that was no good, or NULL */
    char *complaint;         /* owned: what was wrong with it */
    struct loop_timer later; /* hands the next step over to the loop */
    struct err failure;
    bool over;
    TAILQ_ENTRY(desk) in_list;
};
TAILQ_HEAD(desk_list, desk);

/* Begins to write; ends with manager_story_done or manager_story_failed, never before
 * this returned. */
void desk_open(struct manager *manager, struct talk *talk);
void desk_close(struct desk *desk);
/* The desk that writes this talk's story, or NULL. */
struct desk *desk_of(struct manager *manager, const struct talk *talk);

#endif
