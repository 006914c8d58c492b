"""How all pipelines stand: the answer to ``status``.

Read in four steps, each for all pipelines together: the documents, by the index; the runs that go
on, by the index; the trigger rows of the latest dates, in batches; and what else is to be known of
the dates shown, in batches. Only of a pipeline without a row among the latest dates is its last
one asked by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.core import dates, expectations, rows
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.expectations import Start
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Key, Kind, Row, RunKey
from interlock_runtime.core.run import trigger_key
from interlock_tf.installation import facts
from interlock_tf.installation.deployed import Installation, Unreadable
from interlock_tf.installation.due import Due, is_past
from interlock_tf.installation.facts import Facts
from interlock_tf.installation.standings import Standing, State
from interlock_tf.installation.tables import Bounds, side_by_side

#: After so long a start that was due is missed, and not merely under way.
GRACE = timedelta(minutes=10)

_AMISS = (State.FAILED, State.EXPIRED, State.UNREADABLE)


@dataclass(frozen=True, kw_only=True)
class PipelineStatus:
    """One pipeline: its last run, the earlier ones that still go on, and the date that is to run next."""

    pipeline: Pipeline
    excluded: str | None
    last: Standing | None
    others: tuple[Standing, ...] = ()
    opening: Standing | None = None
    next_start: Start | None = None

    @property
    def standings(self) -> tuple[Standing, ...]:
        """The dates that have begun, the earliest first, and the one to come."""
        return tuple(each for each in (*self.others, self.last, self.opening) if each is not None)

    @property
    def waits_for(self) -> tuple[str, ...]:
        """What it waits for, all dates together."""
        found = tuple(wait for each in self.standings for wait in each.waits_for)
        trigger = self.pipeline.schedule.trigger
        if not found and self.opening is None and trigger is not None:
            return (f"a write of sensor {trigger.key} for another date",)
        return found

    @property
    def next_due(self) -> tuple[Standing, Due] | None:
        """The deadline that comes next, and whose it is."""
        found = [(each, each.next_due) for each in self.standings]
        open_ones = [(each, next_due) for each, next_due in found if next_due is not None]
        return min(open_ones, key=lambda pair: pair[1].at, default=None)

    @property
    def is_failing(self) -> bool:
        """Whether somebody has to look: a run that failed or was not started, a deadline missed by what is not done."""
        return any(map(_is_amiss, self.standings))

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        coming = self.next_due
        return {
            "pipeline": self.pipeline.id,
            "owner": self.pipeline.pipeline.owner,
            "timezone": self.pipeline.schedule.timezone.key,
            "dryRun": self.pipeline.dry_run,
            "excludedToday": self.excluded,
            "failing": self.is_failing,
            "last": self.last and self.last.describe(),
            "others": [each.describe() for each in self.others],
            "opening": self.opening and self.opening.describe(),
            "waitsFor": list(self.waits_for),
            "nextStart": self.next_start and {"at": rfc3339(self.next_start.at), "date": str(self.next_start.date)},
            "nextDeadline": coming and {"date": coming[0].facts.key.date, **coming[1].describe()},
        }


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All pipelines that were asked for, and those that cannot be read."""

    at: datetime
    pipelines: tuple[PipelineStatus, ...]
    unreadable: tuple[Unreadable, ...]

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "at": rfc3339(self.at),
            "pipelines": [each.describe() for each in self.pipelines],
            "unreadable": [{"pipeline": each.id, "problem": each.problem} for each in self.unreadable],
        }


def overview(
    installation: Installation, ids: Sequence[str] = (), *, owner: str | None = None, failing: bool = False
) -> Overview:
    """Look at all pipelines, or those with these ids, of this owner, or about which something is amiss.

    Raises:
        InterlockError: an id is unknown, or AWS does not answer.
    """
    pipelines, unreadable = installation.pipelines(ids)
    if owner is not None:
        pipelines = [each for each in pipelines if each.pipeline.owner == owner]
    looks = {each.id: _Look(each, installation.now) for each in pipelines}
    _find_live(installation, looks, ids)
    _find_latest(installation, looks)
    found = installation.control.get_many(key for look in looks.values() for key in look.keys)
    statuses = [look.status(found) for look in looks.values()]
    return Overview(
        at=installation.now,
        pipelines=tuple(each for each in statuses if each.is_failing or not failing),
        unreadable=tuple(unreadable),
    )


