"""What the job types are given in tests: a run, and services that a test can disturb."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.session import Session, get_session

from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.job_documents import Job
from interlock_runtime.jobs.contract import AwsClients, RunContext, Services, Timing
from interlock_runtime.jobs.network import Network
from tests.fakes.pipelines import pipeline

#: Operations whose right has another name.
_ACTIONS = {"Invoke": "InvokeFunction"}

TOKEN = "gold-cron-2026-03-03-0-mmabc123"


def run_context(
    *, token: str = TOKEN, hour: int | None = None, attempt: int = 0, previous_intent: bool = False
) -> RunContext:
    """A run of the pipeline ``gold`` for 2026-03-03."""
    day = ExecutionDate(date(2026, 3, 3), hour)
    return RunContext(
        pipeline_id="gold",
        schedule_id="cron",
        date=day,
        attempt=attempt,
        token=token,
        previous_intent=previous_intent,
    )


def job_of(kind: str, **config: Any) -> Job:
    """A job as a stored document gives it."""
    section = json.loads(json.dumps({"type": kind, "config": config}))
    found: Pipeline = pipeline(job=section)
    return found.job


@dataclass
class VirtualTime:
    """A clock that only pauses move."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.pauses.append(seconds)
        self.now += seconds

    def timing(self) -> Timing:
        """This clock as the jobs see it; its randomness is always a half."""
        return Timing(monotonic=self.monotonic, sleep=self.sleep, random=lambda: 0.5)


@cache
def _session() -> Session:
    """One session for all tests: it remembers the services' models, which are slow to read."""
    return get_session()


class Disturbed:
    """Real clients, whose calls a test can refuse, or let succeed and lose the answer of.

    ``calls`` are the operations that were asked for, with their parameters; ``actions`` are the
    rights that they took, as policies name them.
    """

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self._refusals: dict[str, list[tuple[int, str]]] = {}
        self._losses: Counter[str] = Counter()
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.actions: set[str] = set()

    def __call__(self, service: str, *, read_timeout: float = 5.0) -> Any:
        if service not in self._made:
            client = _session().create_client(service, config=Config(retries={"total_max_attempts": 1}))
            client.meta.events.register("provide-client-params", self._note)
            client.meta.events.register("before-call", self._refuse)
            client.meta.events.register("after-call", self._lose)
            self._made[service] = client
        return self._made[service]

    def operations(self) -> list[str]:
        """The names of the operations that were asked for, in order."""
        return [name for name, _ in self.calls]

    def refuse(self, operation: str, code: str, *, status: int = 400) -> None:
        """Answer the next call of ``operation`` with an error."""
        self._refusals.setdefault(operation, []).append((status, code))

    def lose(self, operation: str) -> None:
        """Let the next call of ``operation`` happen, but not its answer arrive."""
        self._losses[operation] += 1

    def _note(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        self.calls.append((model.name, params))
        service = model.service_model
        self.actions.add(f"{service.signing_name}:{_ACTIONS.get(model.name, model.name)}")

    def _refuse(self, model: Any, **_: Any) -> Any:
        if not self._refusals.get(model.name):
            return None
        status, code = self._refusals[model.name].pop(0)
        error = {"Error": {"Code": code, "Message": "refused by the test"}, "ResponseMetadata": {}}
        return AWSResponse("", status, {}, None), error

    def _lose(self, model: Any, **_: Any) -> None:
        if self._losses[model.name]:
            self._losses[model.name] -= 1
            raise ReadTimeoutError(endpoint_url="the test")


def services(
    *,
    client: AwsClients | None = None,
    network: Network | None = None,
    secrets: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    allowed_private_hosts: Sequence[str] = ("127.0.0.1",),
    timing: Timing | None = None,
) -> Services:
    """Services of which a test replaces what it is about; secrets are kept as ``name`` or ``name#key``."""

    def secret(name: str, key: str | None) -> str:
        reference = name if key is None else f"{name}#{key}"
        if reference not in (secrets or {}):
            raise PermanentError("there is no such secret")
        return (secrets or {})[reference]

    return Services(
        client=client or Disturbed(),
        secret=secret,
        network=network or Network(allowed_private_hosts=allowed_private_hosts),
        environment=environment or {},
        timing=timing or VirtualTime().timing(),
    )
