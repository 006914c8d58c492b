"""Where stories about one date of ``gold`` begin: started, evaluated, completed, failed."""

from __future__ import annotations

from typing import Any

from interlock_runtime.control import runs
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Kind, Status
from interlock_runtime.core.run import Reason, Run
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World


def the_run(world: World, date: str = DATE) -> Run:
    """The run of a date, as its row has it."""
    run = world.run("gold", date)
    if run is None:
        raise LookupError(f"no run of {date}")
    return run


def started(world: World, **sections: Any) -> Run:
    """A run that a sensor started a minute ago, with every constraint met."""
    world.pipeline(gold(**sections))
    world.write_sensor("gold", "rates", x=1)
    world.deliver(world.write_sensor("gold", "orders", **READY))
    world.advance(minutes=1)
    return the_run(world)


def evaluate(world: World, run: Run) -> dict[str, Any]:
    """One evaluation, as the run's execution asks for it."""
    window = {"evaluationWindowSeconds": 3600}
    return world.task("evaluate", run, executionStartTime=rfc3339(run.started_at), config=window)


def evaluated(world: World, **sections: Any) -> Run:
    """A started run whose constraints held."""
    run = started(world, **sections)
    evaluate(world, run)
    return run


def failed(world: World, reason: Reason = Reason.FAIL, kind: Kind | None = None, **sections: Any) -> Run:
    """A run that failed for good ten minutes ago."""
    run = started(world, **sections)
    runs.finish(world.ports, run, status=Status.FAILED_FINAL, reason=reason, kind=kind, now=world.now)
    world.advance(minutes=10)
    return the_run(world)


def completed(world: World, **sections: Any) -> Run:
    """A run that completed ten minutes ago, and whose stream records were all handled."""
    run = evaluated(world, **sections)
    world.task("trigger", run)
    world.log_job("gold", DATE, "success", attempt=0)
    world.advance(minutes=1)
    world.task("complete-trigger", run, outcome="success")
    world.pump()
    world.advance(minutes=10)
    return the_run(world)


def checked(world: World, run: Run, job: dict[str, Any], *, window: int = 3600) -> str:
    """One question for a started job, as the run's execution asks it; the status answered."""
    kept = {name: job[name] for name in ("jobType", "runId", "metadata", "triggeredAt")}
    status: str = world.task("check-job", run, **kept, config={"jobPollWindowSeconds": window})["status"]
    return status
