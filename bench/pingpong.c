/* pingpong.c - the floor beside which parley's time per turn is judged: one message
 * thrown to and fro through two streams by two processes in plain hiredis.
 *
 * A hop is one message through one stream with a consumer group: XADD by the one
 * process, delivery to the other, which is blocked in XREADGROUP, and its XACK. A round
 * trip is two hops, as a turn is: request and response. No scripts, no JSON, no loop.
 *   plain      one connection a side, one command at a time, its reply awaited: read,
 *              XADD the answer, XACK. The answer goes out first, so that the XACK and
 *              the next XREADGROUP run while the other side is at work.
 *   pipelined  XADD, XACK and the next XREADGROUP in one write: the least Redis allows.
 * It never measures the first WARM_ROUNDS, and never touches any key but its own two.
 *
 * Flow: main -> serve in a child | throw the first, catch and answer ROUNDS times ->
 * report
 */
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WARM_ROUNDS = 100,
    ROUNDS_MAX = 10000000,
    BODY_MAX_BYTES = 1 << 20,
    BLOCK_MS = 5000, /* longer without a message: the other side is gone */
    ID_SIZE = 48
};

struct side {
    redisContext *redis;
    const char *in;   /* the stream it reads */
    const char *out;  /* the stream it writes */
    const char *body; /* body_bytes of it */
    size_t body_bytes;
    char id[ID_SIZE]; /* of the message in hand */
    bool pipelined;
};

static void quit(int status, const char *what, const char *why)
{
    fprintf(stderr, "pingpong: %s: %s\n", what, why);
    exit(status);
}

static void die(const char *what, const char *why)
{
    quit(1, what, why);
}

/* ---- the connection ---- */

static redisContext *connect_to(const char *where)
{
    const char *colon = strrchr(where, ':');
    redisContext *redis;
    char host[256];
    int one = 1;

    if (where[0] == '/') {
        redis = redisConnectUnix(where);
    } else {
        if (colon == NULL || (size_t)(colon - where) >= sizeof host)
            quit(2, where, "neither HOST:PORT nor /path/of/socket");
        memcpy(host, where, (size_t)(colon - where));
        host[colon - where] = '\0';
        redis = redisConnect(host, (int)strtol(colon + 1, NULL, 10));
    }
    if (redis == NULL || redis->err != 0)
        die(where, redis == NULL ? "no memory" : redis->errstr);
    if (where[0] != '/'
        && setsockopt(redis->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0)
        die(where, "cannot set TCP_NODELAY");
    return redis;
}

/* The caller frees the reply. Ends the process where there is none, or an error. */
static redisReply *take_reply(redisContext *redis)
{
    redisReply *reply = NULL;

    if (redisGetReply(redis, (void **)&reply) != REDIS_OK)
        die("lost", redis->errstr);
    if (reply->type == REDIS_REPLY_ERROR)
        die("refused", reply->str);
    return reply;
}

static void skip_reply(redisContext *redis)
{
    freeReplyObject(take_reply(redis));
}

/* ---- one hop ---- */

static void ask_read(struct side *side)
{
    redisAppendCommand(side->redis,
                       "XREADGROUP GROUP g me COUNT 1 BLOCK %d STREAMS %s >", BLOCK_MS,
                       side->in);
}

static void ask_add(struct side *side)
{
    redisAppendCommand(side->redis, "XADD %s * message %b", side->out, side->body,
                       side->body_bytes);
}

static void ask_ack(struct side *side)
{
    redisAppendCommand(side->redis, "XACK %s g %s", side->in, side->id);
}

/* Keeps the id of the message that came; [[stream, [[id, [field, value]]]]]. */
static void take_message(struct side *side)
{
    redisReply *reply = take_reply(side->redis);
    const redisReply *entry;

    if (reply->type != REDIS_REPLY_ARRAY)
        die(side->in, "no message came");
    entry = reply->element[0]->element[1]->element[0];
    if (entry->element[0]->len >= ID_SIZE
        || entry->element[1]->element[1]->len != side->body_bytes)
        die(side->in, "another message came");
    memcpy(side->id, entry->element[0]->str, entry->element[0]->len + 1);
    freeReplyObject(reply);
}

/* The next message, read if it was not asked for already. */
static void catch_one(struct side *side)
{
    if (!side->pipelined)
        ask_read(side);
    take_message(side);
}

static void answer_plain(struct side *side, bool add)
{
    if (add) {
        ask_add(side);
        skip_reply(side->redis);
    }
    ask_ack(side);
    skip_reply(side->redis);
}

static void answer_pipelined(struct side *side, bool add, bool read_on)
{
    if (add)
        ask_add(side);
    ask_ack(side);
    if (read_on)
        ask_read(side);
    if (add)
        skip_reply(side->redis);
    skip_reply(side->redis);
}

static void answer(struct side *side, bool add, bool read_on)
{
    if (side->pipelined)
        answer_pipelined(side, add, read_on);
    else
        answer_plain(side, add);
}

/* ---- the two processes ---- */

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void serve(struct side *side, int rounds)
{
    if (side->pipelined)
        ask_read(side);
    for (int i = 0; i < rounds; i++) {
        catch_one(side);
        answer(side, true, i + 1 < rounds);
    }
}

/* Microseconds from the round after the warm ones to the last. */
static int64_t play(struct side *side, int rounds)
{
    int64_t began_us = 0;

    ask_add(side);
    skip_reply(side->redis);
    if (side->pipelined)
        ask_read(side);
    for (int i = 0; i < rounds; i++) {
        if (i == WARM_ROUNDS)
            began_us = now_us();
        catch_one(side);
        answer(side, i + 1 < rounds, i + 1 < rounds);
    }
    return now_us() - began_us;
}

static void make_streams(redisContext *redis)
{
    static const char *const commands[] = {
        "DEL bench:ping bench:pong",
        "XGROUP CREATE bench:ping g 0 MKSTREAM",
        "XGROUP CREATE bench:pong g 0 MKSTREAM",
    };

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        redisAppendCommand(redis, commands[i]);
        skip_reply(redis);
    }
}

