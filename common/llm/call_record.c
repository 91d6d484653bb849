/* call_record.c - see call_record.h.
 *
 * Flow: call_record_send -> add (a field with its value, unless that is empty) -> XADD
 */
#include "llm/call_record.h"

#include <assert.h>

#include "base/clock.h"
#include "llm/router.h"
#include "net/redis.h"

enum { NUMBER_SIZE = 32, HEAD = 6, FIELDS_MAX = 42 };
static const char max_entries[] = "100000";

/* The command as it grows; numbers are written into `texts`. */
struct entry {
    struct str argv[HEAD + 2 * FIELDS_MAX];
    size_t argc;
    char texts[FIELDS_MAX][NUMBER_SIZE];
    size_t text_count;
};

static void add(struct entry *entry, const char *field, struct str value)
{
    if (value.len == 0)
        return;
    assert(entry->argc + 2 <= HEAD + 2 * FIELDS_MAX);
    entry->argv[entry->argc++] = str_of(field);
    entry->argv[entry->argc++] = value;
}

static char *new_text(struct entry *entry)
{
    assert(entry->text_count < FIELDS_MAX);
    return entry->texts[entry->text_count++];
}

/* Below 0: not known. */
static void add_count(struct entry *entry, const char *field, int64_t count)
{
    char *text = new_text(entry);

    fmt_into(text, NUMBER_SIZE, "%lld", (long long)count);
    add(entry, field, str_of(count < 0 ? "" : text));
}

static void add_decimal(struct entry *entry, const char *field, double value,
                        int decimals)
{
    char *text = new_text(entry);

    fmt_into(text, NUMBER_SIZE, "%.*f", decimals, value);
    add(entry, field, str_of(value < 0 ? "" : text));
}

static void add_ms(struct entry *entry, const char *field, int64_t us)
{
    add_decimal(entry, field, us < 0 ? -1 : (double)us / 1e3, 3);
}

static void add_ns(struct entry *entry, const char *field, int64_t ns)
{
    add_decimal(entry, field, ns < 0 ? -1 : (double)ns / 1e6, 3);
}

static void add_time(struct entry *entry, const char *field, int64_t wall_us)
{
    char *text = new_text(entry);

    clock_format_us(wall_us, text);
    add(entry, field, str_of(text));
}

static void add_flag(struct entry *entry, const char *field, bool set)
{
    add(entry, field, str_of(set ? "1" : ""));
}

static void add_head(struct entry *entry, struct str key)
{
    entry->argv[0] = str_of("XADD");
    entry->argv[1] = key;
    entry->argv[2] = str_of("MAXLEN");
    entry->argv[3] = str_of("~");
    entry->argv[4] = str_of(max_entries);
    entry->argv[5] = str_of("*");
    entry->argc = HEAD;
}

static void add_turn(struct entry *entry, const struct call_record *record)
{
    add(entry, "conversation", str_of(record->conversation));
    add_count(entry, "turn", record->turn);
    add_count(entry, "issue", record->issue);
    add_count(entry, "delivery", record->delivery);
    add(entry, "call", str_of(record->call));
    add_count(entry, "seat", record->seat);
}

static void add_route(struct entry *entry, const struct router_attempt *attempt,
                      const struct llm_result *result)
{
    if (attempt == NULL) {
        add(entry, "endpoint", str_of(result->endpoint));
        return;
    }
    add(entry, "endpoint", str_of(attempt->endpoint->name));
    add_count(entry, "attempt", attempt->number);
    add(entry, "tier", str_of(endpoint_tier_name(attempt->endpoint->tier)));
    add(entry, "route", str_of(attempt->route));
    add_ms(entry, "endpoint_wait_ms", attempt->wait_us);
    add_decimal(entry, "cost", endpoint_cost(attempt->endpoint, result), 6);
    add_flag(entry, "probe", attempt->probe);
}

static void add_server_times(struct entry *entry, const struct llm_result *result)
{
    add_ns(entry, "prefill_ms", result->prompt_ns);
    add_ns(entry, "decode_ms", result->generation_ns);
    add_ns(entry, "load_ms", result->load_ns);
}

static void add_counts(struct entry *entry, const struct llm_result *result)
{
    add_ms(entry, "duration_ms", result->duration_us);
    add_ms(entry, "time_to_first_token_ms", result->first_token_us);
    add_count(entry, "tokens_generated", result->tokens_generated);
    add_count(entry, "prompt_tokens", result->prompt_tokens);
    add_count(entry, "prompt_cached_tokens", result->prompt_cached_tokens);
    if (result->deltas > 0)
        add_count(entry, "chunks", (int64_t)result->deltas);
    add_ms(entry, "longest_gap_ms", result->longest_gap_us);
    add_server_times(entry, result);
    add(entry, "finish_reason", str_of(result->finish_reason));
    if (result->http_status > 0)
        add_count(entry, "http_status", result->http_status);
}

static void add_outcome(struct entry *entry, const struct call_record *record,
                        const struct llm_result *result)
{
    static const char *const outcomes[] = {
        [LLM_DONE] = "done", [LLM_FAILED] = "failed", [LLM_CANCELLED] = "cancelled"};
    bool spoiled = result->outcome == LLM_DONE && record->error != NULL;
    const char *error =
        result->error == LLM_ERROR_NONE ? "" : llm_error_name(result->error);

    add(entry, "outcome", str_of(outcomes[spoiled ? LLM_FAILED : result->outcome]));
    add(entry, "error", str_of(spoiled ? record->error : error));
}

bool call_record_send(struct redis *redis, const struct keys *keys,
                      const struct call_record *record, const struct llm_result *result)
{
    char key[KEY_SIZE];
    struct entry entry;
    struct redis_call call = {.argv = entry.argv, .again = true};

    entry.text_count = 0;
    add_head(&entry, key_make(keys, "calls", NULL, key));
    add_turn(&entry, record);
    add_route(&entry, record->attempt, result);
    add(&entry, "provider", str_of(result->provider));
    add(&entry, "model", str_of(result->model));
    add_time(&entry, "started_at", record->began_us);
    add_time(&entry, "ended_at", record->began_us + result->duration_us);
    add_counts(&entry, result);
    add_outcome(&entry, record, result);
    if (record->num_ctx > 0)
        add_count(&entry, "num_ctx", record->num_ctx);
    add(&entry, "cleaned", str_of(record->cleaned));
    add_flag(&entry, "context_truncated", record->context_truncated);
    add(&entry, "thinking", record->thinking);
    add(&entry, "worker", str_of(record->worker));
    call.argc = entry.argc;
    return redis_send(redis, &call);
}
