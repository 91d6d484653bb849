/* fault.c - see fault.h.
 *
 * Flow: faults_add -> fault_read each (fault_fields) -> faults_meet -> fits -> dice
 *       -> one use less
 */
#include "simulator/fault.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "simulator/fault_read.h"

#define US_PER_MS INT64_C(1000)

void fault_done(struct fault *fault)
{
    free(fault->model);
    free(fault->path);
    free(fault->how);
    free(fault->retry_after);
    free(fault->body);
    free(fault->to);
    free(fault->text);
    *fault = (struct fault){0};
}

static char *copy(const char *text)
{
    return text ? x_strdup(text) : NULL;
}

static struct fault fault_copy(const struct fault *fault)
{
    struct fault own = *fault;

    own.model = copy(fault->model);
    own.path = copy(fault->path);
    own.how = copy(fault->how);
    own.retry_after = copy(fault->retry_after);
    own.body = copy(fault->body);
    own.to = copy(fault->to);
    own.text = copy(fault->text);
    return own;
}

int64_t fault_or(int64_t given, int64_t fallback)
{
    return given >= 0 ? given : fallback;
}

bool fault_is(const struct fault *fault, const char *how)
{
    if (fault->how == NULL)
        return str_is(fault_first_form(fault->kind), how);
    return strcmp(fault->how, how) == 0;
}

/* ---- the list ---- */

static void add_take(struct faults *faults, struct fault *fault, int64_t now_us)
{
    size_t count = faults->count + 1;

    faults->list = x_realloc(faults->list, count * sizeof(*faults->list));
    faults->set_at_us =
        x_realloc(faults->set_at_us, count * sizeof(*faults->set_at_us));
    faults->list[faults->count] = *fault;
    faults->set_at_us[faults->count] = now_us;
    faults->count = count;
    *fault = (struct fault){0};
}

void faults_done(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        fault_done(&faults->list[i]);
    free(faults->list);
    free(faults->set_at_us);
    *faults = (struct faults){0};
}

/* Takes the document, a rule or a list of them. */
static bool add_document(struct faults *faults, const json_t *document, int64_t now_us,
                         struct err *err)
{
    size_t count = json_is_array(document) ? json_array_size(document) : 1;
    size_t before = faults->count;

    for (size_t i = 0; i < count; i++) {
        struct fault fault = {0};
        const json_t *rule =
            json_is_array(document) ? json_array_get(document, i) : document;

        if (!fault_read(rule, &fault, err)) {
            while (faults->count > before)
                fault_done(&faults->list[--faults->count]);
            return false;
        }
        add_take(faults, &fault, now_us);
    }
    return true;
}

bool faults_add(struct faults *faults, struct str text, int64_t now_us, struct err *err)
{
    json_error_t error = {0};
    json_t *document = NULL;
    bool ok = false;

    text = str_trim(text);
    if (str_starts(text, "[") || str_starts(text, "{")) {
        document = json_loadb(text.at, text.len, 0, &error);
        if (document == NULL)
            return err_set(err, ERR_USAGE, "faults: not JSON: %s (line %d, column %d)",
                           error.text, error.line, error.column);
    } else if (!fault_read_words(text, &document, err)) {
        return false;
    }
    ok = add_document(faults, document, now_us, err);
    json_decref(document);
    return ok;
}

void faults_write(const struct faults *faults, int64_t now_us, struct buf *into)
{
    (void)buf_add_char(into, '['); /* a full buffer tells */
    for (size_t i = 0; i < faults->count; i++) {
        struct fault now = faults->list[i];
        int64_t age_ms = (now_us - faults->set_at_us[i]) / US_PER_MS;

        if (now.for_ms >= 0)
            now.for_ms = now.for_ms > age_ms ? now.for_ms - age_ms : 0;
        if (i > 0)
            (void)buf_add_char(into, ',');
        fault_write(&now, into);
    }
    (void)buf_add_char(into, ']');
}

/* ---- which one ---- */

static bool is_over(const struct faults *faults, size_t i, int64_t now_us)
{
    const struct fault *fault = &faults->list[i];

    return fault->count == 0
           || (fault->for_ms >= 0
               && now_us - faults->set_at_us[i] >= fault->for_ms * US_PER_MS);
}

static bool is_model(const char *rule, const char *model)
{
    size_t len = strlen(rule);

    /* "tiny" is "tiny:latest". */
    return strcmp(rule, model) == 0
           || (strncmp(rule, model, len) == 0 && strcmp(model + len, ":latest") == 0);
}

static bool fits(const struct fault *fault, const struct fault_case *what)
{
    if (fault->path && strcmp(fault->path, what->path) != 0)
        return false;
    if (fault->model && (what->model == NULL || !is_model(fault->model, what->model)))
        return false;
    if (fault->kind == FAULT_CLOSE_IDLE && !what->reused)
        return false;
    if (what->model)
        return true;
    /* What asks no model has no words that could go wrong. */
    return fault->kind == FAULT_REFUSE
           || (fault->path && fault->kind < FAULT_SLOW_LOAD);
}

struct fault faults_meet(struct faults *faults, const struct fault_case *what,
                         int64_t now_us, struct rng *rng)
{
    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->list[i];

        if (is_over(faults, i, now_us) || !fits(fault, what)
            || rng_unit(rng) >= fault->rate)
            continue;
        if (fault->count > 0)
            fault->count--;
        return fault_copy(fault);
    }
    return (struct fault){0};
}
