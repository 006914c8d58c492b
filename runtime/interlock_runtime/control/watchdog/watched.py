"""A pipeline as a pass sees it: which of its execution dates are looked at, and since when it has been known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import TypeVar

from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import Ports
from interlock_runtime.control.watchdog.since import Since, known_since
from interlock_runtime.core import dates
from interlock_runtime.core.config_rows import Config, read_config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.expectations import is_expected, looked_at
from interlock_runtime.core.rows import Key, Row, RunKey
from interlock_runtime.core.run import keys_before, trigger_key

D = TypeVar("D")

#: How long a deadline is looked for whose date is not looked at any more: it may fall long after the date.
_REACH = timedelta(hours=2)


@dataclass
class Watched:
    """One pipeline on one pass.

    ``dates`` are those looked at, without the excluded ones, latest first. ``starting`` are those
    whose start is about to be made good, unless it was merely under way.
    """

    config: Config
    now: datetime
    dates: tuple[ExecutionDate, ...] = ()
    starting: set[ExecutionDate] = field(default_factory=set)
    _since: Since | None = None
    _expected: dict[ExecutionDate, bool] = field(default_factory=dict)

    @classmethod
    def of_row(cls, row: Row, now: datetime) -> Watched:
        """The pipeline of a ``CONFIG`` row.

        Raises:
            ConfigError: the row cannot be read.
        """
        config = read_config(row)
        return cls(config, now, tuple(_without_excluded(config.pipeline, looked_at(config.pipeline, now))))

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline."""
        return self.config.pipeline

    def key(self, date: ExecutionDate) -> Key:
        """The key of the trigger row of a date."""
        return trigger_key(self.pipeline.id, self._run_key(date))

    def without_run(self, wanted: Iterable[ExecutionDate]) -> Look[list[ExecutionDate]]:
        """Those of the dates that no run came of, under whichever schedule id, and that no dry run observed.

        What happened before a cron was added or taken away, or ``dryRun`` removed, is not done again.
        """
        wanted = list(wanted)
        found = yield map(self.key, wanted)
        left = {
            date: keys_before(self.pipeline.id, self._run_key(date)) for date in wanted if self.key(date) not in found
        }
        if not left:
            return []
        found = yield chain.from_iterable(left.values())
        return [date for date, keys in left.items() if not found.keys() & keys]

    def _run_key(self, date: ExecutionDate) -> RunKey:
        return RunKey(self.pipeline.schedule_id, str(date))

    def known_since(self, ports: Ports) -> Look[Since]:
        """Since when what it says has been known; read once per pass."""
        if self._since is None:
            self._since = yield from known_since(ports, self.config, now=self.now)
        return self._since

    def expects(self, date: ExecutionDate) -> bool:
        """Whether a run is expected for a date."""
        if date not in self._expected:
            self._expected[date] = is_expected(self.pipeline, date)
        return self._expected[date]

    def due(
        self, deadline: Callable[[ExecutionDate], D | None], *, at: Callable[[D], datetime]
    ) -> dict[ExecutionDate, D]:
        """The deadlines of the dates looked at, and those of earlier ones that have passed only lately.

        ``at`` says when a deadline is.
        """
        found = {date: each for date in self.dates if (each := deadline(date)) is not None}
        for date in _without_excluded(self.pipeline, _earlier(self.pipeline, self.now)):
            each = deadline(date)
            if each is None or at(each) <= self.now - _REACH:
                break
            if at(each) <= self.now:
                found[date] = each
        return found


def _earlier(pipeline: Pipeline, now: datetime) -> Iterator[ExecutionDate]:
    """The dates before those looked at, latest first, as far back as a deadline of theirs may fall today."""
    latest = looked_at(pipeline, now)[-1]
    if latest.hour is None:
        yield from (ExecutionDate(latest.day - timedelta(days=days)) for days in range(1, 9))
        return
    for hours in range(3, 51):
        date = dates.of_instant(pipeline, now - timedelta(hours=hours))
        if date < latest:
            latest = date
            yield date


def _without_excluded(pipeline: Pipeline, found: Iterable[ExecutionDate]) -> Iterator[ExecutionDate]:
    return (date for date in found if dates.excluded(pipeline, date) is None)
