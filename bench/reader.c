/* reader.c - the floor beside which a worker's time per streamed token is judged: plain
 * libcurl that asks a model server, reads what it streams, and throws it away.
 *
 * It uses the cheapest way libcurl offers: curl_multi_socket_action, driven by epoll.
 * Each stream makes its calls one after another, with a handle and a connection that
 * are used again. It parses nothing, keeps nothing and writes nothing; it shares no
 * code with parley. The time is that of this process on the CPU from before the first
 * call to behind the last, so that neither loading nor setting up libcurl counts.
 *
 * Flow: main -> begin each stream -> wait, curl_multi_socket_action -> call over: the
 * stream's next one -> report
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { STREAMS_MAX = 1024, CALLS_MAX = 100000, BODY_MAX_BYTES = 1 << 20, EVENTS = 64 };

struct reader {
    CURLM *multi;
    int epoll;
    int64_t due_us; /* when libcurl wants to be called; -1: never */
    size_t bytes;
    long running;
};
struct stream {
    CURL *curl;
    struct reader *reader;
    long calls_left;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "reader: %s: %s\n", what, why);
    exit(1);
}

static void must(CURLcode code, const char *what)
{
    if (code != CURLE_OK)
        die(what, curl_easy_strerror(code));
}

static void must_multi(CURLMcode code, const char *what)
{
    if (code != CURLM_OK)
        die(what, curl_multi_strerror(code));
}

static int64_t read_clock_us(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) != 0)
        die("clock", "cannot be read");
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- what libcurl asks for ---- */

static size_t on_bytes(char *at, size_t size, size_t count, void *owner)
{
    struct stream *stream = owner;

    (void)at;
    stream->reader->bytes += size * count;
    return size * count;
}

static int on_timer_wish(CURLM *multi, long wait_ms, void *owner)
{
    struct reader *reader = owner;

    (void)multi;
    reader->due_us =
        wait_ms < 0 ? -1 : read_clock_us(CLOCK_MONOTONIC) + (int64_t)wait_ms * 1000;
    return 0;
}

static int on_socket_wish(CURL *curl, curl_socket_t fd, int what, void *owner,
                          void *known)
{
    static char mark; /* any address: the descriptor is in the epoll set */
    struct reader *reader = owner;
    struct epoll_event event = {.data = {.fd = fd}};

    (void)curl;
    if (what == CURL_POLL_REMOVE) {
        /* Fails where libcurl has closed it already: then it is out of the set. */
        (void)epoll_ctl(reader->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN)
        event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        event.events |= EPOLLOUT;
    if (epoll_ctl(reader->epoll, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd,
                  &event)
        != 0)
        die("epoll_ctl", "refused");
    must_multi(curl_multi_assign(reader->multi, fd, &mark), "curl_multi_assign");
    return 0;
}

/* ---- calls ---- */

static void begin(struct stream *stream)
{
    stream->calls_left--;
    must_multi(curl_multi_add_handle(stream->reader->multi, stream->curl), "add");
}

static void end_calls(struct reader *reader)
{
    CURLMsg *message;
    int left = 0;

    while ((message = curl_multi_info_read(reader->multi, &left)) != NULL) {
        CURL *curl = message->easy_handle;
        struct stream *stream = NULL;
        long status = 0;

        must(message->data.result, "a call");
        must(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status), "status");
        if (status != 200)
            die("a call", "the server did not answer 200");
        must(curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&stream), "private");
        must_multi(curl_multi_remove_handle(reader->multi, curl), "remove");
        if (stream->calls_left > 0)
            begin(stream);
        else
            reader->running--;
    }
}

