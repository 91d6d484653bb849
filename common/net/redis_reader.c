/* redis_reader.c - see redis_reader.h.
 *
 * hiredis asks for each node through a table of functions and is given ours; it keeps
 * the pointers opaque. The texts it shows lie in its buffer, which moves: they are
 * copied. A function that returns NULL makes it stop with "out of memory", which is
 * how a reply that is too large, or not RESP2, is refused. The table and the number
 * types differ between hiredis 0.14 and 1.x.
 */
#include "net/redis_reader.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
    ARENA_BLOCK_BYTES = 16 << 10,
    /* hiredis gives its buffer back when more than this is unused; the default of
     * 16 KiB makes it do so at nearly every batch. */
    READER_KEEP_BYTES = 64 << 10
};

struct arena_block {
    struct arena_block *next; /* the block filled before; NULL for the first */
    size_t used;
    size_t size;
    max_align_t bytes[];
};

struct arena {
    struct arena_block *top; /* owned; the block being filled */
    size_t total;            /* bytes given out since the last reset */
};

struct node {
    struct redis_value value; /* first: who gets the one may cast to the other */
    const struct redis_value **slots; /* where value.items points, for us to fill */
    int depth;                        /* of arrays: 1 for the outermost */
};

struct redis_reader {
    redisReader *reader; /* owned */
    struct arena arena;
    bool too_large; /* a reply was refused for its size */
};

static struct arena_block *block_new(struct arena_block *next, size_t size)
{
    struct arena_block *block = x_malloc(sizeof(*block) + size);

    *block = (struct arena_block){.next = next, .size = size};
    return block;
}

/* Room for that many bytes, or NULL when the reply has become too large. */
static void *arena_get(struct redis_reader *reader, size_t bytes)
{
    struct arena *arena = &reader->arena;
    void *at;

    if (bytes > REDIS_REPLY_MAX_BYTES - arena->total) {
        reader->too_large = true;
        return NULL;
    }
    bytes = (bytes + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
    if (arena->top->size - arena->top->used < bytes)
        arena->top = block_new(
            arena->top, bytes > ARENA_BLOCK_BYTES ? bytes : 4 * ARENA_BLOCK_BYTES);
    at = (char *)arena->top->bytes + arena->top->used;
    arena->top->used += bytes;
    arena->total += bytes;
    return at;
}

/* Keeps the first block, for the replies to come. */
static void arena_reset(struct arena *arena)
{
    while (arena->top->next) {
        struct arena_block *next = arena->top->next;

        free(arena->top);
        arena->top = next;
    }
    arena->top->used = 0;
    arena->total = 0;
}

/* A new node, set in its place in the array above it. */
static struct node *add_node(const redisReadTask *task, enum redis_kind kind)
{
    struct node *node = arena_get(task->privdata, sizeof(*node));

    if (!node)
        return NULL;
    *node = (struct node){.value = {.kind = kind, .text = {"", 0}}};
    if (task->parent) {
        struct node *above = task->parent->obj;

        above->slots[task->idx] = &node->value;
        node->depth = above->depth;
    }
    return node;
}

static void *on_string(const redisReadTask *task, char *at, size_t len)
{
    struct node *node;
    char *copy;

    if (task->type != REDIS_REPLY_STRING && task->type != REDIS_REPLY_STATUS
        && task->type != REDIS_REPLY_ERROR)
        return NULL; /* RESP3 */
    /* hiredis waits for the end of line behind a text, and does not look at it: bytes
     * lost or put in on the way would shift all that follows. `at` is its buffer. */
    if (task->type == REDIS_REPLY_STRING && memcmp(at + len, "\r\n", 2) != 0)
        return NULL;
    node = add_node(task, task->type == REDIS_REPLY_ERROR ? REDIS_ERROR : REDIS_TEXT);
    copy = node ? arena_get(task->privdata, len) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, at, len);
    node->value.text = str_make(copy, len);
    return node;
}

