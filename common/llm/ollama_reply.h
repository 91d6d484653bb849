/* ollama_reply.h - what an Ollama server says, line by line. Pure: lines in, text and
 * counts out.
 *
 * Each line is one JSON object (docs/api.md of the Ollama project): `message.content`
 * and `message.thinking` are pieces of text, `error` ends the reply badly, `done` true
 * ends it well and brings the counts, which are absent where the server has none.
 * Unknown keys are ignored; null counts as absent.
 */
#ifndef PARLEY_LLM_OLLAMA_REPLY_H
#define PARLEY_LLM_OLLAMA_REPLY_H

#include "llm/reply.h"

/* Takes one line. False when nothing more is to come: the end marker (`done`, with or
 * without an error) or a failure. What the line added stands at the end of `text`. */
bool ollama_reply_line(struct reply *reply, struct str line);
/* The stream has ended, with `rest` behind its last line end. Without an end marker
 * the reply is truncated; `broken` says how the connection broke, "" if it did not. */
void ollama_reply_end(struct reply *reply, struct str rest, const char *broken);

#endif
