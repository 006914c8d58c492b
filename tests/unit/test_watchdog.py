"""A pass as a whole: what fails does not stop the rest, and is told; time and memory are bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlock_runtime.control.ports import Metric
from interlock_runtime.control.watchdog import passes
from interlock_runtime.control.watchdog.passes import CHECKS
from interlock_runtime.core import rows
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.rows import KIND, Key, Kind, Row
from tests.fakes.gold import READY, gold
from tests.fakes.world import World

SINCE = datetime(2026, 3, 2, 12, tzinfo=UTC)
MISSED = datetime(2026, 3, 3, 6, 10, tzinfo=UTC)


def pipeline(world: World, name: str, **sections: Any) -> None:
    schedule = {"trigger": None, "cron": "0 6 * * *"}
    world.pipeline(gold(**{"pipeline": {"id": name}, "schedule": schedule} | sections))


@pytest.fixture
def world() -> World:
    """A world with two pipelines, both of which have missed their schedule."""
    world = World(SINCE)
    pipeline(world, "gold")
    pipeline(world, "silver")
    world.watchdog()
    world.now = MISSED
    return world


def missed(world: World) -> set[str]:
    return {event.pipeline_id for event in world.bus.events if event.type == "SCHEDULE_MISSED"}


def test_there_are_nine_checks() -> None:
    assert CHECKS == (
        "stale-runs",
        "missed-schedules",
        "missed-dates",
        "reconciliation",
        "sla-scheduling",
        "trigger-deadlines",
        "post-run-sensors",
        "relative-sla",
        "undecided",
    )


def test_a_pass_in_which_all_goes_well_says_nothing_of_itself(world: World) -> None:
    world.watchdog()
    assert world.bus.types == ["SCHEDULE_MISSED", "SCHEDULE_MISSED"]
    assert world.metrics.counts[Metric.RECORDS_PROCESSED] == 4


def test_a_pipeline_that_cannot_be_read_does_not_keep_the_others_from_being_watched(world: World) -> None:
    world.control.write({"PK": rows.pk("broken"), "SK": rows.CONFIG, "config": "{", KIND: str(Kind.CONFIG)})
    with pytest.raises(TransientError, match="missed-schedules for broken: ConfigError: config: is not JSON"):
        world.watchdog()
    assert missed(world) == {"gold", "silver"}
    event = world.bus.the("WATCHDOG_DEGRADED")
    assert event.pipeline_id == "INFRASTRUCTURE"
    assert event.detail["pipelines"] == ["broken"]
    assert event.detail["checks"] == [
        "missed-schedules",
        "missed-dates",
        "reconciliation",
        "sla-scheduling",
        "trigger-deadlines",
    ]


def test_a_row_that_cannot_be_read_does_not_keep_the_others_from_being_looked_at(world: World) -> None:
    pipeline(world, "gold", schedule={})
    world.deliver(world.write_sensor("gold", "orders", **READY))
    run = world.run("gold", "2026-03-03")
    assert run is not None
    world.executions.statuses[run.execution_name] = "TIMED_OUT"
    world.control.write({"PK": rows.pk("odd"), "SK": "TRIGGER#cron", KIND: str(Kind.RUNNING)})
    world.advance(hours=5)
    with pytest.raises(TransientError, match=r"1 of the watchdog's 9 checks failed \(stale-runs\): stale-runs for odd"):
        world.watchdog()
    assert "SFN_TIMEOUT" in world.bus.types
    assert "silver" in missed(world)


def test_a_kind_that_cannot_be_listed_costs_only_its_checks(world: World) -> None:
    def of_kind(kind: Kind) -> Iterator[Row]:
        if kind == Kind.RUNNING:
            raise TransientError("the index is being built")
        return listed(kind)

    listed = world.control.of_kind
    world.control.of_kind = of_kind  # type: ignore[method-assign]
    with pytest.raises(TransientError, match=r"\(stale-runs\): stale-runs: TransientError: the index is being built"):
        world.watchdog()
    assert missed(world) == {"gold", "silver"}


def test_a_key_that_spoils_a_batch_costs_only_its_pipeline(world: World) -> None:
    def get_many(keys: Iterable[Key]) -> dict[Key, Row]:
        wanted = list(keys)
        if any("spoiled" in sort_key for _, sort_key in wanted):
            raise PermanentError("ValidationException: size of a key")
        return read(wanted)

    read = world.control.get_many
    world.control.get_many = get_many  # type: ignore[method-assign]
    trigger = {"key": "spoiled", "check": "exists"}
    pipeline(world, "long", schedule={"trigger": trigger})
    pipeline(world, "lost", schedule={"trigger": gold()["schedule"]["trigger"]})
    world.write_sensor("lost", "orders", **READY)
    with pytest.raises(TransientError, match=r"\(reconciliation\): reconciliation for long: PermanentError"):
        world.watchdog()
    assert "TRIGGER_RECOVERED" in world.bus.types
    assert missed(world) == {"gold", "silver"}


def test_a_failure_that_lasts_is_told_once_an_hour(world: World) -> None:
    world.control.write({"PK": rows.pk("broken"), "SK": rows.CONFIG, "config": "{", KIND: str(Kind.CONFIG)})
    for _ in range(24):
        with pytest.raises(TransientError):
            world.watchdog()
        world.advance(minutes=5)
    assert len({key for key in world.bus.keys if key.startswith("WATCHDOG_DEGRADED")}) == 3


def test_a_bus_that_fails_hides_no_failure(world: World) -> None:
    world.calls.fail["events:PutEvents"] = TransientError("no bus")
    with pytest.raises(TransientError, match="missed-schedules for gold: TransientError: no bus"):
        world.watchdog()
    assert "the failure could not be published" in world.log.text("error")
    world.calls.fail.clear()
    world.watchdog()
    assert missed(world) == {"gold", "silver"}


def test_what_there_is_no_time_for_is_told_instead_of_cut_off(world: World) -> None:
    with pytest.raises(TransientError, match=r"5 of the watchdog's 9 checks failed .* no time was left"):
        passes.run(world.watchdog_ports, clock=world.clock, sleep=lambda _: None, until=world.now)
    assert "WATCHDOG_DEGRADED" in world.bus.types
    assert missed(world) == set()


def test_every_line_tells_which_check_and_which_pipeline_it_is_about(world: World) -> None:
    world.control.write({"PK": rows.pk("broken"), "SK": rows.CONFIG, "config": "{", KIND: str(Kind.CONFIG)})
    with pytest.raises(TransientError):
        world.watchdog()
    told = [fields for _, message, fields in world.log.lines if message == "check failed"]
    assert {(fields["check"], fields["pipeline"]) for fields in told} >= {("missed-schedules", "broken")}


def test_many_pipelines_are_looked_at_in_batches(world: World) -> None:
    for number in range(250):
        pipeline(world, f"p{number}")
    world.watchdog()
    world.advance(minutes=5)
    world.calls.reset()
    world.watchdog()
    # For each of three chunks: markers, trigger rows, and what was told.
    assert world.calls.by_name["dynamodb:BatchGetItem"] <= 3 * 5
    assert "dynamodb:GetItem" not in world.calls.made


def test_more_subjects_than_fit_in_memory_are_not_read_ahead(world: World) -> None:
    read = []

    def of_kind(kind: Kind) -> Iterator[Row]:
        if kind != Kind.CONFIG:
            return iter(())
        return (read.append(number) or dict(row, PK=rows.pk(f"p{number}")) for number in range(4000))

    row = world.control.rows()[rows.pk("gold"), rows.CONFIG]
    ports = replace(world.watchdog_ports, control=world.control)
    world.control.of_kind = of_kind  # type: ignore[method-assign,assignment]
    started = []

    def clock() -> datetime:
        started.append(len(read))
        return world.now

    with pytest.raises(TransientError):
        passes.run(ports, clock=clock, sleep=lambda _: None, until=world.now + timedelta(hours=1))
    assert started[0] <= (2 * passes.THREADS + 2) * passes.CHUNK
