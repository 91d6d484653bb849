/* word_scan.c - see word_scan.h. */
#include "analyzer/word_scan.h"

#include "base/utf8.h"

/* FNV-1a. */
static const uint32_t hash_start = 0x811C9DC5;
static const uint32_t hash_step = 0x01000193;

struct letter {
    uint32_t point; /* in small */
    unsigned len;   /* bytes it takes */
    enum { IN_WORD, WORD_ALONE, NO_WORD } kind;
};

static uint32_t small(uint32_t point)
{
    if ((point >= 'A' && point <= 'Z') || (point >= 0xC0 && point <= 0xDE)
        || (point >= 0x391 && point <= 0x3A9) || (point >= 0x410 && point <= 0x42F))
        return point + 32;
    return point >= 0x400 && point <= 0x40F ? point + 80 : point;
}

/* Signs and blanks beyond ASCII, in broad ranges. */
static bool is_sign(uint32_t point)
{
    return point < 0xAA || point == 0xAB || (point >= 0xAC && point <= 0xB4)
           || (point >= 0xB6 && point <= 0xB9) || (point >= 0xBB && point <= 0xBF)
           || point == 0xD7 || point == 0xF7 || (point >= 0x2000 && point <= 0x2BFF)
           || (point >= 0x3000 && point <= 0x303F)
           || (point >= 0xFF00 && point <= 0xFF0F)
           || (point >= 0xFF1A && point <= 0xFF20) || point >= 0x1F000;
}

/* Kana, ideographs and their like: written without blanks. */
static bool is_alone(uint32_t point)
{
    return (point >= 0x3040 && point <= 0x30FF) || (point >= 0x3400 && point <= 0x9FFF)
           || (point >= 0xF900 && point <= 0xFAFF)
           || (point >= 0x20000 && point <= 0x3FFFD);
}

/* In small; 0: no letter and no digit. */
static const unsigned char ascii[128] = {
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5',
    ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['a'] = 'a', ['b'] = 'b',
    ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h',
    ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n',
    ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't',
    ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f',
    ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l',
    ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x',
    ['Y'] = 'y', ['Z'] = 'z',
};

static bool is_ascii_letter(unsigned char c)
{
    return c < 0x80 && ascii[c] != 0;
}

static struct letter letter_at(struct str text)
{
    struct letter letter = {.point = (unsigned char)text.at[0], .len = 1};

    if (letter.point < 0x80) {
        letter.kind = is_ascii_letter((unsigned char)letter.point) ? IN_WORD : NO_WORD;
    } else {
        letter.len = utf8_decode(text, &letter.point);
        if (letter.len == 0) /* no UTF-8: a sign */
            return (struct letter){.len = 1, .kind = NO_WORD};
        letter.kind = is_alone(letter.point)  ? WORD_ALONE
                      : is_sign(letter.point) ? NO_WORD
                                              : IN_WORD;
    }
    letter.point = small(letter.point);
    return letter;
}

static struct str behind(struct str text, size_t bytes)
{
    return str_make(text.at + bytes, text.len - bytes);
}

/* An end of a sentence: "." before a blank, a quote, a bracket or the end (not in 3.5),
 * and those of scripts without blanks wherever they stand. */
static bool ends_sentence(struct str text, const struct letter *sign)
{
    char next;

    if (sign->point == 0x3002 || sign->point == 0xFF01 || sign->point == 0xFF1F
        || sign->point == 0x2026)
        return true;
    if (sign->point != '.' && sign->point != '!' && sign->point != '?')
        return false;
    if (text.len == 1)
        return true;
    next = text.at[1];
    return !is_ascii_letter((unsigned char)next);
}

static bool is_apostrophe(uint32_t point)
{
    return point == '\'' || point == 0x2019;
}

/* The rest of a word whose first letter is in the hash. */
static uint32_t take_word(struct str *left, uint32_t hash)
{
    while (left->len > 0) {
        unsigned char c = (unsigned char)left->at[0];
        struct letter letter;
        struct str next;

        if (is_ascii_letter(c)) { /* nearly all are */
            hash = (hash ^ ascii[c]) * hash_step;
            *left = behind(*left, 1);
            continue;
        }
        letter = letter_at(*left);
        next = behind(*left, letter.len);

        /* An apostrophe belongs to the word when a letter follows: it's. */
        if (is_apostrophe(letter.point)
            && (next.len == 0 || letter_at(next).kind != IN_WORD))
            break;
        if (letter.kind != IN_WORD && !is_apostrophe(letter.point))
            break;
        if (letter.kind == IN_WORD)
            hash = (hash ^ letter.point) * hash_step;
        *left = next;
    }
    return hash;
}

bool word_scan_next(struct word_scan *scan, uint32_t *ret_hash)
{
    while (scan->left.len > 0) {
        struct letter letter = letter_at(scan->left);
        uint32_t hash = (hash_start ^ letter.point) * hash_step;

        if (letter.kind == NO_WORD) {
            if (scan->open && ends_sentence(scan->left, &letter)) {
                scan->sentences++;
                scan->open = false;
            }
            scan->left = behind(scan->left, letter.len);
            continue;
        }
        scan->left = behind(scan->left, letter.len);
        if (letter.kind == IN_WORD)
            hash = take_word(&scan->left, hash);
        scan->open = true;
        *ret_hash = hash == 0 ? 1 : hash;
        return true;
    }
    scan->sentences += scan->open;
    scan->open = false;
    return false;
}
