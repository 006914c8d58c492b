"""Random days: what the world outside does to some pipelines in a day, and which faults there are; by a seed.

A day is a plan: lines as ``interlock-tf simulate`` plays them, and faults. It is written and read as
one JSON object a line, the first of which says when and with which pipelines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_tf.local.faults import Fault, random_faults
from interlock_tf.local.outside import Outside, due
from interlock_tf.local.simulation import Line, line_of, unreadable

#: The days that are drawn from, besides those that the documents name and those on which a clock is changed.
_FIRST, _DAYS = date(2026, 9, 1), 400

#: How long it may go wrong, and when all shall be settled.
DISTURBED, SETTLED = timedelta(hours=24), timedelta(hours=36)


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day. Nothing goes wrong after ``until``, and ``end`` is when it is looked at."""

    seed: int
    start: datetime
    until: datetime
    end: datetime
    pipeline_ids: tuple[str, ...]
    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]

    def text(self) -> str:
        """The day, one JSON object a line, in the order of time."""
        head = {
            "seed": self.seed,
            "from": rfc3339(self.start),
            "calmFrom": rfc3339(self.until),
            "to": rfc3339(self.end),
            "pipelines": list(self.pipeline_ids),
        }
        told = [(line.at, {"at": rfc3339(line.at), "pipeline": line.pipeline_id, **line.told}) for line in self.lines]
        told += [(fault.at, fault.describe()) for fault in self.faults]
        told.sort(key=lambda each: each[0])
        return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in (head, *(each for _, each in told)))


def read_day(file: Path, *, pipeline_ids: Iterable[str]) -> Day:
    """Read a day that was written.

    Raises:
        ConfigError: every line that is not as it should be.
    """
    known = tuple(pipeline_ids)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(file, error) from error
    # splitlines() would also split where a text has a separator of its own, such as U+2028.
    contents = text.removesuffix("\n").split("\n") if text else []
    problems: list[Problem] = []
    lines: list[Line] = []
    faults: list[Fault] = []
    head: Mapping[str, Any] = {}
    start = until = end = None
    for number, content in enumerate(contents, start=1):
        try:
            if number == 1:
                head = _object(content)
                start, until, end = (_instant(head, name) for name in ("from", "calmFrom", "to"))
                if unknown := [each for each in head.get("pipelines") or ["none"] if each not in known]:
                    raise ValueError(f"there is no pipeline {', '.join(unknown)}; expected {', '.join(known)}")
            elif "fault" in (told := _object(content)):
                faults.append(Fault.of(told))
            elif start is not None and end is not None:
                lines.append(line_of(number, content, after=start, until=end, pipeline_ids=known))
        except ValueError as error:
            problems.append(Problem(file=str(file), line=number, message=str(error)))
    if problems or start is None or until is None or end is None:
        raise ConfigError(problems or Problem(file=str(file), message="this is no day: it is empty"))
    return Day(
        seed=int(head.get("seed", 0)),
        start=start,
        until=until,
        end=end,
        pipeline_ids=tuple(head["pipelines"]),
        lines=tuple(lines),
        faults=tuple(faults),
    )


def random_day(seed: int, pipelines: Mapping[str, Pipeline]) -> Day:
    """The day of a seed; always the same one for the same pipelines."""
    random = Random(seed)  # noqa: S311 - not for secrets
    count = min(len(pipelines), random.choice((1, 1, 2, 2, 3)))
    chosen = sorted(random.sample(sorted(pipelines), count))
    day = _date(random, [pipelines[each] for each in chosen])
    start = datetime.combine(day, time(), UTC)
    until, end = start + DISTURBED, start + SETTLED
    lines: list[tuple[datetime, str, Mapping[str, Any]]] = []
    busy: list[datetime] = []
    for pipeline_id in chosen:
        pipeline = pipelines[pipeline_id]
        for execution_date, at in due(random, pipeline, start=start, until=until):
            busy.append(at)
            outside = Outside(random, pipeline, execution_date, at)
            lines.extend((when, pipeline_id, told) for when, told in outside.lines())
    busy = [at for at in busy if start <= at <= until]
    kept = sorted((each for each in lines if start <= each[0] <= until), key=lambda each: each[0])
    return Day(
        seed=seed,
        start=start,
        until=until,
        end=end,
        pipeline_ids=tuple(chosen),
        lines=tuple(
            Line(number=number, at=at, pipeline_id=pipeline_id, told=told)
            for number, (at, pipeline_id, told) in enumerate(kept, start=2)
        ),
        faults=tuple(sorted(random_faults(random, start=start, until=until, busy=busy), key=lambda each: each.at)),
    )


def _date(random: Random, pipelines: Sequence[Pipeline]) -> date:
    last = _FIRST + timedelta(days=_DAYS)
    special = sorted({day for pipeline in pipelines for day in _special(pipeline) if _FIRST <= day <= last})
    if special and random.random() < 0.4:
        return random.choice(special)
    return _FIRST + timedelta(days=random.randrange(_DAYS))


def _special(pipeline: Pipeline) -> Iterator[date]:
    """Days that the document names, and those on which the clock of its zone is changed."""
    schedule = pipeline.schedule
    yield from schedule.exclude.dates
    yield from schedule.include.dates if schedule.include else ()
    for number in range(_DAYS):
        noon = datetime.combine(_FIRST + timedelta(days=number), time(12), schedule.timezone)
        if noon.utcoffset() != (noon - timedelta(days=1)).utcoffset():
            yield noon.date()


def _object(content: str) -> Mapping[str, Any]:
    told = json.loads(content)
    if not isinstance(told, dict):
        raise ValueError(f"{content[:40]!r} is not a JSON object")
    return told


def _instant(told: Mapping[str, Any], name: str) -> datetime:
    at = parse_timestamp(told.get(name))
    if at is None:
        raise ValueError(f"{name!r} is {told.get(name)!r}, expected a time as of RFC 3339")
    return at
