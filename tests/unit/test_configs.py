"""Pipeline documents: read, remembered, forgotten."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from interlock_runtime.control.configs import CAPACITY, Configs
from interlock_runtime.core.config_rows import read_config
from interlock_runtime.core.errors import ConfigError
from tests.fakes.gold import gold
from tests.fakes.world import World


def row(document: Any, pipeline: str = "gold") -> dict[str, Any]:
    return {"PK": f"PIPELINE#{pipeline}", "SK": "CONFIG", "config": json.dumps(document)}


def test_a_row_is_read_into_types_and_keeps_its_document() -> None:
    sla = {"deadline": "10:00", "expectedDuration": "30m"}
    config = read_config(row(gold(sla=sla)))
    assert config.pipeline.id == "gold"
    assert config.sla == sla
    assert read_config(row(gold())).sla is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"config": None}, "config: is not JSON"),
        ({"config": "{"}, "config: is not JSON"),
        ({"config": "[" * 200_000}, "config: is nested too deeply"),
        ({"config": "[]"}, "expected a map"),
        ({"config": "{}"}, "pipeline: is required"),
        ({"PK": "PIPELINE#silver"}, r"pipeline.id: is 'gold', in the row of 'PIPELINE#silver'"),
    ],
)
def test_a_row_that_cannot_be_read_says_where(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read_config(row(gold()) | change)


def test_a_row_without_a_document_says_so() -> None:
    with pytest.raises(ConfigError, match="no such attribute"):
        read_config({"PK": "PIPELINE#gold", "SK": "CONFIG"})


def test_what_cannot_be_read_is_remembered_as_such() -> None:
    world = World()
    world.control.write({"PK": "PIPELINE#gold", "SK": "CONFIG", "config": "{"})
    for _ in range(3):
        with pytest.raises(ConfigError):
            world.ports.configs.get("gold", world.now)
    assert world.calls.made == ["dynamodb:GetItem"]


def test_a_document_and_other_rows_come_in_one_read() -> None:
    world = World()
    world.pipeline(gold())
    world.control.write({"PK": "PIPELINE#gold", "SK": "A"})
    config, found = world.ports.configs.get_with("gold", [("PIPELINE#gold", "A")], world.now)
    assert config is not None
    assert set(found) == {("PIPELINE#gold", "A")}
    assert world.calls.made == ["dynamodb:BatchGetItem"]


def test_keys_that_follow_from_the_document_cost_a_second_read_only_when_it_is_not_known() -> None:
    world = World()
    world.pipeline(gold())
    for calls in (2, 3):
        world.ports.configs.get_with("gold", [], world.now, more=lambda _: [("PIPELINE#gold", "B")])
        assert len(world.calls.made) == calls


def test_no_more_than_so_many_documents_are_remembered() -> None:
    world = World()
    remembered = Configs(world.control, capacity=3)
    for number in (0, 1, 2, 0, 3, 0):
        assert remembered.get(f"p{number}", world.now) is None
    assert len(world.calls.made) == 5


def test_the_documents_remembered_fit_into_the_smallest_function() -> None:
    world = World()
    for number in range(100):
        world.pipeline(gold(pipeline={"id": f"p{number}"}, sla={"deadline": "09:00", "expectedDuration": "1h"}))
    remembered = Configs(world.control)
    remembered.get("p0", world.now)
    tracemalloc.start()
    try:
        for number in range(100):
            remembered.get(f"p{number}", world.now)
        each = tracemalloc.get_traced_memory()[0] / 100
    finally:
        tracemalloc.stop()
    assert each * CAPACITY < 25_000_000
