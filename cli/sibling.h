/* sibling.h - the other programs: they lie beside this one. */
#ifndef PARLEY_SIBLING_H
#define PARLEY_SIBLING_H

#include "base/err.h"
#include "proto/config.h"

/* "<folder of this program>/parley-<name>"; caller frees. */
MUST_USE bool sibling_path(const char *name, char **ret_path, struct err *err);
/* Becomes that program; returns only when that fails. argv: its words, NULL behind. */
bool sibling_exec(const char *name, char **argv, struct err *err);

/* A growing list of words for a program's start. */
struct word_list {
    char **words; /* owned, NULL at the end */
    size_t count;
};
void word_list_add(struct word_list *list, const char *format, ...) PRINTF_LIKE(2, 3);
/* "--flag=value" for each option that was given and that `command` takes. */
void word_list_add_options(struct word_list *list, const struct config_loaded *loaded,
                           unsigned command);
void word_list_free(struct word_list *list);

#endif
