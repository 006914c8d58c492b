"""The SLA of an execution date: when it is due, the bells that ring for it, and how it came out.

Every deadline is brought up to date by :func:`attend`, whoever comes: the state machine when a
run begins, the watchdog on each pass, a person who asks for ``reconcile``. Each may come at any
time, and again, with the same effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.control import sla_alerts, verdicts
from interlock_runtime.control.ports import SlaPorts
from interlock_runtime.control.task import SUPERSEDED, Task
from interlock_runtime.core import arrival_rows, dates
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.errors import ConfigError
from interlock_runtime.core.expectations import is_expected
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.names import SlaMoment
from interlock_runtime.core.rows import Key, Row, RunKey, Status
from interlock_runtime.core.run import Run, read_run, trigger_key
from interlock_runtime.core.sla_deadlines import SlaDeadline, absolute, keys_of_date, of_date, relative
from interlock_runtime.core.timestamps import parse_timestamp

#: How long it is remembered that Scheduler holds the entries of a date.
KEEP = timedelta(days=30)

#: By how much the clocks of two machines may differ.
_SKEW = timedelta(seconds=1)

Rows = Mapping[Key, Row]


def calculate(config: Config, date: ExecutionDate, *, arrival: datetime | None) -> dict[str, Any]:
    """Both deadlines of a date, null for one that it does not have; never a function of now."""
    both = {"absolute": absolute(config.pipeline, date), "relative": relative(config.pipeline, date, arrival)}
    return {
        name: deadline and {"warningAt": rfc3339(deadline.warning), "breachAt": rfc3339(deadline.breach)}
        for name, deadline in both.items()
    }


def attend(ports: SlaPorts, deadline: SlaDeadline, found: Rows, *, before: Rows | None = None, now: datetime) -> bool:
    """Do for a deadline whatever is due by now and was not done; whether its verdict stands.

    ``found`` holds the rows under ``deadline.keys``, and ``before`` those under
    ``deadline.keys_before``, which are read here if need be. A breach that has passed is told at once, a
    warning that has passed is not; bells that are to come get their entries in Scheduler.
    """
    run = read_run(found.get(deadline.trigger_key))
    if (verdict := found.get(deadline.verdict_key)) is not None:
        verdicts.tell(ports, deadline, verdict, now=now)
    elif run is not None and run.status == Status.COMPLETED:
        sla_alerts.complete(ports, deadline, run, now=now)
    elif deadline.breach <= now:
        is_settled, run = (False, run) if run else _before(ports, deadline, before)
        if not is_settled:
            sla_alerts.breach(ports, deadline, run, now=now)
    else:
        _enter(ports, deadline, found.get(deadline.entries_key), now=now)
        return False
    return True


def schedule(ports: SlaPorts, task: Task, *, now: datetime) -> str:
    """A run begins: have the bells of its date rung; the answer says what was done.

    Raises:
        ConfigError: the pipeline's configuration cannot be read.
    """
    config, found = _read(ports, task, now=now)
    if task.current(found.get(task.trigger_key)) is None:
        return SUPERSEDED
    for deadline in _deadlines(config, task, found):
        attend(ports, deadline, found, now=now)
    return "scheduled"


def cancel(ports: SlaPorts, task: Task, *, now: datetime) -> str:
    """A run has ended. When it has completed its date, that is the verdict, and no bell is needed any more.

    Raises:
        ConfigError: the pipeline's configuration cannot be read.
    """
    config, found = _read(ports, task, now=now)
    run = task.current(found.get(task.trigger_key))
    if run is None:
        return SUPERSEDED
    if run.status != Status.COMPLETED:
        return "kept"
    for deadline in _deadlines(config, task, found):
        attend(ports, deadline, found, now=now)
        for moment in deadline.moments:
            if deadline.at(moment) > now:
                ports.schedules.delete(deadline.entry(moment))
    return "cancelled"


def reconcile(ports: SlaPorts, config: Config, date: ExecutionDate, *, now: datetime) -> None:
    """Bring the deadlines of a date up to date. A dry run has none, nor has an excluded date."""
    pipeline, key = config.pipeline, RunKey(config.pipeline.schedule_id, str(date))
    if pipeline.dry_run or dates.excluded(pipeline, date) is not None:
        return
    arrival_key = arrival_rows.key(pipeline.id, key.date)
    found = ports.control.get_many([*keys_of_date(pipeline.id, key), arrival_key])
    for deadline in of_date(pipeline, date, arrival_rows.of_row(found.get(arrival_key))):
        if deadline.trigger_key in found or deadline.arrived_at or is_expected(pipeline, date):
            attend(ports, deadline, found, now=now)


def fire_alert(ports: SlaPorts, message: Mapping[str, Any], *, now: datetime) -> str:
    """A bell rings: tell what is due, unless it is moot by now; the answer says what became of it.

    Raises:
        PermanentError: the message is not one that an entry carries.
    """
    deadline, moment = SlaDeadline.of_message(message), message["moment"]
    keys = [deadline.trigger_key, deadline.verdict_key]
    current: SlaDeadline | None = deadline
    try:
        config, found = ports.configs.get_with(deadline.pipeline_id, keys, now)
        has_run = deadline.trigger_key in found
        current = None if config is None else _current(config, deadline, moment, has_run=has_run)
    except ConfigError as error:
        ports.log.error("the configuration cannot be read: the bell rings by its message", problem=str(error))
        found = ports.control.get_many(keys)
    if current is None:
        return "moot"
    run = read_run(found.get(current.trigger_key))
    if (verdict := found.get(current.verdict_key)) is not None:
        verdicts.tell(ports, current, verdict, now=now)
        return "decided"
    if run is not None and run.status == Status.COMPLETED:
        return "completed"
    is_settled, run = (False, run) if run else _before(ports, current, None)
    if is_settled:
        return "moot"
    if now + _SKEW < current.at(moment):
        return "early"
    return _ring(ports, current, moment, run, now=now)


def _ring(ports: SlaPorts, deadline: SlaDeadline, moment: SlaMoment, run: Run | None, *, now: datetime) -> str:
    if moment == "breach":
        sla_alerts.breach(ports, deadline, run, now=now)
    elif now < deadline.breach:
        sla_alerts.warn(ports, deadline, run, now=now)
    else:
        return "late"
    return "fired"


def _before(ports: SlaPorts, deadline: SlaDeadline, found: Rows | None) -> tuple[bool, Run | None]:
    """Whether a date without a run of its own is settled, and the run that it had under another schedule.

    It is settled when that run has completed, whose verdict stands there, or when it was observed in a dry run.
    """
    rows = ports.control.get_many(deadline.keys_before) if found is None else found
    run = read_run(rows.get(trigger_key(deadline.pipeline_id, deadline.key.before)))
    if run is None:
        return not rows.keys().isdisjoint(deadline.keys_before), None
    return run.status == Status.COMPLETED, run


def _current(config: Config, deadline: SlaDeadline, moment: SlaMoment, *, has_run: bool) -> SlaDeadline | None:
    """The deadline as the configuration has it today.

    None when it has been moved, or when nobody waits for it any more: then the bell is moot.
    """
    pipeline, date = config.pipeline, ExecutionDate.parse(deadline.key.date)
    if pipeline.dry_run or pipeline.schedule_id != deadline.key.schedule_id or dates.excluded(pipeline, date):
        return None
    if not has_run and deadline.arrived_at is None and not is_expected(pipeline, date):
        return None
    found = of_date(pipeline, date, deadline.arrived_at)
    current = next((each for each in found if each.clock == deadline.clock), None)
    return current if current and rfc3339(current.at(moment)) == rfc3339(deadline.at(moment)) else None


def _read(ports: SlaPorts, task: Task, *, now: datetime) -> tuple[Config | None, Rows]:
    """The configuration, and the rows that say how the deadlines of the task's date stand."""
    keys = [*keys_of_date(task.pipeline_id, task.key), arrival_rows.key(task.pipeline_id, task.key.date)]
    return ports.configs.get_with(task.pipeline_id, keys, now)


