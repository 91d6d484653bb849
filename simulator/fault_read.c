/* fault_read.c - see fault_read.h.
 *
 * Flow: fault_read_words -> {"kind": ..., <the kind's argument>: ..., "rate": ...}
 *       fault_read -> read_field each -> check_form
 */
#include "simulator/fault_read.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "proto/json_write.h"

/* What each kind is called, what the word behind "=" means, and its forms. */
static const struct {
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *forms;    /* "a|b", the first is the default; NULL: has none */
} kinds[FAULT_KIND_COUNT] = {
    [FAULT_NONE] = {"none", NULL, NULL},
    [FAULT_REFUSE] = {"refuse", NULL, NULL},
    [FAULT_CLOSE_IDLE] = {"close_idle", NULL, NULL},
    [FAULT_STATUS] = {"status", "status", NULL},
    [FAULT_REDIRECT] = {"redirect", "to", NULL},
    [FAULT_SLOW_LOAD] = {"slow_load", "delay_ms", NULL},
    [FAULT_STALL_FIRST] = {"stall_first", "delay_ms", NULL},
    [FAULT_SLOW] = {"slow", "factor", NULL},
    [FAULT_STALL] = {"stall", "after_bytes", NULL},
    [FAULT_CUT] = {"cut", "after_bytes", NULL},
    [FAULT_RESET] = {"reset", "after_bytes", NULL},
    [FAULT_COMMENTS] = {"comments", "how", "comment|blank"},
    [FAULT_ERROR_LINE] = {"error_line", "how", "own|line|data|vllm|field|eof"},
    [FAULT_TRICKLE] = {"trickle", "delay_ms", NULL},
    [FAULT_SPLIT] = {"split", "bytes", NULL},
    [FAULT_CLUMP] = {"clump", "lines", NULL},
    [FAULT_LONG_LINE] = {"long_line", "bytes", NULL},
    [FAULT_NO_NEWLINE] = {"no_newline", NULL, NULL},
    [FAULT_GARBAGE] = {"garbage", "how",
                       "bytes|gzip|type|html|http09|chunk_sizes|headers"},
    [FAULT_ODD] = {"odd", "how",
                   "done_twice|text_after_done|two_roles|empty_choices|usage|no_done|"
                   "only_done|crlf|bom|fields"},
    [FAULT_SAY] = {"say", "text", NULL},
    [FAULT_EMPTY] = {"empty", NULL, NULL},
    [FAULT_LOAD] = {"load", NULL, NULL},
    [FAULT_LENGTH] = {"length", NULL, NULL},
    [FAULT_THINKING_ONLY] = {"thinking_only", NULL, NULL},
    [FAULT_TOOL_ONLY] = {"tool_only", NULL, NULL},
    [FAULT_ENDLESS] = {"endless", NULL, NULL},
    [FAULT_TRUNCATE] = {"truncate", "num_ctx", NULL},
};

enum field_kind { FIELD_INT, FIELD_REAL, FIELD_BOOL, FIELD_TEXT };
#define AT(field) offsetof(struct fault, field)
static const struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
    double min;
    double max;
    double fallback;
} fields[] = {
    {"rate", FIELD_REAL, AT(rate), 0, 1, 1},
    {"count", FIELD_INT, AT(count), 0, 1e9, -1},
    {"for_ms", FIELD_INT, AT(for_ms), 0, 1e9, -1},
    {"after_bytes", FIELD_INT, AT(after_bytes), 0, 1e9, -1},
    {"after_tokens", FIELD_INT, AT(after_tokens), 0, 1e9, -1},
    {"delay_ms", FIELD_INT, AT(delay_ms), 0, 1e9, -1},
    {"status", FIELD_INT, AT(status), 200, 599, -1},
    {"bytes", FIELD_INT, AT(bytes), 1, 64 << 20, -1},
    {"lines", FIELD_INT, AT(lines), 1, 1e9, -1},
    {"num_ctx", FIELD_INT, AT(num_ctx), 4, 1e9, -1},
    {"factor", FIELD_REAL, AT(factor), 0, 1e6, 10},
    {"clean", FIELD_BOOL, AT(clean), 0, 0, 0},
    {"head", FIELD_BOOL, AT(head), 0, 0, 0},
    {"escapes", FIELD_BOOL, AT(escapes), 0, 0, 0},
    {"model", FIELD_TEXT, AT(model), 0, 0, 0},
    {"path", FIELD_TEXT, AT(path), 0, 0, 0},
    {"how", FIELD_TEXT, AT(how), 0, 0, 0},
    {"retry_after", FIELD_TEXT, AT(retry_after), 0, 0, 0},
    {"body", FIELD_TEXT, AT(body), 0, 0, 0},
    {"to", FIELD_TEXT, AT(to), 0, 0, 0},
    {"text", FIELD_TEXT, AT(text), 0, 0, 0},
};
enum { FIELD_COUNT = sizeof fields / sizeof *fields };

