/* fault_points.c - see fault_points.h. The scripts' points are made of the scripts that
 * are built in, so that a new script has its three at once. */
#include "base/fault_points.h"

#include <string.h>

#include "base/embedded.h"
#include "base/str.h"

#define SCRIPTS "common/scripts/"

/* clang-format off */
static const struct fault_place named[] = {
    {"start",           "the options are read, nothing is connected", false, false},
    {"start.connected", "the connection for commands is ready", false, false},
    {"start.ready",     "the process holds its name", false, false},
    {"redis.connect",   "a connection to Redis is about to be made", true, false},
    {"redis.hello",     "a reply to the greeting is here", false, true},
    {"redis.teach",     "Redis does not know a script, it is about to be sent whole", false, true},
    {"redis.read",      "something can be read from Redis", false, true},
    {"http.sent",       "a model server is connected, the request is about to go", false, true},
    {"http.head",       "the head of a server's answer is here", false, true},
    {"worker.look",     "a worker is about to read its lane", false, false},
    {"worker.read",     "a new request was delivered, nothing is done with it", false, false},
    {"worker.claimed",  "another's request was taken over", false, false},
    {"worker.prompt",   "the prompt is made, no server is asked for", false, false},
    {"worker.call",     "a model call begins", false, false},
    {"worker.stream",   "a piece of the reply has come", false, false},
    {"worker.reply",    "the reply is whole, nothing is committed", false, false},
    {"worker.recorded", "the call's record is on its way", false, false},
    {"worker.settled",  "the turn is over, the next is not read", false, false},
    {"manager.read",    "a response or a command was delivered", false, false},
    {"manager.claimed", "a response another manager had read was taken over", false, false},
    {"manager.story",   "a story is written, nothing of it is stored", false, false},
    {"manager.begin",   "a conversation is about to begin", false, false},
    {"manager.due",     "a conversation is due to be looked at", false, false},
    {"manager.lead",    "the leadership was won, nothing is recovered", false, false},
    {"record.write",    "a run's recorder is about to write a line", true, false},
    {"analyze.write",   "a report is made and about to be written", false, false},
};
/* clang-format on */
enum { NAMED = sizeof named / sizeof *named, STAGES = 3 };

static const struct fault_place stages[STAGES] = {
    {"before", "about to be put in the queue for Redis", true, true},
    {"sent", "its bytes were all given to the kernel", false, true},
    {"answered", "the reply is here, nobody has been told", false, true},
};

/* "commit" of the script's file; 0: it is no script. */
static size_t script_name_len(const char *path)
{
    if (strncmp(path, SCRIPTS, strlen(SCRIPTS)) != 0)
        return 0;
    return strcspn(path + strlen(SCRIPTS), ".");
}

static bool script_place(size_t i, struct fault_place *ret_place)
{
    for (size_t f = 0; f < embedded_count; f++) {
        const char *path = embedded_files[f].name;
        size_t len = script_name_len(path);

        if (len == 0)
            continue;
        if (i < STAGES) {
            *ret_place = stages[i];
            fmt_into(ret_place->name, sizeof ret_place->name, "%.*s.%s", (int)len,
                     path + strlen(SCRIPTS), stages[i].name);
            return true;
        }
        i -= STAGES;
    }
    return false;
}

bool fault_points_get(size_t i, struct fault_place *ret_place)
{
    if (i >= NAMED)
        return script_place(i - NAMED, ret_place);
    *ret_place = named[i];
    return true;
}

bool fault_points_find(const char *name, struct fault_place *ret_place)
{
    struct fault_place place;

    for (size_t i = 0; fault_points_get(i, &place); i++) {
        if (strcmp(place.name, name) == 0) {
            *ret_place = place;
            return true;
        }
    }
    return false;
}

static void print_place(FILE *to, const char *before, const struct fault_place *place)
{
    static const char *const also[] = {"", "fail", "cut", "fail, cut"};

    fprintf(to, "| `%s%s` | %s | %s |\n", before, place->name, place->where,
            also[place->fails + 2 * place->cuts]);
}

bool fault_points_print(FILE *to)
{
    fprintf(to, "| point | what has just happened | also |\n|---|---|---|\n");
    for (size_t i = 0; i < NAMED; i++)
        print_place(to, "", &named[i]);
    for (size_t i = 0; i < STAGES; i++)
        print_place(to, "SCRIPT.", &stages[i]);
    fprintf(to, "\nSCRIPT is one of:");
    for (size_t f = 0; f < embedded_count; f++) {
        size_t len = script_name_len(embedded_files[f].name);

        if (len > 0)
            fprintf(to, " %.*s", (int)len, embedded_files[f].name + strlen(SCRIPTS));
    }
    fprintf(to, "\n");
    return fflush(to) == 0;
}
