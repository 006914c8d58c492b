"""How many AWS calls each operation of the runtime makes: they are most of its bill.

    python -m benchmarks.calls

Every operation is done twice over, in memory: by a function that has just begun, and by one that
knows the pipeline's document already. A test compares the larger number with its limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from interlock_runtime.control import runs
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Kind, Status
from interlock_runtime.handlers import stream_router
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.scenes import checked, completed, evaluate, evaluated, failed, started
from tests.fakes.world import World

Step = Callable[[], Any]


@dataclass(frozen=True)
class Operation:
    """One operation: sets the scene in a world and gives the step to count; ``limit`` calls at most."""

    name: str
    scene: Callable[[World], Step]
    limit: int


@dataclass(frozen=True)
class Counted:
    """The calls of one operation, cold and warm."""

    operation: Operation
    cold: Counter[str]
    warm: Counter[str]

    @property
    def most(self) -> int:
        """How many calls the more expensive way makes."""
        return max(self.cold.total(), self.warm.total())


def not_ready(world: World) -> Step:
    """One evaluation that does not pass."""
    run = started(world)
    world.control.delete(("PIPELINE#gold", "SENSOR#rates"))
    return lambda: evaluate(world, run)


def passed(world: World) -> Step:
    """One evaluation that passes."""
    run = started(world)
    return lambda: evaluate(world, run)


def deliver(world: World, record: dict[str, Any]) -> Step:
    """One stream record."""
    return lambda: world.deliver(record)


def sensor(key: str, **fields: Any) -> Callable[[World], Step]:
    """A sensor of a pipeline without a run."""

    def scene(world: World) -> Step:
        world.pipeline(gold())
        return deliver(world, world.write_sensor("gold", key, **fields))

    return scene


def sensor_after(before: Callable[[World], Any], key: str, **fields: Any) -> Callable[[World], Step]:
    """A sensor in a scene."""

    def scene(world: World) -> Step:
        before(world)
        return deliver(world, world.write_sensor("gold", key, **fields))

    return scene


def tick(world: World) -> Step:
    """A cron tick."""
    world.pipeline(gold(schedule={"cron": "0 6 * * *"}))
    event = {"mode": "cron", "pipelineId": "gold", "scheduledAt": rfc3339(world.now)}
    return lambda: stream_router.handle(event, world.ports, clock=world.clock)


def job_row(event: str, **sections: Any) -> Callable[[World], Step]:
    """A row of an outside job."""

    def scene(world: World) -> Step:
        started(world, **sections)
        return deliver(world, world.log_job("gold", DATE, event, attempt=0))

    return scene


def request(world: World) -> Step:
    """A rerun request."""
    failed(world, kind=Kind.UNDECIDED)
    return deliver(world, world.request("gold", DATE, requestedAt=rfc3339(world.now)))


def trigger(world: World) -> Step:
    """The start of a job."""
    run = started(world)
    return lambda: world.task("trigger", run)


def poll(state: str | None) -> Callable[[World], Step]:
    """One question for a job."""

    def scene(world: World) -> Step:
        run = started(world)
        job = world.task("trigger", run)
        if state is not None:
            world.jobs.end(state)
        return lambda: checked(world, run, job)

    return scene


def sla(mode: str, status: Status | None = None) -> Callable[[World], Step]:
    """What the execution of a run asks of sla-monitor."""

    def scene(world: World) -> Step:
        run = started(world, sla={"deadline": "10:00", "expectedDuration": "30m"})
        if status is not None:
            world.sla("schedule", run)
            runs.finish(world.ports, run, status=status, reason=None, kind=None, now=world.now)
        return lambda: world.sla(mode, run)

    return scene


def bell(world: World) -> Step:
    """The bell of a breach."""
    world.sla("schedule", started(world, sla={"deadline": "10:00", "expectedDuration": "30m"}))
    entry = max(world.schedules.entries.values(), key=lambda entry: entry.at)
    world.now = entry.at
    return lambda: world.sla(**entry.message)


def ending(mode: str, **more: Any) -> Callable[[World], Step]:
    """The end of an execution."""

    def scene(world: World) -> Step:
        run = evaluated(world)
        return lambda: world.task(mode, run, **more)

    return scene


OPERATIONS: tuple[Operation, ...] = (
    Operation("sensor that matters to nobody", sensor("other", x=1), 1),
    Operation("sensor that does not meet the trigger condition", sensor("orders", state="loading"), 2),
    Operation("sensor that starts a run", sensor("orders", **READY), 6),
    Operation("sensor of a date that has started", sensor_after(started, "orders", **READY, more=1), 5),
    Operation("tick that starts a run", tick, 5),
    Operation("evaluation, not ready", not_ready, 2),
    Operation("evaluation, passed", passed, 4),
    Operation("start of a job (Glue)", trigger, 5),
    Operation("poll, running (Glue)", poll(None), 3),
    Operation("poll, succeeded (Glue, with its log streams)", poll("SUCCEEDED"), 6),
    Operation("poll, failed (Glue)", poll("FAILED"), 5),
    Operation("end of a run, success with post-run rules", ending("complete-trigger", outcome="success"), 5),
    Operation("end of a run, failure", ending("complete-trigger", outcome="fail"), 2),
    Operation("constraints exhausted", ending("validation-exhausted", results=[]), 5),
    Operation("SLA: a run begins, two bells", sla("schedule"), 4),
    Operation("SLA: a run has completed in time", sla("cancel", Status.COMPLETED), 7),
    Operation("SLA: a run has failed", sla("cancel", Status.FAILED_FINAL), 1),
    Operation("SLA: a breach", bell, 5),
    Operation("job log: success", job_row("success"), 3),
    Operation("job log: failure, retried", job_row("fail"), 8),
    Operation("job log: failure, not retried", job_row("fail", job={"maxRetries": 0}), 6),
    Operation("rerun request, accepted", request, 11),
    Operation("late data", sensor_after(completed, "orders", **READY, more=1), 11),
    Operation("post-run sensor, rules evaluated", sensor_after(completed, f"orders#{DATE}", count=1000), 6),
)


def counted(operation: Operation) -> Counted:
    """Do an operation in two fresh worlds, and count."""
    found = []
    for is_warm in (False, True):
        world = World()
        step = operation.scene(world)
        world.ports.configs.forget()
        if is_warm:
            world.ports.configs.get("gold", world.now)
        world.calls.reset()
        step()
        found.append(world.calls.by_name)
    return Counted(operation, *found)


def main() -> None:
    """Print the table."""
    print("| operation | cold | warm | limit | calls (cold) |")
    print("| --- | ---: | ---: | ---: | --- |")
    for operation in OPERATIONS:
        result = counted(operation)
        calls = ", ".join(f"{count} {name}" if count > 1 else name for name, count in result.cold.items())
        row = (operation.name, result.cold.total(), result.warm.total(), operation.limit, calls)
        print("| " + " | ".join(map(str, row)) + " |")


if __name__ == "__main__":
    main()