/* The place of a field in a rule; each is what its kind says. */
static void *place_of(struct fault *fault, const struct field *field)
{
    return (char *)fault + field->offset;
}

const char *fault_kind_name(enum fault_kind kind)
{
    return kinds[kind].name;
}

struct str fault_first_form(enum fault_kind kind)
{
    struct str rest = {0};

    return str_cut(str_of(kinds[kind].forms), '|', &rest);
}

static bool kind_of(const char *name, enum fault_kind *ret_kind)
{
    for (unsigned i = FAULT_NONE + 1; i < FAULT_KIND_COUNT; i++)
        if (name && strcmp(kinds[i].name, name) == 0) {
            *ret_kind = (enum fault_kind)i;
            return true;
        }
    return false;
}

/* ---- from JSON ---- */

static void set_default(struct fault *fault, const struct field *field)
{
    if (field->kind == FIELD_INT)
        *(int64_t *)place_of(fault, field) = (int64_t)field->fallback;
    else if (field->kind == FIELD_REAL)
        *(double *)place_of(fault, field) = field->fallback;
}

static bool read_number(struct fault *fault, const struct field *field,
                        const json_t *value, struct err *err)
{
    double number = json_number_value(value);

    if (!json_is_number(value) || number < field->min || number > field->max
        || (field->kind == FIELD_INT && floor(number) != number))
        return err_set(err, ERR_USAGE, "faults: %s: a %s from %.0f to %.0f",
                       field->name,
                       field->kind == FIELD_INT ? "whole number" : "number", field->min,
                       field->max);
    if (field->kind == FIELD_INT)
        *(int64_t *)place_of(fault, field) = (int64_t)number;
    else
        *(double *)place_of(fault, field) = number;
    return true;
}

static bool read_field(struct fault *fault, const struct field *field,
                       const json_t *value, struct err *err)
{
    if (json_is_null(value))
        return true;
    if (field->kind == FIELD_BOOL && json_is_boolean(value)) {
        *(bool *)place_of(fault, field) = json_is_true(value);
        return true;
    }
    if (field->kind == FIELD_TEXT && json_is_string(value)) {
        *(char **)place_of(fault, field) = x_strdup(json_string_value(value));
        return true;
    }
    if (field->kind == FIELD_BOOL || field->kind == FIELD_TEXT)
        return err_set(err, ERR_USAGE, "faults: %s: %s", field->name,
                       field->kind == FIELD_BOOL ? "true or false" : "a text");
    return read_number(fault, field, value, err);
}

static bool read_member(struct fault *fault, const char *key, const json_t *value,
                        struct err *err)
{
    if (strcmp(key, "kind") == 0)
        return true;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(fields[i].name, key) == 0)
            return read_field(fault, &fields[i], value, err);
    return err_set(err, ERR_USAGE, "faults: a rule has no field '%s'",
                   log_safe(str_of(key)));
}

static bool check(const struct fault *fault, struct err *err)
{
    const char *forms = kinds[fault->kind].forms;
    struct str rest = str_of(forms);

    if (fault->kind == FAULT_STATUS && fault->status < 0)
        return err_set(err, ERR_USAGE, "faults: status wants a status");
    if (fault->kind == FAULT_REDIRECT && fault->to == NULL)
        return err_set(err, ERR_USAGE, "faults: redirect wants an address in 'to'");
    if (fault->kind == FAULT_SAY && fault->text == NULL)
        return err_set(err, ERR_USAGE, "faults: say wants a text");
    if (fault->how == NULL)
        return true;
    while (rest.len > 0)
        if (str_is(str_cut(rest, '|', &rest), fault->how))
            return true;
    return err_set(err, ERR_USAGE, "faults: %s has no form '%s'%s%s",
                   fault_kind_name(fault->kind), log_safe(str_of(fault->how)),
                   forms ? ", but " : "", forms ? forms : "");
}

