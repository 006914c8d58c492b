"""What starts a run by itself: a sensor that meets the trigger condition, a tick, reconciliation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from interlock_runtime.control import announcements, arrivals, dry_run, late_data, runs
from interlock_runtime.control.ports import StartPorts
from interlock_runtime.core import causes, dates, deadlines
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.instants import RECORD_PRECISION, rfc3339
from interlock_runtime.core.rows import RunKey, Status
from interlock_runtime.core.run import Reason, Run, read_run, trigger_key


@dataclass(frozen=True, kw_only=True)
class SensorWrite:
    """A sensor that meets the trigger condition, when it was written, and the cause that this write is."""

    key: str
    written_at: datetime
    cause: str


class Standing(Enum):
    """What a row that stands there already means for somebody who wanted to start."""

    #: It is running; whoever comes makes sure that it was launched.
    RUNNING = auto()
    NOTHING = auto()
    LATE_DATA = auto()
    TOO_LATE = auto()
    NEXT_ATTEMPT = auto()


def standing(run: Run, *, cause: str, written_at: datetime | None) -> Standing:
    """What ``run`` means for a start with this cause; ``written_at`` is that of the sensor, if there is one."""
    if run.is_running:
        return Standing.RUNNING
    # A write in the second of the completion may have come after it; data that nobody looks at again is the worse harm.
    later = written_at is not None and run.completed_at is not None and written_at + RECORD_PRECISION > run.completed_at
    if run.cause == cause or not later:
        return Standing.NOTHING
    if run.status == Status.COMPLETED:
        return Standing.LATE_DATA
    if run.reason == Reason.TRIGGER_EXHAUSTED:
        return Standing.NEXT_ATTEMPT
    if run.reason == Reason.VALIDATION_EXHAUSTED:
        return Standing.TOO_LATE
    return Standing.NOTHING


def by_sensor(ports: StartPorts, config: Config, date: ExecutionDate, write: SensorWrite, *, now: datetime) -> bool:
    """A sensor met the trigger condition: start the date's run, or do what its row asks for; whether it started."""
    pipeline = config.pipeline
    ports.log.also(schedule=pipeline.schedule_id, date=str(date))
    if (excluded := dates.excluded(pipeline, date)) is not None:
        announcements.excluded(ports, pipeline, str(date), reason=excluded, now=now)
        return False
    if pipeline.dry_run:
        dry_run.triggered(ports, pipeline, date, cause=write.cause, at=write.written_at, now=now)
        return False
    arrival = arrivals.record(ports, pipeline, str(date), sensor_key=write.key, at=write.written_at)
    return _start(ports, config, date, cause=write.cause, at=write.written_at, arrival=arrival, write=write, now=now)


def by_tick(
    ports: StartPorts, config: Config, *, scheduled_at: datetime, only_listed: bool = False, now: datetime
) -> None:
    """A schedule fired: start the run of the date it fired for. An include tick counts on a listed date only."""
    pipeline = config.pipeline
    date = dates.of_instant(pipeline, scheduled_at)
    ports.log.also(schedule=pipeline.schedule_id, date=str(date))
    include = pipeline.schedule.include
    if only_listed and (include is None or date.day not in include.dates):
        ports.log.info("tick passed over: the date is not listed in schedule.include")
        return
    cause = causes.tick(scheduled_at)
    if (excluded := dates.excluded(pipeline, date)) is not None:
        announcements.excluded(ports, pipeline, str(date), reason=excluded, now=now)
    elif pipeline.dry_run:
        dry_run.triggered(ports, pipeline, date, cause=cause, at=scheduled_at, by_sensor=False, now=now)
    else:
        relative = pipeline.sla is not None and pipeline.sla.max_duration is not None
        arrival = arrivals.read(ports, pipeline.id, str(date)) if relative else None
        _start(ports, config, date, cause=cause, at=now, arrival=arrival, write=None, now=now)


def _start(
    ports: StartPorts,
    config: Config,
    date: ExecutionDate,
    *,
    cause: str,
    at: datetime,
    arrival: datetime | None,
    write: SensorWrite | None,
    now: datetime,
) -> bool:
    """Claim the date and launch its run; ``at`` is when it was asked for, which the deadline looks at.

    A sensor asked for it when it was written, however late that is handled; a tick asks for it now.
    """
    pipeline = config.pipeline
    deadline = deadlines.trigger_deadline(pipeline, date)
    in_time = deadline is None or at <= deadline
    run, earlier = _standing(ports, pipeline, date)
    begun = False
    if run is None and earlier is not None:
        _ran_already(ports, pipeline, earlier, cause=cause, write=write, now=now)
    elif not in_time:
        ports.log.info("automatic start refused: the trigger deadline has passed", deadline=rfc3339(deadline or at))
    elif run is None:
        made = runs.begin(ports, config, str(date), cause=cause, arrival=arrival, now=now)
        run, begun = made.run, made.made
    if begun and run is not None:
        runs.launch(ports, run, now=now)
    elif run is not None:
        _respond(ports, config, run, cause=cause, write=write, in_time=in_time, now=now)
    return begun


def _standing(ports: StartPorts, pipeline: Pipeline, date: ExecutionDate) -> tuple[Run | None, Run | None]:
    """The run of the date, and the one that it had before a cron was added to the pipeline, or taken away."""
    key = RunKey(pipeline.schedule_id, str(date))
    own, before = trigger_key(pipeline.id, key), trigger_key(pipeline.id, key.before)
    found = ports.control.get_many([own, before])
    return read_run(found.get(own)), read_run(found.get(before))


def _ran_already(
    ports: StartPorts, pipeline: Pipeline, earlier: Run, *, cause: str, write: SensorWrite | None, now: datetime
) -> None:
    """The date ran under the schedule that the pipeline had: it is not run again by itself, but newer data is told."""
    ports.log.info("automatic start refused: the date ran under another schedule", earlier=earlier.schedule_id)
    found = standing(earlier, cause=cause, written_at=None if write is None else write.written_at)
    if write is not None and found not in (Standing.RUNNING, Standing.NOTHING):
        late_data.came_under_another_schedule(
            ports, pipeline, earlier, sensor_key=write.key, written_at=write.written_at, cause=cause, now=now
        )


def _respond(
    ports: StartPorts,
    config: Config,
    run: Run,
    *,
    cause: str,
    write: SensorWrite | None,
    in_time: bool,
    now: datetime,
) -> None:
    """Do what the row that stands there means."""
    for _ in range(runs.ROUNDS):
        found = standing(run, cause=cause, written_at=None if write is None else write.written_at)
        if found is Standing.RUNNING:
            runs.launch(ports, run, now=now)
        elif found is Standing.LATE_DATA and write is not None:
            late_data.arrived(
                ports,
                config.pipeline,
                run,
                sensor_key=write.key,
                written_at=write.written_at,
                cause=write.cause,
                now=now,
            )
        elif found is Standing.TOO_LATE and write is not None:
            late_data.came_too_late(ports, run, sensor_key=write.key, written_at=write.written_at, now=now)
        elif found is Standing.NEXT_ATTEMPT and in_time:
            reason = Reason.SENSOR_AFTER_TRIGGER_EXHAUSTED
            made = runs.again(ports, config, run, cause=cause, reason=reason, now=now)
            if made.run is not None:
                run = made.run
                continue
        return
    raise TransientError(f"the trigger row of {run.pipeline_id} {run.date} kept changing")