static void *make_array(const redisReadTask *task, size_t count)
{
    struct redis_reader *reader = task->privdata;
    struct node *node;

    if (task->type != REDIS_REPLY_ARRAY)
        return NULL; /* RESP3 */
    if (count > REDIS_REPLY_MAX_ITEMS) {
        reader->too_large = true;
        return NULL;
    }
    node = add_node(task, REDIS_ARRAY);
    /* hiredis 0.14 stops there by itself, 1.x would go on for ever. */
    if (!node || ++node->depth > REDIS_REPLY_MAX_DEPTH)
        return NULL;
    node->slots = arena_get(reader, count * sizeof(*node->slots));
    if (!node->slots)
        return NULL;
    node->value.count = count;
    node->value.items = node->slots;
    return node;
}

static void *on_integer(const redisReadTask *task, long long integer)
{
    struct node *node = add_node(task, REDIS_INTEGER);

    if (node)
        node->value.integer = integer;
    return node;
}

static void *on_nil(const redisReadTask *task)
{
    return add_node(task, REDIS_NIL);
}

/* Nodes go with the arena. */
static void on_free(void *node)
{
    (void)node;
}

#if HIREDIS_MAJOR >= 1
static void *on_array(const redisReadTask *task, size_t count)
{
    return make_array(task, count);
}

static void *on_double(const redisReadTask *task, double number, char *at, size_t len)
{
    (void)task;
    (void)number;
    (void)at;
    (void)len;
    return NULL; /* RESP3 */
}

static void *on_bool(const redisReadTask *task, int truth)
{
    (void)task;
    (void)truth;
    return NULL; /* RESP3 */
}

/* Not const: hiredis takes it so. */
static redisReplyObjectFunctions functions = {.createString = on_string,
                                              .createArray = on_array,
                                              .createInteger = on_integer,
                                              .createDouble = on_double,
                                              .createNil = on_nil,
                                              .createBool = on_bool,
                                              .freeObject = on_free};
#else
static void *on_array(const redisReadTask *task, int count)
{
    return count < 0 ? NULL : make_array(task, (size_t)count);
}

/* Not const: hiredis takes it so. */
static redisReplyObjectFunctions functions = {.createString = on_string,
                                              .createArray = on_array,
                                              .createInteger = on_integer,
                                              .createNil = on_nil,
                                              .freeObject = on_free};
#endif

struct redis_reader *redis_reader_new(void)
{
    struct redis_reader *reader = x_calloc(1, sizeof(*reader));

    reader->reader = redisReaderCreateWithFunctions(&functions);
    if (!reader->reader)
        x_exhausted("out of memory");
    /* cppcheck-suppress nullPointerRedundantCheck ; x_exhausted does not return */
    reader->reader->privdata = reader;
    reader->reader->maxbuf = READER_KEEP_BYTES;
    reader->arena.top = block_new(NULL, ARENA_BLOCK_BYTES);
    return reader;
}

void redis_reader_free(struct redis_reader *reader)
{
    if (!reader)
        return;
    redisReaderFree(reader->reader);
    arena_reset(&reader->arena);
    free(reader->arena.top);
    free(reader);
}

bool redis_reader_feed(struct redis_reader *reader, struct str bytes, struct err *err)
{
    size_t held = reader->reader->len - reader->reader->pos;

    if (bytes.len > REDIS_REPLY_MAX_BYTES || held > REDIS_REPLY_MAX_BYTES - bytes.len)
        return err_set(err, ERR_LIMIT, "a reply of more than %d MiB",
                       REDIS_REPLY_MAX_BYTES >> 20);
    if (bytes.len > 0 && redisReaderFeed(reader->reader, bytes.at, bytes.len) != 0)
        return err_set(err, ERR_FORMAT, "not Redis' protocol: %s",
                       reader->reader->errstr);
    return true;
}

bool redis_reader_next(struct redis_reader *reader,
                       const struct redis_value **ret_value, struct err *err)
{
    void *node = NULL;

    if (!reader->reader->reply && reader->reader->ridx < 0)
        arena_reset(&reader->arena);
    if (redisReaderGetReply(reader->reader, &node) != 0) {
        if (reader->too_large)
            return err_set(err, ERR_LIMIT, "a reply that is too large");
        return err_set(err, ERR_FORMAT, "not Redis' protocol: %s",
                       reader->reader->errstr);
    }
    *ret_value = node; /* its first member */
    return true;
}
