/* command_test.c - `parley test [ENDPOINT]`: one small real call of each model server,
 * and what was seen of it.
 *
 * All are asked at once, and each is told as soon as it is over, so that a dead one
 * hides nobody; what is wrong in one line a user can act on.
 *
 * Flow: servers_open -> trial_start each -> on_over -> told | on_patience -> who is
 * still waited for
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/servers.h"
#include "cli/trial.h"
#include "llm/openai.h"
#include "net/loop.h"
#include "proto/config_url.h"
#include "proto/json_write.h"
#include "proto/model_options.h"
#include "proto/schema.h"

enum { OUT_MAX_BYTES = 1 << 20, PATIENCE_MS = 3000 };

static double ms_of(int64_t us)
{
    return us < 0 ? (double)NAN : (double)us / 1e3;
}

/* By the server's own clock, else by ours from the first token to the end, where the
 * tokens did not all come at once. */
static double rate_of(const struct trial *trial)
{
    double seconds = (double)(trial->total_us - trial->first_us) / 1e6;

    if (trial->tokens < 1)
        return (double)NAN;
    if (trial->generation_ns > 0)
        return (double)trial->tokens / ((double)trial->generation_ns / 1e9);
    if (trial->tokens < 2 || trial->first_us < 0 || seconds < 1e-3)
        return (double)NAN;
    return (double)(trial->tokens - 1) / seconds;
}

static void add_ms(struct buf *out, const char *before, int64_t us)
{
    if (us >= 0)
        buf_printf(out, "%s%.1f ms", before, ms_of(us));
}

static void add_count(struct buf *out, const char *format, int64_t count)
{
    if (count < 0)
        return;
    if (strcmp(format, "window") == 0 && count == WINDOW_NONE)
        buf_add_text(out, ", no window");
    else
        buf_printf(out, ", %s %" PRId64, format, count);
}

/* The options of --options that are not sent to it: its API has no such thing. */
static void add_left_out(const struct trial *trial, const char *before,
                         const char *between, const char *mark, struct buf *out)
{
    const struct model_option *option;
    bool is_first = true;
    json_t *options = NULL;

    if (trial->server.provider != LLM_OPENAI
        || !json_read(str_of(trial->config->options), &options, NULL))
        return;
    for (size_t i = 0; (option = model_option(i)) != NULL; i++) {
        if (json_object_get(options, option->name) == NULL
            || openai_takes(trial->server.url, option))
            continue;
        buf_printf(out, "%s%s%s%s", is_first ? before : between, mark, option->name,
                   mark);
        is_first = false;
    }
    json_decref(options);
}

static void add_text(const struct trial *trial, struct buf *out)
{
    double rate = rate_of(trial);
    char *url = config_url_bare(trial->endpoint->url);

    if (trial->error != LLM_ERROR_NONE) {
        (void)fflush(stdout); /* the order is that of the ends */
        fprintf(stderr, "parley test: %s\n", trial->reason.msg);
        free(url);
        return;
    }
    buf_printf(out, "%s: ok, %s, %s, model %s\n ", trial->endpoint->name, url,
               trial->endpoint->provider, log_safe(str_of(trial->model)));
    add_ms(out, " connect ", trial->connect_us);
    add_ms(out, ", first token ", trial->first_us);
    add_ms(out, ", total ", trial->total_us);
    buf_printf(out, "\n  finished: %s",
               trial->finish[0] == '\0' ? "not told" : log_safe(str_of(trial->finish)));
    add_count(out, "tokens", trial->tokens);
    if (!isnan(rate))
        buf_printf(out, " (%.1f/s)", rate);
    add_count(out, "prompt tokens", trial->prompt_tokens);
    add_count(out, "cached", trial->cached_tokens);
    add_count(out, "window", trial->window);
    for (size_t i = 0; i < trial->not_taken_count; i++)
        buf_printf(out, "%s%s",
                   i == 0 ? "\n  not taken by this model, and not sent: " : ", ",
                   trial->not_taken[i]);
    if (trial->version.text[0] != '\0')
        buf_printf(out, "\n  server: %s", trial->version.text);
    add_left_out(trial, "\n  not sent, its API has no such option: ", ", ", "", out);
    buf_add_char(out, '\n');
    free(url);
}

static void write_number(struct buf *out, const char *name, double value)
{
    buf_printf(out, ",\"%s\":", name);
    json_write_number(out, value, 3);
}