static int wait_ms(const struct reader *reader)
{
    int64_t left_us;

    if (reader->due_us < 0)
        return -1;
    left_us = reader->due_us - read_clock_us(CLOCK_MONOTONIC);
    return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

static void turn_once(struct reader *reader)
{
    struct epoll_event events[EVENTS];
    int running = 0;
    int ready = epoll_wait(reader->epoll, events, EVENTS, wait_ms(reader));

    for (int i = 0; i < ready; i++) {
        int mask =
            (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? CURL_CSELECT_IN : 0)
            | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);

        must_multi(
            curl_multi_socket_action(reader->multi, events[i].data.fd, mask, &running),
            "socket_action");
    }
    if (reader->due_us >= 0 && wait_ms(reader) == 0) {
        reader->due_us = -1;
        must_multi(
            curl_multi_socket_action(reader->multi, CURL_SOCKET_TIMEOUT, 0, &running),
            "socket_action");
    }
    end_calls(reader);
}

static void init_stream(struct stream *stream, const char *url, const char *body)
{
    CURL *curl = curl_easy_init();

    if (curl == NULL)
        die("curl_easy_init", "no memory");
    stream->curl = curl;
    must(curl_easy_setopt(curl, CURLOPT_URL, url), "url");
    must(curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body), "body");
    must(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L), "nosignal");
    must(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes), "write");
    must(curl_easy_setopt(curl, CURLOPT_WRITEDATA, stream), "write");
    must(curl_easy_setopt(curl, CURLOPT_PRIVATE, stream), "private");
}

static void init_reader(struct reader *reader)
{
    reader->multi = curl_multi_init();
    reader->epoll = epoll_create1(0);
    reader->due_us = -1;
    if (reader->multi == NULL || reader->epoll < 0)
        die("curl_multi_init", "cannot be set up");
    must_multi(
        curl_multi_setopt(reader->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish),
        "socket function");
    must_multi(curl_multi_setopt(reader->multi, CURLMOPT_SOCKETDATA, reader), "data");
    must_multi(curl_multi_setopt(reader->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish),
               "timer function");
    must_multi(curl_multi_setopt(reader->multi, CURLMOPT_TIMERDATA, reader), "data");
}

/* ---- the program ---- */

static long read_number(const char *text, long max)
{
    char *end = NULL;
    long number = strtol(text, &end, 10);

    if (*end != '\0' || number < 1 || number > max)
        die(text, "not a number that is allowed");
    return number;
}

static char *read_body(const char *path)
{
    char *body = calloc(1, BODY_MAX_BYTES + 1);
    FILE *file = fopen(path, "rb");
    size_t len;

    if (body == NULL || file == NULL)
        die(path, "cannot be read");
    len = fread(body, 1, BODY_MAX_BYTES, file);
    fclose(file);
    if (len == 0)
        die(path, "is empty");
    return body;
}

int main(int argc, char **argv)
{
    static struct reader reader;
    static struct stream streams[STREAMS_MAX];
    char *body;
    long count;
    long calls;
    int64_t cpu_us;
    int64_t began_us;

    if (argc != 5) {
        fprintf(stderr, "usage: reader URL STREAMS CALLS_EACH BODY_FILE\n");
        return 2;
    }
    count = read_number(argv[2], STREAMS_MAX);
    calls = read_number(argv[3], CALLS_MAX);
    body = read_body(argv[4]);
    must(curl_global_init(CURL_GLOBAL_DEFAULT), "curl_global_init");
    init_reader(&reader);
    for (long i = 0; i < count; i++)
        init_stream(&streams[i], argv[1], body);
    cpu_us = read_clock_us(CLOCK_PROCESS_CPUTIME_ID);
    began_us = read_clock_us(CLOCK_MONOTONIC);
    for (long i = 0; i < count; i++) {
        streams[i].reader = &reader;
        streams[i].calls_left = calls;
        reader.running++;
        begin(&streams[i]);
    }
    while (reader.running > 0)
        turn_once(&reader);
    printf("{\"cpu_us\":%lld,\"wall_us\":%lld,\"bytes\":%zu,\"calls\":%ld}\n",
           (long long)(read_clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_us),
           (long long)(read_clock_us(CLOCK_MONOTONIC) - began_us), reader.bytes,
           count * calls);
    for (long i = 0; i < count; i++)
        curl_easy_cleanup(streams[i].curl);
    must_multi(curl_multi_cleanup(reader.multi), "cleanup");
    curl_global_cleanup();
    close(reader.epoll);
    free(body);
    return 0;
}
