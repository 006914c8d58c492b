"""A pass costs what there is to watch, not what there has ever been, and little for each pipeline."""

from __future__ import annotations

import pytest

from benchmarks import watchdog
from benchmarks.watchdog import Cost, Installation

pytestmark = pytest.mark.slow

PIPELINES = 200
PASSES = ("first", "first of a day", "usual", "after six hours in which nothing was started or ended")


def passes(history: int) -> dict[str, Cost]:
    installation = Installation(pipelines=PIPELINES, running=40, history=history, latency=0)
    return {cost.name: cost for cost in watchdog.passes(installation)}


@pytest.fixture(scope="module")
def costs() -> dict[str, Cost]:
    return passes(history=10)


def test_what_is_read_does_not_depend_on_history(costs: dict[str, Cost]) -> None:
    with_history = passes(history=5_000)
    assert tuple(costs) == PASSES
    for name in PASSES:
        assert (with_history[name].read, with_history[name].calls) == (costs[name].read, costs[name].calls), name


def test_a_usual_pass_only_reads_and_only_in_batches(costs: dict[str, Cost]) -> None:
    assert set(costs["usual"].calls) == {"Query", "BatchGetItem"}
    assert costs["usual"].calls.total() <= 0.25 * PIPELINES


def test_the_first_pass_of_a_day_makes_the_bells_and_notes_them(costs: dict[str, Cost]) -> None:
    calls = costs["first of a day"].calls
    assert set(calls) == {"Query", "BatchGetItem", "CreateSchedule", "PutItem"}
    assert calls.total() <= 5 * PIPELINES


def test_nothing_is_ever_scanned(costs: dict[str, Cost]) -> None:
    # The simulated AWS has no such operation; this says so where it would be looked for.
    assert not any("Scan" in cost.calls for cost in costs.values())
