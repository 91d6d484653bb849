"""Makes docs/claims.md of the files that `make claims` left. Pure: documents in, text out.

A figure stands on the page only if it stands in a file; a part without one is said not to have
been run. "0 of n" is followed by what that shows: by the rule of three, where n tries in a row
went well, the chance of the next one failing is under 3/n, with a confidence of 95 %.
"""
import claims_parts

HEAD = """\
# Claims

What was promised ([reliability.md](reliability.md)), and what was seen when it was tried.
`make claims` writes this page, all of it, from the files that its programs leave in
`build/claims/`; nobody edits it. For your own figures:

```sh
make claims                  # all parts: hours
make claims PART=kills       # one of them
make claims PART=none        # only this page anew
```

How to read it: "0 of n" does not show that a thing never happens. It shows that it is rare: by
the rule of three, the chance that a try goes wrong is then under 3/n, with a confidence of 95 %;
that bound stands beside the count. It is of this machine, these faults and this load. All faults
were made: processes killed and stopped, connections cut, the end of a file cut off. No power was
switched off, no disk lied, no second machine took part. Times were taken while everything, the
rig and its model server included, shared the same cores.
"""


def cell(text):
    """Of others' words: a bar would end the cell, a line end the table."""
    return " ".join(str(text).replace("|", "\\|").split())


def table(head, lines):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head),
                      *("| " + " | ".join(map(cell, line)) + " |" for line in lines)])


def duration(seconds):
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def verdict(document):
    if document is None:
        return "not run"
    if document["violations"]:
        return f"**{len(document['violations'])} violations**"
    return "kept" if document["whole"] else "kept so far; not all steps were run"


def overview(documents):
    lines = []
    for name, part in claims_parts.PARTS.items():
        document = documents.get(name)
        if part.sources:
            continue
        lines.append([f"[{part.title}](#{anchor(part.title)}) (`{name}`)", verdict(document)]
                     + ([document["scale"], document["started"][:16].replace("T", " "),
                         duration(document["seconds"]), document["versions"]["parley"],
                         document["sources"]] if document else ["", "", "", "", ""]))
    return table(["part", "result", "size", "begun (UTC)", "took", "parley", "sources"], lines)


def anchor(title):
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def machines(documents):
    """One line a set of versions: most often all parts share one."""
    found = {}
    for name, document in documents.items():
        if document:
            one = document["versions"]
            text = ", ".join([f"redis {one['redis']}", one["kernel"], one["compiler"],
                              *one["libraries"][1:], f"Python {one['python']}",
                              f"{one['cores']} cores"])
            found.setdefault(text, []).append(name)
    return [f"- {text}" + ("" if len(found) == 1 else f" ({', '.join(names)})")
            for text, names in found.items()]


def commands(document):
    """Without the names of many tests, which stand in the table."""
    def short(command):
        words = command.replace(" {out}", " FILE").split(" tests/")
        return command.replace(" {out}", " FILE") if len(words) < 4 else f"{words[0]} ..."
    return ["```sh", *(short(run["command"]) for run in document["runs"]), "```"]


def section(part, document, documents):
    lines = [f"## {part.title}", ""]
    if part.sources:
        known = [documents[name] for name in part.sources if documents.get(name)]
        results = {name: [run["result"] for run in documents[name]["runs"]]
                   for name in part.sources if documents.get(name)}
        if not known:
            return [*lines, "Not run.", ""]
        lines += ["From the runs of " + ", ".join(f"`{name}`" for name in results) + ".", ""]
        rows = part.rows(results)
    else:
        if document is None:
            return [*lines, "Not run.", ""]
        lines += [*commands(document), ""]
        rows = part.rows([run["result"] for run in document["runs"]])
    lines += [table(["what", "seen", "95 % bound"], rows), ""]
    if document and document["violations"]:
        bad = document["violations"][:20]
        lines += ["Violations:", "", *(f"- {cell(line)}" for line in bad), ""]
    return lines


def page(documents):
    """documents: {part: its file's content, or None}."""
    lines = [HEAD, overview(documents), "",
             "`sources`: the same name is the same bytes of all programs' sources.", ""]
    measured = machines(documents)
    if measured:
        lines += ["Measured on:", "", *measured, ""]
    for name, part in claims_parts.PARTS.items():
        lines += section(part, documents.get(name), documents)
    return "\n".join(lines).rstrip("\n") + "\n"
