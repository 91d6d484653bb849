/* keys.h - the names of the Redis keys: docs/protocol.md lists them. */
#ifndef PARLEY_KEYS_H
#define PARLEY_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    KEY_SIZE = 160,
    SHARD_MAX_LETTERS = 40,
    PREFIX_MAX_LETTERS = 40,
    ID_LETTERS = 12
};

struct keys {
    char root[PREFIX_MAX_LETTERS + SHARD_MAX_LETTERS + 8]; /* "parley:{0}:" */
    char shard[SHARD_MAX_LETTERS + 1];
};
/* prefix and shard: letters, digits, '-', '_', '.'; else ERR_USAGE. */
MUST_USE bool keys_init(struct keys *keys, const char *prefix, const char *shard,
                        struct err *err);
/* "<root><what>" or "<root><what>:<id>" when id is not NULL, into `ret` and as view. */
struct str key_make(const struct keys *keys, const char *what, const char *id,
                    char ret[KEY_SIZE]);
struct str key_lane(const struct keys *keys, const char *what, int64_t lane,
                    char ret[KEY_SIZE]);
/* "<prefix>:{endpoints}:<id>" or "<prefix>:{endpoints}:<id>:<what>" when what is not
 * NULL: keys of the model servers, shared by all shards of a prefix. */
enum { ENDPOINT_ID_SIZE = 97 };
struct str key_endpoint(const struct keys *keys, const char *id, const char *what,
                        char ret[KEY_SIZE]);
/* A new conversation's id: 12 base32 letters, "<shard>-" before it unless shard 0. */
enum { CONVERSATION_SIZE = SHARD_MAX_LETTERS + 1 + ID_LETTERS + 1 };
void conversation_id_make(const struct keys *keys, char ret[CONVERSATION_SIZE]);
/* That form, 12 letters of 0-9a-z: to be asked before an id from outside becomes part
 * of a key (a key that does not fit is a mistake of ours). */
bool conversation_id_valid(struct str id);

#endif
