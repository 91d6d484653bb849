"""Words of the live stream that would do harm, cut at every byte: harmless in text and JSON."""
import os
import pathlib
import re
import sys

import pytest

from test_observer import ID, Observer, Stage

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import hostile  # noqa: E402

COUNT = hostile.COUNT if os.environ.get("PARLEY_PROOF") == "long" else 400


@pytest.mark.parametrize("mode", ["plain", "json"])
def test_live_words_that_are_cut_at_each_byte_are_shown_harmless(redis_server, db, mode):
    """Bytes that need be no UTF-8, one a delta, as a worker of another make might write them."""
    stage = Stage(db).open().begin()
    pieces = list(hostile.byte_texts(COUNT))
    words = ("--mode", mode, ID)
    with Observer(redis_server, *words, columns=100 if mode == "plain" else 0) as observer:
        observer.wait_for("Bo Lind")
        for at in range(0, len(pieces), 40):
            call = f"c{at}"
            stage.live("begin", call, author="Ada")
            pipe = db.pipeline(transaction=False)
            for byte in b" ".join(pieces[at:at + 40]):
                pipe.xadd(stage.key("live"), {"kind": "delta", "call": call,
                                              "turn": stage.turns + 1,
                                              "seat": 1 + stage.turns % 2, "text": bytes([byte])})
            pipe.execute()
            stage.live("end", call, outcome="done")
            stage.turn(f"that was {at}.")
            observer.wait_for(f"that was {at}.")
        stage.end()
        text, status = observer.rest()
    assert status == 0
    if mode == "plain":
        text = re.sub(r"\x1b\[(0|1|2|3[1-6]|9[0-6])m|\r\x1b\[K", "", text)
    hostile.assert_text_harmless(text)
    assert "U+001B" in text or "\\u001b" in text
