"""How one execution date stands, what it waits for, and when it is looked at next; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from interlock_runtime.core import dates, expectations, sensors
from interlock_runtime.core.deadlines import trigger_deadline
from interlock_runtime.core.documents import TriggerCondition
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Kind, Status
from interlock_runtime.core.rules import RuleResult, Verdict, evaluate, evaluate_rule
from interlock_runtime.core.run import Run
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_tf.installation.due import Due, due, is_past
from interlock_tf.installation.facts import Facts
from interlock_tf.installation.times import local


class State(StrEnum):
    """How a date stands."""

    NO_RUN = "no run"
    EXCLUDED = "excluded"
    #: Nothing started it before its trigger deadline.
    EXPIRED = "expired"
    #: Claimed; its execution is about to be started.
    STARTING = "starting"
    #: The execution waits for the constraints.
    WAITING = "waiting"
    #: The job is being started, or runs.
    JOB = "job"
    COMPLETED = "completed"
    FAILED = "failed"
    #: A dry run that would have started its job.
    OBSERVED = "observed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, kw_only=True)
class NextLook:
    """When the execution of a run looks again, reckoned from its start; its steps take some time, too.

    After ``until`` it does not look any more.
    """

    at: datetime
    what: str
    until: datetime | None

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "at": rfc3339(self.at),
            "what": self.what,
            "until": self.until and rfc3339(self.until),
            "isEstimate": True,
        }


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One date. The rules are judged as the sensors are ``now``, whatever they were when it ran."""

    facts: Facts
    now: datetime
    state: State
    since: datetime | None
    waits_for: tuple[str, ...]
    next_look: NextLook | None
    trigger: RuleResult | None
    validation: Verdict
    post_run: Verdict | None
    due: tuple[Due, ...]

    @classmethod
    def of(cls, facts: Facts, now: datetime) -> Standing:
        """Judge a date."""
        pipeline, condition = facts.pipeline, facts.pipeline.schedule.trigger
        mode = pipeline.validation.trigger
        validation = evaluate(pipeline.validation.rules, mode=mode, sensors=facts.sensors, now=now)
        after = pipeline.post_run
        post_run = None if after is None else evaluate(after.rules, sensors=facts.sensors, now=now)
        trigger = None
        if condition is not None:
            trigger = evaluate_rule(condition, facts.sensors.get(condition.key), now=now)
        state = _state(facts)
        return cls(
            facts=facts,
            now=now,
            state=state,
            since=_since(facts, state, now),
            waits_for=_waits(facts, state, trigger, validation, now),
            next_look=None if facts.run is None else _next_look(facts.run, state, now),
            trigger=trigger,
            validation=validation,
            post_run=post_run,
            due=due(facts, now),
        )

    @property
    def is_open(self) -> bool:
        """Whether a run goes on, or is about to."""
        return self.state in (State.STARTING, State.WAITING, State.JOB)

    @property
    def next_due(self) -> Due | None:
        """The deadline that comes next."""
        return min((each for each in self.due if each.is_open), key=lambda each: each.at, default=None)

    def describe(self) -> dict[str, Any]:
        """As JSON, without the rules."""
        run = self.facts.run
        return {
            "scheduleId": self.facts.key.schedule_id,
            "date": self.facts.key.date,
            "state": str(self.state),
            "since": self.since and rfc3339(self.since),
            "status": run and run.status,
            "attempt": run and run.attempt,
            "reason": run and run.reason,
            "cause": run and run.cause,
            "runId": run and run.run_id,
            "executionArn": run and run.execution_arn,
            "waitsFor": list(self.waits_for),
            "nextLook": self.next_look and self.next_look.describe(),
            "deadlines": [each.describe() for each in self.due],
        }


def _state(facts: Facts) -> State:
    run = facts.run
    if facts.problem is not None:
        return State.UNREADABLE
    if run is None:
        if dates.excluded(facts.pipeline, facts.date) is not None:
            return State.EXCLUDED
        return State.OBSERVED if facts.observed_at is not None else State.NO_RUN
    if run.is_running:
        if not run.is_launched:
            return State.STARTING
        return State.WAITING if run.intent is None else State.JOB
    if run.is_expired:
        return State.EXPIRED
    return State.COMPLETED if run.status == Status.COMPLETED else State.FAILED


def _since(facts: Facts, state: State, now: datetime) -> datetime | None:
    run = facts.run
    if run is None:
        if state is not State.NO_RUN:
            return facts.observed_at
        begun = expectations.start_of(facts.pipeline, facts.date)
        begun = begun or dates.period_start(facts.date, facts.pipeline.schedule.timezone)
        return begun if begun <= now else None
    if state is State.JOB:
        return parse_timestamp((run.job or {}).get("triggeredAt") or (run.intent or {}).get("at")) or run.started_at
    return run.started_at if run.is_running else run.completed_at


