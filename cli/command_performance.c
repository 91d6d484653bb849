/* command_performance.c - `parley performance`: what the model servers of a fleet have
 * done, from the calls that Redis still has (an hour, see docs/protocol.md), and how
 * they are now.
 *
 * Flow: K:calls, page by page -> score_take each -> score_finish; states_read -> shown
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/fleet.h"
#include "cli/pages.h"
#include "cli/score.h"
#include "cli/score_show.h"
#include "cli/states.h"
#include "net/redis_value.h"

enum { OUT_MAX_BYTES = 16 << 20 };

struct reading {
    struct score score;
    struct states states;
    json_t *seen; /* ids of calls: an entry may have been written twice */
    json_t *lost; /* ids of those told as lost: void when another entry tells of them */
};

static double field_number(const struct redis_value *fields, const char *name)
{
    double value;

    return str_to_double(redis_field(fields, name), 0, 1e15, &value) ? value
                                                                     : (double)NAN;
}

static bool is_new(json_t *ids, struct str call)
{
    char *id = x_memdup(call.at, call.len);
    bool is_new = call.len == 0 || json_object_get(ids, id) == NULL;

    if (is_new)
        (void)json_object_set_new(ids, id, json_true()); /* not UTF-8: each time */
    free(id);
    return is_new;
}

static void on_call(void *owner, const struct redis_value *fields)
{
    struct reading *reading = owner;
    const struct score_call call = {
        .endpoint = redis_field(fields, "endpoint"),
        .model = redis_field(fields, "model"),
        .outcome = redis_field(fields, "outcome"),
        .error = redis_field(fields, "error"),
        .route = redis_field(fields, "route"),
        .attempt = redis_field_i64(fields, "attempt", 1),
        .prompt_tokens = redis_field_i64(fields, "prompt_tokens", -1),
        .cached_tokens = redis_field_i64(fields, "prompt_cached_tokens", -1),
        .generated_tokens = redis_field_i64(fields, "tokens_generated", -1),
        .first_ms = field_number(fields, "time_to_first_token_ms"),
        .total_ms = field_number(fields, "duration_ms"),
        .cost = field_number(fields, "cost"),
    };

    if (str_is(call.outcome, "lost"))
        (void)is_new(reading->lost, redis_field(fields, "call"));
    else if (is_new(reading->seen, redis_field(fields, "call")))
        score_take(&reading->score, &call);
}

/* Of a lost call nothing is known but that it was made. */
static void take_lost(struct reading *reading)
{
    const struct score_call call = {.outcome = str_of("lost"),
                                    .prompt_tokens = -1,
                                    .cached_tokens = -1,
                                    .generated_tokens = -1,
                                    .first_ms = (double)NAN,
                                    .total_ms = (double)NAN,
                                    .cost = (double)NAN};
    const char *id;
    json_t *value;

    json_object_foreach(reading->lost, id, value)
    {
        if (json_object_get(reading->seen, id) == NULL)
            score_take(&reading->score, &call);
    }
}

static bool read_calls(struct fleet *fleet, int64_t since_ms, struct reading *reading,
                       struct err *err)
{
    char key[KEY_SIZE];
    char from[24] = "-";

    (void)key_make(&fleet->keys, "calls", NULL, key);
    if (since_ms > 0) /* Redis' clock may be another, a little: so be it */
        fmt_into(from, sizeof from, "%lld",
                 (long long)(clock_wall_us() / 1000 - since_ms));
    if (!pages_read(fleet, key, from, on_call, reading, err))
        return false;
    take_lost(reading);
    return true;
}

static void show(const struct reading *reading, const struct config *config)
{
    struct buf out;

    buf_init(&out, OUT_MAX_BYTES);
    if (config->json) {
        buf_add_text(&out, "{\"schema_version\":\"1.0\",");
        score_show_json(&reading->score, &out);
        buf_add_char(&out, ',');
        states_show_json(&reading->states, &out);
        buf_add_text(&out, "}\n");
    } else {
        score_show_tables(&reading->score, config->verbose, &out);
        states_show_table(&reading->states, &out);
    }
    (void)fwrite(buf_text(&out), 1, out.len, stdout);
    buf_done(&out);
}

int command_performance(const struct config_loaded *loaded, char **words,
                        struct err *err)
{
    const struct config *config = &loaded->values;
    struct reading *reading = x_calloc(1, sizeof *reading);
    struct fleet fleet;
    bool ok;

    (void)words;
    reading->seen = json_object();
    reading->lost = json_object();
    score_init(&reading->score);
    ok = fleet_open(loaded, &fleet, err);
    if (ok) {
        ok = read_calls(&fleet, config->since_ms, reading, err)
             && states_read(&fleet, &reading->states, err);
        fleet_close(&fleet);
    }
    if (ok) {
        score_finish(&reading->score);
        show(reading, config);
    }
    score_done(&reading->score);
    states_done(&reading->states);
    json_decref(reading->seen);
    json_decref(reading->lost);
    free(reading);
    return ok ? 0 : err_exit_status(err);
}
