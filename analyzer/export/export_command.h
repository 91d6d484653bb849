/* export_command.h - `parley export`: options, source, the words on stderr. */
#ifndef PARLEY_EXPORT_COMMAND_H
#define PARLEY_EXPORT_COMMAND_H

/* argv without the program's name. Returns the exit status. */
int export_command(int argc, char **argv);

#endif
