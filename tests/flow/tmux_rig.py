"""A program in a terminal of its own: tmux on a socket of the test's, with nobody's config.

    with Pane(box, "replay", run, "--mode", "tui", cols=80, rows=24) as pane:
        pane.wait("replay 0:40", "the clock stands at the end")
        pane.keys("/", "ada", "Enter")

tmux is an independent terminal: what it holds is what a user sees, widths included.
"""
import os
import subprocess
import tempfile

from helpers import BUILD, LIMIT_S, wait_for

CONFIG = """\
set -g status off
set -g remain-on-exit on
set -g default-terminal tmux-256color
set -g history-limit 0
set -s escape-time 0
set -s exit-empty off
"""


class Pane:
    """`parley` with these words (or `program` of the build) in a terminal of cols x rows."""

    def __init__(self, box, *words, cols=80, rows=24, program="parley", env=None):
        self.box = box
        # A socket's path must stay under 108 bytes.
        self.folder = tempfile.mkdtemp(prefix="tm-", dir=box.folder)
        self.config = os.path.join(self.folder, "conf")
        with open(self.config, "w", encoding="ascii") as file:
            file.write(CONFIG)
        self.env = {**box.env, "LC_ALL": "C.UTF-8", **(env or {})}
        command = [str(word) for word in (BUILD / program, *words)]
        self.tmux("start-server", ";", "new-session", "-d", "-x", str(cols), "-y", str(rows),
                  "-c", str(box.folder), "--", *command)

    def tmux(self, *words, check=True):
        done = subprocess.run(["tmux", "-u", "-S", os.path.join(self.folder, "s"),
                               "-f", self.config, *words], capture_output=True, env=self.env,
                              timeout=LIMIT_S, stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 0 or not check, done.stderr.decode()
        return done.stdout.decode(errors="surrogateescape")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            print(f"--- the pane as it was last\n{self.text()}\n---")
        self.close()

    def close(self):
        """The program is hung up on; whatever does not go by that is the sandbox's to end."""
        self.tmux("kill-server", check=False)

    def lines(self):
        """What stands on the terminal, a text a row, without the blanks at their ends."""
        return [line.rstrip() for line in self.tmux("capture-pane", "-p").split("\n")[:-1]]

    def text(self):
        return "\n".join(self.lines())

    def styled(self):
        """The same with tmux's own SGR sequences for its colours."""
        return self.tmux("capture-pane", "-p", "-e")

    def ask(self, *names):
        """What tmux says of the pane: "cursor_x", "alternate_on", "pane_dead_status"."""
        form = " ".join(f"#{{{name}}}" for name in names)
        return self.tmux("display-message", "-p", form).strip().split(" ")

    def keys(self, *keys):
        """tmux' names ("Enter", "C-d", "PPage"), or texts that are typed as they are."""
        self.tmux("send-keys", *keys)

    def type(self, text):
        """Letter by letter, nothing of it is a key's name."""
        self.tmux("send-keys", "-l", text)

    def resize(self, cols, rows):
        self.tmux("resize-window", "-x", str(cols), "-y", str(rows))

    def wait(self, wanted, what=None, limit_s=LIMIT_S):
        """Until the screen has that text, or fulfils that condition; the screen then."""
        def look():
            text = self.text()
            return text if (wanted(text) if callable(wanted) else wanted in text) else None

        try:
            return wait_for(look, what or f"the screen shows {wanted!r}", limit_s)
        except AssertionError:
            raise AssertionError(f"waited {limit_s} s in vain for {what or repr(wanted)}; "
                                 f"the screen:\n{self.text()}") from None

    def wait_dead(self, limit_s=LIMIT_S):
        """Until the program has ended; its exit status, or less than 0: the signal."""
        # The terminal is closed a moment before the status is known.
        form = "#{pane_dead},#{pane_dead_status},#{pane_dead_signal}"

        def look():
            dead, status, signal = self.tmux("display-message", "-p", form).strip().split(",")
            if dead == "1" and not (status or signal):
                # It may never have heard that its child ended: the end of another makes it look.
                self.tmux("run-shell", "true")
                return None
            return [status, signal] if dead == "1" else None

        status, signal = wait_for(look, "the program ends", limit_s)
        return int(status) if status else -int(signal)

    def pid(self):
        return int(self.ask("pane_pid")[0])
