"""``status`` costs what there is to show, not what there has ever been, and scans nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchmarks import status
from benchmarks.many_pipelines import MORNING

pytestmark = pytest.mark.slow

PIPELINES = 200


def test_what_is_read_does_not_depend_on_history() -> None:
    little = status.status(pipelines=PIPELINES, running=40, history=10, latency=0)
    much = status.status(pipelines=PIPELINES, running=40, history=5_000, latency=0)
    assert (much.read, much.calls) == (little.read, little.calls)
    assert set(little.calls) == {"BatchGetItem", "Query"}
    assert little.calls.total() < 0.3 * PIPELINES


def test_every_run_that_goes_on_is_shown() -> None:
    found = status.status(pipelines=PIPELINES, running=40, history=10, latency=0).found
    assert len(found.pipelines) == PIPELINES
    assert sum(standing.is_open for each in found.pipelines for standing in each.standings) == 40


def test_after_a_week_without_runs_the_last_ones_are_still_found() -> None:
    later = MORNING + timedelta(days=7)
    cost = status.status(pipelines=20, running=0, history=10, latency=0, now=later)
    assert all(each.last is not None for each in cost.found.pipelines)