@dataclass
class _Look:
    """What has been found out about one pipeline so far: the last date with a row, and the dates that go on."""

    pipeline: Pipeline
    now: datetime
    last: ExecutionDate | None = None
    live: set[ExecutionDate] = field(default_factory=set)

    @property
    def latest(self) -> dict[Key, ExecutionDate]:
        """The dates among which the last run most likely is, by the keys of the rows that say so."""
        pipeline = self.pipeline
        found = set(expectations.looked_at(pipeline, self.now))
        if (start := expectations.last_start(pipeline, self.now)) is not None:
            found.add(start.date)
        return {self._row_key(date): date for date in found}

    @property
    def opening(self) -> ExecutionDate | None:
        """The date that is to run next: the first one after the last run, else the one whose start comes next."""
        pipeline = self.pipeline
        current, *earlier = expectations.looked_at(pipeline, self.now)
        candidates = (
            [current] if self.last is None else sorted(each for each in (current, *earlier) if each > self.last)
        )
        for date in candidates:
            if expectations.is_expected(pipeline, date) and dates.excluded(pipeline, date) is None:
                return date
        if (start := self.next_start) is not None:
            return None if start.date == self.last else start.date
        return expectations.next_listed(pipeline, current)

    @property
    def next_start(self) -> Start | None:
        return expectations.next_start(self.pipeline, self.now)

    @property
    def keys(self) -> set[Key]:
        """The keys of all rows that say something about the dates shown."""
        shown = self.live | {date for date in (self.last, self.opening) if date is not None}
        return {key for date in shown for key in facts.keys(self.pipeline, date)}

    def see(self, date: ExecutionDate) -> None:
        """There is a row of this date."""
        self.last = date if self.last is None else max(self.last, date)

    def status(self, found: Mapping[Key, Row]) -> PipelineStatus:
        """What the rows say."""
        pipeline, opening = self.pipeline, self.opening
        today = dates.of_instant(pipeline, self.now)
        others = sorted(self.live - {date for date in (self.last,) if date is not None})
        return PipelineStatus(
            pipeline=pipeline,
            excluded=dates.excluded(pipeline, today),
            last=None if self.last is None else self._standing(self.last, found),
            others=tuple(self._standing(date, found) for date in others),
            opening=None if opening is None else self._standing(opening, found),
            next_start=self.next_start,
        )

    def _standing(self, date: ExecutionDate, found: Mapping[Key, Row]) -> Standing:
        return Standing.of(Facts.of(self.pipeline, date, found), self.now)

    def _row_key(self, date: ExecutionDate) -> Key:
        """The key of the row that says that a date has begun: for a dry run, its observation."""
        key = RunKey(self.pipeline.schedule_id, str(date))
        if self.pipeline.dry_run:
            return rows.pk(self.pipeline.id), rows.dry_run(key.schedule_id, key.date)
        return trigger_key(self.pipeline.id, key)

    @property
    def prefix(self) -> str:
        """What the sort keys of all such rows begin with."""
        return (rows.dry_run if self.pipeline.dry_run else rows.trigger)(self.pipeline.schedule_id, "")


def _find_live(installation: Installation, looks: Mapping[str, _Look], ids: Iterable[str]) -> None:
    """Find the runs that go on, or about which somebody has to decide, however old they are."""
    asked: list[str | None] = [*sorted(set(ids))] or [None]
    for kind in (Kind.RUNNING, Kind.UNDECIDED):
        for pipeline_id in asked:
            bounds = None if pipeline_id is None else Bounds(between=(rows.pk(pipeline_id),) * 2)
            for row in installation.control.of_kind(kind, bounds):
                look = looks.get(rows.pipeline_of(row["PK"]) or "")
                date = _date(str(row["SK"]), rows.TRIGGER_PREFIX, look)
                if look is not None and date is not None:
                    look.live.add(date)
                    look.see(date)


def _find_latest(installation: Installation, looks: Mapping[str, _Look]) -> None:
    """Find the last date of each pipeline."""
    wanted = {key: (look, date) for look in looks.values() for key, date in look.latest.items()}
    for key in installation.control.get_many(wanted):
        look, date = wanted[key]
        look.see(date)
    unknown = [look for look in looks.values() if look.last is None]

    def last(look: _Look) -> list[Row]:
        bounds = Bounds(begins_with=look.prefix)
        return list(installation.control.query(rows.pk(look.pipeline.id), bounds, newest_first=True, limit=1))

    for look, found in zip(unknown, side_by_side(last, unknown), strict=True):
        for row in found:
            prefix = rows.DRY_RUN_PREFIX if look.pipeline.dry_run else rows.TRIGGER_PREFIX
            if (latest := _date(str(row["SK"]), prefix, look)) is not None:
                look.see(latest)


def _date(sort_key: str, prefix: str, look: _Look | None) -> ExecutionDate | None:
    """The date in a sort key, when it is one of the pipeline's present schedule."""
    key = rows.run_key(sort_key, prefix)
    if key is None or look is None or key.schedule_id != look.pipeline.schedule_id:
        return None
    try:
        return ExecutionDate.parse(key.date)
    except ValueError:
        return None


def _is_amiss(standing: Standing) -> bool:
    if standing.state in _AMISS:
        return True
    if standing.state in (State.COMPLETED, State.OBSERVED, State.EXCLUDED):
        return False
    return any(each.outcome == "missed" for each in standing.due) or _is_overdue(standing)


def _is_overdue(standing: Standing) -> bool:
    """Whether the clock was to start the date, and did not."""
    facts = standing.facts
    start = expectations.start_of(facts.pipeline, facts.date)
    if standing.state is not State.NO_RUN or start is None or facts.pipeline.dry_run or facts.earlier is not None:
        return False
    return start + GRACE < standing.now and not is_past(start, facts.watched.schedule)