static int64_t measure(const char *where, struct side *side, int rounds)
{
    int64_t took_us;
    int status = 0;
    pid_t child;

    side->redis = connect_to(where);
    make_streams(side->redis);
    child = fork();
    if (child < 0)
        die("fork", "no process");
    side->in = child == 0 ? "bench:ping" : "bench:pong";
    side->out = child == 0 ? "bench:pong" : "bench:ping";
    if (child == 0) {
        side->redis = connect_to(where); /* the other one is the parent's */
        serve(side, rounds);
        _exit(0);
    }
    took_us = play(side, rounds);
    if (waitpid(child, &status, 0) != child || status != 0)
        die("the other side", "failed");
    redisAppendCommand(side->redis, "DEL bench:ping bench:pong");
    skip_reply(side->redis);
    redisFree(side->redis);
    return took_us;
}

static long number(const char *text, long min, long max)
{
    char *end = NULL;
    long value = strtol(text, &end, 10);

    if (end == text || *end != '\0' || value < min || value > max)
        quit(2, text, "out of range");
    return value;
}

int main(int argc, char **argv)
{
    struct side side = {0};
    char *body;
    int64_t took_us;
    long rounds;

    if (argc != 5) {
        fputs("usage: pingpong HOST:PORT|/SOCKET ROUNDS BODY_BYTES plain|pipelined\n",
              stderr);
        return 2;
    }
    rounds = number(argv[2], 1, ROUNDS_MAX);
    side.body_bytes = (size_t)number(argv[3], 1, BODY_MAX_BYTES);
    side.pipelined = strcmp(argv[4], "pipelined") == 0;
    if (!side.pipelined && strcmp(argv[4], "plain") != 0)
        quit(2, argv[4], "neither plain nor pipelined");
    body = malloc(side.body_bytes);
    if (body == NULL)
        die("memory", "none");
    memset(body, 'x', side.body_bytes);
    side.body = body;
    took_us = measure(argv[1], &side, (int)rounds + WARM_ROUNDS);
    printf("{\"mode\":\"%s\",\"hops\":%ld,\"us_per_hop\":%.2f}\n", argv[4], rounds * 2,
           (double)took_us / (double)rounds / 2);
    free(body);
    return 0;
}
