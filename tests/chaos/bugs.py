"""Builds parley with one known bug in it: a copy of the sources, a small patch, its own objects.

    tests/chaos/bugs.py no_dedupe        # build/bugs/no_dedupe, ready for PARLEY_BUILD

The product knows nothing of these bugs: no #ifdef, no switch. Objects of the release build are
copied with their times, so that only what the patch touches is compiled anew.
"""
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATCHES = pathlib.Path(__file__).resolve().parent / "bugs"
SOURCES = ("Makefile", "analyzer", "cli", "common", "manager", "observer", "schemas", "simulator",
           "tools", "worker")
RELEASE = pathlib.Path("build/release")
PATCHED = ("parley-manager", "parley-worker")  # the programs a patch may change
NAMES = tuple(sorted(path.stem for path in PATCHES.glob("*.patch")))


def meaning(name):
    """What is wrong with that build: the patch's first line."""
    with open(PATCHES / f"{name}.patch", encoding="utf-8") as file:
        return file.readline().strip()


def copy(name, to):
    if name.is_dir():
        shutil.copytree(name, to, symlinks=True)
    else:
        shutil.copy2(name, to)


def build(name):
    """The folder of the build. AssertionError: the patch does not fit, or what came of it
    cannot be compiled."""
    tree = ROOT / "build" / "bugs" / name
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "build").mkdir(parents=True)
    for source in SOURCES:
        copy(ROOT / source, tree / source)
    shutil.copytree(ROOT / RELEASE, tree / RELEASE, ignore=shutil.ignore_patterns("unit", "*.d"))
    for path in (ROOT / RELEASE).glob("obj/**/*.d"):
        shutil.copy2(path, tree / path.relative_to(ROOT))
    with open(PATCHES / f"{name}.patch", "rb") as patch:
        done = subprocess.run(["patch", "-p1", "--no-backup-if-mismatch"], stdin=patch, cwd=tree,
                              capture_output=True, text=True)
    assert done.returncode == 0, f"{name}.patch does not fit any more:\n{done.stdout}"
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(["make", "-j2", *[str(RELEASE / program) for program in PATCHED]],
                          cwd=tree, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{name} does not build:\n{done.stdout}{done.stderr}"
    return tree / RELEASE


if __name__ == "__main__":
    for wanted in sys.argv[1:] or NAMES:
        print(build(wanted), "-", meaning(wanted))
