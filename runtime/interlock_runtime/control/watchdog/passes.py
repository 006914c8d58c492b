"""A pass of the watchdog: every check at everything that there is to watch, and nothing that has ever been.

Subjects come page by page from ``kind-index``. They are looked at in chunks, some at the same time
in threads of their own; within a chunk every check reads for all subjects together. A check that
fails does not stop the others, nor does a pipeline that makes a check fail stop the other
pipelines; what failed is told at the end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

from interlock_runtime.control import looks
from interlock_runtime.control.looks import Later, Look, Memory
from interlock_runtime.control.ports import Metric, WatchdogPorts
from interlock_runtime.control.watchdog import (
    missed_dates,
    missed_schedules,
    post_run_sensors,
    reconciliation,
    relative_sla,
    sla_scheduling,
    stale_runs,
    trigger_deadlines,
    undecided,
)
from interlock_runtime.control.watchdog.failures import Failures
from interlock_runtime.control.watchdog.lines import Lines
from interlock_runtime.control.watchdog.watched import Watched
from interlock_runtime.core import rows
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.rows import Kind, Row

#: How many subjects are looked at together: as many as keys in one batch.
CHUNK = 100
#: How many chunks are looked at at the same time; fewer than the connections that a client holds.
THREADS = 8
#: How long a stream record may be under way: only then is what seems lost looked at again.
PATIENCE = timedelta(seconds=15)

S = TypeVar("S")
T = TypeVar("T")

#: Which check, about which pipeline; None when it is about all that are looked at together.
About = tuple[str, str | None]


@dataclass(frozen=True)
class Stage(Generic[S]):
    """What is looked at on the index, and by which checks; ``subject`` makes of a row what these look at."""

    kind: Kind
    subject: Callable[[Row, datetime], S]
    checks: Mapping[str, Callable[[WatchdogPorts, S, datetime], Look[None]]]


def _itself(row: Row, _: datetime) -> Row:
    return row


STAGES: tuple[Stage[Any], ...] = (
    Stage(Kind.RUNNING, _itself, {"stale-runs": stale_runs.look}),
    Stage(
        Kind.CONFIG,
        Watched.of_row,
        {
            "missed-schedules": missed_schedules.look,
            "missed-dates": missed_dates.look,
            "reconciliation": reconciliation.look,
            "sla-scheduling": sla_scheduling.look,
            "trigger-deadlines": trigger_deadlines.look,
        },
    ),
    Stage(Kind.POSTRUN, _itself, {"post-run-sensors": post_run_sensors.look}),
    Stage(Kind.ARRIVAL, _itself, {"relative-sla": relative_sla.look}),
    Stage(Kind.UNDECIDED, _itself, {"undecided": undecided.look_at_failure}),
    Stage(Kind.REQUEST, _itself, {"undecided": undecided.look_at_request}),
)

#: The names of the nine checks.
CHECKS = tuple(dict.fromkeys(check for stage in STAGES for check in stage.checks))


def run(
    ports: WatchdogPorts,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    until: datetime,
    threads: Callable[[int], Executor] = ThreadPoolExecutor,
) -> None:
    """Make one pass. Nothing is begun after ``until``, so that what was left out can still be told.

    ``threads`` gives what the chunks are looked at in.

    Raises:
        TransientError: checks failed; the text names them. All the others were done.
    """
    with threads(THREADS) as pool:
        _Pass(ports, pool, clock=clock, until=until).run(sleep)


class _Pass:
    def __init__(self, ports: WatchdogPorts, pool: Executor, *, clock: Callable[[], datetime], until: datetime) -> None:
        self._ports = ports
        self._pool = pool
        self._clock = clock
        self._until = until
        self._failures = Failures()
        self._later: list[tuple[About, Later, Look[None]]] = []

    def run(self, sleep: Callable[[float], None]) -> None:
        for stage in STAGES:
            found = partial(self._ports.control.of_kind, stage.kind)
            self._in_chunks(found, partial(self._look, stage), stage.checks)
        if self._later:
            sleep(PATIENCE.total_seconds())
            checks = dict.fromkeys(check for (check, _), _, _ in self._later)
            self._in_chunks(partial(iter, self._later), self._look_again, checks)
        self._failures.report(self._ports, CHECKS, now=self._clock())

    def _in_chunks(
        self,
        found: Callable[[], Iterator[T]],
        work: Callable[[Sequence[T]], None],
        checks: Iterable[str],
    ) -> None:
        """Do the work of ``checks`` on chunks of what is found, a few at the same time, and no more in memory."""
        under_way: deque[Future[None]] = deque()
        try:
            subjects = found()
            while chunk := tuple(islice(subjects, CHUNK)):
                under_way.append(self._pool.submit(work, chunk))
                if len(under_way) > 2 * THREADS:
                    under_way.popleft().result()
            while under_way:
                under_way.popleft().result()
        except Exception as error:  # noqa: BLE001 - the other stages must be walked, whatever it was
            for check in checks:
                self._failed((check, None), error)

    def _look(self, stage: Stage[S], chunk: Sequence[Row]) -> None:
        now = self._clock()
        subjects = list(self._subjects(stage, chunk, now))
        memory = Memory(self._ports.control.get_many)
        self._ports.metrics.count(Metric.RECORDS_PROCESSED, len(chunk))
        for check, look in stage.checks.items():
            begun = (((check, pipeline), look(self._about(check, pipeline), each, now)) for pipeline, each in subjects)
            with self._isolated(check):
                self._later.extend(looks.together(begun, read=memory.read, failed=self._failed))

    def _look_again(self, chunk: Sequence[tuple[About, Later, Look[None]]]) -> None:
        for check in dict.fromkeys(check for (check, _), _, _ in chunk):
            with self._isolated(check):
                mine = [each for each in chunk if each[0][0] == check]
                looks.again(mine, read=self._ports.control.get_many, failed=self._failed)

    def _subjects(self, stage: Stage[S], chunk: Sequence[Row], now: datetime) -> Iterator[tuple[str | None, S]]:
        for row in chunk:
            pipeline = rows.pipeline_of(row.get("PK"))
            try:
                yield pipeline, stage.subject(row, now)
            except Exception as error:  # noqa: BLE001 - a pipeline that cannot be read is none of the others' business
                for check in stage.checks:
                    self._failed((check, pipeline), error)

    @contextmanager
    def _isolated(self, check: str) -> Iterator[None]:
        """Note that a check failed, or that no time is left for it."""
        try:
            if self._clock() >= self._until:
                raise TransientError("no time was left")
            yield
        except Exception as error:  # noqa: BLE001 - the other checks must be made, whatever it was
            self._failed((check, None), error)

    def _failed(self, about: About, error: Exception) -> None:
        (check, pipeline), problem = about, f"{type(error).__name__}: {error}"
        self._ports.log.error("check failed", check=check, pipeline=pipeline, problem=problem)
        self._failures.add(check, pipeline, problem)

    def _about(self, check: str, pipeline: str | None) -> WatchdogPorts:
        """The ports, with log lines that tell what they are about."""
        return replace(self._ports, log=Lines(self._ports.log, check=check, pipeline=pipeline))
