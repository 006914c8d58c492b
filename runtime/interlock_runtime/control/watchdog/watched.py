"""A pipeline as a pass sees it: which execution dates are looked at, and which of them a run is expected for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from interlock_runtime.aws.tables import Key, Row
from interlock_runtime.control.configs import Config, read_config
from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import Ports
from interlock_runtime.control.run import trigger_key
from interlock_runtime.control.watchdog.since import Since, known_since
from interlock_runtime.core import dates
from interlock_runtime.core.dates import ExecutionDate, Granularity
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.rows import RunKey

D = TypeVar("D")

#: How long a deadline is looked for whose date is not looked at any more: it may fall long after the date.
_REACH = timedelta(hours=2)

_INSTANT = timedelta(microseconds=1)


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
    def of_row(cls, row: Row, now: datetime) -> Watched | None:
        """The pipeline of a ``CONFIG`` row; None for a dry run, which is not watched.

        Raises:
            ConfigError: the row cannot be read.
        """
        config = read_config(row)
        pipeline = config.pipeline
        if pipeline.dry_run:
            return None
        return cls(config, now, tuple(_without_excluded(pipeline, looked_at(pipeline, now))))

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline."""
        return self.config.pipeline

    def key(self, date: ExecutionDate) -> Key:
        """The key of the trigger row of a date."""
        return trigger_key(self.pipeline.id, RunKey(self.pipeline.schedule_id, str(date)))

    def known_since(self, ports: Ports) -> Look[Since]:
        """Since when what it says has been known; read once per pass."""
        if self._since is None:
            self._since = yield from known_since(ports, self.config, now=self.now)
        return self._since

    def expects(self, date: ExecutionDate) -> bool:
        """Whether a run is expected for a date, whatever else may start one."""
        if date not in self._expected:
            self._expected[date] = expects(self.pipeline, date)
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


def looked_at(pipeline: Pipeline, now: datetime) -> tuple[ExecutionDate, ...]:
    """Today and yesterday, or the last three hours, latest first."""
    if dates.granularity(pipeline) is Granularity.DAILY:
        today = dates.of_instant(pipeline, now)
        return today, ExecutionDate(today.day - timedelta(days=1))
    # Where the clock was put back, two instants fall in the same hour.
    return tuple(dict.fromkeys(dates.of_instant(pipeline, now - timedelta(hours=hours)) for hours in range(3)))


def expects(pipeline: Pipeline, date: ExecutionDate) -> bool:
    """Whether a run is expected: a cron fires on the date, or it is listed, or there is neither cron nor list."""
    schedule = pipeline.schedule
    if schedule.include is not None:
        return date.day in schedule.include.dates
    if schedule.cron is None:
        return True
    zone = schedule.timezone
    first, last = dates.period_start(date, zone) - _INSTANT, dates.period_end(date, zone) - _INSTANT
    fires = schedule.cron.fires(after=first, until=last, zone=zone)
    return any(True for _ in fires) or any(True for _ in schedule.cron.skipped(after=first, until=last, zone=zone))


def _earlier(pipeline: Pipeline, now: datetime) -> Iterator[ExecutionDate]:
    """The dates before those looked at, latest first, as far back as a deadline of theirs may fall today."""
    oldest = looked_at(pipeline, now)[-1]
    if oldest.hour is None:
        yield from (ExecutionDate(oldest.day - timedelta(days=days)) for days in range(1, 9))
        return
    hours = (dates.of_instant(pipeline, now - timedelta(hours=hours)) for hours in range(3, 51))
    yield from dict.fromkeys(date for date in hours if date < oldest)


def _without_excluded(pipeline: Pipeline, found: Iterable[ExecutionDate]) -> Iterator[ExecutionDate]:
    return (date for date in found if dates.excluded(pipeline, date) is None)
