"""Texts that would do harm on a terminal, in a page or in a table, by seed; and what to look for.

`texts(count)` are Unicode texts, for JSON; `byte_texts(count)` moreover have what is no UTF-8.
Whoever shows them proves it with `assert_text_harmless` (pipes and files) or
`assert_terminal_harmless` (a terminal's bytes: only sequences that the observer means).
"""
import random
import re

COUNT = 10000
# Each would be seen at work: a colour, a place, a title, a clipboard that the observer never uses.
SEQUENCES = [
    "\x1b[31;5m", "\x1b[999;999H", "\x1b[2K", "\x1b[?47h", "\x1b[?1000h", "\x1b[6n", "\x1b[c",
    "\x1bc", "\x1b7\x1b8", "\x1b#8", "\x1b(0", "\x1b[?1049l", "\x1b[!p", "\x1b[20h", "\x1b[4i",
    "\x1b]0;owned\x07", "\x1b]2;owned\x1b\\", "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1b]52;c;cm0gLXJmIC8=\x1b\\", "\x1b]8;;http://bad.example\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]8;;file:///etc/passwd\x07here\x1b]8;;\x07", "\x1b]1337;File=:AAAA\x07",
    "\x1b]4;1;?\x07", "\x1b]104\x07", "\x1b]50;?\x07", "\x1bP$q\"p\x1b\\", "\x1bP+q544e\x1b\\",
    "\x1bPq#0;2;0;0;0~\x1b\\", "\x1b_Gf=24;AAAA\x1b\\", "\x1b_tmux\x1b\\", "\x1b^private\x1b\\",
    "\x1bXstring\x1b\\", "\x1b]52;c;unterminated", "\x1bP unterminated", "\x1b_ unterminated",
    "\x1b[31", "\x1b[", "\x1b", "\x1b\x1b[A", "\x1b[38;2;", "\x9b31m", "\x9b999;999H",
    "\x9d0;owned\x9c", "\x9d52;c;AAAA\x07", "\x90q\x9c", "\x9f APC \x9c", "\x9e PM \x9c",
    "\x98 SOS \x9c", "\x85", "\x8d", "\x84", "\x88",
]
CONTROLS = [chr(point) for point in [*range(0x20), *range(0x7f, 0xa0)]]
# Unseen or turning the line about: bidi, zero width, tags, separators, fillers.
UNSEEN = [chr(point) for point in [
    0x61c, 0x200b, 0x200c, 0x200e, 0x200f, *range(0x202a, 0x202f), *range(0x2060, 0x2065),
    *range(0x2066, 0x206a), 0x206a, 0x2028, 0x2029, 0xfeff, 0xfff9, 0xe0001, 0xe0041, 0xe007f,
    0xad, 0x180e]]
JOINED = ["\u200d", "\u200d\u200d", "\ufe0f", "\ufe0e", "e" + "\u0301" * 30, "\u0301", "\u20e3",
          "\U0001f1e9", "\U0001f3fd", "\U0001f468\u200d", "\u1100\u1161\u11a8", "\u0e33", "\ufdfd"]
PLAIN = ["word", "日本語", "👩‍🚀", "=1+1", "@SUM(A1)", "-2", "+3", "\tcmd", "<script>alert(1)</script>",
         "\"quoted\"", "'", "a,b;c", "&amp;", "]]>", "${7*7}", "%n%s", "\\x1b[31m", "\\u001b[31m",
         "{{7}}", "`id`", "| cell |", "](http://bad.example)", "javascript:alert(1)", "\ud7ff", "\ufffd"]
# What is no UTF-8: C1 raw, overlong, halves of pairs, too large, cut off.
BROKEN = [b"\x9b31m", b"\x9d0;owned\x9c", b"\x90q\x9c", b"\xc0\x9b31m", b"\xe0\x80\x9b31m",
          b"\xc1\x9b", b"\xf0\x80\x80\x9b", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80",
          b"\xf8\x88\x80\x80\x80", b"\xff\xfe", b"\xe2\x80", b"\xf0\x9f\x92", b"\xc3", b"\x80",
          b"\xc2\x1b[31m", b"\xe2\x1b]0;owned\x07"]


def _pieces(dice):
    kind = dice.random()
    if kind < 0.45:
        return dice.choice(SEQUENCES)
    if kind < 0.6:
        return dice.choice(CONTROLS)
    if kind < 0.75:
        return dice.choice(UNSEEN)
    if kind < 0.85:
        return dice.choice(JOINED)
    return dice.choice(PLAIN)


def texts(count, seed=1):
    """That many Unicode texts, always the same; each kind of piece alone comes first."""
    alone = [*SEQUENCES, *CONTROLS, *UNSEEN, *JOINED, *PLAIN]
    dice = random.Random(seed)
    for number in range(count):
        if number < len(alone):
            yield alone[number]
            continue
        yield "".join(_pieces(dice) + dice.choice(["", "", " ", "x", "語"])
                      for _ in range(dice.randint(1, 6)))


def byte_texts(count, seed=1):
    """The same as bytes, every other with something broken put in somewhere."""
    dice = random.Random(seed + 1)
    for number, text in enumerate(texts(count, seed)):
        data = text.encode()
        if number % 2 == 1:
            at = dice.randint(0, len(data))
            data = data[:at] + dice.choice(BROKEN) + data[at:]
        yield data


# What must be seen as itself nowhere: it moves a cursor, cannot be seen, or turns the line about.
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e"
                     "\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
# A pen, a place, a frame, the terminal as it was found; nothing else is the observer's.
MEANT = re.compile(r"\x1b\[0(;[0-9]+)*m|\x1b\[(?P<row>[0-9]+);(?P<col>[0-9]+)H|\x1b\[[0-9]+G|\x1b\[H"
                   r"|\x1b\[2?J|\x1b\[\?(1|7|25|1049|2004|2026)[hl]|\x1b[=>]"
                   r"|\x1b\[2[23];0;0t|\x1b\[m")


def assert_text_harmless(text):
    found = HARMFUL.search(text)
    assert not found, repr(text[max(0, found.start() - 60):found.end() + 60])


def assert_terminal_harmless(data, rows=24, cols=80):
    """data: all the bytes that reached a terminal of that size."""
    text = data.decode("utf-8", errors="strict")
    for place in re.finditer(r"\x1b\[([0-9]+);([0-9]+)H", text):
        row, col = map(int, place.groups())
        assert 1 <= row <= rows and 1 <= col <= cols, place.group()
    left_at = text.find("\x1b[?1049l")
    assert left_at < 0 or "\x1b[?2026h" not in text[left_at:], "it left its screen and drew on"
    left = MEANT.sub("", text).replace("\r\n", "\n")
    found = HARMFUL.search(left)
    assert not found, repr(left[max(0, found.start() - 60):found.end() + 60])
    assert "\t" not in left
