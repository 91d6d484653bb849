/* compare_command.h - `parley compare`: options, sources, the exit status. */
#ifndef PARLEY_COMPARE_COMMAND_H
#define PARLEY_COMPARE_COMMAND_H

/* argv without the program's name. Returns the exit status. */
int compare_command(int argc, char **argv);

#endif
