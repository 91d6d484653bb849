/* runs.h - where a user's runs are kept. */
#ifndef PARLEY_RUNS_H
#define PARLEY_RUNS_H

/* "<state>/parley/runs", the state's folder being XDG_STATE_HOME where that is an
 * absolute path, else ~/.local/state. NULL: neither is known. Caller frees. */
char *runs_folder(void);
/* What a user means by a word: a path that is there, else a run of that name. NULL:
 * there is neither. Without a word (NULL or ""): the latest run. Caller frees. */
char *runs_find(const char *word);

#endif
