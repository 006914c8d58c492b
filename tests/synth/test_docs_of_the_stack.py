"""What the documentation says about a stack is what a stack contains, and its example apps synthesise."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


class Generators(NamedTuple):
    """The two modules of generated tables."""

    tables: ModuleType
    stack_tables: ModuleType


@pytest.fixture(scope="module")
def generators() -> Iterator[Generators]:
    """The modules in ``docs``, which find each other on the path as they do when run by hand."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        yield Generators(importlib.import_module("tables"), importlib.import_module("stack_tables"))
    finally:
        sys.path.remove(str(ROOT / "docs"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.filterwarnings("ignore:nobody will be told")
def test_the_generated_tables_are_what_a_stack_contains(page: Path, generators: Generators) -> None:
    text = page.read_text(encoding="utf-8")
    written = generators.tables.refreshed(text, generators.stack_tables.STACK_TABLES)
    assert written == text, "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_generated_table_is_made_by_somebody(page: Path, generators: Generators) -> None:
    made = {*generators.tables.TABLES, *generators.stack_tables.STACK_TABLES}
    assert generators.tables.table_names(page.read_text(encoding="utf-8")) <= made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "stacks"),
    [
        ("own_stack.py", ["data-platform"]),
        ("own_key.py", ["interlock"]),
        ("two_regions.py", ["interlock-eu-central-1", "interlock-us-east-1"]),
    ],
)
def test_an_example_app_synthesises_in_a_folder_with_pipelines_and_calendars(
    example: str, stacks: list[str], tmp_path: Path
) -> None:
    for folder in ("pipelines", "calendars"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    assert synthesised(example, tmp_path) == stacks


@pytest.mark.slow
def test_the_first_app_needs_nothing_but_the_first_pipeline(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    document = re.search(r"^```yaml\n(pipeline:.*?)^```", readme, re.DOTALL | re.MULTILINE)
    assert document
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines/daily-orders.yaml").write_text(document[1], "utf-8")
    assert synthesised("app.py", tmp_path) == ["interlock"]


def synthesised(example: str, folder: Path) -> list[str]:
    """The names of the stacks that an example makes in a folder."""
    path = ":".join([str(ROOT), str(ROOT / "runtime")])
    done = subprocess.run(
        [sys.executable, ROOT / "docs/examples" / example],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = sorted((folder / "cdktf.out/stacks").iterdir())
    for stack in made:
        assert json.loads((stack / "cdk.tf.json").read_text("utf-8"))["resource"]["aws_sfn_state_machine"]
    return [stack.name for stack in made]
