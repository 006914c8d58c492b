"""``docs/command-line.md`` shows what the commands print, and names the permissions that they need."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.fakes.asked import Call

pytestmark = pytest.mark.slow

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def command_line() -> Iterator[ModuleType]:
    """The module that plays the page, found as it is when run by hand."""
    sys.path.insert(0, str(DOCS))
    try:
        yield importlib.import_module("command_line")
    finally:
        sys.path.remove(str(DOCS))


def test_the_page_shows_what_the_commands_print_and_need(command_line: ModuleType) -> None:
    page = command_line.PAGE.read_text("utf-8")
    calls: dict[str, set[Call]] = {}
    assert command_line.played(page, calls) == page, "run: make docs"
    needs = permissions(page)
    assert needs.keys() == calls.keys()
    for command, made in calls.items():
        asked = {(f"dynamodb:{action}", table.removeprefix("dev-interlock-")) for action, table, _ in made}
        assert asked <= needs[command], command
        assert {index for *_, index in made} <= {None, "kind-index", "GSI1"}


#: ``dynamodb:A`` and ``dynamodb:B`` on ``one`` and ``another``, in backticks.
CLAUSE = re.compile(r"((?:`dynamodb:\w+`(?: and )?)+) on ((?:`[\w-]+`(?: and (?:its index )?)?)+)")


def permissions(page: str) -> dict[str, set[tuple[str, str]]]:
    """What the page says that each command needs: actions on tables."""
    found: dict[str, set[tuple[str, str]]] = {}
    for command, cell in re.findall(r"^\| `([a-z ]+)` \| ([^|]*dynamodb:[^|]*) \|$", page, re.MULTILINE):
        referred = re.match(r"what `(\w+)` needs", cell)
        known = set(found["status"]) if cell.startswith("the same") else set(found[referred[1]]) if referred else set()
        for actions, tables in CLAUSE.findall(cell):
            named = re.findall(r"`([^`]+)`", tables)
            known |= {(action, table) for action in re.findall(r"dynamodb:\w+", actions) for table in named}
        found[command] = known
    return found
