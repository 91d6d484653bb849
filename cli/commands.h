/* commands.h - the short-lived commands, most of them on a running fleet. Each returns
 * the exit status; err tells why when it is not 0. */
#ifndef PARLEY_COMMANDS_H
#define PARLEY_COMMANDS_H

#include "base/err.h"
#include "proto/config.h"

int command_start(const struct config_loaded *loaded, char **words, struct err *err);
int command_stop(const struct config_loaded *loaded, char **words, struct err *err);
int command_pause(const struct config_loaded *loaded, char **words, struct err *err);
int command_resume(const struct config_loaded *loaded, char **words, struct err *err);
int command_say(const struct config_loaded *loaded, char **words, struct err *err);
int command_inject(const struct config_loaded *loaded, char **words, struct err *err);
int command_list(const struct config_loaded *loaded, char **words, struct err *err);
int command_status(const struct config_loaded *loaded, char **words, struct err *err);
int command_models(const struct config_loaded *loaded, char **words, struct err *err);
int command_test(const struct config_loaded *loaded, char **words, struct err *err);
int command_dead(const struct config_loaded *loaded, char **words, struct err *err);
int command_hybrid(const struct config_loaded *loaded, char **words, struct err *err);
int command_persona(const struct config_loaded *loaded, char **words, struct err *err);
int command_performance(const struct config_loaded *loaded, char **words,
                        struct err *err);
int command_clean(const struct config_loaded *loaded, char **words, struct err *err);
int command_check_config(const struct config_loaded *loaded, char **words,
                         struct err *err);

#endif
