/* term_keys.h - the bytes a terminal sends, taken apart into keys. Pure.
 *
 * Knows the sequences that terminfo names for the terminal and those that nearly all
 * terminals send (ECMA-48, xterm's "PC-style function keys", SGR mouse reports of mode
 * 1006). A sequence nobody knows is swallowed whole, so that its letters are not taken
 * for keys. An ESC with nothing behind it is the key Esc once the time for its rest is
 * over (term_keys_flush). What is pasted comes in brackets (xterm's mode 2004) and is
 * told apart from what is typed: no sequence in it is a key.
 */
#ifndef PARLEY_TERM_KEYS_H
#define PARLEY_TERM_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { TERM_KEYS_NAMED_MAX = 16, TERM_KEYS_HELD_MAX = 64 };

enum term_mouse { TERM_CLICK, TERM_WHEEL_UP, TERM_WHEEL_DOWN };

struct term_keys {
    struct {
        char bytes[16];
        int key; /* of keymap.h */
    } named[TERM_KEYS_NAMED_MAX];
    size_t named_count;
    char held[TERM_KEYS_HELD_MAX]; /* the start of something */
    size_t held_len;
    bool swallowing; /* a sequence longer than `held`, up to its end */
    bool pasting;    /* between ESC [200~ and ESC [201~ */
    void (*on_key)(void *owner, int key);
    void (*on_paste)(void *owner, int key); /* a character, or KEY_RETURN, KEY_TAB */
    void (*on_mouse)(void *owner, enum term_mouse what, unsigned row, unsigned col);
    void *owner;
};

void term_keys_init(struct term_keys *keys);
/* A sequence that terminfo names; NULL, too long or one too many: not known then. */
void term_keys_name(struct term_keys *keys, const char *bytes, int key);
void term_keys_feed(struct term_keys *keys, struct str bytes);
/* Something is held that may go on or not, or a paste has not ended: flush it when
 * nothing came for a while. */
bool term_keys_waiting(const struct term_keys *keys);
void term_keys_flush(struct term_keys *keys);

#endif
