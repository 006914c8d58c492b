"""How long the start of a job may wait: never so long that its answer cannot be recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.handlers import orchestrator
from interlock_runtime.jobs.contract import Services, Timing
from interlock_runtime.jobs.network import Network
from tests.fakes.glue_jobs import FakeJobClients
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World

LAMBDA = {"type": "lambda", "config": {"functionName": "gold"}}


class Clients(FakeJobClients):
    """Notes how long each client would wait."""

    def __init__(self, world: World) -> None:
        super().__init__(world.calls)
        self.waits: list[float] = []

    def __call__(self, service: str, *, read_timeout: float = 0) -> Clients:
        self.waits.append(read_timeout)
        return self


class Stopwatch:
    """A monotonic clock that stands still unless moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def services(clock: Stopwatch) -> Services:
    return Services(
        client=FakeJobClients(World().calls),
        secret=lambda *_: "",
        network=Network(),
        timing=Timing(monotonic=clock),
    )


@pytest.mark.parametrize(
    ("time_left", "passed", "waits"),
    [
        (120.0, 0.0, 110.0),
        (119.7, 0.2, 109.0),
        (119.7, 20.0, 89.0),
        (900.0, 0.0, 110.0),
        (11.0, 0.0, 1.0),
    ],
)
def test_the_wait_leaves_ten_seconds_to_record_the_answer(time_left: float, passed: float, waits: float) -> None:
    clock = Stopwatch()
    found = services(clock).within(timedelta(seconds=time_left))
    clock.seconds += passed
    assert found.patience(110.0) == waits


def test_who_is_stopped_by_nobody_waits_as_long_as_wanted() -> None:
    assert services(Stopwatch()).patience(110.0) == 110.0


def test_nothing_is_asked_for_whose_answer_could_not_be_recorded() -> None:
    with pytest.raises(TransientError, match="no time left"):
        services(Stopwatch()).within(timedelta(seconds=10.9)).patience(110.0)


def triggered(time_left: timedelta) -> tuple[World, Clients, dict[str, Any]]:
    """A task of a function that is stopped when some time has passed."""
    world = World()
    world.pipeline(gold(job=LAMBDA))
    world.deliver(world.write_sensor("gold", "orders", **READY))
    run = world.run("gold", DATE)
    assert run is not None
    clients = Clients(world)
    clock = Stopwatch()
    given = Services(client=clients, secret=lambda *_: "", network=Network(), timing=Timing(monotonic=clock))
    ports = replace(world.job_ports, services=given).within(time_left)
    event = {
        "mode": "trigger",
        "pipelineId": "gold",
        "scheduleId": "stream",
        "date": DATE,
        "attempt": 0,
        "executionId": world.executions.arn(run.execution_name),
        "executionStartTime": rfc3339(world.now),
    }
    return world, clients, orchestrator.handle(event, ports, clock=world.clock)


def test_a_lambda_job_is_waited_for_as_long_as_the_invocation_allows() -> None:
    _, clients, answer = triggered(timedelta(seconds=60))
    assert clients.waits == [50.0]
    assert answer["status"] == "success"


def test_a_lambda_job_is_not_invoked_when_there_is_no_time_for_its_answer() -> None:
    with pytest.raises(TransientError, match="no time left"):
        triggered(timedelta(seconds=8))