def _deadlines(config: Config | None, task: Task, found: Rows) -> tuple[SlaDeadline, ...]:
    """The deadlines of the task's date; a pipeline that was removed, or is a dry run by now, has none.

    The marker knows of an arrival that came after the run had begun, by a tick; the task does not.
    """
    if config is None or config.pipeline.dry_run:
        return ()
    marker = found.get(arrival_rows.key(task.pipeline_id, task.key.date))
    arrival = arrival_rows.of_row(marker) or parse_timestamp(task.event.get("sensorArrivalAt"))
    return of_date(config.pipeline, ExecutionDate.parse(task.key.date), arrival)


def _enter(ports: SlaPorts, deadline: SlaDeadline, noted: Row | None, *, now: datetime) -> None:
    """Have Scheduler ring the bells that are to come, unless it is noted that it will.

    The note is put after the entries, and names their instants: a deadline that was moved has other entries.
    """
    data = {"warningAt": rfc3339(deadline.warning), "breachAt": rfc3339(deadline.breach)}
    if noted is not None and noted.get("data") == data:
        return
    for moment in deadline.moments:
        if (at := deadline.at(moment)) > now:
            ports.schedules.create(deadline.entry(moment), at=at, message=deadline.message(moment))
    pk, sk = deadline.entries_key
    ports.control.put({"PK": pk, "SK": sk, "data": data, "ttl": epoch_seconds(now + KEEP)})
