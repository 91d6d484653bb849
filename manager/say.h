/* say.h - the command `say`: a stage direction for all, or a whisper to one seat, put
 * into the transcript between the turns. The next turn that is asked for knows of it;
 * nobody is asked for a turn because of it.
 *
 * Flow: say_command -> the hash's `said` -> the message, numbered -> script
 *       -> another came first: `said` again
 */
#ifndef PARLEY_MANAGER_SAY_H
#define PARLEY_MANAGER_SAY_H

struct order;

/* Takes the order. Its arguments: {"kind": "event" or "whisper", "seat": null or the
 * whisper's, "text": ...}; what makes no sense is refused. */
void say_command(struct order *order_take);

#endif
