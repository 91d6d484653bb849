"""How much of the history a prompt has: as much as fits the server that is about to be asked, by
what that server counted before; and its first bytes are the same whoever builds it.
"""
import json

from helpers import (STORY_FILE, FakeOllama, Fleet, box, chat_line, story_file,  # noqa: F401
                     turns_of, wait_for)
from model_servers import Sim, calls_of, crew_of, ends_of, write_config

NUM_CTX, NUM_PREDICT = 2048, 100
MODEL = "llama3.2"


def prompt_bytes(body):
    return sum(len(message["content"].encode()) + 16 for message in body["messages"])


class Server(FakeOllama):
    """Counts so many bytes of a prompt as a token. Down in the turns it is told."""

    def __init__(self, turns, bytes_a_token, down=()):
        super().__init__(self.answer)
        self.turns = turns  # those that were answered, by whatever server
        self.bytes_a_token = bytes_a_token
        self.down = down
        self.prompts = {}  # of each turn it answered, the bytes

    def tokens(self, turn):
        return int(self.prompts[turn] / self.bytes_a_token)

    def answer(self, kind, number, body):
        turn = len(self.turns) + 1
        if turn in self.down:
            return [b'{"error": "not now"}\n']
        self.turns.append(turn)
        self.prompts[turn] = prompt_bytes(body)
        return [f"In turn {turn} " + "many words are said, " * 14,
                chat_line(done=True, done_reason="stop", eval_count=70,
                          prompt_eval_count=self.tokens(turn), prompt_eval_cached_count=0)]


def test_each_server_is_sent_what_fits_it_by_its_own_counts(box):
    """Two servers have models of one name; one counts two and a half times as many tokens. It
    stands in at first, when prompts are short, and again when they no longer are."""
    fleet = Fleet(box)
    turns, stood_in = [], [1, 2, 15, 16]
    path = box.path("fallback.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**STORY_FILE, "personas": [{**one, "fallback": ["far"]}
                                              for one in STORY_FILE["personas"]]}, file)
    with Server(turns, 4, down=stood_in) as near, Server(turns, 1.6) as far:
        write_config(fleet, {name: {"provider": "ollama", "url": server.url}
                             for name, server in (("near", near), ("far", far))})
        options = ["--num-ctx", NUM_CTX, "--num-predict", NUM_PREDICT]
        crew_of(fleet, *options, manager=options)
        conversation = fleet.begin("--story", path, "--model", f"near:{MODEL}", "--turns", 18)
        assert fleet.wait_end(conversation)["reason"] == "turns"
        calls = calls_of(fleet, conversation)
        box.stop_all()
    assert list(far.prompts) == stood_in
    # What the far one bears is passed at the near one, and kept to at the far one.
    room = (NUM_CTX - NUM_PREDICT) * 1.6
    assert max(near.prompts[turn] for turn in range(3, 15)) > 1.5 * room
    assert [far.tokens(turn) + NUM_PREDICT <= NUM_CTX for turn in stood_in] == [True] * 4
    assert far.prompts[15] > room / 2, "it is used"
    assert not any(call.get("context_truncated") for call in calls)


class Secretive(Server):
    """Its counts leave out what it had cached, and do not say how much that was."""

    def answer(self, kind, number, body):
        words, end = super().answer(kind, number, body)
        line = json.loads(end)
        del line["prompt_eval_cached_count"]
        return [words, json.dumps(line).encode() + b"\n"]


def play_with(box, server, turns):
    """The prompts of a conversation in their order, and its calls."""
    fleet = Fleet(box)
    write_config(fleet, {"near": {"provider": "ollama", "url": server.url}})
    options = ["--num-ctx", NUM_CTX, "--num-predict", NUM_PREDICT]
    crew_of(fleet, *options, manager=options)
    conversation = fleet.begin("--story", story_file(box), "--model", f"near:{MODEL}", "--turns",
                               turns)
    assert fleet.wait_end(conversation)["reason"] == "turns"
    calls = calls_of(fleet, conversation)
    box.stop_all()
    return [server.prompts[turn] for turn in range(1, turns + 1)], calls


