/* keys.c - see keys.h. Key names are put together by hand, not by printf: several are
 * made for every turn.
 */
#include "proto/keys.h"

#include <assert.h>
#include <string.h>

#include "base/rng.h"

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || c == '-' || c == '_' || c == '.';
}

/* We make ids of 0-9a-v; a client with another base32 alphabet is as good. */
static bool is_id_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

static bool all_are(struct str text, bool (*is_allowed)(char))
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_allowed(text.at[i]))
            return false;
    return true;
}

/* Braces would move the keys to another cluster slot, a colon could make the key of
 * another shard: so only name letters. */
static bool check_name(const char *what, struct str name, size_t max, struct err *err)
{
    if (name.len == 0)
        return err_set(err, ERR_USAGE, "the %s is empty", what);
    if (name.len > max)
        return err_set(err, ERR_USAGE, "the %s has more than %zu letters", what, max);
    if (!all_are(name, is_name_char))
        return err_set(err, ERR_USAGE,
                       "the %s may hold letters, digits, '-', '_' and '.' only", what);
    return true;
}

bool keys_init(struct keys *keys, const char *prefix, const char *shard,
               struct err *err)
{
    if (!check_name("Redis prefix", str_of(prefix), PREFIX_MAX_LETTERS, err)
        || !check_name("shard name", str_of(shard), SHARD_MAX_LETTERS, err))
        return false;
    if (strcmp(shard, "endpoints") == 0) /* the keys of the model servers bear it */
        return err_set(err, ERR_USAGE, "shard name: 'endpoints' is taken");
    fmt_into(keys->root, sizeof keys->root, "%s:{%s}:", prefix, shard);
    fmt_into(keys->shard, sizeof keys->shard, "%s", shard);
    return true;
}

static size_t append(char *key, size_t len, const char *text)
{
    size_t more = strlen(text);

    assert(len + more < KEY_SIZE);
    memcpy(key + len, text, more + 1);
    return len + more;
}

struct str key_make(const struct keys *keys, const char *what, const char *id,
                    char ret[KEY_SIZE])
{
    size_t len = append(ret, 0, keys->root);

    len = append(ret, len, what);
    if (id != NULL) {
        len = append(ret, len, ":");
        len = append(ret, len, id);
    }
    return str_make(ret, len);
}

struct str key_lane(const struct keys *keys, const char *what, int64_t lane,
                    char ret[KEY_SIZE])
{
    char number[24];
    size_t at = sizeof number - 1;

    assert(lane >= 1);
    number[at] = '\0';
    for (; lane > 0; lane /= 10)
        number[--at] = (char)('0' + lane % 10);
    return key_make(keys, what, number + at, ret);
}

struct str key_endpoint(const struct keys *keys, const char *id, const char *what,
                        char ret[KEY_SIZE])
{
    size_t prefix = strcspn(keys->root, ":"); /* a prefix has no colon */
    size_t len;

    memcpy(ret, keys->root, prefix);
    len = append(ret, prefix, ":{endpoints}:");
    len = append(ret, len, id);
    if (what != NULL) {
        len = append(ret, len, ":");
        len = append(ret, len, what);
    }
    return str_make(ret, len);
}

void conversation_id_make(const struct keys *keys, char ret[CONVERSATION_SIZE])
{
    char letters[ID_LETTERS + 1];
    bool is_default = strcmp(keys->shard, "0") == 0;

    rng_id(letters, ID_LETTERS);
    fmt_into(ret, CONVERSATION_SIZE, "%s%s%s", is_default ? "" : keys->shard,
             is_default ? "" : "-", letters);
}

bool conversation_id_valid(struct str id)
{
    size_t before;

    if (id.len < ID_LETTERS || id.len >= CONVERSATION_SIZE)
        return false;
    before = id.len - ID_LETTERS;
    if (!all_are(str_make(id.at + before, ID_LETTERS), is_id_char))
        return false;
    if (before == 0)
        return true;
    return before >= 2 && id.at[before - 1] == '-'
           && all_are(str_make(id.at, before - 1), is_name_char);
}
