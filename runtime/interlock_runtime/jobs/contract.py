"""What passes between the orchestrator and the job types: a run goes in, an outcome comes out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from math import floor
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.reader import camel
from interlock_runtime.jobs.excerpts import excerpt

if TYPE_CHECKING:
    from interlock_runtime.core.dates import ExecutionDate
    from interlock_runtime.jobs.network import Network
    from interlock_runtime.jobs.templates import Templates

C = TypeVar("C")

#: Seconds that a function keeps to record a job that has ended: an answer that is lost is asked for again.
_RESERVE = 10.0


class Category(StrEnum):
    """Why a job failed, as far as a retry is concerned; stored as ``category`` of a job-log row."""

    TRANSIENT = "TRANSIENT"
    TIMEOUT = "TIMEOUT"
    PERMANENT = "PERMANENT"


@dataclass(frozen=True)
class Running:
    """The job has not ended, or says so elsewhere (an outside job writes a job-log row)."""


@dataclass(frozen=True)
class Succeeded:
    """The job has ended well."""


@dataclass(frozen=True)
class Failed:
    """The job has ended badly. ``message`` is for people, and free of secrets."""

    message: str
    category: Category


Outcome = Running | Succeeded | Failed


@dataclass(frozen=True, kw_only=True)
class Started:
    """A job that was started, or found to be started already.

    ``metadata`` is what :func:`~interlock_runtime.jobs.registry.status` needs to find the job
    again: JSON, and free of secrets. ``run_id`` is the job service's own name for the run, where
    it has one. ``ended`` is set when the job was over before the start returned.
    """

    metadata: Mapping[str, Any] = field(default_factory=dict)
    run_id: str | None = None
    ended: Succeeded | Failed | None = None


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """The run that a job belongs to.

    ``token`` is the same whenever the same attempt is started again. ``previous_intent`` says
    that somebody may already have started the job under this token: look before starting.
    """

    pipeline_id: str
    schedule_id: str
    date: ExecutionDate
    attempt: int
    token: str
    previous_intent: bool = False


class AwsClients(Protocol):
    """Clients of AWS services, made when first asked for."""

    def __call__(self, service: str, *, read_timeout: float = ...) -> Any:
        """A client of ``service`` that tries each call once, for ``read_timeout`` seconds at most."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Monotonic time in seconds, a pause, and a random number in [0, 1): what retries need."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random


Program = Callable[[Sequence[str], Mapping[str, str], float], tuple[int | None, str]]


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the job types reach the world through.

    ``secret`` gives the secret of a name or ARN, or one key of it when it is JSON. ``environment``
    is what ``INTERLOCK_`` variables are read from, and what a ``command`` inherits. ``program``, when
    given, runs the programs of ``command`` jobs instead of this machine: words, environment and
    time-out in seconds go in, the exit code (None when the time was up) and the output come out.
    ``until`` is when the function that starts the job is stopped, on ``timing``'s monotonic clock;
    None when nobody stops it.
    """

    client: AwsClients
    secret: Callable[[str, str | None], str]
    network: Network
    environment: Mapping[str, str] = field(default_factory=dict)
    timing: Timing = field(default_factory=Timing)
    program: Program | None = None
    until: float | None = None

    def within(self, time_left: timedelta) -> Services:
        """The same for an invocation that is stopped when ``time_left`` has passed."""
        return replace(self, until=self.timing.monotonic() + time_left.total_seconds())

    def patience(self, wanted: float) -> float:
        """How many seconds to wait for an answer: ``wanted``, or as many as leave time to record the answer.

        Whole seconds when they are fewer, so that clients can be kept by them.

        Raises:
            TransientError: no time is left; nothing has been asked for.
        """
        if self.until is None:
            return wanted
        left = floor(self.until - self.timing.monotonic() - _RESERVE)
        if left < 1:
            raise TransientError("the function has no time left to wait for a job and to record how it ended")
        return min(wanted, float(left))


@dataclass(frozen=True, kw_only=True)
class Call(Generic[C]):
    """One start or poll of a job, as a job type gets it.

    ``config`` is as the pipeline's document has it; ``templates`` fills in its variables.
    """

    config: C
    templates: Templates
    run: RunContext
    services: Services

    def resolved(self) -> C:
        """The configuration with its variables and secrets filled in.

        Raises:
            PermanentError: a variable or secret cannot be resolved; the message names it.
            TransientError: the secret store did not answer.
        """
        return self.templates.resolve(self.config)

    def value(self, name: str) -> Any:
        """One field of the configuration, filled in; a poll has no use for the secrets in all others.

        Raises as :meth:`resolved` does.
        """
        return self.templates.resolve(getattr(self.config, name), f"job.config.{camel(name)}")

    def message(self, headline: str, foreign: str | bytes | None) -> str:
        """A text for people: ``headline``, and what the job service said, without secrets and cut short.

        A service may repeat what the start was given, also when it is polled: so every secret of the
        configuration is looked for, and nothing is repeated when one of them cannot be had.
        """
        text = foreign.decode("utf-8", "replace") if isinstance(foreign, bytes) else foreign or ""
        if text and not self.templates.learn(self.config):
            text = "(left out, since a secret that it may hold cannot be read)"
        said = excerpt(self.templates.redact(text))
        return f"{headline}: {said}" if said else headline