def test_counts_without_what_was_cached_make_no_prompt_longer(box):
    with Secretive([], 8) as server:
        prompts, calls = play_with(box, server, 24)
    room = (NUM_CTX - NUM_PREDICT) * 3  # what is assumed of a server that tells nothing
    assert room / 2 < max(prompts) <= room
    assert not any(call.get("context_truncated") for call in calls)


class Small(Server):
    """Cuts what is over 3,000 bytes and says that its window is full."""

    def tokens(self, turn):
        return super().tokens(turn) if self.prompts[turn] <= 3000 else NUM_CTX - 1


def test_a_server_that_cut_a_prompt_is_sent_shorter_ones(box):
    with Small([], 4) as server:
        prompts, calls = play_with(box, server, 24)
    cut = [int(call["turn"]) for call in calls if call.get("context_truncated")]
    assert cut == [turn for turn, size in enumerate(prompts, 1) if size > 3000]
    # Each seat's worker learns by itself, a quarter at a time.
    assert 2 <= len(cut) <= 10 and max(cut) < 20


def test_the_window_of_a_server_that_cannot_be_told_one_is_learned_from_its_refusal(box):
    """It takes half of what is asked for, and answers 400 to what is longer."""
    fleet = Fleet(box)
    sim = Sim(fleet, "--flavor", "vllm", "--tokens-per-second", 0, "--first-token-ms", 0,
              "--reply-tokens", "330..350")
    write_config(fleet, {"box": sim.endpoint("openai")})
    crew_of(fleet, "--num-ctx", 8192, manager=["--num-ctx", 8192])
    conversation = fleet.begin("--story", story_file(box), "--model", "box:tiny", "--turns", 24)
    assert fleet.wait_end(conversation)["reason"] == "turns"
    ends = ends_of(calls_of(fleet, conversation))
    # Each of the two workers was refused once, knew the window then, and no turn was lost by it.
    assert ends.count("done") == 24 and ends.count("context") == 2 and len(ends) == 26, ends
    answered = [line["prompt_tokens"] for line in sim.whole_ledger() if line["ended"] == "whole"]
    assert max(answered[-8:]) <= 4096 - 350 < max(answered) <= 4096
    box.stop_all()


def test_the_first_bytes_of_a_prompt_are_the_same_whichever_process_builds_it(box):
    """Two workers a lane by turns, of which one goes in the midst and another comes."""
    fleet = Fleet(box)
    turns = []
    with Server(turns, 4) as server:
        write_config(fleet, {"near": {"provider": "ollama", "url": server.url, "window": "none"}})
        wide = ["--num-ctx", 16384]  # nothing has to go
        services = crew_of(fleet, *wide, each=2, manager=wide)
        talks = fleet.begin("--story", story_file(box), "--model", f"near:{MODEL}", "--turns", 40,
                            "--conversations", 3).split()
        for one in talks:
            fleet.wait_turns(one, 4)
        services[1].terminate()
        assert services[1].wait(10) == 0
        fleet.worker(1, *wide)
        for one in talks:
            assert fleet.wait_end(one)["reason"] == "turns"
        calls = [call for one in talks for call in calls_of(fleet, one)]
        box.stop_all()
    assert len({call["worker"] for call in calls if call["seat"] == "1"}) >= 2
    chains = {}
    for body in server.bodies("turn"):
        messages = body["messages"]
        seat = (messages[0]["content"], json.dumps(body["options"]))
        chains.setdefault(seat, []).append(messages)
    assert len(chains) == 2, "a system text and options for each seat, whatever the process"
    for one in chains.values():
        by_length = sorted(one, key=len)
        for shorter, longer in zip(by_length, by_length[1:]):
            if len(shorter) < len(longer):
                assert shorter_of_one(shorter, one, longer)


def shorter_of_one(shorter, chain, longer):
    """Some longer prompt begins with it, message by message."""
    return any(other[:len(shorter)] == shorter for other in chain if len(other) == len(longer))