bool fault_read(const json_t *rule, struct fault *ret_fault, struct err *err)
{
    const char *name = json_string_value(json_object_get(rule, "kind"));
    struct fault fault = {0};
    const char *key = NULL;
    json_t *value = NULL;
    bool ok = true;

    if (!kind_of(name, &fault.kind))
        return err_set(err, ERR_USAGE, "faults: there is no kind '%s'",
                       log_safe(str_of(name)));
    for (size_t i = 0; i < FIELD_COUNT; i++)
        set_default(&fault, &fields[i]);
    /* jansson wants to be able to write; it does not. */
    json_object_foreach((json_t *)(uintptr_t)rule, key, value)
    {
        ok = ok && read_member(&fault, key, value, err);
    }
    if (!ok || !check(&fault, err)) {
        fault_done(&fault);
        return false;
    }
    *ret_fault = fault;
    return true;
}

/* ---- from words ---- */

static const struct field *field_named(const char *name)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (name && strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* "200" for the kind's argument; "5t" for so many tokens where it counts bytes. */
static bool add_argument(json_t *rule, enum fault_kind kind, struct str text)
{
    const struct field *field = field_named(kinds[kind].argument);
    double number = 0;

    if (field == NULL)
        return false;
    if (field->kind == FIELD_TEXT)
        return json_object_set_new(rule, field->name, json_stringn(text.at, text.len))
               == 0;
    if (field->offset == AT(after_bytes) && text.len > 1
        && text.at[text.len - 1] == 't') {
        field = field_named("after_tokens");
        text.len--;
    }
    if (!str_to_double(text, field->min, field->max, &number))
        return false;
    return json_object_set_new(rule, field->name, json_real(number)) == 0;
}

/* Splits "...@0.1": an address may have an @ of its own. */
static void add_rate(json_t *rule, struct str *word)
{
    double rate = 0;

    for (size_t i = word->len; i-- > 0;) {
        struct str rest = str_make(word->at + i + 1, word->len - i - 1);

        if (word->at[i] != '@')
            continue;
        if (str_to_double(rest, 0, 1, &rate)) {
            json_object_set_new(rule, "rate", json_real(rate));
            word->len = i;
        }
        return;
    }
}

static json_t *read_word(struct str word, struct err *err)
{
    json_t *rule = json_object();
    struct str whole = word;
    struct str argument = {0};
    struct str name = {0};
    enum fault_kind kind = FAULT_NONE;
    char *text = NULL;
    bool ok = false;

    add_rate(rule, &word);
    name = str_cut(word, '=', &argument);
    text = x_memdup(name.at, name.len);
    json_object_set_new(rule, "kind", json_string(text));
    ok = !kind_of(text, &kind) /* fault_read will say so */
         || name.len == word.len || add_argument(rule, kind, argument);
    free(text);
    if (!ok) {
        json_decref(rule);
        rule = NULL;
        err_set(err, ERR_USAGE, "faults: '%s' is not KIND[=VALUE][@RATE]",
                log_safe(whole));
    }
    return rule;
}

bool fault_read_words(struct str text, json_t **ret_rules, struct err *err)
{
    json_t *rules = json_array();

    while (text.len > 0) {
        json_t *rule = read_word(str_trim(str_cut(text, ',', &text)), err);

        if (rule == NULL) {
            json_decref(rules);
            return false;
        }
        json_array_append_new(rules, rule);
    }
    *ret_rules = rules;
    return true;
}

/* ---- to JSON ---- */

static void write_field(const struct fault *fault, const struct field *field,
                        struct buf *into)
{
    const char *at = (const char *)fault + field->offset;

    /* Each branch reads what the field's kind says stands there. */
    if (field->kind == FIELD_BOOL && *(const bool *)at) {
        (void)buf_printf(into, ",\"%s\":true", field->name);
    } else if (field->kind == FIELD_INT && *(const int64_t *)(const void *)at >= 0) {
        (void)buf_printf(into, ",\"%s\":%lld", field->name,
                         (long long)*(const int64_t *)(const void *)at);
    } else if (field->kind == FIELD_REAL) {
        (void)buf_printf(into, ",\"%s\":", field->name);
        (void)json_write_number(into, *(const double *)(const void *)at, 6);
    } else if (field->kind == FIELD_TEXT && *(char *const *)(const void *)at) {
        (void)buf_printf(into, ",\"%s\":", field->name);
        (void)json_write_text(into, *(char *const *)(const void *)at);
    }
}

void fault_write(const struct fault *fault, struct buf *into)
{
    (void)buf_printf(into, "{\"kind\":\"%s\"", fault_kind_name(fault->kind));
    for (size_t i = 0; i < FIELD_COUNT; i++)
        write_field(fault, &fields[i], into);
    (void)buf_add_char(into, '}');
}
