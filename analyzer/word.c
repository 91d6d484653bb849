/* word.c - see word.h. */
#include "analyzer/word.h"

#include <string.h>

void word_copy(struct str text, char ret_word[WORD_SIZE])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

    if (text.len == 0 || text.len >= WORD_SIZE)
        text = str_of("other");
    for (size_t i = 0; i < text.len; i++)
        if (memchr(letters, text.at[i], sizeof letters - 1) == NULL)
            text = str_of("other");
    memcpy(ret_word, text.at, text.len);
    ret_word[text.len] = '\0';
}
