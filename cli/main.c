/* main.c - parley: the front door. One row a command; programs of their own are handed
 * over to. */
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/fault_points.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/fleet.h"
#include "cli/run.h"
#include "cli/sibling.h"
#include "net/program.h"
#include "proto/keys.h"

struct command {
    const char *name;
    const char *summary;
    const char *sibling;    /* the program that does it, or NULL: */
    struct program program; /* done here */
};

static const struct command commands[] = {
    {"run",
     "start a conversation, watch it, and see what it cost",
     NULL,
     {{FOR_RUN, "parley run", "[options]",
       "Starts a private Redis, a manager and a worker a seat; shows the\n"
       "conversation; ends with the analysis. All of it stays in the run's folder.\n"
       "\n"
       "  parley run --simulate --topic 'who repairs the clock' --turns 12\n"
       "  parley run --duration 5m --model llama3.2 --model 2=qwen2.5:7b\n"
       "  parley run --story scene.json --turns 20 --out my-run\n"
       "  parley run --dry-run --conversations 50 --concurrency 16 --turns 20\n"
       "\n"
       "Ctrl-C ends after the turn in flight, twice: at once. Exit status: 0 done, 1\n"
       "a conversation failed, 2 a wrong option, 3 no Redis, 4 no model server, 130\n"
       "Ctrl-C."},
      false,
      run_command}},
    {"start",
     "start conversations on a running fleet; prints their ids",
     NULL,
     {{FOR_START, "parley start", "[options]",
       "Asks the fleet's manager for conversations and prints their ids. Without a "
       "live\n"
       "manager: exit status 1 after 5 s, and the command is void.\n"
       "\n"
       "  parley start --topic 'who repairs the clock' --turns 6"},
      false,
      command_start}},
    {"stop",
     "end conversations",
     NULL,
     {{FOR_CONTROL | FOR_STOP, "parley stop", "ID ... [--after-turn]",
       "Ends the conversations at once; with --after-turn the turn in flight has its\n"
       "grace."},
      true,
      command_stop}},
    {"pause",
     "pause conversations: no further turn is asked for",
     NULL,
     {{FOR_CONTROL | FOR_PAUSE, "parley pause", "ID ... [--cancel]",
       "The turn in flight is finished; the clock stands until `parley resume`. With\n"
       "--cancel that turn is dropped at once, so that its model server is free, and\n"
       "asked for again at resume."},
      true,
      command_pause}},
    {"resume",
     "let paused conversations go on",
     NULL,
     {{FOR_CONTROL, "parley resume", "ID ...", "Goes on where `parley pause` stopped."},
      true,
      command_resume}},
    {"say",
     "tell a conversation's speakers something, or whisper it to one",
     NULL,
     {{FOR_CONTROL | FOR_SAY, "parley say", "ID [--to SEAT] TEXT",
       "Puts a line between the turns that whoever speaks next knows of: all of\n"
       "them, or the one seat of --to, and then none of the others. Takes no turn.\n"
       "Words of TEXT need no quotes; -- before one that begins with a dash.\n"
       "\n"
       "  parley say k3v9q2m4x7ab --to 2 'Ada has the key in her pocket.'"},
      true,
      command_say}},
    {"inject",
     "let something happen in a conversation: all see it",
     NULL,
     {{FOR_CONTROL, "parley inject", "ID TEXT",
       "A stage direction between the turns, the same as `parley say` to all.\n"
       "\n"
       "  parley inject k3v9q2m4x7ab 'The lamp goes out.'"},
      true,
      command_inject}},
    {"list",
     "the conversations and how far they are",
     NULL,
     {{FOR_CONTROL, "parley list", "[--json]",
       "A row a conversation; --json: one object a line."},
      false,
      command_list}},
    {"status",
     "who is at work: managers, workers, conversations",
     NULL,
     {{FOR_CONTROL, "parley status", "[--json]",
       "Members of the fleet; who leads, what waits, whether Redis takes writes and\n"
       "what it keeps when it dies; then the conversations."},
      false,
      command_status}},
    {"persona",
     "who takes part in a conversation, with which model, how far",
     NULL,
     {{FOR_CONTROL, "parley persona", "ID [--json]",
       "A row a persona: its model and endpoint, turns and tokens, the last time to "
       "the\n"
       "first token, and what part of the context its last prompt took."},
      true,
      command_persona}},
    {"performance",
     "what the model servers have done: calls, times, tokens, cost",
     NULL,
     {{FOR_PERFORMANCE, "parley performance", "[--since TIME] [--verbose] [--json]",
       "By endpoint and model, from the calls that Redis still has (an hour): how "
       "many\n"
       "were made and how they ended, times to the first token and in all, tokens, "
       "cost,\n"
       "cache hits, further attempts, and why calls went where they went.\n"
       "\n"
       "  parley performance --since 10m"},
      false,
      command_performance}},
    {"hybrid",
     "which turns go to the cloud: on, off, auto; on a running fleet",
     NULL,
     {{FOR_CONTROL, "parley hybrid", "[on|off|auto]",
       "For fleets with --strategy hybrid. on: marked turns go to the cloud; auto:\n"
       "also those that the rules say; off: none. Holds for all shards, until it is\n"
       "set again. Without a word: shows what was set."},
      true,
      command_hybrid}},
    {"dead",
     "turns given up as workers died of them: list, show, retry, drop",
     NULL,
     {{FOR_CONTROL, "parley dead",
       "list | show ID | retry ID ... | drop ID ... [--json]",
       "A turn that was delivered more than five times without an answer is given\n"
       "up: its conversation ends `failed` (or goes on with an empty turn), its\n"
       "record stays here for seven days. retry asks for the turn again and the\n"
       "conversation goes on with the time it had left; drop forgets the record.\n"
       "--json: one object a line, of list and show.\n"
       "\n"
       "  parley dead list\n"
       "  parley dead retry 1769855400123-0"},
      true,
      command_dead}},
    {"clean",
     "remove what has ended, once there is a copy of it",
     NULL,
     {{FOR_CLEAN, "parley clean", "[ID ...] [--older-than TIME] [--dry-run]",
       "Removes conversations that ended long enough ago from Redis, each after its\n"
       "export to a folder of its own; ids that are given, whenever they ended. What\n"
       "could not be exported stays. On a terminal it asks first.\n"
       "\n"
       "  parley clean --older-than 12h --out old\n"
       "  parley clean --runs            folders of old runs; the newest stays, and\n"
       "                                 all that go on"},
      true,
      command_clean}},
    {"observe",
     "watch conversations of a running fleet",
     "observer",
     {{0}, false, NULL}},
    {"replay", "watch a recorded run", "observer", {{0}, false, NULL}},
    {"analyze", "token rates and latencies of a run", "analyzer", {{0}, false, NULL}},
    {"compare",
     "runs beside each other, with what may be chance",
     "analyzer",
     {{0}, false, NULL}},
    {"export",
     "conversations in other forms: text, HTML, CSV, training data",
     "analyzer",
     {{0}, false, NULL}},
    {"manager", "one manager alone, for fleets", "manager", {{0}, false, NULL}},
    {"worker", "one worker alone, for fleets", "worker", {{0}, false, NULL}},
    {"simulate", "a model server without a model", "simulator", {{0}, false, NULL}},
    {"models",
     "what each model server has",
     NULL,
     {{FOR_ASK, "parley models", "[ENDPOINT] [--json]",
       "Asks every endpoint of the config file, and the built-in ones that are in\n"
       "use; tells which of their models are loaded, where a server says so. Exit\n"
       "status 4 when none answers.\n"
       "\n"
       "  parley models --ollama http://box:11434"},
      true,
      command_models}},
    {"test",
     "one small call of each model server, and what was seen of it",
     NULL,
     {{FOR_ASK, "parley test", "[ENDPOINT] [--json]",
       "Makes one real call of every endpoint that `parley models` would ask, and "
       "tells\n"
       "each as it ends: times, tokens, window, the server's version. What is wrong "
       "is\n"
       "one line that says what to write instead (docs/servers_howto.md), with exit\n"
       "status 4; where a URL leads to no API, its host is searched for one.\n"
       "\n"
       "  parley test --openai http://127.0.0.1:1234/v1 --provider openai\n"
       "  parley test cloud --config parley.json"},
      true,
      command_test}},
    {"check-config",
     "check options and config file, start nothing",
     NULL,
     {{FOR_CHECK, "parley check-config", "[--config FILE] [options]",
       "Checks the options of all commands, and that each seat has a model server to\n"
       "ask, without asking any. Warns of what is allowed and hardly meant: keys that\n"
       "are not there, marks that nothing heeds. --show-config prints each value and\n"
       "where it is from; `parley test` asks the servers."},
      false,
      command_check_config}},
};
enum { COMMANDS = sizeof commands / sizeof *commands, EXIT_USAGE = 2 };

