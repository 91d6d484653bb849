/* http_multi.c - libcurl's wishes (watch this socket, wake me then) as loop watchers.
 *
 * libcurl is never called from inside its own callbacks: those only set watchers.
 *
 * Flow: http_multi_add -> on_timer_wish -> on_timer -> on_socket_wish -> on_ready ...
 *       -> http_multi_next -> http_multi_remove
 */
#include "net/http_multi.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

/* Idle connections kept for later GETs; generations never use one twice. */
enum { IDLE_CONNECTIONS_MAX = 16 };

struct http_socket {
    struct loop_io io;
    struct http_multi *multi;
};

static void multi_act(struct http_multi *multi, curl_socket_t fd, int mask)
{
    int running = 0;
    CURLMcode code = curl_multi_socket_action(multi->curl, fd, mask, &running);

    /* What can fail here is calling it from inside a callback: our mistake. */
    assert(code == CURLM_OK);
    multi->acted = true;
}

static void on_timer(struct loop_timer *timer, void *owner)
{
    (void)timer;
    multi_act(owner, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wish(CURLM *curl, long wait_ms, void *owner)
{
    struct http_multi *multi = owner;

    (void)curl;
    if (wait_ms < 0)
        loop_timer_stop(&multi->timer);
    else
        loop_timer_start(&multi->timer, wait_ms);
    return 0;
}

static void on_ready(struct loop_io *io, int events, void *owner)
{
    struct http_socket *socket = owner;
    int mask = (events & LOOP_READ ? CURL_CSELECT_IN : 0)
               | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

    multi_act(socket->multi, io->fd, mask);
}

/* The watcher for a descriptor number, made when it is seen for the first time. */
static struct http_socket *socket_get(struct http_multi *multi, curl_socket_t fd)
{
    size_t at = (size_t)fd;
    size_t count = multi->socket_count;

    assert(fd >= 0);
    if (at >= count) {
        multi->socket_count = at + 32;
        multi->sockets = x_realloc(multi->sockets,
                                   multi->socket_count * sizeof(struct http_socket *));
        memset(multi->sockets + count, 0,
               (multi->socket_count - count) * sizeof(struct http_socket *));
    }
    if (!multi->sockets[at]) {
        multi->sockets[at] = x_calloc(1, sizeof(struct http_socket));
        multi->sockets[at]->multi = multi;
        loop_io_init(&multi->sockets[at]->io, multi->loop, on_ready,
                     multi->sockets[at]);
    }
    return multi->sockets[at];
}

static int on_socket_wish(CURL *easy, curl_socket_t fd, int what, void *owner,
                          void *socket_data)
{
    int events =
        (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

    (void)easy;
    (void)socket_data;
    if (what == CURL_POLL_REMOVE)
        events = 0;
    loop_io_watch(&socket_get(owner, fd)->io, fd, events);
    return 0;
}

static int on_close(void *owner, curl_socket_t fd)
{
    struct http_multi *multi = owner;

    if ((size_t)fd < multi->socket_count && multi->sockets[fd])
        loop_io_stop(&multi->sockets[fd]->io);
    return close(fd);
}

void http_multi_init(struct http_multi *multi, struct loop *loop)
{
    CURLMcode code = CURLM_OK;

    memset(multi, 0, sizeof(*multi));
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, x_malloc, free, x_realloc, x_strdup,
                             x_calloc)
        == CURLE_OK)
        multi->curl = curl_multi_init();
    if (!multi->curl)
        x_exhausted("libcurl cannot begin: out of memory or descriptors");
    multi->loop = loop;
    loop_timer_init(&multi->timer, loop, on_timer, multi);
    code = curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
    assert(code == CURLM_OK);
    code = curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
    assert(code == CURLM_OK);
    code = curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, on_timer_wish);
    assert(code == CURLM_OK);
    code = curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
    assert(code == CURLM_OK);
    code = curl_multi_setopt(multi->curl, CURLMOPT_MAXCONNECTS,
                             (long)IDLE_CONNECTIONS_MAX);
    assert(code == CURLM_OK);
}

void http_multi_done(struct http_multi *multi)
{
    CURLMcode code = curl_multi_cleanup(multi->curl);

    assert(code == CURLM_OK);
    loop_timer_stop(&multi->timer);
    for (size_t i = 0; i < multi->socket_count; i++) {
        if (multi->sockets[i])
            loop_io_stop(&multi->sockets[i]->io);
        free(multi->sockets[i]);
    }
    free(multi->sockets);
    memset(multi, 0, sizeof(*multi));
    curl_global_cleanup();
}

bool http_multi_bind(struct http_multi *multi, CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK
           && curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, multi) == CURLE_OK;
}

bool http_multi_add(struct http_multi *multi, CURL *easy)
{
    return curl_multi_add_handle(multi->curl, easy) == CURLM_OK;
}

void http_multi_remove(struct http_multi *multi, CURL *easy)
{
    CURLMcode code = curl_multi_remove_handle(multi->curl, easy);

    assert(code == CURLM_OK);
}

bool http_multi_next(struct http_multi *multi, CURL **ret_easy, CURLcode *ret_code)
{
    CURLMsg *message = NULL;
    int left = 0;

    while ((message = curl_multi_info_read(multi->curl, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        *ret_easy = message->easy_handle;
        *ret_code = message->data.result;
        return true;
    }
    multi->acted = false;
    return false;
}
