/* call_record.c - see call_record.h. */
#include "llm/call_record.h"

#include "base/clock.h"
#include "net/redis.h"

enum { MAX_ENTRIES = 100000, NUMBER_SIZE = 32 };

static const char *count_text(char text[NUMBER_SIZE], int64_t count)
{
    fmt_into(text, NUMBER_SIZE, "%lld", (long long)count);
    return count < 0 ? "" : text;
}

static const char *ms_text(char text[NUMBER_SIZE], int64_t us)
{
    fmt_into(text, NUMBER_SIZE, "%.3f", (double)us / 1e3);
    return us < 0 ? "" : text;
}

bool call_record_send(struct redis *redis, const struct keys *keys,
                      const struct call_record *record, const struct llm_result *result)
{
    static const char *const outcomes[] = {
        [LLM_DONE] = "done", [LLM_FAILED] = "failed", [LLM_CANCELLED] = "cancelled"};
    char key[KEY_SIZE];
    char number[9][NUMBER_SIZE];
    char began[CLOCK_TEXT_SIZE];
    char ended[CLOCK_TEXT_SIZE];
    /* clang-format off */
    const char *fields[] = {
        "conversation", record->conversation,
        "turn", count_text(number[0], record->turn),
        "issue", count_text(number[1], record->issue),
        "delivery", count_text(number[2], record->delivery),
        "call", record->call,
        "seat", count_text(number[3], record->seat),
        "endpoint", result->endpoint,
        "provider", result->provider,
        "model", result->model,
        "started_at", began,
        "ended_at", ended,
        "duration_ms", ms_text(number[4], result->duration_us),
        "time_to_first_token_ms", ms_text(number[5], result->first_token_us),
        "tokens_generated", count_text(number[6], result->tokens_generated),
        "prompt_tokens", count_text(number[7], result->prompt_tokens),
        "outcome", outcomes[result->outcome],
        "error", result->error == LLM_ERROR_NONE ? "" : llm_error_name(result->error),
        "worker", record->worker,
    };
    /* clang-format on */
    enum { FIELDS = sizeof fields / sizeof *fields, HEAD = 6 };
    struct str argv[HEAD + FIELDS];
    const struct redis_call call = {.argc = HEAD + FIELDS, .argv = argv, .again = true};

    clock_format_us(record->began_us, began);
    clock_format_us(record->began_us + result->duration_us, ended);
    fmt_into(number[8], NUMBER_SIZE, "%d", MAX_ENTRIES);
    argv[0] = str_of("XADD");
    argv[1] = key_make(keys, "calls", NULL, key);
    argv[2] = str_of("MAXLEN");
    argv[3] = str_of("~");
    argv[4] = str_of(number[8]);
    argv[5] = str_of("*");
    for (size_t i = 0; i < FIELDS; i++)
        argv[HEAD + i] = str_of(fields[i]);
    return redis_send(redis, &call);
}