static void print_usage(FILE *to)
{
    fprintf(to, "parley - conversations between language models\n"
                "\n"
                "Usage: parley COMMAND [options]\n"
                "\n"
                "  parley run --simulate          try it now, without a model\n"
                "  parley run --duration 5m       five minutes with Ollama's llama3.2\n"
                "\n"
                "Commands (each has --help):\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-13s %s\n", commands[i].name, commands[i].summary);
    fprintf(to, "\n  --version     versions of parley and its libraries\n");
}

static int version(void)
{
    static const struct program program = {
        {FOR_CHECK, "parley", "", ""}, false, command_check_config};
    char word[] = "--version";
    char *words[] = {word, NULL};

    return program_main(&program, 1, words);
}

static int fault_points(void)
{
    if (FAULTS_BUILT)
        return fault_points_print(stdout) ? 0 : 1;
    fprintf(stderr, "parley: this build has no fault points (make VARIANT=faults)\n");
    return EXIT_USAGE;
}

/* `parley replay --speed 8 RUN` is `parley observe --replay=- --speed 8 RUN`. Returns
 * only when it failed. */
static bool exec_replay(const char *sibling, int argc, char **argv, struct err *err)
{
    struct word_list words = {.words = NULL};
    bool ok;

    word_list_add(&words, "%s", argv[0]);
    word_list_add(&words, "--replay=-");
    for (int i = 2; i < argc; i++)
        word_list_add(&words, "%s", argv[i]);
    ok = sibling_exec(sibling, words.words, err);
    word_list_free(&words);
    return ok;
}

