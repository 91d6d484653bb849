/* complaint.c - see complaint.h. */
#include "llm/complaint.h"

#include "llm/retry_after.h"

static struct str text_of(const json_t *value)
{
    return str_make(json_string_value(value), json_string_length(value));
}

static struct str member_text(const json_t *object, const char *key)
{
    return text_of(json_object_get(object, key));
}

static int64_t retry_of(const json_t *value)
{
    if (json_is_number(value))
        return retry_after_of_seconds(json_number_value(value));
    return json_is_string(value) ? retry_after_parse_seconds(text_of(value)) : -1;
}

/* FastAPI's: a text, or an array of objects with a `msg` each. */
static struct str detail_text(const json_t *error)
{
    const json_t *detail = json_object_get(error, "detail");

    return json_is_array(detail) ? member_text(json_array_get(detail, 0), "msg")
                                 : text_of(detail);
}

/* FastAPI's again: {"loc": ["body", "temperature"], ...}. */
static struct str detail_param(const json_t *error)
{
    const json_t *loc =
        json_object_get(json_array_get(json_object_get(error, "detail"), 0), "loc");
    size_t count = json_array_size(loc);

    return text_of(count > 0 ? json_array_get(loc, count - 1) : NULL);
}

static int64_t window_of(const json_t *error)
{
    const json_t *value = json_object_get(error, "n_ctx");

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* The number a server put into its JSON, else what its sentence says. */
static int64_t find_retry(const json_t *document, const json_t *error, struct str text)
{
    int64_t wait_ms = retry_of(json_object_get(error, "retry_after"));

    if (wait_ms < 0)
        wait_ms = retry_of(json_object_get(document, "retry_after"));
    if (wait_ms < 0)
        wait_ms = retry_of(
            json_object_get(json_object_get(error, "metadata"), "retry_after"));
    return wait_ms >= 0 ? wait_ms : retry_after_find(text);
}

/* Servers with a member for errors that is always there leave it null, false or "". */
static bool is_none(const json_t *error)
{
    return error == NULL || json_is_null(error) || json_is_false(error)
           || (json_is_string(error) && json_string_length(error) == 0);
}

/* The object that holds the message, code and the like; NULL when there is none. */
static const json_t *find_error(const json_t *document, bool loose)
{
    const json_t *error = json_object_get(document, "error");
    struct str object = member_text(document, "object");

    if (!is_none(error))
        return error;
    return loose || str_is(object, "error") ? document : NULL;
}

/* OpenRouter's "Provider returned error" has what that one said beside it. */
static struct str provider_text(const json_t *error, struct str text)
{
    struct str raw = member_text(json_object_get(error, "metadata"), "raw");

    return raw.len > 0 ? raw : text;
}

bool complaint_read(const json_t *document, bool loose, struct complaint *ret_complaint)
{
    const json_t *error = find_error(document, loose);

    if (error == NULL)
        return false;
    *ret_complaint = (struct complaint){
        .text = text_of(error),
        .code = member_text(error, "code"),
        .type = member_text(error, "type"),
        .window = window_of(error),
        .param = member_text(error, "param"),
    };
    if (ret_complaint->text.len == 0)
        ret_complaint->text = member_text(error, "message");
    if (ret_complaint->text.len == 0 && loose)
        ret_complaint->text = detail_text(error);
    ret_complaint->text = provider_text(error, ret_complaint->text);
    if (ret_complaint->param.len == 0 && loose)
        ret_complaint->param = detail_param(error);
    ret_complaint->retry_after_ms = find_retry(document, error, ret_complaint->text);
    return true;
}
