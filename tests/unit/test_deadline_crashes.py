"""sla-monitor and watchdog, killed after any AWS call and replayed: see :mod:`tests.fakes.crashes`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from interlock_runtime.control import runs
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import KIND, Kind, Status
from interlock_runtime.core.run import Reason, Run
from tests.fakes.crashes import REPLAYS, Replay, Step, Story, handle_twice, kill_and_replay
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.scenes import completed, failed, started, the_run
from tests.fakes.world import World

pytestmark = pytest.mark.slow

#: An absolute deadline on the day itself, and a relative one before it.
SLA: dict[str, Any] = {"deadline": "10:00", "dayOffset": 0, "expectedDuration": "30m", "maxDuration": "2h"}


def ended(world: World, run: Run, status: Status, *, kind: Kind | None = None, reason: Reason | None = None) -> Run:
    runs.finish(world.ports, run, status=status, reason=reason, kind=kind, now=world.now)
    return the_run(world)


# Stories of sla-monitor


def a_run_begins(world: World) -> Step:
    run = started(world, sla=SLA)
    return lambda: world.sla("schedule", run)


def a_run_begins_too_late(world: World) -> Step:
    run = started(world, sla=SLA)
    world.advance(hours=5)
    return lambda: world.sla("schedule", run)


def ring(world: World, moment: str) -> Step:
    """The story of an absolute bell of a run that goes on."""
    world.sla("schedule", started(world, sla=SLA))
    bells = [entry for entry in world.schedules.entries.values() if entry.message["clock"] == "sla"]
    (bell,) = [entry for entry in bells if entry.message["moment"] == moment]
    world.now = bell.at

    def step() -> None:
        world.sla(**bell.message)  # the answer says whether it was the first time

    return step


def a_warning_rings(world: World) -> Step:
    return ring(world, "warning")


def a_breach_rings(world: World) -> Step:
    return ring(world, "breach")


def a_run_completes_in_time(world: World) -> Step:
    run = started(world, sla=SLA)
    world.sla("schedule", run)
    run = ended(world, run, Status.COMPLETED)
    return lambda: world.sla("cancel", run)


def a_run_completes_late(world: World) -> Step:
    run = started(world, sla=SLA)
    world.sla("schedule", run)
    world.advance(hours=4)
    run = ended(world, run, Status.COMPLETED)
    return lambda: world.sla("cancel", run)


def a_run_has_failed(world: World) -> Step:
    run = started(world, sla=SLA)
    world.sla("schedule", run)
    run = ended(world, run, Status.FAILED_FINAL, reason=Reason.FAIL)
    return lambda: world.sla("cancel", run)


def a_date_is_reconciled(world: World) -> Step:
    started(world, sla=SLA)
    world.advance(hours=5)
    return lambda: world.sla("reconcile", pipelineId="gold", date=DATE)


# Stories of the watchdog


def one_pass(world: World) -> Step:
    return world.watchdog


def two_passes(world: World) -> Step:
    """A pass and the next: a start that was begun and not ended is ended by the second."""

    def step() -> None:
        world.watchdog()
        world.advance(minutes=5)
        world.watchdog()

    return step


def a_first_pass(world: World) -> Step:
    world.pipeline(gold(schedule={"cron": "0 6 * * *"}, sla=SLA))
    return one_pass(world)


def watched(world: World, **sections: Any) -> None:
    """A pipeline that the watchdog has known for an hour."""
    world.now -= timedelta(hours=1)
    world.pipeline(gold(**sections))
    world.watchdog()
    world.now += timedelta(hours=1)


def an_execution_that_was_never_started(world: World) -> Step:
    world.pipeline(gold(postRun=None))
    world.calls.fail["states:StartExecution"] = ConnectionError("no answer")
    world.deliver(world.write_sensor("gold", "orders", **READY))
    world.calls.fail.clear()
    world.advance(minutes=5)
    return two_passes(world)


def an_execution_that_is_long_over(world: World) -> Step:
    run = started(world)
    world.executions.statuses[run.execution_name] = "TIMED_OUT"
    world.advance(hours=5)
    return one_pass(world)


def a_missed_schedule(world: World) -> Step:
    watched(world, schedule={"trigger": None, "cron": "0 6 * * *"})
    world.advance(minutes=10)
    return one_pass(world)


def a_skipped_tick(world: World) -> Step:
    world.now = world.now.replace(day=29, hour=0, minute=55)
    watched(world, schedule={"trigger": None, "cron": "30 2 * * *", "timezone": "Europe/Berlin"})
    world.advance(minutes=5)
    return two_passes(world)


def a_missed_date(world: World) -> Step:
    watched(world, schedule={"trigger": None, "include": {"dates": [DATE]}, "time": "06:00"})
    world.advance(minutes=10)
    return one_pass(world)


def a_start_that_was_lost(world: World) -> Step:
    world.pipeline(gold())
    world.write_sensor("gold", "orders", **READY, updatedAt=rfc3339(world.now))
    world.control.stream.clear()
    return two_passes(world)


def a_deadline_without_a_run(world: World) -> Step:
    watched(world, sla={"deadline": "06:30", "expectedDuration": "30m", "dayOffset": 0})
    world.advance(minutes=35)
    return one_pass(world)


def a_cancellation_that_was_lost(world: World) -> Step:
    watched(world, sla=SLA, postRun=None)
    world.deliver(world.write_sensor("gold", "orders", **READY))
    ended(world, the_run(world), Status.COMPLETED)
    return one_pass(world)


def a_trigger_deadline(world: World) -> Step:
    trigger = gold()["schedule"]["trigger"] | {"deadline": "06:10", "dayOffset": 0}
    watched(world, schedule={"trigger": trigger})
    world.advance(minutes=15)
    return one_pass(world)


def a_missing_post_run_sensor(world: World) -> Step:
    completed(world)
    world.advance(hours=3)
    return one_pass(world)


def a_post_run_sensor_that_was_lost(world: World) -> Step:
    completed(world)
    world.write_sensor("gold", "orders", **READY | {"count": 4000}, updatedAt=rfc3339(world.now))
    world.control.stream.pop()
    world.advance(hours=3)
    return one_pass(world)


def an_arrival_that_takes_too_long(world: World) -> Step:
    started(world, sla={"maxDuration": "2h"})
    world.advance(hours=3)
    return one_pass(world)


def a_failure_that_was_lost(world: World) -> Step:
    run = started(world)
    world.log_job("gold", DATE, "fail", attempt=0)
    world.joblog.stream.clear()
    ended(world, run, Status.FAILED_FINAL, kind=Kind.UNDECIDED, reason=Reason.FAIL)
    world.advance(minutes=11)
    return two_passes(world)


def a_request_that_was_lost(world: World) -> Step:
    failed(world)
    world.request("gold", DATE, requestedAt=rfc3339(world.now), **{KIND: "REQUEST"})
    world.control.stream.pop()
    world.advance(minutes=11)
    return two_passes(world)


STORIES_OF_SLA_MONITOR: tuple[Story, ...] = (
    a_run_begins,
    a_run_begins_too_late,
    a_warning_rings,
    a_breach_rings,
    a_run_completes_in_time,
    a_run_completes_late,
    a_run_has_failed,
    a_date_is_reconciled,
)
STORIES_OF_WATCHDOG: tuple[Story, ...] = (
    a_first_pass,
    an_execution_that_was_never_started,
    an_execution_that_is_long_over,
    a_missed_schedule,
    a_skipped_tick,
    a_missed_date,
    a_start_that_was_lost,
    a_deadline_without_a_run,
    a_cancellation_that_was_lost,
    a_trigger_deadline,
    a_missing_post_run_sensor,
    a_post_run_sensor_that_was_lost,
    an_arrival_that_takes_too_long,
    a_failure_that_was_lost,
    a_request_that_was_lost,
)


STORIES = [
    *(pytest.param(story, True, id=story.__name__) for story in STORIES_OF_SLA_MONITOR),
    # A pass waits before it looks again, and so takes time.
    *(pytest.param(story, False, id=story.__name__) for story in STORIES_OF_WATCHDOG),
]


@pytest.mark.parametrize("replay", REPLAYS, ids=str)
@pytest.mark.parametrize(("story", "exact"), STORIES)
def test_killed_after_any_call_and_replayed_it_ends_as_undisturbed(story: Story, exact: bool, replay: Replay) -> None:
    kill_and_replay(story, replay, exact=exact)


@pytest.mark.parametrize(("story", "exact"), STORIES)
def test_handled_twice_it_ends_as_handled_once(story: Story, exact: bool) -> None:
    handle_twice(story, exact=exact)
