"""The jobs of a simulation: they start nothing, and end as they are told.

The orchestrator's code runs to the very call of the service (Glue, EMR, an HTTP request, a
program), which is answered here. A job succeeds after the pipeline's ``expectedDuration``, or ten
minutes, unless it is told otherwise; one that ends within its start is told beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.core.documents import Pipeline
from interlock_tf.local.agenda import Agenda

SUCCESS, FAIL = "success", "fail"
#: A job that goes on until it is told otherwise; one that ends within its start runs into its time-out instead.
HANG = "hang"
CATEGORIES = ("TRANSIENT", "TIMEOUT", "PERMANENT")

_DURATION = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ends; ``category`` says why it fails, as far as a retry is concerned."""

    status: str = SUCCESS
    category: str = "TRANSIENT"

    @property
    def failed(self) -> bool:
        """Whether it fails."""
        return self.status == FAIL

    def __str__(self) -> str:
        return f"fail, {self.category}" if self.failed else self.status


@dataclass(kw_only=True)
class Job:
    """One job that was started; ``outcome`` is None while it runs. ``number`` counts the jobs."""

    number: int
    service: str
    pipeline_id: str
    schedule_id: str
    date: str
    attempt: int
    token: str
    started: datetime
    name: str = ""
    given: Any = None
    outcome: Outcome | None = None

    @property
    def id(self) -> str:
        """What the service calls the run."""
        return f"{self.service}-run-{self.number:04}"


@dataclass
class Jobs:
    """All jobs. ``pipeline`` gives a pipeline by id, ``running`` what the orchestrator is at."""

    agenda: Agenda
    pipeline: Callable[[str], Pipeline]
    running: Callable[[], Any]
    changed: Callable[[Job], None] = lambda _: None
    reports: Callable[[Job], None] = lambda _: None
    all: list[Job] = field(default_factory=list)
    _told: dict[str, list[Outcome]] = field(default_factory=dict)

    def start(self, service: str, *, name: str = "", token: str | None = None, given: Any = None) -> Job:
        """Start a job that goes on; the same one for a token that was given before."""
        if token and (known := self.find(lambda job: job.service == service and job.token == token)):
            return known
        job = self._new(service, name, token, given)
        told = self._told.get(job.pipeline_id)
        outcome = told.pop(0) if told else Outcome()
        if outcome.status != HANG:
            self.agenda.after(self.duration(job.pipeline_id), lambda: self._end(job, outcome))
        return job

    def run(self, service: str, *, name: str = "", token: str | None = None) -> Outcome:
        """Start a job that ends within its start; for a token that was given before, it ends as it did then."""
        if token and (known := self.find(lambda job: job.service == service and job.token == token)):
            assert known.outcome is not None
            return known.outcome
        job = self._new(service, name, token, None)
        told = self._told.get(job.pipeline_id)
        outcome = told.pop(0) if told else Outcome()
        self._end(job, Outcome(status=FAIL, category="TIMEOUT") if outcome.status == HANG else outcome)
        assert job.outcome is not None
        return job.outcome

    def tell(self, pipeline_id: str, outcome: Outcome) -> None:
        """End the pipeline's running job, the one that started first; without one, it is how the next will end."""
        job = self.find(lambda job: job.pipeline_id == pipeline_id and job.outcome is None)
        if job is None or outcome.status == HANG:
            self._told.setdefault(pipeline_id, []).append(outcome)
        else:
            self._end(job, outcome)

    def find(self, wanted: Callable[[Job], bool]) -> Job | None:
        """The first job of a kind."""
        return next(filter(wanted, self.all), None)

    def duration(self, pipeline_id: str) -> timedelta:
        """How long a job of the pipeline takes when nobody says otherwise."""
        sla = self.pipeline(pipeline_id).sla
        return sla.expected_duration if sla and sla.expected_duration else _DURATION

    def _new(self, service: str, name: str, token: str | None, given: Any) -> Job:
        task = self.running()
        job = Job(
            number=len(self.all) + 1,
            service=service,
            pipeline_id=task["pipelineId"],
            schedule_id=task["scheduleId"],
            date=task["date"],
            attempt=task["attempt"],
            token=token or "",
            started=self.agenda.now(),
            name=name,
            given=given,
        )
        self.all.append(job)
        self.changed(job)
        return job

    def _end(self, job: Job, outcome: Outcome) -> None:
        if job.outcome is None:
            job.outcome = outcome
            self.changed(job)
            self.reports(job)
