/* program.c - see program.h. */
#include "net/program.h"

#include <curl/curl.h>
#include <ev.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/version.h"
#include "net/redis_error.h"

enum { PASSWORD_MAX_BYTES = 4096 };
#define TEXT(x)     #x
#define TEXT_OF(x)  TEXT(x)
#define DEFAULT_URL "redis://127.0.0.1:6379"

/* What Redis itself said tells enough: then it is there. */
static const char *redis_hint(const struct err *err)
{
    enum redis_class said = redis_class_of(str_of(err->msg));

    if (err->code != ERR_REDIS)
        return "";
    if (redis_class_refuses_writes(said))
        return " (Redis is there, but takes no writes)";
    return said == REDIS_CLASS_OTHER
               ? " (start a redis-server there, or name another with --redis URL)"
               : "";
}

static void register_versions(void)
{
    version_add("libev", TEXT_OF(EV_VERSION_MAJOR) "." TEXT_OF(EV_VERSION_MINOR));
    version_add("hiredis", TEXT_OF(HIREDIS_MAJOR) "." TEXT_OF(
                               HIREDIS_MINOR) "." TEXT_OF(HIREDIS_PATCH));
    version_add("libcurl", curl_version_info(CURLVERSION_NOW)->version);
    version_add("jansson", JANSSON_VERSION);
    version_add("libmicrohttpd", MHD_get_version());
}

static void tell_warnings(const struct config_loaded *loaded)
{
    struct str rest = str_of(loaded->warnings);

    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);

        log_warn("config", "%.*s", (int)line.len, line.at);
    }
}

static int run(const struct program *program, const struct config_loaded *loaded,
               char **words, struct err *err)
{
    if (loaded->rest > 0 && !program->takes_words) {
        err_set(err, ERR_USAGE, "'%s' is one word too many (--help tells the options)",
                log_safe(str_of(words[0])));
        return err_exit_status(err);
    }
    tell_warnings(loaded);
    fault_point("start");
    return program->run(loaded, words, err);
}

int program_main(const struct program *program, int argc, char **argv)
{
    struct config_loaded loaded;
    struct err err = {0};
    int status = 0;

    /* A document that could not be read for want of memory would pass for a bad one. */
    json_set_alloc_funcs(x_malloc, free);
    register_versions();
    if (!fault_arm(&err)) {
        fprintf(stderr, "%s: %s\n", program->use.name, err.msg);
        return err_exit_status(&err);
    }
    switch (config_load(&program->use, argc, argv, &loaded, &err)) {
    case CONFIG_GO:
        status = run(program, &loaded, argv, &err);
        break;
    case CONFIG_OVER:
        break;
    case CONFIG_BAD:
        status = err_exit_status(&err);
        break;
    }
    if (err.code != ERR_NONE)
        fprintf(stderr, "%s: %s%s\n", program->use.name, err.msg, redis_hint(&err));
    config_done(&loaded);
    if (fflush(stdout) != 0 && status == 0)
        status = 1; /* what was printed did not arrive */
    return status;
}

void program_ready(void)
{
    const char *text = getenv("PARLEY_READY_FD");
    int64_t fd;

    if (text == NULL || !str_to_i64(str_of(text), STDERR_FILENO + 1, INT_MAX, &fd))
        return;
    if (write((int)fd, "ready\n", 6) < 0)
        log_debug("program", "nobody waits to hear that we are ready");
    (void)close((int)fd); /* whatever it was: it is not needed any more */
    (void)unsetenv("PARLEY_READY_FD");
}

static bool read_password(const char *path, char **ret_password, struct err *err)
{
    struct buf text;
    struct str rest;
    struct str line;
    bool ok;

    buf_init(&text, PASSWORD_MAX_BYTES);
    ok = file_slurp(path, &text, err);
    if (ok) {
        line = str_trim(str_cut(buf_str(&text), '\n', &rest));
        *ret_password = x_memdup(line.at, line.len);
    } else {
        err->code = ERR_USAGE;
        err_wrap(err, "--redis-password-file");
    }
    buf_done(&text);
    return ok;
}

bool program_redis_target(const struct config_loaded *loaded,
                          struct redis_target *ret_target, struct err *err)
{
    const char *password_file = loaded->values.redis_password_file;
    char *url = config_redis_url(loaded);
    struct redis_target target = {0};
    bool ok = redis_target_parse(url == NULL ? DEFAULT_URL : url, &target, err);

    if (!ok)
        err_wrap(err, "--redis");
    if (ok && password_file != NULL) {
        free(target.password);
        target.password = NULL;
        ok = read_password(password_file, &target.password, err);
    }
    if (ok)
        *ret_target = target;
    else
        redis_target_done(&target);
    free(url);
    return ok;
}

void program_redis_silent(const struct redis_target *target, struct err *ret_err)
{
    char *url = redis_target_text(target);

    err_set(ret_err, ERR_REDIS, "%s: Redis does not answer", url);
    free(url);
}
