"""What the control table says about one execution date of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from interlock_runtime.core import arrival_rows, rows, sensors, since_marker, sla_deadlines
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.instants import EPOCH
from interlock_runtime.core.names import SlaClock
from interlock_runtime.core.rerun_requests import Request
from interlock_runtime.core.rows import Key, Row, RunKey
from interlock_runtime.core.run import Run, read_run, trigger_key
from interlock_runtime.core.sensors import Sensors
from interlock_runtime.core.since_marker import Watched
from interlock_runtime.core.sla_deadlines import SlaDeadline
from interlock_runtime.core.timestamps import parse_timestamp

_CLOCKS: tuple[SlaClock, ...] = ("sla", "relative")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One date, as its rows have it.

    ``observed_at`` is when a dry run would have started it. ``request`` is a rerun request that
    nobody has decided about yet. ``verdicts`` are the events that say how its deadlines came out.
    ``watched`` says since when the watchdog has known the pipeline's schedule and deadlines.
    ``earlier`` is a run of the date under the schedule that the pipeline had before.
    ``problem`` says why the trigger row cannot be read; then ``run`` is None.
    """

    pipeline: Pipeline
    date: ExecutionDate
    run: Run | None
    sensors: Sensors
    arrival: datetime | None = None
    observed_at: datetime | None = None
    request: Request | None = None
    verdicts: Mapping[SlaClock, str]
    watched: Watched
    earlier: Run | None = None
    problem: str | None = None

    @property
    def key(self) -> RunKey:
        """The schedule and the date."""
        return RunKey(self.pipeline.schedule_id, str(self.date))

    @property
    def deadlines(self) -> tuple[SlaDeadline, ...]:
        """The SLA's deadlines of the date."""
        return sla_deadlines.of_date(self.pipeline, self.date, self.arrival)

    @classmethod
    def of(cls, pipeline: Pipeline, date: ExecutionDate, found: Mapping[Key, Row]) -> Facts:
        """Read the rows that were found under :func:`keys`."""
        at = _Keys(pipeline, date)
        run, problem = run_of(found.get(at.trigger))
        verdicts = {clock: _verdict(found.get(at.verdict(clock))) for clock in _CLOCKS}
        return cls(
            pipeline=pipeline,
            date=date,
            run=run,
            problem=problem,
            sensors=at.chosen(found),
            arrival=arrival_rows.of_row(found.get(at.arrival)) or (None if run is None else run.arrival),
            observed_at=_observed_at(found.get(at.observation)),
            request=_request(found.get(at.request)),
            earlier=run_of(found.get(at.before))[0],
            watched=Watched.of_row(found.get(since_marker.key(pipeline.id))),
            verdicts={clock: event for clock, event in verdicts.items() if event is not None},
        )


def keys(pipeline: Pipeline, date: ExecutionDate) -> set[Key]:
    """The keys of all rows of the control table that say something about a date."""
    at = _Keys(pipeline, date)
    markers = (at.observation, at.arrival, *map(at.verdict, _CLOCKS), since_marker.key(pipeline.id))
    return {at.trigger, at.before, at.request, *markers} | at.sensors


def run_of(row: Row | None) -> tuple[Run | None, str | None]:
    """The run in a trigger row, or what is wrong with the row."""
    try:
        return read_run(row), None
    except PermanentError as error:
        return None, str(error)


@dataclass(frozen=True)
class _Keys:
    pipeline: Pipeline
    date: ExecutionDate

    @property
    def _run(self) -> RunKey:
        return RunKey(self.pipeline.schedule_id, str(self.date))

    @property
    def trigger(self) -> Key:
        return trigger_key(self.pipeline.id, self._run)

    @property
    def before(self) -> Key:
        return trigger_key(self.pipeline.id, self._run.before)

    @property
    def request(self) -> Key:
        return rows.pk(self.pipeline.id), rows.rerun_request(self._run.schedule_id, self._run.date)

    @property
    def observation(self) -> Key:
        return rows.pk(self.pipeline.id), rows.dry_run(self._run.schedule_id, self._run.date)

    @property
    def arrival(self) -> Key:
        return arrival_rows.key(self.pipeline.id, self._run.date)

    @property
    def sensors(self) -> set[Key]:
        return set(sensors.keys_of(self.pipeline, sensors.all_keys(self.pipeline), self.date))

    def chosen(self, found: Mapping[Key, Row]) -> Sensors:
        own = {key: found[key] for key in self.sensors & found.keys()}
        return sensors.chosen(sensors.all_keys(self.pipeline), self.date, own)

    def verdict(self, clock: SlaClock) -> Key:
        return rows.pk(self.pipeline.id), rows.verdict_marker(clock, self._run.schedule_id, self._run.date)


def _verdict(row: Row | None) -> str | None:
    """The event in the marker of a verdict."""
    data = (row or {}).get("data")
    told = data.get("event") if isinstance(data, Mapping) else None
    return told if isinstance(told, str) else None


def _observed_at(row: Row | None) -> datetime | None:
    data = (row or {}).get("data")
    return parse_timestamp(data.get("triggeredAt")) if isinstance(data, Mapping) else None


def _request(row: Row | None) -> Request | None:
    if row is None:
        return None
    return Request.of_row(row, event_id="unknown", written_at=parse_timestamp(row.get("requestedAt")) or EPOCH)
