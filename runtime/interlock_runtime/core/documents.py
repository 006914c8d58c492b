"""The pipeline document: one YAML file, as types.

This is the only description of its fields. The validator at synth, the JSON Schema for editors
and the reader in Lambda are all derived from these classes; keys are the field names in
camelCase. Whoever adds a field adds it here and nowhere else.

Checks that concern one field alone are in its annotation; what several fields must satisfy
together is in :mod:`interlock_runtime.core.checks`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from interlock_runtime.core.cron import Cron
from interlock_runtime.core.job_documents import Job
from interlock_runtime.core.scalars import (
    CRON,
    DATE,
    DEADLINE,
    DURATION,
    MODE,
    PIPELINE_ID,
    SENSOR_KEY,
    TIME,
    TIMEZONE,
    WEEKDAY,
    Between,
    Deadline,
    Length,
    Mode,
    Spelled,
    Weekday,
)

Check = Literal["exists", "equals", "gt", "gte", "lt", "lte", "age_lt", "age_gt"]

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """``pipeline``: which pipeline this is, and whose."""

    id: Annotated[str, PIPELINE_ID]
    owner: str | None = None
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One check of one sensor field. ``value`` is a number, a duration or any scalar, by ``check``."""

    key: Annotated[str, SENSOR_KEY]
    check: Check
    field: str | None = None
    value: Any = None


@dataclass(frozen=True, kw_only=True)
class TriggerCondition(Rule):
    """``schedule.trigger``: which sensor write starts a run, and until when."""

    deadline: Annotated[Deadline, DEADLINE] | None = None
    day_offset: Annotated[int, Between(0, 7)] | None = None


@dataclass(frozen=True, kw_only=True)
class Include:
    """``schedule.include``: an irregular schedule, the dates on which a run is expected."""

    dates: Annotated[tuple[Annotated[date, DATE], ...], Length(1, unique=True)]


@dataclass(frozen=True, kw_only=True)
class Exclude:
    """``schedule.exclude``: when not to run. Named calendars are merged into ``days`` and ``dates`` at synth."""

    weekends: bool = False
    days: tuple[Annotated[Weekday, WEEKDAY], ...] = ()
    dates: tuple[Annotated[date, DATE], ...] = ()
    calendar: Annotated[str | None, Spelled(("holidays",))] = None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """``schedule.evaluation``: how long and how often a started run asks whether its rules hold."""

    window: Annotated[timedelta, DURATION] = timedelta(hours=1)
    interval: Annotated[timedelta, DURATION, Between(10)] = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """``schedule``: when a run is expected and what starts it."""

    cron: Annotated[Cron, CRON] | None = None
    timezone: Annotated[ZoneInfo, TIMEZONE] = UTC
    time: Annotated[time, TIME] | None = None
    trigger: TriggerCondition | None = None
    include: Include | None = None
    exclude: Exclude = field(default_factory=Exclude)
    evaluation: Evaluation = field(default_factory=Evaluation)


@dataclass(frozen=True, kw_only=True)
class Sla:
    """``sla``: by when a run must be complete, by the clock (``deadline``) or the first sensor (``max_duration``)."""

    deadline: Annotated[Deadline, DEADLINE] | None = None
    day_offset: Annotated[int, Between(0, 7)] | None = None
    expected_duration: Annotated[timedelta, DURATION] | None = None
    max_duration: Annotated[timedelta, DURATION, Between(1, 86400)] | None = None
    timezone: Annotated[ZoneInfo, TIMEZONE] | None = None
    critical: bool = False


@dataclass(frozen=True, kw_only=True)
class Validation:
    """``validation``: the constraints that must hold before the job starts."""

    trigger: Annotated[Mode, MODE] = Mode.ALL
    rules: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class PostRun:
    """``postRun``: what is watched after the job has succeeded."""

    rules: tuple[Rule, ...]
    drift_field: Annotated[str, Length(1)] = "sensor_count"
    drift_threshold: Annotated[float, Between(0)] = 0
    sensor_timeout: Annotated[timedelta, DURATION] = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A whole pipeline document."""

    pipeline: Identity
    schedule: Schedule = field(default_factory=Schedule)
    sla: Sla | None = None
    validation: Validation
    job: Job
    post_run: PostRun | None = None
    dry_run: bool = False

    @property
    def id(self) -> str:
        """The pipeline's id: ``pipeline.id``."""
        return self.pipeline.id

    @property
    def schedule_id(self) -> Literal["cron", "stream"]:
        """``cron`` when the pipeline has ``schedule.cron``, else ``stream``."""
        return "cron" if self.schedule.cron else "stream"

    @property
    def sla_timezone(self) -> ZoneInfo:
        """The zone of the SLA's deadline: ``sla.timezone``, else the schedule's."""
        return (self.sla and self.sla.timezone) or self.schedule.timezone


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """One file of ``calendars_path``: named days on which pipelines that refer to it do not run."""

    name: Annotated[str, Length(1)]
    days: tuple[Annotated[Weekday, WEEKDAY], ...] = ()
    dates: tuple[Annotated[date, DATE], ...] = ()
    description: str | None = None
