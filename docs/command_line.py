"""The output on ``command-line.md``: what the commands print in the course of a day of the sample pipelines.

The page is played from top to bottom to the emitted stack, in virtual time. Before a command stands
when it is given, in the time zone of gold-revenue, and after it what it prints::

    <!-- at 08:12 -->
    ```sh
    interlock-tf status --env dev
    ```

    ```text
    …
    ```

``make docs`` writes all output anew.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from interlock_runtime.core.errors import InterlockError
from interlock_tf.testing import Scenario
from tests.fakes.asked import Call, asked

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/command-line.md"

_WIDTH = 100

_SHOWN = re.compile(
    r"<!-- at (?P<at>\d\d:\d\d) -->\n```sh\n(?P<commands>.*?)```\n\n```(?P<kind>text|json)\n(?P<output>.*?)```\n",
    re.DOTALL,
)


def played(page: str, calls: dict[str, set[Call]] | None = None) -> str:
    """The page with the output of every command written anew; ``calls`` gets what each command asked of AWS."""
    story = Scenario.of_pipelines(
        ROOT / "pipelines", calendars=ROOT / "calendars", pipeline="gold-revenue", start="2026-11-24T07:50"
    )
    story.sensor("orders-loaded", date="2026-11-24", status="complete", row_count=900)

    def written(shown: re.Match[str]) -> str:
        story.at(shown["at"])
        output = "".join(_run(story, words, calls) for words in map(shlex.split, shown["commands"].splitlines()))
        head, tail = shown.start("output") - shown.start(), shown.end() - shown.end("output")
        return shown[0][:head] + output + shown[0][-tail:]

    with _columns():
        return _SHOWN.sub(written, page)


def _run(story: Scenario, words: list[str], calls: dict[str, set[Call]] | None) -> str:
    """What a command prints, on either stream."""
    name = words[1]
    command = import_module(f"interlock_tf.commands.{name}")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    arguments = parser.parse_args(words[2:])
    action = f"{name} {arguments.action}" if hasattr(arguments, "action") else name
    seen = (calls if calls is not None else {}).setdefault(action, set())
    more = {"sleep": lambda seconds: story.advance(seconds=seconds)} if name == "rerun" else {}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            command.answer(asked(story.world, seen), arguments, **more)
        except InterlockError as error:
            out.write(f"{error}\n")
    return out.getvalue()


@contextlib.contextmanager
def _columns() -> Iterator[None]:
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(_WIDTH)
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before