static void write_count(struct buf *out, const char *name, int64_t count)
{
    buf_printf(out, ",\"%s\":", name);
    json_write_count(out, count);
}

static void write_text(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    json_write_text(out, text == NULL || text[0] == '\0' ? NULL : text);
}

static void add_json(const struct trial *trial, struct buf *out)
{
    bool ok = trial->error == LLM_ERROR_NONE;
    char *url = config_url_bare(trial->endpoint->url);

    buf_printf(out, "{\"endpoint\":\"%s\",\"ok\":%s", trial->endpoint->name,
               ok ? "true" : "false");
    write_text(out, "url", url);
    write_text(out, "provider", trial->endpoint->provider);
    write_text(out, "model", trial->model);
    write_text(out, "error", ok ? NULL : llm_error_name(trial->error));
    write_text(out, "reason", trial->reason.msg);
    write_number(out, "connect_ms", ms_of(trial->connect_us));
    write_number(out, "time_to_first_token_ms", ms_of(trial->first_us));
    write_number(out, "duration_ms", ms_of(trial->total_us));
    write_count(out, "tokens_generated", trial->tokens);
    write_number(out, "tokens_per_second", rate_of(trial));
    write_count(out, "prompt_tokens", trial->prompt_tokens);
    write_count(out, "prompt_cached_tokens", trial->cached_tokens);
    write_text(out, "finish_reason", trial->finish);
    write_count(out, "window", trial->window == WINDOW_NONE ? -1 : trial->window);
    buf_add_text(out, ",\"not_taken\":[");
    for (size_t i = 0; i < trial->not_taken_count; i++)
        buf_printf(out, "%s\"%s\"", i == 0 ? "" : ",", trial->not_taken[i]);
    buf_add_char(out, ']');
    write_text(out, "server", trial->version.text);
    buf_add_text(out, ",\"not_sent\":[");
    add_left_out(trial, "", ",", "\"", out);
    buf_add_text(out, "]}\n");
    free(url);
}

/* ---- as they end ---- */

static void on_over(struct trial *trial)
{
    struct buf out;

    buf_init(&out, OUT_MAX_BYTES);
    if (trial->config->json)
        add_json(trial, &out);
    else
        add_text(trial, &out);
    (void)fwrite(buf_text(&out), 1, out.len, stdout);
    (void)fflush(stdout);
    buf_done(&out);
}

struct wait {
    struct trial *trials; /* owned */
    size_t count;
    struct loop_timer patience;
};

/* Loading a model takes minutes: whoever looks on is told that nothing hangs. */
static void on_patience(struct loop_timer *timer, void *owner)
{
    const struct wait *wait = owner;

    (void)timer;
    for (size_t i = 0; i < wait->count; i++)
        if (!wait->trials[i].over)
            fprintf(stderr,
                    "parley test: %s: no answer yet, it may be loading its model; "
                    "Ctrl-C ends\n",
                    wait->trials[i].endpoint->name);
}

static int try_all(struct servers *servers, const struct config_loaded *loaded)
{
    enum { EXIT_NO_SERVER = 4 };
    struct wait wait = {.count = servers->count};
    bool all_well = true;

    wait.trials = x_calloc(servers->count, sizeof *wait.trials);
    loop_timer_init(&wait.patience, servers->loop, on_patience, &wait);
    for (size_t i = 0; i < servers->count; i++)
        trial_start(&wait.trials[i], servers, loaded, servers->list[i], on_over);
    if (isatty(STDERR_FILENO))
        loop_timer_start(&wait.patience, PATIENCE_MS);
    servers_wait(servers);
    loop_timer_stop(&wait.patience);
    for (size_t i = 0; i < servers->count; i++) {
        all_well = all_well && wait.trials[i].error == LLM_ERROR_NONE;
        trial_done(&wait.trials[i]);
    }
    free(wait.trials);
    return all_well ? 0 : EXIT_NO_SERVER;
}

int command_test(const struct config_loaded *loaded, char **words, struct err *err)
{
    struct servers servers;
    int status;

    if (loaded->rest > 1) {
        err_set(err, ERR_USAGE, "expected one endpoint's name, or none: all");
        return err_exit_status(err);
    }
    if (!servers_open(loaded, loaded->rest == 1 ? words[0] : NULL, &servers, err))
        return err_exit_status(err);
    status = try_all(&servers, loaded);
    servers_close(&servers);
    return status;
}
