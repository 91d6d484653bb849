/* turn_taps.c - see turn_taps.h. */
#include "analyzer/turn_taps.h"

#include <math.h>
#include <stddef.h>

#include "analyzer/picks.h"
#include "analyzer/tally.h"
#include "analyzer/turn_rows.h"
#include "proto/message.h"

/* Both waits lie before the call; NAN when neither is known. */
static double wait_of(const struct message *turn)
{
    double queue = metric_of(turn, METRIC_QUEUE_WAIT);
    double endpoint = metric_of(turn, METRIC_ENDPOINT_WAIT);

    if (isnan(queue) || isnan(endpoint))
        return isnan(queue) ? endpoint : queue;
    return queue + endpoint;
}

static void on_turn(void *owner, const struct message *turn)
{
    const struct turn_taps *taps = owner;
    const struct pick pick = {
        .end_us = turn->queue_timestamp_us,
        .wait_ms = wait_of(turn),
        .first_token_ms = metric_of(turn, METRIC_TIME_TO_FIRST_TOKEN),
        .generation_ms = metric_of(turn, METRIC_GENERATION_TIME),
        .tokens_per_second = metric_of(turn, METRIC_TOKENS_PER_SECOND),
        .turn = turn->sequence_number,
    };

    if (taps->rows != NULL)
        turn_rows_take(taps->rows, turn);
    if (taps->picks != NULL)
        picks_take(taps->picks, &pick, str_of(turn->conversation_id), turn->seat,
                   turn->author);
}

void turn_taps_open(struct turn_taps *taps, struct tally *tally)
{
    tally->tap = (struct tally_tap){on_turn, taps};
}
