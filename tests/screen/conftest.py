"""The runs that screens are tested with, and the folders whose modules the tests use."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))

import runs  # noqa: E402  (its folder is this one)


def pytest_addoption(parser):
    parser.addoption("--rewrite-golden", action="store_true",
                     help="take what the screens show now for what they are to show")


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """Folders of recorded runs: .small, .many."""
    class Recorded:
        small = runs.small(tmp_path_factory.mktemp("small"))
        many = runs.many(tmp_path_factory.mktemp("many"))
    return Recorded
