"""A day in the life of one date: real handlers, the emitted state machine, every event line by line.

Sensors arrive over an hour, the constraints hold at the third evaluation, the Glue job fails once,
is retried and succeeds; then the data drifts, and the drift rerun succeeds.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from interlock_runtime.core.instants import rfc3339
from tests.fakes.gold import DATE, gold
from tests.fakes.state_machine import interpreted
from tests.fakes.world import World

pytestmark = pytest.mark.slow

AUDIT = {"rules": [{"key": "audit", "check": "gte", "field": "rows", "value": 900}], "driftField": "rows"}


def test_a_day_of_a_run() -> None:
    # The interpreter tells the time of day, so the world's clock begins there.
    world = World(datetime.now(UTC))
    world.pipeline(gold(postRun=AUDIT))

    def write(key: str, **fields: object) -> None:
        world.write_sensor("gold", key, date=DATE, updatedAt=rfc3339(world.now), **fields)

    with interpreted(world) as machine:

        def execute() -> list[str]:
            """Run the date's execution to its end, and hand what it wrote to the router."""
            run = world.run("gold", DATE)
            assert run is not None
            status, _ = machine.run(run.input, name=run.execution_name)
            assert status == "SUCCEEDED"
            asked = list(machine.asked)
            machine.play(world)
            return asked

        # The first sensor starts the run, but there are only 400 orders yet, and no rates.
        write("orders", state="ready", count=400)
        write("audit", rows=1000)
        world.pump()

        def the_hour_goes_by(mode: str, number: int) -> None:
            if (mode, number) == ("evaluate", 2):
                world.advance(minutes=25)
                write("orders", state="loading", count=1200)
            elif (mode, number) == ("evaluate", 3):
                world.advance(minutes=25)
                write("rates", x=1)
            elif (mode, number) == ("check-job", 2):
                # The job runs out of memory.
                world.advance(minutes=10)
                world.jobs.end("FAILED", message="out of memory")

        machine.before = the_hour_goes_by
        assert execute() == [
            *["evaluate", "evaluate", "evaluate", "trigger"],
            *["check-job", "check-job", "complete-trigger"],
        ]

        # The router reads the failure in the job log, and retries.
        world.pump()

        def the_retry_succeeds(mode: str, number: int) -> None:
            if (mode, number) == ("check-job", 1):
                world.advance(minutes=10)
                world.jobs.end("SUCCEEDED")

        machine.before = the_retry_succeeds
        assert execute() == ["evaluate", "trigger", "check-job", "complete-trigger"]
        world.pump()

        # Two hours later the audit counts more rows than the run had used.
        world.advance(hours=2)
        write("audit", rows=1400)
        world.pump()
        machine.before = the_retry_succeeds
        assert execute() == ["evaluate", "trigger", "check-job", "complete-trigger"]
        world.pump()

        # The next audit agrees with what the rerun used.
        world.advance(hours=1)
        write("audit", rows=1400, checked=True)
        world.pump()

    assert [(event.type, event.attempt) for event in world.bus.events] == [
        ("VALIDATION_PASSED", 0),
        ("JOB_TRIGGERED", 0),
        ("JOB_FAILED", 0),
        ("VALIDATION_PASSED", 1),
        ("JOB_TRIGGERED", 1),
        ("POST_RUN_BASELINE_CAPTURED", 1),
        ("JOB_COMPLETED", 1),
        ("POST_RUN_DRIFT", 1),
        ("RERUN_ACCEPTED", 2),
        ("VALIDATION_PASSED", 2),
        ("JOB_TRIGGERED", 2),
        ("POST_RUN_BASELINE_CAPTURED", 2),
        ("JOB_COMPLETED", 2),
        ("POST_RUN_PASSED", 2),
    ]
    assert len(world.bus.keys) == len(world.bus.events)
    assert [job["Arguments"]["--par_day"] for job in world.jobs.jobs] == ["20260303"] * 3
    assert [row["event"] for _, row in sorted(world.joblog.rows().items())] == [
        "fail",
        "success",
        "rerun-accepted",
        "success",
    ]
    assert {row["reason"] for row in world.rerun.rows().values()} == {"job-fail-retry", "data-drift"}
    run = world.run("gold", DATE)
    assert run is not None
    assert (run.attempt, run.status, run.kind) == (2, "COMPLETED", None)
