#!/usr/bin/python3
"""Which test shows which case of the matrix: A1 to A14, B1 to B20 and D1 to D23, see
docs/reliability.md.

A test that shows a case says so: its docstring begins with the case's id, "A6: ..." or
"A6, A7: ...", over several lines where they are many. The page's table names them; test_claims.py
holds the two together, and this file run by itself writes the table anew. What no test shows stays
as it is written there.
"""
import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST = {"A": 14, "B": 20, "D": 23}
IDS = [f"{letter}{number + 1}" for letter, most in MOST.items() for number in range(most)]
MARK = re.compile(r"([ABD]\d+(?:,\s*[ABD]\d+)*): ")


def ids_of(function):
    found = MARK.match(ast.get_docstring(function) or "")
    return re.split(r",\s*", found[1]) if found else []


def shown(root=ROOT):
    """{case: [(file, test)]}, files in the order of their names, tests as they stand there."""
    found = {}
    for path in sorted(root.glob("tests/*/test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for one in ids_of(node):
                    found.setdefault(one, []).append((str(path.relative_to(root)), node.name))
    return found


def by_test(root=ROOT):
    """{file::test: [cases]}"""
    found = {}
    for case, tests in shown(root).items():
        for path, test in tests:
            found.setdefault(f"{path}::{test}", []).append(case)
    return found


ROW = re.compile(r"^\| (?P<case>[ABD]\d+) \| (?P<fault>[^|]*) \| (?P<shown>.*) \|$", re.MULTILINE)


def table(page):
    """{case: what its row says of where it is shown} of a page in Markdown."""
    return {row["case"]: row["shown"] for row in ROW.finditer(page)}


def in_words(tests):
    """`file`: `test`, `test`; `file`: ..."""
    by_file = {}
    for path, test in tests:
        by_file.setdefault(pathlib.Path(path).stem, []).append(f"`{test}`")
    return "; ".join(f"{name}: {', '.join(named)}" for name, named in by_file.items())


def rewritten(page, found):
    def row(match):
        tests = found.get(match["case"])
        text = in_words(tests) if tests else match["shown"]
        return f"| {match['case']} | {match['fault']} | {text} |"
    return ROW.sub(row, page)


def main():
    path = ROOT / "docs/reliability.md"
    page = path.read_text(encoding="utf-8")
    path.write_text(rewritten(page, shown()), encoding="utf-8")
    for case, text in table(path.read_text(encoding="utf-8")).items():
        if text.startswith("not "):
            print(f"{case}: {text}")


if __name__ == "__main__":
    sys.exit(main())
