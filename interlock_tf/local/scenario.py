"""A story about one stack, told step by step in virtual time, for tests::

    story = Scenario.of_pipelines("pipelines", calendars="calendars", pipeline="gold-revenue", start="2026-11-24")
    story.at("07:55")
    story.sensor("orders-loaded", status="complete", row_count=1200)
    story.advance(hours=1)
    story.expect("JOB_TRIGGERED")

Times of day are those of the pipeline's time zone. Everything that is due has happened when a step
returns. An expectation that is not met raises AssertionError with the timeline.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from interlock_runtime.core import rows
from interlock_runtime.core.events import EVENT_TYPES
from interlock_tf.local.actions import Actions
from interlock_tf.local.agenda import Agenda
from interlock_tf.local.jobs import CATEGORIES, FAIL, Outcome
from interlock_tf.local.recorder import Recorder
from interlock_tf.local.synthesis import stack_of_pipelines
from interlock_tf.local.terraform_json import Configuration, Place, StackError
from interlock_tf.local.timeline import Entry, Kind, text_lines
from interlock_tf.local.world import World


class Scenario:
    """One stack from the beginning of a day on. ``pipeline`` is the one that steps are about by default.

    ``stack`` is the folder of a synthesised stack, or its ``cdk.tf.json``. ``start`` is a date or a
    date and time, in the time zone of the pipeline. ``seed`` is for what is random: jitter.

    Attributes:
        world: the running stack, for whoever wants to look behind the story.
    """

    def __init__(
        self,
        stack: str | Path,
        *,
        start: str | date | datetime,
        pipeline: str | None = None,
        seed: int = 0,
        place: Place | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        configuration = Configuration.read(Path(stack), place=place, variables=variables)
        instant = _instant(start)
        local = instant if instant.tzinfo else instant.replace(tzinfo=zone_of(configuration, pipeline))
        self.world = World(configuration, agenda=Agenda(local), seed=seed)
        self._pipeline = pipeline
        self._recorder = Recorder(self.world)
        self._actions = Actions(self.world)
        self._met: set[int] = set()
        self._looked = 0
        if pipeline is not None:
            self.world.pipeline(pipeline)

    @classmethod
    def of_pipelines(
        cls,
        path: str | Path,
        *,
        start: str | date | datetime,
        calendars: str | Path | None = None,
        pipeline: str | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> Scenario:
        """A story about a directory of pipelines, in a stack that has nothing else in it.

        The stack is synthesised once per process, and needs Node.js as every synthesis. ``settings``
        are variables of :class:`~interlock_tf.Interlock`.
        """
        folder = stack_of_pipelines([Path(path)], calendars=Path(calendars) if calendars else None, **settings)
        return cls(folder, start=start, pipeline=pipeline, seed=seed)

    @property
    def now(self) -> datetime:
        """The time, in the time zone of the pipeline."""
        return self.world.now().astimezone(self._zone(self._pipeline))

    @property
    def timeline(self) -> Sequence[Entry]:
        """Everything that has happened, in order."""
        return tuple(self._recorder.entries)

    def at(self, when: str | datetime) -> None:
        """Let it be ``HH:MM`` of the same day, or a date and time; both in the pipeline's time zone.

        Raises:
            ValueError: that has passed.
        """
        now = self.now
        if isinstance(when, datetime) or "T" in when or " " in when:
            instant = when if isinstance(when, datetime) else datetime.fromisoformat(when)
            instant = instant if instant.tzinfo else instant.replace(tzinfo=now.tzinfo)
        else:
            instant = datetime.combine(now.date(), time.fromisoformat(when), now.tzinfo)
        if instant < now:
            raise ValueError(f"{when} has passed: it is {now:%Y-%m-%d %H:%M:%S %Z}")
        self.world.run_until(instant)

    def advance(self, **duration: float) -> None:
        """Let time pass: ``hours=1``, ``minutes=10``, as of a timedelta."""
        self.world.run_until(self.world.now() + timedelta(**duration))

    def sensor(self, key: str, *, pipeline: str | None = None, **fields: Any) -> None:
        """Write a sensor, as a process outside would: a row with these fields in ``data``."""
        self._actions.write_sensor(self._subject(pipeline), key, fields)

    def rerun(self, reason: str = "manual", *, date: str | None = None, pipeline: str | None = None) -> None:
        """Ask for a rerun, as a person would; without ``date``, of the run that was started last.

        Raises:
            ValueError: there was none.
        """
        self._actions.request_rerun(self._subject(pipeline), reason, date)

    def job_succeeds(self, *, pipeline: str | None = None) -> None:
        """End the running job well; without one, it is how the next will end. It is seen when next asked about."""
        self._actions.end_job(self._subject(pipeline), Outcome())

    def job_fails(self, *, category: str = "TRANSIENT", pipeline: str | None = None) -> None:
        """End the running job badly; without one, it is how the next will end.

        Raises:
            ValueError: there is no such category.
        """
        if category not in CATEGORIES:
            raise ValueError(f"{category!r} is no category; expected one of {', '.join(CATEGORIES)}")
        self._actions.end_job(self._subject(pipeline), Outcome(status=FAIL, category=category))

    def expect(self, event: str, *, pipeline: str | None = None, **detail: Any) -> Entry:
        """An event has been published, one that no expectation was met by before; ``detail`` are fields of its detail.

        Raises:
            ValueError: Interlock has no such event.
            AssertionError: it has not been published.
        """
        if event not in EVENT_TYPES:
            raise ValueError(f"Interlock has no event {event!r}; expected one of {', '.join(EVENT_TYPES)}")
        subject = pipeline or self._pipeline

        def fits(entry: Entry) -> bool:
            told = {name: entry.detail.get(name) for name in detail}
            return entry.what == event and subject in (None, entry.pipeline_id) and told == detail

        self._looked = len(self._recorder.entries)
        for position, entry in enumerate(self._recorder.entries):
            if entry.kind is Kind.EVENT and position not in self._met and fits(entry):
                self._met.add(position)
                return entry
        wanted = " ".join([event, *(f"{name}={value!r}" for name, value in detail.items())])
        raise self._unmet(f"expected {wanted}, and it was not published")

    def expect_nothing(self, *, pipeline: str | None = None) -> None:
        """Nothing has been published since the last expectation.

        Raises:
            AssertionError: something has been.
        """
        subject = pipeline or self._pipeline
        since, self._looked = self._looked, len(self._recorder.entries)
        published = [
            entry.what
            for position, entry in enumerate(self._recorder.entries[since:], since)
            if entry.kind is Kind.EVENT and position not in self._met and subject in (None, entry.pipeline_id)
        ]
        if published:
            raise self._unmet(f"expected nothing, and there was {', '.join(published)}")

    def _subject(self, pipeline: str | None) -> str:
        subject = pipeline or self._pipeline
        if subject is None:
            raise ValueError("which pipeline? give one to the scenario, or to this step")
        return self.world.pipeline(subject).id

    def _zone(self, pipeline: str | None) -> ZoneInfo:
        return self.world.pipeline(pipeline).schedule.timezone if pipeline else ZoneInfo("UTC")

    def _unmet(self, what: str) -> AssertionError:
        told = "\n".join(text_lines(self._recorder.entries, self._zone(self._pipeline)))
        return AssertionError(f"{what}. What happened:\n{told or '  nothing'}")


def zone_of(configuration: Configuration, pipeline_id: str | None) -> ZoneInfo:
    """The time zone of a pipeline of a stack; UTC without a pipeline.

    Raises:
        StackError: the stack has no such pipeline.
    """
    if pipeline_id is None:
        return ZoneInfo("UTC")
    for _, attributes in configuration.resources("aws_dynamodb_table_item"):
        item = json.loads(attributes["item"])
        if item["PK"]["S"] == rows.pk(pipeline_id) and item["SK"]["S"] == rows.CONFIG:
            document = json.loads(item["config"]["S"])
            return ZoneInfo(document["schedule"].get("timezone", "UTC"))
    raise StackError(f"the stack has no pipeline {pipeline_id!r}")


def _instant(start: str | date | datetime) -> datetime:
    if isinstance(start, datetime):
        return start
    return datetime.fromisoformat(start) if isinstance(start, str) else datetime.combine(start, time())
