"""AWS calls are the bill: no operation makes more of them than it may."""

from __future__ import annotations

import pytest

from benchmarks import calls, router
from benchmarks.calls import OPERATIONS, Operation


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_makes_no_more_calls_than_it_may(operation: Operation) -> None:
    counted = calls.counted(operation)
    assert 0 < counted.most <= operation.limit, counted


def test_a_sensor_that_matters_to_nobody_costs_nothing_after_the_first() -> None:
    operation = next(each for each in OPERATIONS if each.name == "sensor that matters to nobody")
    assert calls.counted(operation).warm.total() == 0


def test_the_limits_that_were_promised_stand_in_the_table() -> None:
    limits = {operation.name: operation.limit for operation in OPERATIONS}
    assert limits["sensor that starts a run"] <= 6
    assert limits["evaluation, passed"] <= 4
    assert limits["poll, running (Glue)"] <= 3


def test_the_table_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    calls.main()
    assert len(capsys.readouterr().out.splitlines()) == len(OPERATIONS) + 2


def test_the_routers_own_cost_leaves_room_for_thousands_of_records_a_second() -> None:
    irrelevant, starts = router.in_memory(irrelevant_records=5_000, starts=500)
    assert irrelevant.per_cpu_second > 5_000
    assert starts.per_cpu_second > 500
