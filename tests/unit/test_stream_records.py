"""Stream records good and bad: every one is handled, none blocks its shard."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.control.ports import Metric
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.handlers import stream_router
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    world = World()
    world.pipeline(gold())
    return world


def number(record: dict[str, Any]) -> str:
    found: str = record["dynamodb"]["SequenceNumber"]
    return found


def test_every_record_is_handled_even_when_one_fails(world: World) -> None:
    records = [world.write_sensor("gold", "orders", **READY | {"date": f"2026-03-0{day}"}) for day in (1, 2, 3)]
    original = world.executions.start

    def refuse_the_second(name: str, text: str) -> str:
        if "2026-03-02" in name:
            raise TransientError("throttled")
        return original(name, text)

    world.executions.start = refuse_the_second  # type: ignore[method-assign]
    assert world.deliver(*records) == [number(records[1])]
    assert len(world.executions.inputs) == 2
    world.executions.start = original  # type: ignore[method-assign]
    assert world.deliver(*records[1:]) == []
    assert len(world.executions.inputs) == 3
    assert world.metrics.counts[Metric.RECORDS_PROCESSED] == 5


def test_whatever_was_unforeseen_fails_its_record_only(world: World) -> None:
    records = [world.write_sensor("gold", "orders", **READY | {"date": f"2026-03-0{day}"}) for day in (1, 2)]
    world.calls.fail["states:StartExecution"] = ZeroDivisionError("a bug")
    assert world.deliver(*records) == [number(record) for record in records]
    assert "a bug" in world.log.text("error")


def test_records_that_can_never_be_handled_are_counted(world: World) -> None:
    good = world.write_sensor("gold", "orders", **READY)
    no_event = world.write(world.joblog, {"PK": "PIPELINE#gold", "SK": f"JOB#stream#{DATE}#1", "event": 7})
    world.calls.fail["states:StartExecution"] = TransientError("throttled")
    assert world.deliver(good, no_event, {"eventName": "X"}) == [number(good)]
    assert world.metrics.counts[Metric.RECORDS_REFUSED] == 2
    assert world.metrics.counts[Metric.RECORDS_PROCESSED] == 3


def test_a_removed_row_means_nothing(world: World) -> None:
    world.write_sensor("gold", "orders", **READY)
    world.control.delete(("PIPELINE#gold", "SENSOR#orders"))
    assert world.deliver(world.control.stream[-1]) == []
    assert world.executions.inputs == {}


@pytest.mark.parametrize(
    "sort_key",
    ["CONFIG", f"TRIGGER#stream#{DATE}", "MARKER#since", f"DRY_RUN#stream#{DATE}", "SOMETHING#else", "SENSOR#"],
)
def test_rows_that_are_nobodys_business_are_passed_over(world: World, sort_key: str) -> None:
    record = world.write(world.control, {"PK": "PIPELINE#gold", "SK": sort_key, "x": 1})
    world.calls.reset()
    assert world.deliver(record) == []
    assert world.calls.made == []


def test_a_sensor_of_strange_types_is_read_as_far_as_it_goes(world: World) -> None:
    deep: Any = "bottom"
    for _ in range(30):
        deep = {"down": deep}
    strange = {
        "set": {"a", "b"},
        "numbers": {1, 2},
        "bytes": b"\x00",
        "deep": deep,
        "huge": 10**37 + 1,
        "list": [None, True, {"x": []}],
        "text": "\N{SNOWMAN}\x00",
    }
    assert world.deliver(world.write_sensor("gold", "orders", **READY, **strange)) == []
    assert len(world.executions.inputs) == 1


def test_a_sensor_key_with_hashes_in_odd_places_is_a_key_like_any_other(world: World) -> None:
    for key in ("#", "orders#", "orders##", "#orders", "orders#2026-03-03#x", "ORDERS#2026-03-03"):
        assert world.deliver(world.write_sensor("gold", key, state="ready")) == []
    assert {name.split("-", 1)[0] for name in world.executions.inputs} == {"gold"}


@pytest.mark.parametrize(
    "config",
    [
        "{",
        "[]",
        "null",
        '"text"',
        "{}",
        '{"pipeline":{"id":"silver"}}',
        "[" * 100_000,
        None,
        7,
        {"pipeline": {"id": "gold"}},
    ],
)
def test_a_malformed_config_is_logged_and_the_record_dropped(world: World, config: Any) -> None:
    row = {"PK": "PIPELINE#gold", "SK": "CONFIG", "config": config}
    world.control.write({name: value for name, value in row.items() if value is not None})
    world.ports.configs.forget()
    assert world.deliver(world.write_sensor("gold", "orders", **READY)) == []
    assert "dropped" in world.log.text("error")


@pytest.mark.parametrize("sort_key", ["JOB#", "JOB#stream", f"JOB#stream#{DATE}#soon", f"JOB#a#b#stream#{DATE}#1"])
def test_a_job_log_row_under_a_key_of_another_form_is_dropped(world: World, sort_key: str) -> None:
    record = world.write(world.joblog, {"PK": "PIPELINE#gold", "SK": sort_key, "event": "fail"})
    assert world.deliver(record) == []
    assert "dropped" in world.log.text("error")


def test_a_job_log_row_without_an_event_is_dropped(world: World) -> None:
    record = world.write(world.joblog, {"PK": "PIPELINE#gold", "SK": f"JOB#stream#{DATE}#1", "event": 7})
    assert world.deliver(record) == []
    assert "dropped" in world.log.text("error")


def test_a_job_log_row_far_outside_of_time_is_dropped(world: World) -> None:
    record = world.write(world.joblog, {"PK": "PIPELINE#gold", "SK": f"JOB#stream#{DATE}#{10**20}", "event": "fail"})
    assert world.deliver(record) == []
    assert "dropped" in world.log.text("error")


@pytest.mark.parametrize("sort_key", ["RERUN_REQUEST#", "RERUN_REQUEST#stream", "RERUN_REQUEST#a#b#c"])
def test_a_request_under_a_key_of_another_form_is_dropped(world: World, sort_key: str) -> None:
    assert world.deliver(world.write(world.control, {"PK": "PIPELINE#gold", "SK": sort_key})) == []
    assert "dropped" in world.log.text("error")


def test_a_trigger_row_that_interlock_did_not_write_is_dropped(world: World) -> None:
    world.control.write({"PK": "PIPELINE#gold", "SK": f"TRIGGER#stream#{DATE}", "status": "MAYBE"})
    assert world.deliver(world.write_sensor("gold", "orders", **READY)) == []
    assert "not as Interlock writes it" in world.log.text("error")


def test_a_record_without_an_image_is_dropped_and_names_itself(world: World) -> None:
    record = world.write_sensor("gold", "orders", **READY)
    for change in ({"NewImage": None}, {"NewImage": {"data": {"X": 1}}}, {"Keys": {}}, {"Keys": {"PK": {"N": "1"}}}):
        broken = copy.deepcopy(record)
        broken["dynamodb"] |= change
        assert world.deliver(broken) == []
    assert world.executions.inputs == {}


def test_a_record_without_a_time_counts_as_written_now(world: World) -> None:
    record = copy.deepcopy(world.write_sensor("gold", "orders", state="ready"))
    for value in (None, "soon", float("nan"), 1e30):
        record["dynamodb"]["ApproximateCreationDateTime"] = value
        assert world.deliver(record) == []
    assert world.run("gold", DATE) is not None


garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["eventName", "eventID", "dynamodb", "Keys", "PK", "SK", "S", "NewImage", "SequenceNumber", "M"]
            ),
            inner,
        )
    ),
    max_leaves=15,
)


@given(st.lists(garbage, max_size=5))
def test_garbage_never_blocks_a_shard(records: list[Any]) -> None:
    world = World()
    assert world.deliver(*records) == []


sort_keys = st.sampled_from(["SENSOR#", "JOB#", "RERUN_REQUEST#", "TRIGGER#", "MARKER#"]).flatmap(
    lambda prefix: st.lists(st.sampled_from(["stream", "cron", DATE, "1", "x", ""]), max_size=4).map(
        lambda parts: prefix + "#".join(parts)
    )
)
attributes = st.dictionaries(
    st.sampled_from(
        ["data", "event", "attempt", "runId", "reason", "requestedAt", "requestedBy", "cause", "state", "date", "hour"]
    ),
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.sampled_from(["ready", "fail", "success", "timeout", DATE])
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.sampled_from(["state", "date", "hour"]), st.text(max_size=3) | st.integers(), max_size=3),
)


@given(st.lists(st.tuples(sort_keys, attributes), min_size=1, max_size=6))
def test_rows_with_any_attributes_never_block_a_shard(rows: list[tuple[str, dict[str, Any]]]) -> None:
    world = World()
    world.pipeline(gold())
    for sort_key, values in rows:
        row = {"PK": "PIPELINE#gold", "SK": sort_key, **values}
        table = world.joblog if sort_key.startswith("JOB#") else world.control
        assert world.deliver(world.write(table, row)) == []


@pytest.mark.parametrize("event", [{}, None, [], "x", {"Records": None}, {"mode": "fire-alert"}, {"detail-type": "x"}])
def test_an_event_of_no_known_kind_is_an_error(world: World, event: Any) -> None:
    with pytest.raises(PermanentError, match="does not know this event"):
        stream_router.handle(event, world.ports, clock=world.clock)