def _waits(
    facts: Facts, state: State, trigger: RuleResult | None, validation: Verdict, now: datetime
) -> tuple[str, ...]:
    request = facts.request
    asked = [] if request is None else [f"the decision about a rerun request ({request.reason})"]
    return (*asked, *_own_waits(facts, state, trigger, validation, now))


def _own_waits(
    facts: Facts, state: State, trigger: RuleResult | None, validation: Verdict, now: datetime
) -> tuple[str, ...]:
    if facts.problem is not None:
        return (facts.problem,)
    if state is State.NO_RUN:
        return tuple(_start_waits(facts, trigger, validation, now))
    if state is State.STARTING:
        return ("its execution, which is about to be started",)
    if state is State.WAITING:
        return validation.reasons or ("the next look: every constraint holds",)
    run = facts.run
    if run is None:
        return ()
    if state is State.JOB:
        return (_job(run),)
    if run.kind == Kind.UNDECIDED:
        return ("the decision about a retry",)
    if run.kind == Kind.POSTRUN and run.completed_at is not None and facts.pipeline.post_run is not None:
        until = run.completed_at + facts.pipeline.post_run.sensor_timeout
        return (f"a post-run sensor, until {local(until, facts.pipeline.schedule.timezone)}",)
    return ()


def _start_waits(facts: Facts, trigger: RuleResult | None, validation: Verdict, now: datetime) -> list[str]:
    """What starts the run of a date that has none."""
    pipeline, schedule = facts.pipeline, facts.pipeline.schedule
    if facts.earlier is not None:
        how = f"schedule {facts.earlier.schedule_id}, which the pipeline had before: {facts.earlier.status}"
        return [f"a rerun request: the date ran under {how}"]
    found = []
    start = expectations.start_of(pipeline, facts.date)
    clock = "cron" if schedule.cron else "schedule.time"
    if start is not None and start > now:
        found.append(f"{clock}, at {local(start, schedule.timezone)}")
    elif start is not None and not pipeline.dry_run:
        due_at = f"{clock} was due at {local(start, schedule.timezone)}"
        if is_past(start, facts.watched.schedule):
            found.append(f"a rerun request: {due_at}, before it was watched")
        else:
            found.append(f"a start: {due_at}, and there is no run")
    if schedule.trigger is not None and trigger is not None:
        deadline = trigger_deadline(pipeline, facts.date)
        if deadline is not None and now > deadline:
            found.append(f"a rerun request: the trigger deadline was {local(deadline, schedule.timezone)}")
        else:
            found.append(_trigger_wait(facts, schedule.trigger, trigger, validation))
    elif start is None:
        listed = "is not listed in schedule.include" if schedule.include else "is not a day of its cron"
        found.append(f"a rerun request: {facts.date} {listed}")
    return found


def _trigger_wait(facts: Facts, condition: TriggerCondition, result: RuleResult, validation: Verdict) -> str:
    sensor = facts.sensors.get(condition.key)
    if not result.passed or sensor is None:
        return result.reason
    told = sensors.told_date(facts.pipeline, condition.key, sensor)
    if told != facts.date:
        last = "does not say of which date it is" if told is None else f"is of {told}"
        return f"a write of sensor {condition.key}: the one that is there {last}"
    if facts.pipeline.dry_run:
        return (
            "; ".join(validation.reasons) or "an observation: everything holds, and the trigger's sensor was not seen"
        )
    return f"a start: {result.reason}, and there is no run yet"


def _job(run: Run) -> str:
    job = run.job
    if job is None:
        return "its job, which is being started"
    named = f"its {job.get('jobType')} job" + (f" {job['runId']}" if job.get("runId") else "")
    return named if job.get("status") == "started" else f"its execution to end: {named} has ended ({job.get('status')})"


def _next_look(run: Run, state: State, now: datetime) -> NextLook | None:
    if state is State.WAITING:
        interval, window = run.seconds("evaluationIntervalSeconds"), run.seconds("evaluationWindowSeconds")
        return _look(run.started_at, interval, window, now, what="the constraints")
    if state is State.JOB and run.job is not None:
        begun = parse_timestamp(run.job.get("triggeredAt")) or run.started_at
        interval, window = run.seconds("jobCheckIntervalSeconds"), run.seconds("jobPollWindowSeconds")
        return _look(begun, interval, window, now, what="the job")
    return None


def _look(
    begun: datetime, interval: timedelta | None, window: timedelta | None, now: datetime, *, what: str
) -> NextLook | None:
    if not interval:
        return None
    steps = max((now - begun) // interval + 1, 0)
    return NextLook(at=begun + steps * interval, what=what, until=None if window is None else begun + window)
