"""Which test shows which case of the matrix: A1 to A14 and B1 to B20, see docs/reliability.md.

A test that shows a case says so: its docstring begins with the case's id, "A6: ..." or
"A6, A7: ...". The page's table names them; test_claims.py holds the two together.
"""
import ast
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
IDS = [*(f"A{number}" for number in range(1, 15)), *(f"B{number}" for number in range(1, 21))]
MARK = re.compile(r"([AB]\d+(?:, ?[AB]\d+)*): ")


def ids_of(function):
    found = MARK.match(ast.get_docstring(function) or "")
    return re.split(", ?", found[1]) if found else []


def shown(root=ROOT):
    """{case: [(file, test)]}, files in the order of their names, tests as they stand there."""
    found = {}
    for path in sorted(root.glob("tests/*/test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for one in ids_of(node):
                    found.setdefault(one, []).append((str(path.relative_to(root)), node.name))
    return found


def table(page):
    """{case: what its row says of where it is shown} of a page in Markdown."""
    rows = re.findall(r"^\| ([AB]\d+) \| (?:[^|]*) \| (.*) \|$", page, re.MULTILINE)
    return dict(rows)