/* A conversation's id that is no file here, or --from-redis: what a program is to read
 * stands in Redis. */
static bool asks_redis(char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, "--from-redis") == 0
            || (conversation_id_valid(str_of(*words)) && !file_exists(*words)))
            return true;
    return false;
}

static int run_named(const struct command *command, int argc, char **argv)
{
    struct err err = {0};
    bool ok;

    if (command->sibling == NULL)
        return program_main(&command->program, argc - 2, argv + 2);
    if (strcmp(command->name, "observe") == 0 || asks_redis(argv + 2))
        fleet_offer_run(argv + 2);
    ok = strcmp(command->name, "replay") == 0
             ? exec_replay(command->sibling, argc, argv, &err)
             : sibling_exec(command->sibling, argv + 1, &err);
    if (!ok)
        fprintf(stderr, "parley: %s\n", err.msg);
    return err_exit_status(&err);
}

static int no_command(const char *word)
{
    struct nearest nearest = nearest_to(str_of(word));

    for (size_t i = 0; i < COMMANDS; i++)
        nearest_try(&nearest, commands[i].name);
    fprintf(stderr, "parley: there is no command '%s'%s%s%s\n", log_safe(str_of(word)),
            nearest.name == NULL ? " (parley --help lists them)" : ", did you mean ",
            nearest.name == NULL ? "" : nearest.name, nearest.name == NULL ? "" : "?");
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0
        || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0)
        return version();
    if (strcmp(argv[1], "--fault-points") == 0)
        return fault_points();
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run_named(&commands[i], argc, argv);
    return no_command(argv[1]);
}
