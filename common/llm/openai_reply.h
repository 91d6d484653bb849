/* openai_reply.h - what a server of the OpenAI API says, event by event. Pure: events
 * in, text and counts out.
 *
 * Each event's data is a chunk, a JSON object: `choices[0].delta.content` is a piece of
 * text, `reasoning_content` or `reasoning` a piece of thinking, `finish_reason` the
 * model's end, `usage` the counts (in the last chunk, in one of its own, or never), and
 * `error` the bad end. "[DONE]" is no JSON: it ends the stream. Some servers leave out
 * the finish reason and some the "[DONE]"; either of them is an end, neither is none.
 */
#ifndef PARLEY_LLM_OPENAI_REPLY_H
#define PARLEY_LLM_OPENAI_REPLY_H

#include "llm/reply.h"
#include "proto/sse.h"

/* Takes one event. False when nothing more is to come: "[DONE]" or a failure. What it
 * added stands at the end of `text`. */
bool openai_reply_event(struct reply *reply, const struct sse_event *event);
/* The stream has ended within this event, which may be whole or not. */
void openai_reply_rest(struct reply *reply, const struct sse_event *event);
/* The whole answer is this document, not a stream. */
void openai_reply_document(struct reply *reply, struct str document);
/* The stream has ended: the reply is done, or truncated; as reply_cut. */
void openai_reply_end(struct reply *reply, const char *broken);

#endif
