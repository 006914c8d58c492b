"""Plays the lines of a file to a stack, and gives the timeline of what came of them.

A line is a JSON object with ``at`` (RFC 3339) and ``pipeline``, and one of

* ``key`` and ``data``: a sensor is written;
* ``job``, ``success`` or ``fail``, and maybe ``category``: the running job ends so, or the next one;
  or ``hang``: the next one goes on until another line ends it;
* ``rerun``, a reason, and maybe ``date``: a rerun is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from interlock_runtime.core.attributes import encode_item
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_tf.local.actions import Actions
from interlock_tf.local.agenda import Agenda
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.jobs import CATEGORIES, FAIL, HANG, SUCCESS, Outcome
from interlock_tf.local.recorder import Recorder
from interlock_tf.local.terraform_json import Configuration
from interlock_tf.local.timeline import Entry
from interlock_tf.local.world import World

#: The members of a line, by the one that says what it does: those that must be there, and those that may.
_SHAPES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "key": (frozenset({"key", "data"}), frozenset()),
    "job": (frozenset({"job"}), frozenset({"category"})),
    "rerun": (frozenset({"rerun"}), frozenset({"date"})),
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line: when, to which pipeline, and what is done; ``number`` counts from 1 in the ``file``, if it has one."""

    number: int
    at: datetime
    pipeline_id: str
    told: Mapping[str, Any]
    file: str | None = None

    def wrong(self, message: str) -> ConfigError:
        """The error that says what is wrong with the line."""
        return ConfigError(Problem(file=self.file, line=self.number, message=message))


def read_lines(file: Path, *, after: datetime, until: datetime, pipeline_ids: Iterable[str]) -> list[Line]:
    """The lines of a file, in the order of their times; empty ones are left out.

    Raises:
        ConfigError: every line that is not as it should be.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(file, error) from error
    lines: list[Line] = []
    problems: list[Problem] = []
    for number, content in enumerate(text.split("\n"), start=1):
        if content.strip():
            try:
                line = line_of(number, content, after=after, until=until, pipeline_ids=tuple(pipeline_ids))
                lines.append(replace(line, file=str(file)))
            except ValueError as error:
                problems.append(Problem(file=str(file), line=number, message=str(error)))
    if problems:
        raise ConfigError(problems)
    return sorted(lines, key=lambda line: line.at)


def simulate(
    configuration: Configuration, lines: Iterable[Line], *, start: datetime, end: datetime, seed: int = 0
) -> Iterator[Entry]:
    """Let a stack live from one instant to another; what happens, as it happens.

    Raises:
        ConfigError: a rerun is asked for where no run was.
    """
    world = World(configuration, agenda=Agenda(start), seed=seed)
    recorder = Recorder(world)
    actions = Actions(world)
    told = 0
    for line in lines:
        world.run_until(line.at)
        play(actions, line)
        yield from recorder.entries[told:]
        told = len(recorder.entries)
    world.run_until(end)
    yield from recorder.entries[told:]


def play(actions: Actions, line: Line) -> None:
    """Have happen what a line says.

    Raises:
        ConfigError: a rerun is asked for where no run was, or a sensor is none that a table holds.
    """
    told = line.told
    if "key" in told:
        try:
            actions.write_sensor(line.pipeline_id, told["key"], told["data"])
        except ServiceError as error:
            raise line.wrong(f"the table refuses it: {error.message}") from None
    elif "job" in told:
        actions.end_job(line.pipeline_id, Outcome(status=told["job"], category=told.get("category", "TRANSIENT")))
    else:
        try:
            actions.request_rerun(line.pipeline_id, told["rerun"], told.get("date"))
        except ValueError as error:
            raise line.wrong(str(error)) from None


def unreadable(file: Path, error: OSError | UnicodeDecodeError) -> ConfigError:
    """The error that says why a file cannot be read."""
    why = error.strerror if isinstance(error, OSError) else f"it is not UTF-8: {error.reason} at byte {error.start}"
    return ConfigError(Problem(file=str(file), message=f"cannot be read: {why}"))


def line_of(number: int, content: str, *, after: datetime, until: datetime, pipeline_ids: tuple[str, ...]) -> Line:
    """Read a line.

    Raises:
        ValueError: saying what is wrong and what would be right.
    """
    try:
        told = json.loads(content)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if not isinstance(told, dict):
        raise ValueError(f"{content[:40]!r} is not a JSON object")
    at = parse_timestamp(told.pop("at", None)) if isinstance(told.get("at"), str) else None
    if at is None:
        raise ValueError("'at' must be a time as of RFC 3339, such as 2026-03-03T07:55:00Z")
    if not after <= at <= until:
        raise ValueError(f"'at' is outside of the simulated time, {after.isoformat()} to {until.isoformat()}")
    pipeline_id = told.pop("pipeline", None)
    if pipeline_id not in pipeline_ids:
        raise ValueError(f"'pipeline' is {pipeline_id!r}, expected one of {', '.join(sorted(pipeline_ids))}")
    kinds = [kind for kind in _SHAPES if kind in told]
    if len(kinds) != 1:
        raise ValueError("a line needs exactly one of 'key', 'job' and 'rerun'")
    required, optional = _SHAPES[kinds[0]]
    if wrong := sorted(required - told.keys()) + sorted(told.keys() - required - optional):
        raise ValueError(
            f"a line with {kinds[0]!r} has {', '.join(sorted(required | optional))}; wrong is {', '.join(wrong)}"
        )
    _check_values(told)
    return Line(number=number, at=at, pipeline_id=pipeline_id, told=told)


def _check_values(told: Mapping[str, Any]) -> None:
    if "data" in told and not isinstance(told["data"], dict):
        raise ValueError(f"'data' is {told['data']!r}, expected an object with the sensor's fields")
    try:
        encode_item(told)
        json.dumps(told, ensure_ascii=False).encode()
    except TypeError as error:
        raise ValueError(str(error)) from None
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair, which is no text") from None
    if "job" in told and told["job"] not in (SUCCESS, FAIL, HANG):
        raise ValueError(f"'job' is {told['job']!r}, expected {SUCCESS}, {FAIL} or {HANG}")
    if "category" in told and (told["job"] != FAIL or told["category"] not in CATEGORIES):
        raise ValueError(f"'category' goes with a job that fails, and is one of {', '.join(CATEGORIES)}")
    for name in ("key", "rerun", "date"):
        if name in told and (not isinstance(told[name], str) or not told[name]):
            raise ValueError(f"{name!r} is {told[name]!r}, expected a text")
    if "date" in told:
        ExecutionDate.parse(told["date"])
